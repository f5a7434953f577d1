#include "tracked.h"

#include "../../lib/fanout.h"

enum { PIECES = 24 };

struct mill {
	struct ledger ledger;
	struct chan *gate;       /* each piece takes a token, if there is a gate */
	shim_u32 begun, running, most;
};

static void note_most(struct mill *mill, uint32_t running)
{
	uint32_t most = shim_load(&mill->most, relaxed);

	while (running > most && !shim_cas(&mill->most, &most, running, relaxed))
		;
}

static void grind(size_t index, const void *piece, void *result, unused_arg struct ctx *ctx, void *arg)
{
	struct mill *mill = arg;
	int value = *(const int *)piece;

	shim_add(&mill->begun, 1, acq_rel);
	note_most(mill, shim_add(&mill->running, 1, acq_rel) + 1);
	if (mill->gate)
		chan_recv(mill->gate, NULL, NULL, FOREVER);
	*(int **)result = number_new(&mill->ledger, value + (int)index);
	shim_sub(&mill->running, 1, acq_rel);
}

static struct chan *start(struct mill *mill, struct semaphore *limit, struct ctx *ctx)
{
	struct fanout_options options = {
		.piece_size = sizeof(int), .result = numbers_of(&mill->ledger, 0), .run = grind, .arg = mill, .limit = limit,
		.name = "fan-out",
	};
	int pieces[PIECES];
	struct chan *results;

	for (int i = 0; i < PIECES; i++)
		pieces[i] = 100 * i;
	results = fanout_start(&options, pieces, PIECES, ctx);
	ck_assert_ptr_nonnull(results);
	return results;
}

static uint32_t begun_of(struct mill *mill)
{
	return shim_load(&mill->begun, acquire);
}

static void expect_all(struct chan *results)
{
	bool seen[PIECES] = { false };
	int *number, n = 0;

	for (; chan_recv(results, &number, NULL, SOON) == CHAN_OK; n++) {
		int index = number_take(number) / 101;

		ck_assert(index < PIECES && !seen[index]);
		seen[index] = true;
	}
	ck_assert(chan_is_closed(results));
	ck_assert_int_eq(n, PIECES);
}

START_TEST(all_pieces_run_at_once_and_no_sender_waits_for_a_receiver)
{
	size_t before = threads_before();
	struct mill mill = { .gate = chan_new(0, 0) };
	struct chan *results = start(&mill, NULL, NULL);

	wait_until(shim_load(&mill.running, acquire) == PIECES, SOON);
	chan_close(mill.gate);
	wait_until(chan_len(results) == PIECES && chan_is_closed(results), SOON);
	ck_assert_no_thread_is_left(before);
	expect_all(results);
	chan_unref(results);
	chan_unref(mill.gate);
}
END_TEST

START_TEST(with_a_semaphore_no_more_run_at_once_than_it_has_permits)
{
	size_t before = threads_before();
	struct mill mill = { .gate = chan_new(0, PIECES) };
	struct semaphore *limit = semaphore_new(3);
	struct chan *results = start(&mill, limit, NULL);

	wait_until(shim_load(&mill.running, acquire) == 3, SOON);
	ck_assert_uint_eq(semaphore_available(limit), 0);
	for (uint32_t i = 0; i < PIECES; i++) {
		ck_assert_status(chan_send(mill.gate, "", NULL, SOON), CHAN_OK);
		wait_until(begun_of(&mill) >= (i + 4 < PIECES ? i + 4 : PIECES), SOON);
	}
	expect_all(results);
	ck_assert_uint_eq(shim_load(&mill.most, relaxed), 3);
	chan_unref(results);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(semaphore_available(limit), 3);
	semaphore_unref(limit);
	chan_unref(mill.gate);
}
END_TEST

START_TEST(two_that_share_a_semaphore_are_bounded_together)
{
	size_t before = threads_before();
	struct mill mill = { 0 };
	struct semaphore *limit = semaphore_new(2);
	struct chan *a = start(&mill, limit, NULL), *b = start(&mill, limit, NULL);

	expect_all(a);
	expect_all(b);
	ck_assert_uint_le(shim_load(&mill.most, relaxed), 2);
	chan_unref(a);
	chan_unref(b);
	ck_assert_no_thread_is_left(before);
	semaphore_unref(limit);
}
END_TEST

START_TEST(a_consumer_that_walks_away_leaks_neither_thread_nor_result)
{
	size_t before = threads_before();
	struct mill mill = { .gate = chan_new(0, 0) };
	struct chan *results = start(&mill, NULL, NULL);

	chan_unref(results);
	chan_close(mill.gate);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(made_of(&mill.ledger), PIECES);
	ck_assert_uint_eq(dropped_of(&mill.ledger), PIECES);
	chan_unref(mill.gate);
}
END_TEST

