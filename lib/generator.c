#include "generator.h"
#include "crew.h"

#include <stdlib.h>

struct generator {
	struct generator_options options;
	struct chan *out;
	struct ctx *ctx;
	_Alignas(max_align_t) unsigned char elem[];
};

static bool produce(struct generator *g)
{
	const struct generator_options *o = &g->options;

	if (ctx_error(g->ctx) != CHAN_OK || !o->next(g->elem, g->ctx, o->arg))
		return false;
	if (chan_send(g->out, g->elem, g->ctx, FOREVER) == CHAN_OK)
		return true;
	if (o->out.drop)
		o->out.drop(g->elem, o->out.drop_arg);
	return false;
}

static void run(unused_arg size_t index, void *arg)
{
	struct generator *g = arg;

	while (produce(g))
		;
	if (g->options.end)
		g->options.end(g->options.arg);
	chan_close(g->out);
}

static void generator_free(void *arg)
{
	struct generator *g = arg;

	chan_unref(g->out);
	ctx_unref(g->ctx);
	free(g);
}

struct chan *generator_start(const struct generator_options *options, struct ctx *ctx)
{
	struct crew_order order = { .name = options->name, .count = 1, .run = run, .over = generator_free };
	struct chan_options with = options->out;
	struct generator *g;
	struct chan *out;
	size_t bytes;

	if (!options->next || __builtin_add_overflow(sizeof(*g), with.elem_size, &bytes))
		return NULL;
	g = calloc(1, bytes);
	if (!g)
		return NULL;
	with.flags |= CHAN_SINGLE_PRODUCER;
	g->options = *options;
	g->options.name = NULL;
	g->ctx = ctx_ref(ctx);
	g->out = chan_new_with(&with);
	order.arg = g;
	out = chan_ref(g->out);
	if (out && crew_start(&order))
		return out;
	chan_unref(out);
	generator_free(g);
	return NULL;
}
