#include "blocked.h"

#include <string.h>

static struct chan *with(size_t capacity, int n)
{
	struct chan *c = chan_new(sizeof(int), capacity);
	int i;

	for (i = 0; i < n; i++)
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
	return c;
}

START_TEST(the_ready_case_runs_and_its_index_comes_back)
{
	struct chan *empty = with(1, 0), *full = with(1, 1);
	int a = 7, b = 7;
	enum chan_status why;
	struct chan_case cases[] = { CHAN_RECV_CASE(empty, &a), CHAN_SEND_CASE(full, &b), CHAN_RECV_CASE(full, &a) };

	ck_assert_int_eq(chan_select(cases, 3, NULL, FOREVER, &why), 2);
	ck_assert_status(why, CHAN_OK);
	ck_assert_status(cases[2].status, CHAN_OK);
	ck_assert_int_eq(a, 0);
	ck_assert_int_eq(chan_select(cases, 2, NULL, FOREVER, NULL), 1);
	ck_assert_status(chan_try_recv(full, &a), CHAN_OK);
	ck_assert_int_eq(a, 7);
	chan_unref(empty);
	chan_unref(full);
}
END_TEST

START_TEST(nothing_ready_and_no_time_is_would_block)
{
	struct chan *c = with(1, 0);
	int value = 7;
	enum chan_status why;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &value), CHAN_RECV_CASE((struct chan *)NULL, &value) };

	ck_assert_int_eq(chan_select(cases, 2, NULL, NOW, &why), -1);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_int_eq(chan_select(cases, 2, NULL, 1, &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(chan_select(cases, 2, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(value, 7);
	ck_assert_uint_eq(receivers_of(c), 0);
	chan_unref(c);
}
END_TEST

START_TEST(a_select_of_nothing_waits_for_ctx_or_deadline)
{
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	struct chan_case nil[] = { CHAN_RECV_CASE((struct chan *)NULL, (int *)NULL), { .op = CHAN_OP_SKIP } };
	enum chan_status why;

	ck_assert_int_eq(chan_select(NULL, 0, NULL, NOW, &why), -1);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_int_eq(chan_select(nil, 2, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(chan_select(nil, 2, ctx, FOREVER, &why), -1);
	ck_assert_status(why, CHAN_DEADLINE);
	ck_assert_int_eq(chan_select(nil, 2, ctx, NOW, &why), -1);
	ck_assert_status(why, CHAN_DEADLINE);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_wrong_case_does_nothing_at_all)
{
	struct chan *c = with(2, 1), *timer = chan_after(FOREVER);
	struct ctx *ctx = ctx_with_cancel(NULL);
	int value = 7;
	char small = 0;
	moment when = 0;
	enum chan_status why;
	struct chan_case mixed[] = { CHAN_RECV_CASE(c, &value), CHAN_RECV_CASE(c, &small) };
	struct chan_case wrong[] = {
		CHAN_RECV_CASE(c, &small), CHAN_SEND_CASE(c, (int *)NULL), CHAN_SEND_CASE(timer, &when),
		CHAN_SEND_CASE(ctx_done(ctx), &small), { .op = (enum chan_op)9, .chan = c },
	};
	size_t i;

	ck_assert_int_eq(chan_select(mixed, 2, NULL, FOREVER, &why), -1);
	ck_assert_status(why, CHAN_INVALID);
	for (i = 0; i < countof(wrong); i++) {
		ck_assert_int_eq(chan_select(&wrong[i], 1, NULL, FOREVER, &why), -1);
		ck_assert_status(why, CHAN_INVALID);
	}
	ck_assert_int_eq(chan_select(mixed, -1, NULL, FOREVER, &why), -1);
	ck_assert_status(why, CHAN_INVALID);
	ck_assert_int_eq(chan_select(NULL, 1, NULL, FOREVER, &why), -1);
	ck_assert_uint_eq(chan_len(c), 1);
	ctx_unref(ctx);
	chan_unref(timer);
	chan_unref(c);
}
END_TEST

START_TEST(void_pointers_and_channels_of_size_0_fit)
{
	struct chan *c = with(2, 1), *signals = chan_new(0, 1);
	int value = 7;
	void *anything = &value;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, anything), CHAN_SEND_CASE(signals, &value) };

	ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, FOREVER, NULL), 0);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, FOREVER, NULL), 1);
	chan_unref(c);
	chan_unref(signals);
}
END_TEST

