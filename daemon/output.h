/* The output of a run, on the thread that runs it: kept whole in the job until its end, within max_output and the memory budget. */
#ifndef LEAT_OUTPUT_H
#define LEAT_OUTPUT_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct job;

enum output_limit { OUTPUT_FITS, OUTPUT_TOO_BIG, OUTPUT_NO_MEMORY };

struct output {
	struct job *job;
	size_t len, cap;                /* of job->output */
	enum output_limit limit;        /* which one was met; then no more is taken */
};

void output_init(struct output *, struct job *);

/* Where to put the next bytes: *room of them, at least one; output_put() says how many there were. NULL: a limit was met. */
must_check char *output_room(struct output *, size_t *room);
void output_put(struct output *, size_t bytes);

/* Appends a copy. False: a limit was met, and not all of it is there. */
bool output_add(struct output *, const void *bytes, size_t len);

/* Sets the answer of a job that is done with its payload: these few bytes are all of the output. They are copied, if there is room in the
 * job itself to there. False: the memory budget was met. */
must_check bool output_answer_whole(struct output *, const void *bytes, size_t len);

/* Sets the answer of the job: done, with this output, or that a limit was met. */
void output_answer_done(const struct output *);
void output_answer_limit(const struct output *);

#endif
