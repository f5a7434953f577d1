#include "fanout.h"
#include "crew.h"
#include "shim.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	struct fanout *fanout;
	size_t index;
};

struct fanout {
	struct fanout_options options;
	struct chan *results;
	struct ctx *ctx;
	shim_size refs;          /* of the threads; the last closes the results */
	size_t n;
	size_t stride;           /* between the results under way: each on lines of its own */
	unsigned char *pieces, *under_way;
	struct slot slots[];
};

static void fanout_free(struct fanout *f)
{
	semaphore_unref(f->options.limit);
	chan_unref(f->results);
	ctx_unref(f->ctx);
	free(f->pieces);
	free(f->under_way);
	free(f);
}

static void leave(struct fanout *f)
{
	if (shim_sub(&f->refs, 1, acq_rel) != 1)
		return;
	chan_close(f->results);
	fanout_free(f);
}

static void run_piece(struct fanout *f, size_t index)
{
	const struct fanout_options *o = &f->options;
	void *result = f->under_way + index * f->stride;

	o->run(index, f->pieces + index * o->piece_size, result, f->ctx, o->arg);
	/* There is a place for each, so this fails only if the consumer has closed the channel. */
	if (chan_try_send(f->results, result) != CHAN_OK && o->result.drop)
		o->result.drop(result, o->result.drop_arg);
}

/* --- All at once --- */

static void run_unlimited(size_t index, void *arg)
{
	struct fanout *f = arg;

	if (ctx_error(f->ctx) == CHAN_OK)
		run_piece(f, index);
}

static void unlimited_over(void *arg)
{
	leave(arg);
}

/* --- As many as there are permits --- */

static void run_permitted(unused_arg size_t index, void *arg)
{
	struct slot *slot = arg;

	run_piece(slot->fanout, slot->index);
	semaphore_release(slot->fanout->options.limit, 1);
}

static void permitted_over(void *arg)
{
	leave(((struct slot *)arg)->fanout);
}

/* A thread is made when there is a permit for it, so there are no more threads than permits, and this one. */
static void hand_out(unused_arg size_t index, void *arg)
{
	struct fanout *f = arg;

	for (size_t i = 0; i < f->n; i++) {
		struct crew_order order = { .name = f->options.name, .count = 1, .run = run_permitted, .over = permitted_over };

		if (chan_is_closed(f->results) || semaphore_acquire(f->options.limit, 1, f->ctx, FOREVER) != CHAN_OK)
			return;
		order.arg = &f->slots[i];
		shim_add(&f->refs, 1, relaxed);
		if (!crew_start(&order)) {
			run_permitted(0, order.arg);
			permitted_over(order.arg);
		}
	}
}

/* --- Start --- */

static bool make_rooms(struct fanout *f, const void *pieces)
{
	size_t size = f->options.piece_size;

	f->stride = (f->options.result.elem_size / CACHE_LINE + 1) * CACHE_LINE;
	f->pieces = calloc(f->n + 1, size ? size : 1);
	f->under_way = calloc(f->n + 1, f->stride);
	f->results = chan_new_with(&f->options.result);
	if (!f->pieces || !f->under_way || !f->results)
		return false;
	if (f->n && size)
		memcpy(f->pieces, pieces, f->n * size);
	for (size_t i = 0; i < f->n; i++)
		f->slots[i] = (struct slot){ f, i };
	return true;
}

static struct fanout *fanout_new(const struct fanout_options *options, const void *pieces, size_t n, struct ctx *ctx)
{
	struct fanout *f;
	size_t bytes;

	if (__builtin_mul_overflow(n, sizeof(struct slot), &bytes) || __builtin_add_overflow(bytes, sizeof(*f), &bytes) ||
	    options->result.elem_size > SIZE_MAX - CACHE_LINE)
		return NULL;
	f = calloc(1, bytes);
	if (!f)
		return NULL;
	f->options = *options;
	f->options.result.capacity = n;
	f->options.limit = options->limit ? semaphore_ref(options->limit) : NULL;
	f->ctx = ctx_ref(ctx);
	f->n = n;
	shim_init(&f->refs, 1);
	if (make_rooms(f, pieces))
		return f;
	fanout_free(f);
	return NULL;
}

struct chan *fanout_start(const struct fanout_options *options, const void *pieces, size_t n, struct ctx *ctx)
{
	struct crew_order order = { .name = options->name, .count = n, .run = run_unlimited, .over = unlimited_over };
	struct fanout *f = options->run ? fanout_new(options, pieces, n, ctx) : NULL;
	struct chan *results;

	if (!f)
		return NULL;
	order.arg = f;
	if (options->limit) {
		order.count = 1;
		order.run = hand_out;
	}
	results = chan_ref(f->results);
	if (crew_start(&order))
		return results;
	chan_unref(results);
	fanout_free(f);
	return NULL;
}
