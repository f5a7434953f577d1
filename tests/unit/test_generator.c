#include "tracked.h"

#include "../../lib/generator.h"

struct counting {
	struct ledger ledger;
	int next, last;           /* the producer's */
	shim_u32 ended, stuck;
};

static bool count(void *elem, unused_arg struct ctx *ctx, void *arg)
{
	struct counting *c = arg;

	if (c->next > c->last)
		return false;
	*(int **)elem = number_new(&c->ledger, c->next++);
	return true;
}

static void end(void *arg)
{
	struct counting *c = arg;

	shim_add(&c->ended, 1, release);
}

static struct chan *counter(struct counting *c, size_t capacity, struct ctx *ctx)
{
	struct generator_options options = {
		.out = numbers_of(&c->ledger, capacity), .next = count, .end = end, .arg = c, .name = "counter",
	};
	struct chan *numbers = generator_start(&options, ctx);

	ck_assert_ptr_nonnull(numbers);
	return numbers;
}

static void expect(struct chan *numbers, int value)
{
	int *number;

	ck_assert_status(chan_recv(numbers, &number, NULL, SOON), CHAN_OK);
	ck_assert_int_eq(number_take(number), value);
}

static uint32_t ended_of(struct counting *c)
{
	return shim_load(&c->ended, acquire);
}

START_TEST(the_channel_gives_one_after_the_other_and_is_closed_after_the_last)
{
	size_t before = threads_before();
	struct counting c = { .next = 1, .last = 100 };
	struct chan *numbers = counter(&c, 0, NULL);
	int *number;

	for (int i = 1; i <= 100; i++)
		expect(numbers, i);
	ck_assert_status(chan_recv(numbers, &number, NULL, SOON), CHAN_CLOSED);
	ck_assert_uint_eq(ended_of(&c), 1);
	chan_unref(numbers);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&c.ledger), 0);
}
END_TEST

START_TEST(a_consumer_who_has_had_enough_closes_and_the_producer_goes)
{
	size_t before = threads_before();
	struct counting c = { .next = 1, .last = INT32_MAX };
	struct chan *numbers = counter(&c, 0, NULL);

	expect(numbers, 1);
	ck_assert_status(chan_close(numbers), CHAN_OK);
	wait_until(ended_of(&c) == 1, SOON);
	ck_assert_no_thread_is_left(before);
	chan_unref(numbers);
	ck_assert_uint_eq(dropped_of(&c.ledger) + 1, made_of(&c.ledger));
}
END_TEST

START_TEST(a_cancelled_ctx_ends_it_while_it_is_blocked_in_its_send)
{
	size_t before = threads_before();
	struct counting c = { .next = 1, .last = INT32_MAX };
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct chan *numbers = counter(&c, 2, ctx);

	expect(numbers, 1);
	wait_until(made_of(&c.ledger) == 4, SOON);
	ctx_cancel(ctx);
	ctx_unref(ctx);
	wait_until(ended_of(&c) == 1, SOON);
	/* What was sent before can still be had. */
	expect(numbers, 2);
	expect(numbers, 3);
	ck_assert_status(chan_recv(numbers, NULL, NULL, SOON), CHAN_CLOSED);
	chan_unref(numbers);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&c.ledger), 1);
}
END_TEST

START_TEST(what_nobody_took_is_dropped_with_the_channel)
{
	struct counting c = { .next = 1, .last = 5 };
	struct chan *numbers = counter(&c, 8, NULL);

	wait_until(chan_is_closed(numbers), SOON);
	chan_unref(numbers);
	wait_until(dropped_of(&c.ledger) == 5, SOON);
}
END_TEST

START_TEST(a_deadline_ends_it_and_a_ctx_that_has_ended_makes_nothing)
{
	size_t before = threads_before();
	struct counting c = { .next = 1, .last = INT32_MAX }, none = { .next = 1, .last = INT32_MAX };
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	struct chan *numbers = counter(&c, 0, ctx), *nothing;

	wait_until(ended_of(&c) == 1, SOON);
	nothing = counter(&none, 4, ctx);
	ck_assert_status(chan_recv(nothing, NULL, NULL, SOON), CHAN_CLOSED);
	ck_assert_uint_eq(made_of(&none.ledger), 0);
	ctx_unref(ctx);
	chan_unref(numbers);
	chan_unref(nothing);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&c.ledger), made_of(&c.ledger));
}
END_TEST

/* A producer that blocks on something itself is given the ctx for it. */
static bool hear_nothing(unused_arg void *elem, struct ctx *ctx, void *arg)
{
	struct counting *c = arg;

	shim_store(&c->stuck, 1, release);
	return chan_recv(NULL, NULL, ctx, FOREVER) == CHAN_OK;
}

START_TEST(a_producer_that_waits_for_something_hears_the_ctx)
{
	size_t before = threads_before();
	struct counting c = { 0 };
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct generator_options options = { .out = numbers_of(&c.ledger, 0), .next = hear_nothing, .arg = &c };
	struct chan *numbers = generator_start(&options, ctx);

	wait_until(shim_load(&c.stuck, acquire), SOON);
	ctx_cancel(ctx);
	ck_assert_status(chan_recv(numbers, NULL, NULL, SOON), CHAN_CLOSED);
	ctx_unref(ctx);
	chan_unref(numbers);
	ck_assert_no_thread_is_left(before);
}
END_TEST

START_TEST(without_a_next_there_is_no_generator)
{
	struct generator_options options = { .out = { .elem_size = 4 } };

	ck_assert_ptr_null(generator_start(&options, NULL));
	options.next = count;
	options.out.elem_size = SIZE_MAX;
	ck_assert_ptr_null(generator_start(&options, NULL));
}
END_TEST

START_TEST(closing_cancelling_and_receiving_race_and_nothing_is_lost)
{
	size_t before = threads_before();

	for (int i = 0; i < 400; i++) {
		struct counting *c = calloc(1, sizeof(*c));
		struct ctx *ctx = ctx_with_cancel(NULL);
		struct chan *numbers;
		uint32_t received = 0;
		int *number;

		c->last = i % 7;
		numbers = counter(c, (size_t)i % 3, ctx);
		for (int n = i % 5; n > 0 && chan_recv(numbers, &number, NULL, SOON) == CHAN_OK; n--, received++)
			number_take(number);
		if (i % 2)
			ctx_cancel(ctx);
		else
			chan_close(numbers);
		wait_until(ended_of(c) == 1, SOON);
		chan_unref(numbers);
		wait_until(made_of(&c->ledger) == received + dropped_of(&c->ledger), SOON);
		ctx_unref(ctx);
		free(c);
	}
	ck_assert_no_thread_is_left(before);
}
END_TEST

Suite *generator_suite(void);

Suite *generator_suite(void)
{
	const TTest *tests[] = {
		the_channel_gives_one_after_the_other_and_is_closed_after_the_last,
		a_consumer_who_has_had_enough_closes_and_the_producer_goes,
		a_cancelled_ctx_ends_it_while_it_is_blocked_in_its_send,
		what_nobody_took_is_dropped_with_the_channel,
		a_deadline_ends_it_and_a_ctx_that_has_ended_makes_nothing,
		a_producer_that_waits_for_something_hears_the_ctx,
		without_a_next_there_is_no_generator,
		closing_cancelling_and_receiving_race_and_nothing_is_lost,
	};
	return suite_of("generator", tests, countof(tests));
}
