#include "tracked.h"

#include "../../lib/ordered.h"
#include "../../lib/random.h"

static struct ordered *line_of(struct ledger *ledger, size_t window)
{
	struct chan_options options = numbers_of(ledger, window);
	struct ordered *line = ordered_new(&options);

	ck_assert_ptr_nonnull(line);
	return line;
}

static struct chan *place_in(struct ordered *line)
{
	struct chan *place = ordered_place(line, NULL, SOON, NULL);

	ck_assert_ptr_nonnull(place);
	return place;
}

static void deliver(struct chan *place, struct ledger *ledger, int value)
{
	int *number = number_new(ledger, value);

	if (chan_try_send(place, &number) != CHAN_OK)
		abort();
	chan_unref(place);
}

static void expect(struct ordered *line, int value)
{
	int *number;

	ck_assert_status(ordered_recv(line, &number, NULL, SOON), CHAN_OK);
	ck_assert_int_eq(number_take(number), value);
}

START_TEST(results_that_come_backwards_are_received_forwards)
{
	struct ledger ledger = { 0 };
	struct ordered *line = line_of(&ledger, 4);
	struct chan *places[4];
	int *number;

	for (int i = 0; i < 4; i++)
		places[i] = place_in(line);
	for (int i = 3; i > 0; i--) {
		deliver(places[i], &ledger, i);
		ck_assert_status(ordered_recv(line, &number, NULL, NOW), CHAN_WOULD_BLOCK);
	}
	ck_assert_status(ordered_recv(line, &number, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	deliver(places[0], &ledger, 0);
	for (int i = 0; i < 4; i++)
		expect(line, i);
	ordered_close(line);
	ck_assert_status(ordered_recv(line, &number, NULL, FOREVER), CHAN_CLOSED);
	ordered_unref(ordered_ref(line));
	ordered_unref(line);
	ordered_unref(NULL);
}
END_TEST

START_TEST(the_window_is_bounded)
{
	struct ledger ledger = { 0 };
	struct ctx *cancelled = ctx_with_cancel(NULL);
	struct ordered *line = line_of(&ledger, 2);
	struct chan *first = place_in(line), *second = place_in(line);
	enum chan_status why;

	ctx_cancel(cancelled);
	ck_assert_ptr_null(ordered_place(line, NULL, NOW, &why));
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_ptr_null(ordered_place(line, cancelled, FOREVER, &why));
	ck_assert_status(why, CHAN_CANCELED);
	deliver(second, &ledger, 2);
	deliver(first, &ledger, 1);
	expect(line, 1);
	deliver(place_in(line), &ledger, 3);
	expect(line, 2);
	expect(line, 3);
	ordered_close(line);
	ck_assert_ptr_null(ordered_place(line, NULL, FOREVER, &why));
	ck_assert_status(why, CHAN_CLOSED);
	ctx_unref(cancelled);
	ordered_unref(line);
}
END_TEST

START_TEST(a_place_that_is_closed_is_passed_over)
{
	struct ledger ledger = { 0 };
	struct ordered *line = line_of(&ledger, 4);
	struct chan *nothing = place_in(line), *something = place_in(line);

	deliver(something, &ledger, 2);
	ck_assert_status(chan_close(nothing), CHAN_OK);
	chan_unref(nothing);
	expect(line, 2);
	ordered_close(line);
	ck_assert_status(ordered_recv(line, NULL, NULL, FOREVER), CHAN_CLOSED);
	ordered_unref(line);
}
END_TEST

START_TEST(results_that_nobody_receives_are_dropped_also_the_late_ones)
{
	struct ledger ledger = { 0 };
	struct ordered *line = line_of(&ledger, 4);
	struct chan *head = place_in(line), *late = place_in(line);

	ck_assert_status(ordered_recv(line, NULL, NULL, NOW), CHAN_WOULD_BLOCK);
	deliver(head, &ledger, 1);
	deliver(place_in(line), &ledger, 3);
	ordered_unref(line);
	ck_assert_uint_eq(dropped_of(&ledger), 2);
	deliver(late, &ledger, 2);
	ck_assert_uint_eq(dropped_of(&ledger), 3);
}
END_TEST

enum { RESULTS = 1000, WORKERS = 4 };

struct request {
	struct chan *place;
	int number;
};

struct office {
	struct ledger ledger;
	struct ordered *line;
	struct chan *requests;   /* of struct request */
};

static void *work(void *arg)
{
	struct office *office = arg;
	struct request request;

	while (chan_recv(office->requests, &request, NULL, FOREVER) == CHAN_OK) {
		for (uint32_t n = random_below(20); n > 0; n--)
			sched_yield();
		deliver(request.place, &office->ledger, request.number);
	}
	return NULL;
}

static void *ask(void *arg)
{
	struct office *office = arg;

	for (int i = 0; i < RESULTS; i++) {
		struct request request = { ordered_place(office->line, NULL, FOREVER, NULL), i };

		chan_send(office->requests, &request, NULL, FOREVER);
	}
	ordered_close(office->line);
	chan_close(office->requests);
	return NULL;
}

START_TEST(many_workers_finish_in_any_order_and_the_answers_are_in_order)
{
	struct office office = { .requests = chan_new(sizeof(struct request), 2) };
	pthread_t workers[WORKERS], asker;
	int *number;

	office.line = line_of(&office.ledger, 8);
	for (int i = 0; i < WORKERS; i++)
		workers[i] = thread_start(work, &office);
	asker = thread_start(ask, &office);
	for (int i = 0; i < RESULTS; i++)
		expect(office.line, i);
	ck_assert_status(ordered_recv(office.line, &number, NULL, SOON), CHAN_CLOSED);
	thread_join(asker);
	for (int i = 0; i < WORKERS; i++)
		thread_join(workers[i]);
	ordered_unref(office.line);
	chan_unref(office.requests);
}
END_TEST

Suite *ordered_suite(void);

Suite *ordered_suite(void)
{
	const TTest *tests[] = {
		results_that_come_backwards_are_received_forwards,
		the_window_is_bounded,
		a_place_that_is_closed_is_passed_over,
		results_that_nobody_receives_are_dropped_also_the_late_ones,
		many_workers_finish_in_any_order_and_the_answers_are_in_order,
	};
	return suite_of("ordered", tests, countof(tests));
}
