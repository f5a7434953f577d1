#include "tracked.h"

#include "../../lib/late.h"

/* A call that doubles a number, when it is let through the gate. */
struct office {
	struct ledger ledger;
	struct chan *gate;       /* nil: no gate */
	shim_u32 begun, told;    /* told: its ctx ended before the gate was opened */
	bool obeys;              /* it returns when its ctx ends */
};

static void twice(void *input, void *result, struct ctx *ctx, void *arg)
{
	struct office *office = arg;
	int value = number_take(*(int **)input);

	shim_add(&office->begun, 1, acq_rel);
	if (office->gate) {
		struct chan_case cases[] = { CHAN_RECV_CASE(office->gate, NULL), CHAN_RECV_CASE(ctx_done(ctx), NULL) };

		if (chan_select_ordered(cases, countof(cases), NULL, FOREVER, NULL) == 1) {
			shim_add(&office->told, 1, acq_rel);
			if (!office->obeys)
				chan_recv(office->gate, NULL, NULL, FOREVER);
		}
	}
	*(int **)result = number_new(&office->ledger, 2 * value);
}

static struct late_options options_of(struct office *office)
{
	return (struct late_options){
		.input_size = sizeof(int *), .result = numbers_of(&office->ledger, 0), .run = twice, .arg = office, .name = "late",
	};
}

static enum chan_status call(struct office *office, int value, int **result, struct ctx *ctx, moment deadline)
{
	struct late_options options = options_of(office);
	int *input = number_new(&office->ledger, value);

	return late_call(&options, &input, result, ctx, deadline);
}

START_TEST(a_result_in_time_is_the_callers)
{
	size_t before = threads_before();
	struct office office = { 0 };
	int *result;

	ck_assert_status(call(&office, 21, &result, NULL, SOON), CHAN_OK);
	ck_assert_int_eq(number_take(result), 42);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&office.ledger), 0);
}
END_TEST

START_TEST(at_the_deadline_the_caller_walks_away_and_the_late_result_is_dropped)
{
	size_t before = threads_before();
	struct office office = { .gate = chan_new(0, 0) };
	int *result = NULL;

	ck_assert_status(call(&office, 21, &result, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_ptr_null(result);
	wait_until(shim_load(&office.told, acquire) == 1, SOON);
	ck_assert_uint_eq(dropped_of(&office.ledger), 0);
	chan_close(office.gate);
	wait_until(dropped_of(&office.ledger) == 1, SOON);
	ck_assert_no_thread_is_left(before);
	chan_unref(office.gate);
}
END_TEST

struct caller {
	struct office *office;
	struct ctx *ctx;
	int *result;
	enum chan_status status;
};

static void *call_main(void *arg)
{
	struct caller *c = arg;

	c->status = call(c->office, 1, &c->result, c->ctx, FOREVER);
	return NULL;
}

START_TEST(cancelling_frees_the_caller_and_tells_the_work)
{
	size_t before = threads_before();
	struct office office = { .gate = chan_new(0, 0), .obeys = true };
	struct caller caller = { .office = &office, .ctx = ctx_with_cancel(NULL) };
	pthread_t thread = thread_start(call_main, &caller);

	wait_until(shim_load(&office.begun, acquire) == 1, SOON);
	ctx_cancel(caller.ctx);
	thread_join(thread);
	/* It returned at once, so the result may have come at the same time. */
	if (caller.status == CHAN_OK)
		number_take(caller.result);
	else
		ck_assert_status(caller.status, CHAN_CANCELED);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&office.ledger), caller.status != CHAN_OK);
	ctx_unref(caller.ctx);
	chan_unref(office.gate);
}
END_TEST

START_TEST(the_ctx_of_the_caller_bounds_the_call)
{
	size_t before = threads_before();
	struct office office = { .gate = chan_new(0, 0) };
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	int *result;

	ck_assert_status(call(&office, 1, &result, ctx, FOREVER), CHAN_DEADLINE);
	ck_assert_status(call(&office, 2, &result, NULL, NOW), CHAN_WOULD_BLOCK);
	chan_close(office.gate);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&office.ledger), 2);
	ctx_unref(ctx);
	chan_unref(office.gate);
}
END_TEST

START_TEST(the_slot_can_stand_in_a_select_and_the_first_of_several_wins)
{
	size_t before = threads_before();
	struct office slow = { .gate = chan_new(0, 0) }, quick = { 0 };
	struct late_options slow_options = options_of(&slow), quick_options = options_of(&quick);
	int *a = number_new(&slow.ledger, 1), *b = number_new(&quick.ledger, 2), *result;
	struct chan *slots[] = { late_start(&slow_options, &a, NULL), late_start(&quick_options, &b, NULL) };
	struct chan_case cases[] = { CHAN_RECV_CASE(slots[0], &result), CHAN_RECV_CASE(slots[1], &result) };

	ck_assert_int_eq(chan_select(cases, countof(cases), NULL, SOON, NULL), 1);
	ck_assert_int_eq(number_take(result), 4);
	ck_assert_status(chan_recv(slots[1], &result, NULL, SOON), CHAN_CLOSED);
	chan_unref(slots[0]);
	chan_unref(slots[1]);
	ck_assert_uint_eq(dropped_of(&slow.ledger), 0);
	chan_close(slow.gate);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&slow.ledger), 1);
	chan_unref(slow.gate);
}
END_TEST

START_TEST(a_slot_that_its_owner_has_closed_takes_nothing)
{
	size_t before = threads_before();
	struct office office = { .gate = chan_new(0, 0) };
	struct late_options options = options_of(&office);
	int *input = number_new(&office.ledger, 1);
	struct chan *slot = late_start(&options, &input, NULL);

	chan_close(slot);
	chan_close(office.gate);
	wait_until(dropped_of(&office.ledger) == 1, SOON);
	chan_unref(slot);
	ck_assert_no_thread_is_left(before);
	chan_unref(office.gate);
}
END_TEST

START_TEST(what_cannot_be_started_stays_with_the_caller)
{
	struct office office = { 0 };
	struct late_options options = options_of(&office);
	int *input = number_new(&office.ledger, 1), *result;

	options.run = NULL;
	ck_assert_ptr_null(late_start(&options, &input, NULL));
	ck_assert_status(late_call(&options, &input, &result, NULL, FOREVER), CHAN_NOMEM);
	ck_assert_int_eq(number_take(input), 1);
}
END_TEST

START_TEST(the_result_and_the_deadline_race_and_it_is_taken_or_dropped_once)
{
	size_t before = threads_before();
	struct office office = { 0 };
	uint32_t taken = 0;

	for (int i = 0; i < 500; i++) {
		int *result;

		if (call(&office, i, &result, NULL, moment_in(i % 100 * MICROSECONDS)) == CHAN_OK) {
			ck_assert_int_eq(number_take(result), 2 * i);
			taken++;
		}
	}
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(taken + dropped_of(&office.ledger), 500);
}
END_TEST

Suite *late_suite(void);

Suite *late_suite(void)
{
	const TTest *tests[] = {
		a_result_in_time_is_the_callers,
		at_the_deadline_the_caller_walks_away_and_the_late_result_is_dropped,
		cancelling_frees_the_caller_and_tells_the_work,
		the_ctx_of_the_caller_bounds_the_call,
		the_slot_can_stand_in_a_select_and_the_first_of_several_wins,
		a_slot_that_its_owner_has_closed_takes_nothing,
		what_cannot_be_started_stays_with_the_caller,
		the_result_and_the_deadline_race_and_it_is_taken_or_dropped_once,
	};
	return suite_of("late", tests, countof(tests));
}
