#include "fanin.h"
#include "crew.h"

#include <limits.h>
#include <stdlib.h>

struct fanin {
	struct chan_options options;
	struct chan *out;
	struct ctx *ctx;         /* ours: the first thread that finds the output closed ends the others */
	size_t n;
	size_t stride;           /* between the elements: one an input, each on a line of its own */
	unsigned char *elems;
	struct chan_case *cases;
	struct chan *inputs[];
};

static void *elem_of(const struct fanin *f, size_t index)
{
	return f->elems + index * f->stride;
}

/* false: nobody wants it any more. */
static bool pass_on(struct fanin *f, void *elem)
{
	if (chan_send(f->out, elem, f->ctx, FOREVER) == CHAN_OK)
		return true;
	if (f->options.drop)
		f->options.drop(elem, f->options.drop_arg);
	ctx_cancel(f->ctx);
	return false;
}

static void forward_one(size_t index, void *arg)
{
	struct fanin *f = arg;
	struct chan *input = f->inputs[index];
	void *elem = elem_of(f, index);

	if (!input)
		return;
	while (chan_recv(input, elem, f->ctx, FOREVER) == CHAN_OK && pass_on(f, elem))
		;
	chan_close(input);
}

static void select_all(unused_arg size_t index, void *arg)
{
	struct fanin *f = arg;
	enum chan_status why;
	bool more = true;

	for (size_t i = 0; i < f->n; i++)
		f->cases[i] = (struct chan_case){ CHAN_OP_RECV, f->inputs[i], elem_of(f, 0), f->options.elem_size, CHAN_OK };
	while (more) {
		if (fanin_next(f->cases, (int)f->n, f->ctx, FOREVER, &why) >= 0)
			more = pass_on(f, elem_of(f, 0));
		else
			/* Without the memory for a long select nothing is lost: it comes back to it. */
			more = why == CHAN_NOMEM && chan_recv(NULL, NULL, f->ctx, moment_in(MILLISECONDS)) == CHAN_TIMED_OUT;
	}
	for (size_t i = 0; i < f->n; i++)
		chan_close(f->inputs[i]);
}

static void fanin_free(struct fanin *f)
{
	for (size_t i = 0; i < f->n; i++)
		chan_unref(f->inputs[i]);
	chan_unref(f->out);
	ctx_unref(f->ctx);
	free(f->elems);
	free(f->cases);
	free(f);
}

static void over(void *arg)
{
	struct fanin *f = arg;

	chan_close(f->out);
	fanin_free(f);
}

static bool fits(struct chan *const *inputs, size_t n, const struct chan_options *out)
{
	for (size_t i = 0; i < n; i++) {
		if (inputs[i] && chan_elem_size(inputs[i]) != out->elem_size)
			return false;
	}
	return n <= INT_MAX && out->elem_size <= SIZE_MAX - CACHE_LINE;
}

static struct fanin *fanin_new(struct chan *const *inputs, size_t n, const struct chan_options *out, struct ctx *ctx)
{
	struct fanin *f = calloc(1, sizeof(*f) + n * sizeof(f->inputs[0]));

	if (!f)
		return NULL;
	f->options = *out;
	f->n = n;
	f->stride = (out->elem_size / CACHE_LINE + 1) * CACHE_LINE;
	for (size_t i = 0; i < n; i++)
		f->inputs[i] = chan_ref(inputs[i]);
	f->elems = calloc(n + 1, f->stride);
	f->cases = calloc(n + 1, sizeof(*f->cases));
	f->out = chan_new_with(out);
	f->ctx = ctx_with_cancel(ctx);
	if (f->elems && f->cases && f->out && f->ctx)
		return f;
	fanin_free(f);
	return NULL;
}

static struct chan *start(struct fanin *f, const struct crew_order *how)
{
	struct crew_order order = *how;
	struct chan *out;

	if (!f)
		return NULL;
	order.name = "fan-in";
	order.over = over;
	order.arg = f;
	out = chan_ref(f->out);
	if (crew_start(&order))
		return out;
	chan_unref(out);
	fanin_free(f);
	return NULL;
}

struct chan *fanin_forward(struct chan *const *inputs, size_t n, const struct chan_options *out, struct ctx *ctx)
{
	if (!fits(inputs, n, out))
		return NULL;
	return start(fanin_new(inputs, n, out, ctx), &(struct crew_order){ .count = n, .run = forward_one });
}

struct chan *fanin_select(struct chan *const *inputs, size_t n, const struct chan_options *out, struct ctx *ctx)
{
	if (!fits(inputs, n, out))
		return NULL;
	return start(fanin_new(inputs, n, out, ctx), &(struct crew_order){ .count = 1, .run = select_all });
}

static bool all_off(const struct chan_case *inputs, int n)
{
	for (int i = 0; i < n; i++) {
		if (inputs[i].op != CHAN_OP_SKIP && inputs[i].chan)
			return false;
	}
	return true;
}

int fanin_next(struct chan_case *inputs, int n, struct ctx *ctx, moment deadline, enum chan_status *why)
{
	enum chan_status status = CHAN_CLOSED;
	int i = -1;

	while (!all_off(inputs, n)) {
		i = chan_select(inputs, n, ctx, deadline, &status);
		if (i < 0 || status != CHAN_CLOSED)
			break;
		inputs[i].op = CHAN_OP_SKIP;
		i = -1;
	}
	if (why)
		*why = status;
	return i;
}
