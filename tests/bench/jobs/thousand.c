/* thousand PORT run|map SECONDS: a thousand jobs of `echo` a round on one connection, as so many RUN in a pipeline or as one MAP, one
 * round after another. Prints how many jobs were done a second. Every answer is compared with what it has to be. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 1000, ROOM = 64 * JOBS };

struct text {
	char at[ROOM];
	size_t len;
};

static void add(struct text *t, const char *piece, int times)
{
	for (int i = 0; i < times; i++) {
		memcpy(t->at + t->len, piece, strlen(piece));
		t->len += strlen(piece);
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	fprintf(stderr, "thousand: %s\n", what);
	return 1;
}

static int send_all(int fd, const struct text *t)
{
	size_t sent = 0;

	while (sent < t->len) {
		ssize_t n = write(fd, t->at + sent, t->len - sent);

		if (n <= 0)
			return 0;
		sent += (size_t)n;
	}
	return 1;
}

static int hear_all(int fd, const struct text *expected)
{
	static char heard[ROOM];
	size_t len = 0;

	while (len < expected->len) {
		ssize_t n = read(fd, heard + len, expected->len - len);

		if (n <= 0)
			return 0;
		len += (size_t)n;
	}
	return memcmp(heard, expected->at, len) == 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static struct text request, expected;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double began;
	long done = 0;

	if (argc != 4)
		return fail("usage: thousand PORT run|map SECONDS");
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return fail("cannot connect");
	if (strcmp(argv[2], "map") == 0) {
		add(&request, "*1003\r\n$3\r\nMAP\r\n$4\r\necho\r\n$4\r\n1000\r\n", 1);
		add(&request, "$5\r\nhello\r\n", JOBS);
		add(&expected, "*1000\r\n", 1);
	} else {
		add(&request, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$5\r\nhello\r\n", JOBS);
	}
	add(&expected, "$5\r\nhello\r\n", JOBS);
	for (began = seconds(); seconds() < began + atof(argv[3]); done += JOBS) {
		if (!send_all(fd, &request) || !hear_all(fd, &expected))
			return fail("not every job was answered with hello");
	}
	printf("%.1f\n", (double)done / (seconds() - began));
	return 0;
}
