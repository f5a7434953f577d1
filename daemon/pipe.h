/* A pipe: jobs of which each has the output of the one before it for its payload. A client puts one together (PIPE), or a type of its own is
 * one (`pipeline = fetch resize png`, KIND_PIPELINE).
 *
 * It is a job, the whole, with the id, the deadline and the answer, of the pipeline's type or of catalogue->pipes, of which there may be max_pipes
 * at a time; it waits, runs, is cancelled and answered like any other. Its run is to conduct: each stage is a job of its own type, with a
 * place, a runner and an end in the books of that, the id ID.0, ID.1 and so on, and a context below the whole's. So the thread of a
 * pipe sleeps most of the time, and everything that is true of a job is true of a pipe.
 *
 * All stages are admitted together, or none: those of PIPE before it is accepted, those of a pipeline when it begins to run.
 * Stages that are commands and stand side by side run together, and a kernel pipe leads from the stdout of one to the stdin of the next: leatd
 * neither sees nor counts what goes through. Before any other stage the output is collected, up to max_payload, and
 * the stage enters its channel when it is there. The first that fails is the answer, and the rest is cancelled and dead before that is given.
 * A stage reads an end only if the one before it has ended well; one that stops reading makes no failure of what that does to the one before
 * it, as in a shell. */
#ifndef LEAT_PIPE_H
#define LEAT_PIPE_H

#include "books.h"
#include "config.h"
#include "slice.h"
#include "../lib/compiler.h"
#include "../lib/moment.h"

struct answer;
struct catalogue;
struct inquiry_job;
struct job;
struct peer;
struct pipe;
struct type;

/* The longest id of a pipe: its stages have that, a dot and a number. */
enum { PIPE_ID_MAX = 61 };

/* What a client has put together. */
struct pipe_order {
	struct type *types[PIPE_STAGES_MAX];
	size_t count;
};

/* Whether that could ever run. If not, *why is the answer. */
must_check bool pipe_is_possible(const struct catalogue *, const struct pipe_order *, struct slice id, struct answer *why);
/* The time it gets if the client names none: what its stages would get one after the other. And the most it may get: the shortest
 * max_deadline, since it may keep each of them for so long. */
int64_t pipe_deadline(const struct pipe_order *);
int64_t pipe_max_deadline(const struct pipe_order *);

/* Makes the whole a pipe; `order` is NULL for one of a pipeline's type. NULL: no memory. */
must_check struct pipe *pipe_new(struct job *whole, const struct pipe_order *order);
/* With the whole. NULL does nothing. */
void pipe_free(struct pipe *);

/* Takes the places of all stages, or none. `peer`: who asks; NULL: they are inside of a pipeline that has been let in. False: *why is the
 * answer, and *reason what the books say. */
must_check bool pipe_admit(struct pipe *, const struct peer *, moment now, struct answer *why, enum refusal *reason);

/* The whole is not run: its stages end. On its runner. */
void pipe_drop(struct pipe *);

/* Runs the whole, on its runner. */
void pipe_run(struct job *whole);

/* --- For inquiry.c. Any thread that has a reference on the whole --- */

/* Each stage that waits or runs. `like` has what they have in common with the whole. */
void pipe_list(struct pipe *, const struct inquiry_job *like, void (*add)(void *arg, const struct inquiry_job *), void *arg);
/* Whether a stage of it that is not over has that id. */
bool pipe_has(struct pipe *, const char *id);

#endif