START_TEST(a_closed_channel_is_ready_in_both_directions)
{
	struct chan *c = with(1, 1);
	int value = 7;
	enum chan_status why;
	struct chan_case receive[] = { CHAN_RECV_CASE(c, &value) }, send[] = { CHAN_SEND_CASE(c, &value) };

	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_int_eq(chan_select(send, 1, NULL, FOREVER, &why), 0);
	ck_assert_status(send[0].status, CHAN_CLOSED);
	ck_assert_status(why, CHAN_CLOSED);
	ck_assert_int_eq(chan_select(receive, 1, NULL, NOW, &why), 0);
	ck_assert_status(receive[0].status, CHAN_OK);
	value = 7;
	ck_assert_int_eq(chan_select_ordered(receive, 1, NULL, NOW, &why), 0);
	ck_assert_status(receive[0].status, CHAN_CLOSED);
	ck_assert_int_eq(value, 0);
	chan_unref(c);
}
END_TEST

struct selecting {
	struct chan_case *cases;
	int n, index;
	struct ctx *ctx;
	enum chan_status why;
};

static void *select_main(void *arg)
{
	struct selecting *s = arg;

	s->index = chan_select(s->cases, s->n, s->ctx, FOREVER, &s->why);
	return NULL;
}

START_TEST(a_blocked_select_takes_what_comes_and_leaves_the_other_channels)
{
	struct chan *a = with(0, 0), *b = with(1, 0), *full = with(1, 1);
	int value = 7, sent = 9;
	struct chan_case cases[] = { CHAN_RECV_CASE(a, &value), CHAN_RECV_CASE(b, &value), CHAN_SEND_CASE(full, &sent) };
	struct selecting s = { cases, 3, -2, NULL, CHAN_OK };
	pthread_t thread = thread_start(select_main, &s);

	wait_until(senders_of(full) == 1, SOON);
	ck_assert_status(chan_try_send(a, &(int){ 3 }), CHAN_OK);
	thread_join(thread);
	ck_assert_int_eq(s.index, 0);
	ck_assert_int_eq(value, 3);
	ck_assert_status(cases[0].status, CHAN_OK);
	ck_assert_uint_eq(receivers_of(a) + receivers_of(b) + senders_of(full), 0);

	thread = thread_start(select_main, &s);
	wait_until(senders_of(full) == 1, SOON);
	ck_assert_status(chan_try_recv(full, &value), CHAN_OK);
	thread_join(thread);
	ck_assert_int_eq(s.index, 2);
	ck_assert_status(chan_try_recv(full, &value), CHAN_OK);
	ck_assert_int_eq(value, 9);
	chan_unref(a);
	chan_unref(b);
	chan_unref(full);
}
END_TEST

START_TEST(closing_wakes_a_blocked_select_whose_sender_keeps_its_element)
{
	struct chan *c = with(1, 1), *d = with(0, 0);
	int value = 7, sent = 9;
	struct chan_case cases[] = { CHAN_SEND_CASE(c, &sent), CHAN_RECV_CASE(d, &value) };
	struct selecting s = { cases, 2, -2, NULL, CHAN_OK };
	pthread_t thread = thread_start(select_main, &s);

	wait_until(senders_of(c) == 1 && receivers_of(d) == 1, SOON);
	ck_assert_status(chan_close(c), CHAN_OK);
	thread_join(thread);
	ck_assert_int_eq(s.index, 0);
	ck_assert_status(cases[0].status, CHAN_CLOSED);
	ck_assert_uint_eq(chan_len(c), 1);
	ck_assert_uint_eq(receivers_of(d), 0);
	ck_assert_int_eq(value, 7);
	chan_unref(c);
	chan_unref(d);
}
END_TEST

START_TEST(cancellation_ends_a_blocked_select)
{
	struct chan *c = with(0, 0);
	struct ctx *ctx = ctx_with_cancel(NULL);
	int value = 7;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &value), CHAN_SEND_CASE(c, &value) };
	struct selecting s = { cases, 2, -2, ctx, CHAN_OK };
	pthread_t thread = thread_start(select_main, &s);

	wait_until(receivers_of(ctx_done(ctx)) == 1, SOON);
	ctx_cancel(ctx);
	thread_join(thread);
	ck_assert_int_eq(s.index, -1);
	ck_assert_status(s.why, CHAN_CANCELED);
	ck_assert_uint_eq(receivers_of(c) + senders_of(c), 0);
	ctx_unref(ctx);
	chan_unref(c);
}
END_TEST

