/* The output of a run, on the thread that runs it, within max_output: kept whole in the job until its end, within the memory budget; or, if
 * the client wants it as it comes, written to the job's stream, and then whoever puts it there waits while the stream is full, until the
 * job's context is done. */
#ifndef LEAT_OUTPUT_H
#define LEAT_OUTPUT_H

#include "slice.h"
#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct job;

enum output_limit { OUTPUT_FITS, OUTPUT_TOO_BIG, OUTPUT_NO_MEMORY, OUTPUT_CUT_SHORT };

struct output {
	struct job *job;
	size_t len;                     /* of all of it */
	size_t cap;                     /* of job->output, which is the room of one step if it is streamed */
	enum output_limit limit;        /* which one was met; then no more is taken */
};

void output_init(struct output *, struct job *);

/* Where to put the next bytes: *room of them, at least one; output_put() says how many there were. NULL: a limit was met. */
must_check char *output_room(struct output *, size_t *room);
void output_put(struct output *, size_t bytes);

/* Appends a copy. False: a limit was met, and not all of it is there. */
bool output_add(struct output *, const void *bytes, size_t len);

/* The same, but does not wait for a slow reader: takes what there is room for off the front of `bytes`. What is left then is to be offered
 * again when the stream, job->out.writer, can be written to. */
must_check bool output_offer(struct output *, struct slice *bytes);

/* Sets the answer of a job that is done with its payload: these few bytes are all of the output. They are copied, if there is room in the
 * job itself to there. False: the memory budget was met. */
must_check bool output_answer_whole(struct output *, const void *bytes, size_t len);

enum output_taken { OUTPUT_WAITS_FOR_SOURCE, OUTPUT_WAITS_FOR_READER, OUTPUT_ENDED };

/* Takes what comes out of a pipe that does not block, as much as there is, and as the stream takes without waiting: until the pipe has more
 * to read, or the stream, job->out.writer, can be written to. Once a limit is met it says that it has ended. */
must_check enum output_taken output_take(struct output *, int fd);

/* Sets the answer of the job: done, with this output (unless it was streamed), or that a limit was met. */
void output_answer_done(const struct output *);
void output_answer_limit(const struct output *);

#endif
