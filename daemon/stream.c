#include "stream.h"

#include "../lib/chan.h"
#include "../lib/ctx.h"
#include "../lib/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum {
	/* A reader that is awake makes room within so many milliseconds. */
	SHORT_WAIT_MS = 1,
	/* How often it is looked whether the context is done, if that cannot be watched. */
	LOOK_MS = 100,
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int stream_open(struct stream *s, bool reader_blocks)
{
	int ends[2];

	*s = STREAM_CLOSED;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*s = (struct stream){ ends[0], ends[1] };
	if (reader_blocks && fcntl(s->reader, F_SETFL, 0) < 0) {
		stream_close(s);
		return -EBADF;
	}
	return 0;
}

int stream_open_between(struct stream *s)
{
	int ends[2];

	*s = STREAM_CLOSED;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*s = (struct stream){ ends[0], ends[1] };
	return 0;
}

void stream_close_reader(struct stream *s)
{
	close_end(&s->reader);
}

void stream_close_writer(struct stream *s)
{
	close_end(&s->writer);
}

void stream_close(struct stream *s)
{
	close_end(&s->reader);
	close_end(&s->writer);
}

/* --- Writing on a runner --- */

static bool has_room(const struct stream *s)
{
	struct pollfd writer = { s->writer, POLLOUT, 0 };

	return poll(&writer, 1, SHORT_WAIT_MS) > 0;
}

/* Until there is room, or the context is done. */
static void wait_for_room(const struct stream *s, struct ctx *ctx)
{
	struct pollfd polls[] = { { s->writer, POLLOUT, 0 }, { -1, POLLIN, 0 } };
	struct chan_watch *done;

	if (has_room(s))
		return;
	done = chan_watch_new(ctx_done(ctx), &polls[1].fd);
	if (!done || chan_watch_arm(done))
		poll(polls, 2, done ? -1 : LOOK_MS);
	chan_watch_free(done);
}

bool stream_write(const struct stream *s, const void *bytes, size_t len, struct ctx *ctx)
{
	const char *at = bytes;

	while (len > 0 && ctx_error(ctx) == CHAN_OK) {
		ssize_t n = write(s->writer, at, len);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			wait_for_room(s, ctx);
		} else if (n < 0 && errno != EINTR) {
			return false;
		}
	}
	return len == 0;
}

/* --- From pipe to pipe --- */

/* Nothing could be moved: the kernel says the same of a source that is empty and of a stream that is full. Should it have become either
 * in between, waiting for the other one ends at once. */
static enum stream_moved why_nothing(const struct stream *s)
{
	struct pollfd writer = { s->writer, POLLOUT, 0 };

	if (poll(&writer, 1, 0) <= 0)
		return STREAM_FULL;
	return writer.revents & POLLERR ? STREAM_UNREAD : STREAM_EMPTY;
}

enum stream_moved stream_move(const struct stream *s, int from, size_t most, size_t *moved)
{
	while (most > 0) {
		ssize_t n = splice(from, NULL, s->writer, NULL, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

		if (n == 0)
			return STREAM_END;
		if (n > 0) {
			most -= (size_t)n;
			*moved += (size_t)n;
		} else if (errno == EAGAIN) {
			return why_nothing(s);
		} else if (errno != EINTR) {
			return errno == EPIPE ? STREAM_UNREAD : STREAM_END;
		}
	}
	return STREAM_MOST;
}