START_TEST(both_directions_of_one_channel_never_meet_themselves)
{
	struct chan *c = with(0, 0);
	int in = 1, out = 2;
	enum chan_status why;
	struct chan_case cases[] = { CHAN_SEND_CASE(c, &in), CHAN_RECV_CASE(c, &out) };

	ck_assert_int_eq(chan_select(cases, 2, NULL, NOW, &why), -1);
	ck_assert_int_eq(chan_select(cases, 2, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(out, 2);
	chan_unref(c);
}
END_TEST

START_TEST(two_selects_meet_on_one_channel)
{
	struct chan *c = with(0, 0);
	int in = 1, out = 2, in2 = 3, out2 = 4, index;
	struct chan_case one[] = { CHAN_SEND_CASE(c, &in), CHAN_RECV_CASE(c, &out) };
	struct chan_case two[] = { CHAN_SEND_CASE(c, &in2), CHAN_RECV_CASE(c, &out2) };
	struct selecting s = { one, 2, -2, NULL, CHAN_OK };
	pthread_t thread = thread_start(select_main, &s);

	wait_until(senders_of(c) == 1, SOON);
	index = chan_select(two, 2, NULL, SOON, NULL);
	thread_join(thread);
	ck_assert_int_eq(index + s.index, 1);   /* one sent, the other received */
	ck_assert(index == 0 ? out == 3 : out2 == 1);
	chan_unref(c);
}
END_TEST

START_TEST(one_channel_may_stand_in_several_cases)
{
	struct chan *c = with(1, 1);
	int a = 7, b = 7;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &a), CHAN_RECV_CASE(c, &b), CHAN_SEND_CASE(c, &a), CHAN_SEND_CASE(c, &b) };
	struct selecting s = { cases, 2, -2, NULL, CHAN_OK };
	pthread_t thread;
	int index = chan_select(cases, 4, NULL, FOREVER, NULL);

	ck_assert(index == 0 || index == 1);
	ck_assert_int_eq(index == 0 ? a : b, 0);
	thread = thread_start(select_main, &s);
	wait_until(receivers_of(c) == 2, SOON);
	ck_assert_status(chan_try_send(c, &(int){ 5 }), CHAN_OK);
	thread_join(thread);
	ck_assert_int_eq(s.index == 0 ? a : b, 5);
	ck_assert_uint_eq(receivers_of(c), 0);
	chan_unref(c);
}
END_TEST

enum { CHOICES = 30000 };

/* With n ready cases each comes CHOICES / n times, within six standard deviations. */
static void check_even(const int *seen, int n)
{
	int i, expected = CHOICES / n;

	for (i = 0; i < n; i++)
		ck_assert_msg((seen[i] - expected) * (seen[i] - expected) < 36 * expected, "case %d of %d ran %d times", i, n, seen[i]);
}

START_TEST(the_choice_among_ready_cases_is_even)
{
	struct chan *closed = with(0, 0), *full = with(1, 1);
	int i, value, seen[5] = { 0 };
	struct chan_case cases[] = {
		CHAN_RECV_CASE(closed, &value), CHAN_RECV_CASE(closed, &value), CHAN_SEND_CASE(full, &value),
		CHAN_RECV_CASE(closed, &value), CHAN_RECV_CASE((struct chan *)NULL, &value),
	};

	ck_assert_status(chan_close(closed), CHAN_OK);
	for (i = 0; i < CHOICES; i++)
		seen[chan_select(cases, 5, NULL, FOREVER, NULL)]++;
	ck_assert_int_eq(seen[2] + seen[4], 0);
	seen[2] = seen[3];
	check_even(seen, 3);
	chan_unref(closed);
	chan_unref(full);
}
END_TEST

START_TEST(an_ordered_select_takes_the_lowest_ready_index)
{
	struct chan *a = with(4, 1), *b = with(4, 3);
	int i, value;
	struct chan_case cases[] = { CHAN_RECV_CASE(a, &value), CHAN_RECV_CASE(b, &value) };

	ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, FOREVER, NULL), 0);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, FOREVER, NULL), 1);
	ck_assert_int_eq(chan_select_ordered(cases, 2, NULL, NOW, NULL), -1);
	chan_unref(a);
	chan_unref(b);
}
END_TEST

