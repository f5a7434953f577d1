#include "pipeline.h"
#include "crew.h"
#include "shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct stage {
	struct pipeline *pipeline;
	struct pipeline_stage options;
	struct chan *in, *out;
	size_t first;          /* the index of its first thread */
	shim_size running;     /* the last thread of a stage closes its output */
};

struct pipeline {
	struct ctx *ctx;
	struct errchan *errors;
	struct waitgroup *running;
	shim_u32 callers;      /* references of the program: together they hold one of `refs` */
	shim_u32 refs;         /* and the threads hold one */
	size_t threads;
	size_t stride;         /* between the elements in use: one a thread, each on lines of its own */
	unsigned char *elems;
	size_t n;
	struct stage stages[];
};

static void release(struct pipeline *p)
{
	if (shim_sub(&p->refs, 1, acq_rel) != 1)
		return;
	for (size_t i = 0; i < p->n; i++) {
		chan_unref(p->stages[i].in);
		chan_unref(p->stages[i].out);
	}
	ctx_unref(p->ctx);
	errchan_unref(p->errors);
	waitgroup_unref(p->running);
	free(p->elems);
	free(p);
}

/* --- A stage at work --- */

bool stage_emit(struct stage *s, const void *elem)
{
	enum chan_status status = chan_send(s->out, elem, s->pipeline->ctx, FOREVER);

	if (status != CHAN_OK && s->options.out.drop)
		s->options.out.drop((void *)(uintptr_t)elem, s->options.out.drop_arg);
	return status == CHAN_OK;
}

bool stage_fail(struct stage *s, int64_t code, const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	errchan_report(s->pipeline->errors, code, "%s%s%s", s->options.name ? s->options.name : "", s->options.name ? ": " : "", text);
	return false;
}

struct ctx *stage_ctx(struct stage *s)
{
	return s->pipeline->ctx;
}

static struct stage *stage_of(struct pipeline *p, size_t thread)
{
	struct stage *s = &p->stages[p->n - 1];

	while (thread < s->first)
		s--;
	return s;
}

static void run_stage(size_t thread, void *arg)
{
	struct pipeline *p = arg;
	struct stage *s = stage_of(p, thread);
	void *elem = p->elems + thread * p->stride;
	enum chan_status status;

	do
		status = chan_recv(s->in, elem, p->ctx, FOREVER);
	while (status == CHAN_OK && s->options.run(s, elem, s->options.arg));
	if (status != CHAN_CLOSED) {
		/* It ends early, and so do all others; those before it hear it from the channel. */
		ctx_cancel(p->ctx);
		chan_close(s->in);
	}
	if (shim_sub(&s->running, 1, acq_rel) == 1)
		chan_close(s->out);
}

static void over(void *arg)
{
	struct pipeline *p = arg;

	errchan_close(p->errors);
	waitgroup_done(p->running);
	release(p);
}

/* --- Start --- */

static bool join(struct pipeline *p, struct chan *source)
{
	size_t size = chan_elem_size(source);

	for (size_t i = 0; i < p->n; i++) {
		struct stage *s = &p->stages[i];

		if (!s->options.run || s->options.out.elem_size > SIZE_MAX - CACHE_LINE)
			return false;
		s->pipeline = p;
		s->first = p->threads;
		shim_init(&s->running, s->options.threads);
		if (__builtin_add_overflow(p->threads, s->options.threads, &p->threads))
			return false;
		s->in = chan_ref(i == 0 ? source : p->stages[i - 1].out);
		s->out = chan_new_with(&s->options.out);
		if (!s->out)
			return false;
		if (i + 1 < p->n && s->options.out.elem_size > size)
			size = s->options.out.elem_size;
	}
	p->stride = (size / CACHE_LINE + 1) * CACHE_LINE;
	p->elems = calloc(p->threads, p->stride);
	return p->elems != NULL;
}

static struct pipeline *pipeline_new(const struct pipeline_stage *stages, size_t n, struct ctx *ctx)
{
	struct pipeline *p;
	size_t bytes;

	if (n == 0 || __builtin_mul_overflow(n, sizeof(struct stage), &bytes) || __builtin_add_overflow(bytes, sizeof(*p), &bytes))
		return NULL;
	p = calloc(1, bytes);
	if (!p)
		return NULL;
	p->n = n;
	for (size_t i = 0; i < n; i++) {
		p->stages[i].options = stages[i];
		if (stages[i].threads == 0)
			p->stages[i].options.threads = 1;
	}
	shim_init(&p->callers, 1);
	shim_init(&p->refs, 1);
	p->ctx = ctx_with_cancel(ctx);
	p->running = waitgroup_new();
	return p;
}

struct pipeline *pipeline_start(struct chan *source, const struct pipeline_stage *stages, size_t n, struct ctx *ctx)
{
	struct pipeline *p = pipeline_new(stages, n, ctx);
	struct crew_order order = { .name = "pipeline", .run = run_stage, .over = over, .arg = p };

	if (!p)
		return NULL;
	if (p->ctx && p->running && join(p, source)) {
		/* A thread reports at most once and ends, so there is room for every error. */
		p->errors = errchan_new(p->threads);
		order.count = p->threads;
		shim_init(&p->refs, 2);
		waitgroup_add(p->running, 1);
		if (p->errors && crew_start(&order))
			return p;
	}
	shim_init(&p->refs, 1);
	release(p);
	return NULL;
}

/* --- For the caller --- */

struct chan *pipeline_out(struct pipeline *p)
{
	return p->stages[p->n - 1].out;
}

struct errchan *pipeline_errors(struct pipeline *p)
{
	return p->errors;
}

void pipeline_cancel(struct pipeline *p)
{
	ctx_cancel(p->ctx);
}

enum chan_status pipeline_wait(struct pipeline *p, struct ctx *ctx, moment deadline)
{
	return waitgroup_wait(p->running, ctx, deadline);
}

struct pipeline *pipeline_ref(struct pipeline *p)
{
	shim_add(&p->callers, 1, relaxed);
	return p;
}

void pipeline_unref(struct pipeline *p)
{
	if (!p || shim_sub(&p->callers, 1, acq_rel) != 1)
		return;
	ctx_cancel(p->ctx);
	release(p);
}
