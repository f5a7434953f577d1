#include "tracked.h"

#include "../../lib/generator.h"
#include "../../lib/pipeline.h"

#include <errno.h>
#include <string.h>

/* Numbers are counted, then doubled, then one is added. */
struct works {
	struct ledger ledger;
	int next, last;         /* the source's */
	int bad;                /* a number at which the first stage fails */
	shim_u32 used;          /* by the first stage */
	shim_u32 source_ended;
};

static bool count(void *elem, unused_arg struct ctx *ctx, void *arg)
{
	struct works *w = arg;

	if (w->next > w->last)
		return false;
	*(int **)elem = number_new(&w->ledger, w->next++);
	return true;
}

static void counted(void *arg)
{
	struct works *w = arg;

	shim_store(&w->source_ended, 1, release);
}

static bool twice(struct stage *stage, void *elem, void *arg)
{
	struct works *w = arg;
	int value = number_take(*(int **)elem);
	bool bad = value == w->bad;
	int *made;

	shim_add(&w->used, 1, release);
	if (bad)
		return stage_fail(stage, EDOM, "%d is bad", value);
	made = number_new(&w->ledger, 2 * value);
	return stage_emit(stage, &made);
}

static bool add_one(struct stage *stage, void *elem, unused_arg void *arg)
{
	++**(int **)elem;
	return stage_emit(stage, elem);
}

static struct chan *source_of(struct works *w)
{
	struct generator_options options = {
		.out = numbers_of(&w->ledger, 0), .next = count, .end = counted, .arg = w,
	};
	struct chan *source = generator_start(&options, NULL);

	ck_assert_ptr_nonnull(source);
	return source;
}

static struct pipeline *start_with(struct works *w, struct chan *source, size_t threads, size_t capacity, struct ctx *ctx)
{
	struct pipeline_stage stages[] = {
		{ .out = numbers_of(&w->ledger, capacity), .run = twice, .arg = w, .threads = threads, .name = "twice" },
		{ .out = numbers_of(&w->ledger, capacity), .run = add_one, .name = "add one" },
	};
	struct pipeline *p = pipeline_start(source, stages, countof(stages), ctx);

	ck_assert_ptr_nonnull(p);
	return p;
}

static struct pipeline *start(struct works *w, size_t threads, size_t capacity, struct ctx *ctx)
{
	struct chan *source = source_of(w);
	struct pipeline *p = start_with(w, source, threads, capacity, ctx);

	chan_unref(source);
	return p;
}

static void finish(struct pipeline *p, struct works *w, size_t before)
{
	ck_assert_status(pipeline_wait(p, NULL, SOON), CHAN_OK);
	pipeline_unref(p);
	wait_until(shim_load(&w->source_ended, acquire), SOON);
	ck_assert_no_thread_is_left(before);
}

START_TEST(what_goes_in_comes_out_changed_and_in_order)
{
	size_t before = threads_before();
	struct works w = { .next = 1, .last = 500, .bad = -1 };
	struct pipeline *p = start(&w, 1, 2, NULL);
	struct error_note note;
	int *number;

	for (int i = 1; i <= 500; i++) {
		ck_assert_status(chan_recv(pipeline_out(p), &number, NULL, SOON), CHAN_OK);
		ck_assert_int_eq(number_take(number), 2 * i + 1);
	}
	ck_assert_status(chan_recv(pipeline_out(p), &number, NULL, SOON), CHAN_CLOSED);
	ck_assert(!errchan_first(pipeline_errors(p), &note));
	finish(p, &w, before);
	ck_assert_uint_eq(dropped_of(&w.ledger), 0);
}
END_TEST

START_TEST(the_first_error_cancels_the_rest_and_is_told)
{
	size_t before = threads_before();
	struct works w = { .next = 1, .last = INT32_MAX, .bad = 50 };
	struct pipeline *p = start(&w, 1, 1, NULL);
	struct error_note note;
	int *number;
	uint32_t n = 0;

	for (; chan_recv(pipeline_out(p), &number, NULL, SOON) == CHAN_OK; n++)
		ck_assert_int_eq(number_take(number), 2 * (int)n + 3);
	ck_assert(chan_is_closed(pipeline_out(p)));
	ck_assert_uint_lt(n, 50);
	ck_assert_status(chan_recv(errchan_chan(pipeline_errors(p)), &note, NULL, SOON), CHAN_OK);
	ck_assert_status(chan_recv(errchan_chan(pipeline_errors(p)), NULL, NULL, SOON), CHAN_CLOSED);
	ck_assert_int_eq(note.code, EDOM);
	ck_assert_str_eq(note.text, "twice: 50 is bad");
	finish(p, &w, before);
}
END_TEST