START_TEST(when_the_ctx_ends_no_more_pieces_are_begun)
{
	size_t before = threads_before();
	struct mill mill = { .gate = chan_new(0, 0) };
	struct semaphore *limit = semaphore_new(2);
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct chan *results = start(&mill, limit, ctx);
	int *number, n = 0;

	wait_until(begun_of(&mill) == 2, SOON);
	ctx_cancel(ctx);
	/* Waits until the one that hands out has gone, but for those two. */
	wait_until(threads_now() <= before + 2, SOON);
	chan_close(mill.gate);
	for (; chan_recv(results, &number, NULL, SOON) == CHAN_OK; n++)
		number_take(number);
	ck_assert_int_eq(n, 2);
	ck_assert_uint_eq(begun_of(&mill), 2);
	chan_unref(results);
	ctx_unref(ctx);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(semaphore_available(limit), 2);
	semaphore_unref(limit);
	chan_unref(mill.gate);
}
END_TEST

START_TEST(a_ctx_that_has_ended_begins_nothing)
{
	struct semaphore *limits[] = { NULL, semaphore_new(1) };
	struct ctx *ctx = ctx_with_deadline(NULL, moment_now());

	for (size_t i = 0; i < countof(limits); i++) {
		struct mill mill = { 0 };
		struct chan *results = start(&mill, limits[i], ctx);

		ck_assert_status(chan_recv(results, NULL, NULL, SOON), CHAN_CLOSED);
		ck_assert_uint_eq(begun_of(&mill), 0);
		chan_unref(results);
	}
	ctx_unref(ctx);
	semaphore_unref(limits[1]);
}
END_TEST

START_TEST(of_no_pieces_the_results_are_closed_at_once)
{
	struct fanout_options options = { .result = { .elem_size = 1 }, .run = grind };
	struct semaphore *limit = semaphore_new(1);
	struct chan *results = fanout_start(&options, NULL, 0, NULL);

	ck_assert_status(chan_recv(results, NULL, NULL, SOON), CHAN_CLOSED);
	chan_unref(results);
	options.limit = limit;
	results = fanout_start(&options, NULL, 0, NULL);
	ck_assert_status(chan_recv(results, NULL, NULL, SOON), CHAN_CLOSED);
	chan_unref(results);
	options.run = NULL;
	ck_assert_ptr_null(fanout_start(&options, NULL, 0, NULL));
	semaphore_unref(limit);
}
END_TEST

START_TEST(a_closed_channel_takes_no_more_and_ends_the_handing_out)
{
	size_t before = threads_before();
	struct mill mill = { .gate = chan_new(0, 0) };
	struct semaphore *limit = semaphore_new(1);
	struct chan *results = start(&mill, limit, NULL);

	wait_until(begun_of(&mill) == 1, SOON);
	chan_close(results);
	chan_close(mill.gate);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_le(begun_of(&mill), 2);
	ck_assert_uint_eq(dropped_of(&mill.ledger), begun_of(&mill));
	chan_unref(results);
	chan_unref(mill.gate);
	semaphore_unref(limit);
}
END_TEST

START_TEST(walking_away_cancelling_and_finishing_race)
{
	size_t before = threads_before();
	struct semaphore *limit = semaphore_new(2);

	for (int i = 0; i < 60; i++) {
		struct mill *mill = calloc(1, sizeof(*mill));
		struct ctx *ctx = ctx_with_cancel(NULL);
		struct chan *results = start(mill, i % 2 ? limit : NULL, ctx);
		uint32_t received = 0;
		int *number;

		for (int n = i % 10; n > 0 && chan_recv(results, &number, NULL, SOON) == CHAN_OK; n--, received++)
			number_take(number);
		if (i % 3 == 0)
			ctx_cancel(ctx);
		else if (i % 3 == 1)
			chan_close(results);
		chan_unref(results);
		ctx_unref(ctx);
		ck_assert_no_thread_is_left(before);
		ck_assert_uint_eq(made_of(&mill->ledger), received + dropped_of(&mill->ledger));
		free(mill);
	}
	ck_assert_uint_eq(semaphore_available(limit), 2);
	semaphore_unref(limit);
}
END_TEST

Suite *fanout_suite(void);

Suite *fanout_suite(void)
{
	const TTest *tests[] = {
		all_pieces_run_at_once_and_no_sender_waits_for_a_receiver,
		with_a_semaphore_no_more_run_at_once_than_it_has_permits,
		two_that_share_a_semaphore_are_bounded_together,
		a_consumer_that_walks_away_leaks_neither_thread_nor_result,
		when_the_ctx_ends_no_more_pieces_are_begun,
		a_ctx_that_has_ended_begins_nothing,
		of_no_pieces_the_results_are_closed_at_once,
		a_closed_channel_takes_no_more_and_ends_the_handing_out,
		walking_away_cancelling_and_finishing_race,
	};
	return suite_of("fanout", tests, countof(tests));
}
