#include "blocked.h"

START_TEST(after_is_ready_once_and_not_before_its_moment)
{
	moment due = moment_in(MILLISECONDS), tick = 0;
	struct chan *c = chan_after(due);

	ck_assert_status(chan_recv(c, &tick, NULL, FOREVER), CHAN_OK);
	ck_assert(moment_now() >= due);
	ck_assert_int_eq(tick, due);
	ck_assert_status(chan_try_recv(c, &tick), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_recv(c, &tick, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	chan_unref(c);
}
END_TEST

START_TEST(after_a_past_moment_is_ready_and_after_forever_never_is)
{
	struct chan *past = chan_after(NOW), *never = chan_after(FOREVER);
	moment tick = 7;

	ck_assert_uint_eq(chan_len(past), 1);
	ck_assert_status(chan_recv(past, &tick, NULL, NOW), CHAN_OK);
	ck_assert_int_eq(tick, NOW);
	ck_assert_uint_eq(chan_len(past), 0);
	ck_assert_status(chan_recv(never, &tick, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	chan_unref(past);
	chan_unref(never);
}
END_TEST

START_TEST(a_wait_for_a_timer_ends_with_its_ctx_or_deadline)
{
	struct chan *c = chan_after(moment_in(1000 * SECONDS));
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS)), *cancelled = ctx_with_cancel(NULL);
	struct blocked b = { .op = CHAN_OP_RECV, .chan = chan_after(FOREVER), .ctx = cancelled, .deadline = FOREVER };

	ck_assert_status(chan_recv(c, NULL, ctx, FOREVER), CHAN_DEADLINE);
	ck_assert_status(chan_recv(c, NULL, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	blocked_start(&b);
	wait_until(receivers_of(ctx_done(cancelled)) == 1, SOON);
	ctx_cancel(cancelled);
	ck_assert_status(blocked_end(&b), CHAN_CANCELED);
	chan_unref(b.chan);
	chan_unref(c);
	ctx_unref(ctx);
	ctx_unref(cancelled);
}
END_TEST

START_TEST(a_timer_is_only_received_from)
{
	struct chan *c = chan_after(FOREVER);
	moment tick = 0;
	enum chan_status why;

	ck_assert_status(chan_send(c, &tick, NULL, NOW), CHAN_INVALID);
	ck_assert_status(chan_try_send(c, &tick), CHAN_INVALID);
	ck_assert_uint_eq(chan_try_send_many(c, &tick, 1, &why), 0);
	ck_assert_status(why, CHAN_INVALID);
	ck_assert_status(chan_close(c), CHAN_INVALID);
	ck_assert_uint_eq(chan_sweep(c, NULL, NULL), 0);
	ck_assert_uint_eq(chan_elem_size(c), sizeof(moment));
	ck_assert_uint_eq(chan_cap(c), 1);
	chan_unref(c);
}
END_TEST

START_TEST(a_ticker_ticks_in_phase)
{
	const int64_t period = MILLISECONDS;
	moment before = moment_now(), first, tick, last;
	struct chan *c = chan_ticker(period);
	int i;

	ck_assert_status(chan_recv(c, &first, NULL, FOREVER), CHAN_OK);
	ck_assert(first >= before + period);
	last = first;
	for (i = 0; i < 5; i++) {
		ck_assert_status(chan_recv(c, &tick, NULL, FOREVER), CHAN_OK);
		ck_assert(tick > last && tick <= moment_now());
		ck_assert_int_eq((tick - first) % period, 0);
		last = tick;
	}
	chan_unref(c);
}
END_TEST

START_TEST(ticks_that_nobody_took_are_dropped_but_for_one)
{
	const int64_t period = MILLISECONDS;
	struct chan *c = chan_ticker(period);
	moment ticks[3], start = moment_now();

	wait_until(moment_now() > start + 5 * period, SOON);
	ck_assert_status(chan_try_recv(c, &ticks[0]), CHAN_OK);
	ck_assert(ticks[0] < start + 2 * period);
	/* The next one lies after the present, so none of those missed comes. */
	ck_assert_status(chan_recv(c, &ticks[1], NULL, FOREVER), CHAN_OK);
	ck_assert(ticks[1] > start + 5 * period);
	chan_unref(c);
}
END_TEST

START_TEST(a_ticker_needs_a_period)
{
	ck_assert_ptr_null(chan_ticker(0));
	ck_assert_ptr_null(chan_ticker(-1));
}
END_TEST

START_TEST(a_ticker_may_be_slow_beyond_the_end_of_time)
{
	struct chan *c = chan_ticker(INT64_MAX);

	ck_assert_status(chan_try_recv(c, NULL), CHAN_WOULD_BLOCK);
	chan_unref(c);
}
END_TEST

enum { TAKERS = 4, TICKS = 2000 };

struct taking {
	struct chan *chan;
	shim_u32 taken;
};

static void *take_ticks(void *arg)
{
	struct taking *t = arg;
	moment tick, last = 0;

	while (shim_load(&t->taken, relaxed) < TICKS) {
		if (chan_try_recv(t->chan, &tick) != CHAN_OK)
			continue;
		shim_add(&t->taken, tick > last ? 1 : TICKS * 10, relaxed);
		last = tick;
	}
	return NULL;
}

START_TEST(each_tick_goes_to_one_receiver)
{
	struct taking t = { .chan = chan_ticker(MICROSECONDS) };
	moment start = moment_now();
	pthread_t threads[TAKERS];
	int i;

	for (i = 0; i < TAKERS; i++)
		threads[i] = thread_start(take_ticks, &t);
	for (i = 0; i < TAKERS; i++)
		thread_join(threads[i]);
	/* No more ticks than there were, and for nobody did one come twice. */
	ck_assert_uint_le(shim_load(&t.taken, relaxed), TICKS + TAKERS);
	ck_assert_int_ge((moment_now() - start) / MICROSECONDS + 1, TICKS);
	chan_unref(t.chan);
}
END_TEST

Suite *timer_suite(void);

Suite *timer_suite(void)
{
	const TTest *tests[] = {
		after_is_ready_once_and_not_before_its_moment,
		after_a_past_moment_is_ready_and_after_forever_never_is,
		a_wait_for_a_timer_ends_with_its_ctx_or_deadline,
		a_timer_is_only_received_from,
		a_ticker_ticks_in_phase,
		ticks_that_nobody_took_are_dropped_but_for_one,
		a_ticker_needs_a_period,
		a_ticker_may_be_slow_beyond_the_end_of_time,
		each_tick_goes_to_one_receiver,
	};
	return suite_of("timer", tests, countof(tests));
}