/* All threads of a stage may fail at the same time. */
static bool fail_at_once(struct stage *stage, void *elem, unused_arg void *arg)
{
	return stage_fail(stage, number_take(*(int **)elem), "failed");
}

START_TEST(there_is_room_for_every_error)
{
	enum { THREADS = 4 };
	size_t before = threads_before();
	struct works w = { 0 };
	struct chan_options options = numbers_of(&w.ledger, 16);
	struct chan *source = chan_new_with(&options);
	struct pipeline_stage stage = { .run = fail_at_once, .threads = THREADS };
	struct error_note note;
	struct pipeline *p;
	int64_t n = 0, sum = 0;

	for (int i = 1; i <= 16; i++) {
		int *number = number_new(&w.ledger, i);

		ck_assert_status(chan_try_send(source, &number), CHAN_OK);
	}
	p = pipeline_start(source, &stage, 1, NULL);
	for (; chan_recv(errchan_chan(pipeline_errors(p)), &note, NULL, SOON) == CHAN_OK; n++)
		sum += note.code;
	ck_assert_int_ge(n, 1);
	ck_assert_int_le(n, THREADS);
	ck_assert_int_eq(sum, n * (n + 1) / 2);
	ck_assert_uint_eq(errchan_dropped(pipeline_errors(p)), 0);
	pipeline_unref(p);
	chan_unref(source);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&w.ledger), 16 - n);
}
END_TEST

START_TEST(a_stage_with_several_threads_loses_the_order_and_nothing_else)
{
	size_t before = threads_before();
	struct works w = { .next = 1, .last = 1000, .bad = -1 };
	struct pipeline *p = start(&w, 4, 4, NULL);
	int64_t sum = 0;
	int *number, n = 0;

	for (; chan_recv(pipeline_out(p), &number, NULL, SOON) == CHAN_OK; n++)
		sum += number_take(number);
	ck_assert_int_eq(n, 1000);
	ck_assert_int_eq(sum, 1000 * 1001 + 1000);
	finish(p, &w, before);
}
END_TEST

START_TEST(a_consumer_that_closes_the_output_ends_all_up_to_the_source)
{
	size_t before = threads_before();
	struct works w = { .next = 1, .last = INT32_MAX, .bad = -1 };
	struct pipeline *p = start(&w, 1, 0, NULL);
	struct error_note note;
	int *number;

	ck_assert_status(chan_recv(pipeline_out(p), &number, NULL, SOON), CHAN_OK);
	number_take(number);
	ck_assert_status(pipeline_wait(p, NULL, NOW), CHAN_WOULD_BLOCK);
	chan_close(pipeline_out(p));
	ck_assert_status(pipeline_wait(p, NULL, SOON), CHAN_OK);
	ck_assert(!errchan_first(pipeline_errors(p), &note));
	finish(p, &w, before);
}
END_TEST

START_TEST(letting_it_go_ends_it)
{
	size_t before = threads_before();
	struct works w = { .next = 1, .last = INT32_MAX, .bad = -1 };
	struct pipeline *p = start(&w, 2, 1, NULL);

	pipeline_unref(pipeline_ref(p));
	pipeline_unref(p);
	pipeline_unref(NULL);
	wait_until(shim_load(&w.source_ended, acquire), SOON);
	ck_assert_no_thread_is_left(before);
}
END_TEST

