/* The pipeline: stages joined by channels. Each stage takes elements from the channel before it, and sends on what it makes of them; a
 * slow stage holds up those before it, as far as the channels between have no room. The first error cancels all of it, and
 * every error lands in one error channel, which has room for it.
 *
 *	static bool square(struct stage *stage, void *elem, void *arg)
 *	{
 *		int n = *(int *)elem;
 *		if (n > 46340)
 *			return stage_fail(stage, EDOM, "%d is too large", n);
 *		return stage_emit(stage, &(int){ n * n });
 *	}
 *
 * The source is the pipeline's alone to receive from. Its end is the end of the pipeline: each stage does what is left and
 * then closes its output. When the pipeline ends early (an error, its ctx, an output that the consumer has closed), the source is
 * closed too: who feeds it hears CHAN_CLOSED, keeps the element and can go. Elements that are lost on the way are dropped by
 * their stage's drop. A stage that blocks on something else than its ctx holds the end up; a consumer that neither takes the
 * output nor lets the pipeline go holds all of it up.
 *
 * After Ajmani, "Go Concurrency Patterns: Pipelines and cancellation" (2014). */
#ifndef LEAT_PIPELINE_H
#define LEAT_PIPELINE_H

#include "chan.h"
#include "errchan.h"

struct pipeline;
struct stage;   /* what a stage's run() speaks to the pipeline through */

struct pipeline_stage {
	struct chan_options out;   /* the channel behind the stage: the size of what it makes, the room, the drop */
	/* Uses one element, of the size that the stage before makes, and owns what it points to. false: the pipeline is ending; having
	 * emitted in vain, or failed. */
	bool (*run)(struct stage *, void *elem, void *arg);
	void *arg;                 /* borrowed; must outlive the pipeline's threads */
	size_t threads;            /* that run this stage at once; 0 counts as 1. With more than one the order is lost */
	const char *name;          /* stands before the texts of its errors; borrowed like arg; may be NULL */
};

/* Sends one element on; any number for each that was taken. What it points to is no longer the caller's, in any case. false: the
 * pipeline is ending; clean up and return false. */
bool stage_emit(struct stage *, const void *elem);

/* Reports an error and ends the pipeline. Always false: `return stage_fail(...)`. */
bool stage_fail(struct stage *, int64_t code, const char *format, ...) printf_like(3, 4);

/* Ends when the pipeline does; borrowed. For calls that block. */
struct ctx *stage_ctx(struct stage *);

/* Starts all threads. Takes references on the source and the ctx (NULL: none). The caller owns one reference. NULL: no stages, no
 * memory or not enough threads; nothing was taken from the source. */
struct pipeline *pipeline_start(struct chan *source, const struct pipeline_stage *stages, size_t n, struct ctx *ctx) must_check;

/* What the last stage makes, borrowed. Closed when all is done, or the pipeline has ended early: then errors or the ctx say why. */
struct chan *pipeline_out(struct pipeline *);

/* The errors, borrowed; closed when all stages have ended. errchan_first() is the one that cancelled the rest. */
struct errchan *pipeline_errors(struct pipeline *);

/* Ends it early. What is in the output can still be received. */
void pipeline_cancel(struct pipeline *);

/* Waits until all stages have ended: CHAN_OK. CHAN_WOULD_BLOCK (NOW), CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE: not yet; may be called
 * again. Take the output first, or cancel. Not from a stage. */
enum chan_status pipeline_wait(struct pipeline *, struct ctx *, moment deadline);

struct pipeline *pipeline_ref(struct pipeline *);

/* The last reference of the callers ends the pipeline, without waiting; the memory goes with the last thread. */
void pipeline_unref(struct pipeline *);

#endif
