/* A stream: what a job reads or writes while it runs, on its way between the run and the loop. A kernel pipe, so memory is bounded, who
 * is faster waits for who is slower, and both can wait for it like for any descriptor.
 *
 * One end is the run's and the other the loop's; each closes its own, and the job closes at its end what is still open then. Since
 * every end has one owner, nothing is locked. */
#ifndef LEAT_STREAM_H
#define LEAT_STREAM_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct ctx;

/* What the kernel may keep of one, and what the memory budget is charged for it. */
enum { STREAM_BYTES = 64 * 1024 };

struct stream {
	int reader, writer;     /* -1: closed */
};

#define STREAM_CLOSED ((struct stream){ -1, -1 })

/* Makes the pipe; no write to it blocks. `reader_blocks`: it is to be the stdin of a command. 0 or -errno, and then both ends are closed. */
must_check int stream_open(struct stream *, bool reader_blocks);

/* The same for two commands: it is the stdout of one and the stdin of the other, and both ends block. */
must_check int stream_open_between(struct stream *);

void stream_close_reader(struct stream *);
void stream_close_writer(struct stream *);
void stream_close(struct stream *);

/* Writes all of it, and waits for room until the context is done. False: it is done, or nobody reads any more. On a runner thread. */
bool stream_write(const struct stream *, const void *bytes, size_t len, struct ctx *);

enum stream_moved {
	STREAM_EMPTY,   /* there is no more at present: wait until `from` can be read */
	STREAM_FULL,    /* it takes no more at present: wait until the writer can be written to */
	STREAM_END,     /* there will be no more */
	STREAM_MOST,    /* `most` bytes were moved, and there may be more */
	STREAM_UNREAD,  /* nobody reads any more */
};

/* Moves what comes out of another pipe, without looking at it, until nothing more can be moved without waiting; at most `most` bytes,
 * which *moved is increased by. `from` does not block. */
must_check enum stream_moved stream_move(const struct stream *, int from, size_t most, size_t *moved);

#endif
