#include "encapsulated.h"
#include "crew.h"
#include "shim.h"

#include <stdlib.h>

struct encapsulated {
	struct encapsulated_options options;
	struct chan *in, *out;
	struct ctx *ctx;
	struct waitgroup *running;
	shim_u32 callers;   /* references of the program: together they hold one of `refs` */
	shim_u32 refs;      /* and the thread holds one */
};

static void release(struct encapsulated *e)
{
	if (shim_sub(&e->refs, 1, acq_rel) != 1)
		return;
	chan_unref(e->in);
	chan_unref(e->out);
	ctx_unref(e->ctx);
	waitgroup_unref(e->running);
	free(e);
}

static void run(unused_arg size_t index, void *arg)
{
	struct encapsulated *e = arg;

	e->options.run(e->in, e->out, e->ctx, e->options.arg);
	chan_close(e->in);
	chan_close(e->out);
	waitgroup_done(e->running);
}

static void over(void *arg)
{
	release(arg);
}

static struct encapsulated *encapsulated_new(const struct encapsulated_options *options, struct ctx *ctx)
{
	struct encapsulated *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->options = *options;
	e->options.name = NULL;
	shim_init(&e->callers, 1);
	shim_init(&e->refs, 1);
	e->in = chan_new_with(&options->in);
	e->out = chan_new_with(&options->out);
	e->ctx = ctx_with_cancel(ctx);
	e->running = waitgroup_new();
	if (e->in && e->out && e->ctx && e->running)
		return e;
	release(e);
	return NULL;
}

struct encapsulated *encapsulated_start(const struct encapsulated_options *options, struct ctx *ctx)
{
	struct encapsulated *e = options->run ? encapsulated_new(options, ctx) : NULL;
	struct crew_order order = { .name = options->name, .count = 1, .run = run, .over = over, .arg = e };

	if (!e)
		return NULL;
	shim_init(&e->refs, 2);
	waitgroup_add(e->running, 1);
	if (crew_start(&order))
		return e;
	shim_init(&e->refs, 1);
	release(e);
	return NULL;
}

struct chan *encapsulated_in(struct encapsulated *e)
{
	return e->in;
}

struct chan *encapsulated_out(struct encapsulated *e)
{
	return e->out;
}

enum chan_status encapsulated_stop(struct encapsulated *e, struct ctx *ctx, moment deadline)
{
	chan_close(e->in);
	return waitgroup_wait(e->running, ctx, deadline);
}

struct encapsulated *encapsulated_ref(struct encapsulated *e)
{
	shim_add(&e->callers, 1, relaxed);
	return e;
}

void encapsulated_unref(struct encapsulated *e)
{
	if (!e || shim_sub(&e->callers, 1, acq_rel) != 1)
		return;
	ctx_cancel(e->ctx);
	chan_close(e->in);
	release(e);
}
