/* A pipe in the benchmark, 8 bytes at a time, which the kernel keeps whole. Its smallest capacity is a page, 512 elements; it
 * cannot do a meeting. */
#define CAN_TRY
#define CAN_SELECT
#include "scenarios.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct queue {
	int out, in, out_nonblocking, in_nonblocking;
};

/* Another open file of the same pipe: O_NONBLOCK belongs to the file. */
static int open_nonblocking(int fd, int access)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, access | O_NONBLOCK | O_CLOEXEC);
	must(fd >= 0, "no pipe");
	return fd;
}

static struct queue *queue_new(size_t capacity, bool single)
{
	struct queue *q = calloc(1, sizeof(*q));
	int fd[2];

	(void)single;
	must(q && !pipe2(fd, O_CLOEXEC), "no pipe");
	must(fcntl(fd[1], F_SETPIPE_SZ, (int)(capacity * sizeof(uint64_t))) > 0, "not that capacity");
	q->out = fd[0];
	q->in = fd[1];
	q->out_nonblocking = open_nonblocking(q->out, O_RDONLY);
	q->in_nonblocking = open_nonblocking(q->in, O_WRONLY);
	return q;
}

static void queue_send(struct queue *q, uint64_t value)
{
	must(write(q->in, &value, sizeof(value)) == sizeof(value), "not sent");
}

static bool queue_try_send(struct queue *q, uint64_t value)
{
	return write(q->in_nonblocking, &value, sizeof(value)) == sizeof(value);
}

static bool queue_recv(struct queue *q, uint64_t *value)
{
	return read(q->out, value, sizeof(*value)) == sizeof(*value);
}

static void queue_close(struct queue *q)
{
	close(q->in);
	close(q->in_nonblocking);
}

static bool queue_select(struct queue *q[2], uint64_t *value)
{
	struct pollfd fds[2];
	ssize_t n;
	int i;

	while (q[0] || q[1]) {
		for (i = 0; i < 2; i++)
			fds[i] = (struct pollfd){ .fd = q[i] ? q[i]->out : -1, .events = POLLIN };
		must(poll(fds, 2, -1) > 0, "not received");
		i = fds[0].revents ? 0 : 1;
		/* Another reader may have been faster. */
		n = read(q[i]->out_nonblocking, value, sizeof(*value));
		if (n == sizeof(*value))
			return true;
		if (n == 0)
			q[i] = NULL;
	}
	return false;
}