START_TEST(the_ctx_ends_it_also_when_the_source_is_silent)
{
	size_t before = threads_before();
	struct works w = { .bad = -1 };
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS)), *cancelled = ctx_with_cancel(NULL);
	struct chan *source = chan_new(sizeof(int *), 0);
	struct pipeline *p = start_with(&w, source, 1, 0, ctx);

	ctx_cancel(cancelled);
	ck_assert_status(pipeline_wait(p, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_status(pipeline_wait(p, NULL, SOON), CHAN_OK);
	ck_assert(chan_is_closed(source));
	ck_assert_status(chan_recv(pipeline_out(p), NULL, NULL, FOREVER), CHAN_CLOSED);
	pipeline_unref(p);
	p = start_with(&w, source, 1, 0, NULL);
	ck_assert_status(pipeline_wait(p, NULL, SOON), CHAN_OK);
	pipeline_unref(p);
	ctx_unref(ctx);
	ctx_unref(cancelled);
	chan_unref(source);
	ck_assert_no_thread_is_left(before);
}
END_TEST

/* Emits a number as often as it says. */
static bool repeat(struct stage *stage, void *elem, unused_arg void *arg)
{
	int n = *(int *)elem;

	for (int i = 0; i < n; i++) {
		if (!stage_emit(stage, &(long){ n }))
			return false;
	}
	return ctx_error(stage_ctx(stage)) == CHAN_OK;
}

START_TEST(a_stage_may_make_none_or_several_of_one_and_of_another_size)
{
	struct chan *source = chan_new(sizeof(int), 4);
	struct pipeline_stage stage = { .out = { .elem_size = sizeof(long), .capacity = 1 }, .run = repeat };
	struct pipeline *p;
	long value;
	int n = 0;

	for (int i = 0; i < 4; i++)
		ck_assert_status(chan_try_send(source, &i), CHAN_OK);
	chan_close(source);
	p = pipeline_start(source, &stage, 1, NULL);
	for (long sum = 0; chan_recv(pipeline_out(p), &value, NULL, SOON) == CHAN_OK; n++, sum += value)
		ck_assert_int_eq(value, n == 0 ? 1 : n < 3 ? 2 : 3);
	ck_assert_int_eq(n, 0 + 1 + 2 + 3);
	pipeline_unref(p);
	chan_unref(source);
}
END_TEST

START_TEST(a_pipeline_needs_stages_that_run)
{
	struct pipeline_stage stage = { .threads = 1 };
	struct chan *source = chan_new(1, 1);

	ck_assert_ptr_null(pipeline_start(source, &stage, 0, NULL));
	ck_assert_ptr_null(pipeline_start(source, &stage, 1, NULL));
	ck_assert(!chan_is_closed(source));
	chan_unref(source);
}
END_TEST

START_TEST(errors_cancels_and_closes_race_and_nothing_is_lost)
{
	size_t before = threads_before();

	for (int i = 0; i < 150; i++) {
		struct works *w = calloc(1, sizeof(*w));
		struct pipeline *p;
		uint32_t received = 0;
		int *number;

		w->last = i % 13;
		w->bad = i % 4 ? -1 : i % 13 - 2;
		p = start(w, 1 + (size_t)i % 3, (size_t)i % 3, NULL);
		for (int n = i % 6; n > 0 && chan_recv(pipeline_out(p), &number, NULL, SOON) == CHAN_OK; n--, received++)
			number_take(number);
		if (i % 3 == 0)
			pipeline_cancel(p);
		else if (i % 3 == 1)
			chan_close(pipeline_out(p));
		pipeline_unref(p);
		ck_assert_no_thread_is_left(before);
		ck_assert_uint_eq(shim_load(&w->source_ended, acquire), 1);
		ck_assert_uint_eq(made_of(&w->ledger), received + shim_load(&w->used, acquire) + dropped_of(&w->ledger));
		free(w);
	}
}
END_TEST

Suite *pipeline_suite(void);

Suite *pipeline_suite(void)
{
	const TTest *tests[] = {
		what_goes_in_comes_out_changed_and_in_order,
		the_first_error_cancels_the_rest_and_is_told,
		there_is_room_for_every_error,
		a_stage_with_several_threads_loses_the_order_and_nothing_else,
		a_consumer_that_closes_the_output_ends_all_up_to_the_source,
		letting_it_go_ends_it,
		the_ctx_ends_it_also_when_the_source_is_silent,
		a_stage_may_make_none_or_several_of_one_and_of_another_size,
		a_pipeline_needs_stages_that_run,
		errors_cancels_and_closes_race_and_nothing_is_lost,
	};
	return suite_of("pipeline", tests, countof(tests));
}