START_TEST(a_select_may_have_many_cases)
{
	enum { MANY = 300 };
	struct chan *chans[MANY];
	struct chan_case cases[MANY];
	int i, value = 0;
	enum chan_status why;

	for (i = 0; i < MANY; i++) {
		chans[i] = with(1, 0);
		cases[i] = CHAN_RECV_CASE(chans[i], &value);
	}
	ck_assert_int_eq(chan_select(cases, MANY, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	for (i = 0; i < MANY; i += 7) {
		ck_assert_status(chan_try_send(chans[i], &i), CHAN_OK);
		ck_assert_int_eq(chan_select(cases, MANY, NULL, FOREVER, &why), i);
		ck_assert_int_eq(value, i);
	}
	for (i = 0; i < MANY; i++)
		chan_unref(chans[i]);
}
END_TEST

START_TEST(a_timer_ends_a_select_and_says_when)
{
	struct chan *c = with(0, 0), *timer;
	moment due = moment_in(2 * MILLISECONDS), tick = 0;
	int value;
	enum chan_status why;

	timer = chan_after(due);
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &value), CHAN_RECV_CASE(timer, &tick) };
	ck_assert_int_eq(chan_select(cases, 2, NULL, FOREVER, &why), 1);
	ck_assert_int_eq(tick, due);
	ck_assert(moment_now() >= due);
	ck_assert_int_eq(chan_select(cases, 2, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	chan_unref(c);
	chan_unref(timer);
}
END_TEST

START_TEST(the_end_of_a_ctx_is_a_case)
{
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS)), *other = ctx_with_cancel(NULL);
	struct chan *c = with(0, 0);
	int value;
	enum chan_status why;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &value), CHAN_RECV_CASE(ctx_done(ctx), NULL), CHAN_RECV_CASE(ctx_done(other), NULL) };
	struct selecting s = { cases, 3, -2, NULL, CHAN_OK };
	pthread_t thread;

	ck_assert_int_eq(chan_select(cases, 3, NULL, FOREVER, &why), 1);
	ck_assert_status(cases[1].status, CHAN_CLOSED);
	cases[1].chan = NULL;
	thread = thread_start(select_main, &s);
	wait_until(receivers_of(ctx_done(other)) == 1, SOON);
	ctx_cancel(other);
	thread_join(thread);
	ck_assert_int_eq(s.index, 2);
	ck_assert_status(cases[2].status, CHAN_CLOSED);
	ctx_unref(ctx);
	ctx_unref(other);
	chan_unref(c);
}
END_TEST

/* A token is always in one of three channels: it is put into the next before it is taken out of the last. */
struct relay {
	struct chan *stops[3];
	shim_u32 over;
};

static void *carry(void *arg)
{
	struct relay *r = arg;
	int at = 0, token = 1;

	while (!shim_load(&r->over, relaxed)) {
		int to = (at + 1) % 3;
		chan_send(r->stops[to], &token, NULL, FOREVER);
		chan_recv(r->stops[at], &token, NULL, FOREVER);
		at = to;
	}
	return NULL;
}

/* Go's TestNonblockSelectRace, sharpened: two looks at one channel after the other would miss the token now and then. */
static void poll_the_relay(int (*poll)(struct chan_case *, int, struct ctx *, moment, enum chan_status *))
{
	struct relay r = { .over = 0 };
	int i, index, missed = 0, token = 1;
	pthread_t thread;

	for (i = 0; i < 3; i++)
		r.stops[i] = with(2, 0);
	ck_assert_status(chan_try_send(r.stops[0], &token), CHAN_OK);
	thread = thread_start(carry, &r);
	for (i = 0; i < 30000; i++) {
		struct chan_case cases[] = {
			CHAN_RECV_CASE(r.stops[0], &token), CHAN_RECV_CASE(r.stops[1], &token), CHAN_RECV_CASE(r.stops[2], &token),
		};
		index = poll(cases, 3, NULL, NOW, NULL);
		missed += index < 0;
		if (index >= 0)
			chan_send(r.stops[index], &token, NULL, FOREVER);
	}
	shim_store(&r.over, 1, relaxed);
	thread_join(thread);
	ck_assert_int_eq(missed, 0);
	for (i = 0; i < 3; i++)
		chan_unref(r.stops[i]);
}

START_TEST(a_select_without_time_is_one_instant)
{
	poll_the_relay(chan_select);
	poll_the_relay(chan_select_ordered);
}
END_TEST

Suite *select_suite(void);

Suite *select_suite(void)
{
	const TTest *tests[] = {
		the_ready_case_runs_and_its_index_comes_back,
		nothing_ready_and_no_time_is_would_block,
		a_select_of_nothing_waits_for_ctx_or_deadline,
		a_wrong_case_does_nothing_at_all,
		void_pointers_and_channels_of_size_0_fit,
		a_closed_channel_is_ready_in_both_directions,
		a_blocked_select_takes_what_comes_and_leaves_the_other_channels,
		closing_wakes_a_blocked_select_whose_sender_keeps_its_element,
		cancellation_ends_a_blocked_select,
		both_directions_of_one_channel_never_meet_themselves,
		two_selects_meet_on_one_channel,
		one_channel_may_stand_in_several_cases,
		the_choice_among_ready_cases_is_even,
		an_ordered_select_takes_the_lowest_ready_index,
		a_select_may_have_many_cases,
		a_timer_ends_a_select_and_says_when,
		the_end_of_a_ctx_is_a_case,
		a_select_without_time_is_one_instant,
	};
	return suite_of("select", tests, countof(tests));
}
