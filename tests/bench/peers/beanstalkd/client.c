/* client PORT CONNECTIONS SECONDS: on each connection a job is put, reserved and deleted, over and over; what can go out together does: with
 * the deletion of one job the next is put and reserved. Prints how many jobs a second went all the way. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024 };

struct line {
	int fd;
	char in[512];
	size_t len;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connecting");
	return fd;
}

/* Deletes that job (0: none), puts one, and reserves one. */
static void next(struct line *line, unsigned long job)
{
	char out[128];
	int n = job ? snprintf(out, sizeof(out), "delete %lu\r\n", job) : 0;

	n += snprintf(out + n, sizeof(out) - (size_t)n, "put 0 0 60 5\r\nhello\r\nreserve\r\n");
	if (write(line->fd, out, (size_t)n) != n)
		fail("writing");
}

/* The number of the job that was reserved, when all of the answer has come: `RESERVED id 5`, its line, and the payload. 0: not yet. */
static unsigned long reserved(struct line *line)
{
	char *at = memmem(line->in, line->len, "RESERVED ", 9);
	char *end = at ? memmem(at, line->len - (size_t)(at - line->in), "\r\nhello\r\n", 9) : NULL;
	unsigned long job;

	if (!end)
		return 0;
	job = strtoul(at + 9, NULL, 10);
	end += 9;
	line->len -= (size_t)(end - line->in);
	memmove(line->in, end, line->len);
	return job;
}

static bool hear(struct line *line)
{
	ssize_t n = read(line->fd, line->in + line->len, sizeof(line->in) - line->len);
	unsigned long job;

	if (n <= 0)
		fail("reading");
	line->len += (size_t)n;
	job = reserved(line);
	if (job)
		next(line, job);
	return job != 0;
}

int main(int argc, char **argv)
{
	static struct line lines[CONNECTIONS_MAX];
	static struct pollfd polls[CONNECTIONS_MAX];
	int n = argc == 4 ? atoi(argv[2]) : 0;
	double began = seconds();
	long done = 0;

	if (n < 1 || n > CONNECTIONS_MAX) {
		fprintf(stderr, "usage: client PORT CONNECTIONS SECONDS\n");
		return 64;
	}
	for (int i = 0; i < n; i++) {
		lines[i].fd = connect_to(atoi(argv[1]));
		polls[i] = (struct pollfd){ lines[i].fd, POLLIN, 0 };
		next(&lines[i], 0);
	}
	while (seconds() < began + atof(argv[3])) {
		if (poll(polls, (nfds_t)n, 1000) < 0)
			fail("waiting");
		for (int i = 0; i < n; i++)
			if (polls[i].revents)
				done += hear(&lines[i]);
	}
	printf("%.1f\n", (double)done / (seconds() - began));
	return 0;
}
