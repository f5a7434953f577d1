#include "tracked.h"

#include "../../lib/random.h"
#include "../../lib/reorder.h"

static struct reorder *window_of(struct ledger *ledger, size_t places)
{
	struct chan_options options = numbers_of(ledger, places);
	struct reorder *window = reorder_new(&options);

	ck_assert_ptr_nonnull(window);
	return window;
}

static void put(struct reorder *window, struct ledger *ledger, uint64_t ticket)
{
	int *number = number_new(ledger, (int)ticket);

	ck_assert(reorder_put(window, ticket, &number));
}

static void expect(struct reorder *window, int value)
{
	int *number;

	ck_assert(reorder_take(window, &number));
	ck_assert_int_eq(number_take(number), value);
}

START_TEST(results_leave_in_the_order_of_their_tickets)
{
	struct ledger ledger = { 0 };
	struct reorder *window = window_of(&ledger, 3);
	uint64_t a, b, c, d;

	ck_assert(reorder_expect(window, &a) && reorder_expect(window, &b) && reorder_expect(window, &c));
	ck_assert(!reorder_expect(window, &d));
	put(window, &ledger, c);
	put(window, &ledger, b);
	ck_assert(!reorder_take(window, NULL));
	put(window, &ledger, a);
	ck_assert_uint_eq(reorder_len(window), 3);
	expect(window, 0);
	ck_assert(reorder_expect(window, &d));
	expect(window, 1);
	expect(window, 2);
	ck_assert(!reorder_take(window, NULL));
	put(window, &ledger, d);
	expect(window, 3);
	ck_assert_uint_eq(reorder_len(window), 0);
	reorder_free(window);
}
END_TEST

START_TEST(what_is_not_expected_is_refused_and_stays_with_the_caller)
{
	struct ledger ledger = { 0 };
	struct reorder *window = window_of(&ledger, 2);
	int *number = number_new(&ledger, 9);
	uint64_t ticket;

	ck_assert(!reorder_put(window, 0, &number));
	ck_assert(!reorder_skip(window, 0));
	ck_assert(reorder_expect(window, &ticket));
	put(window, &ledger, ticket);
	ck_assert(!reorder_put(window, ticket, &number));
	ck_assert(!reorder_put(window, ticket + 1, &number));
	ck_assert(!reorder_skip(window, ticket));
	expect(window, 0);
	ck_assert(!reorder_put(window, ticket, &number));
	ck_assert_int_eq(number_take(number), 9);
	reorder_free(window);
}
END_TEST

START_TEST(those_behind_a_skipped_one_do_not_wait_for_it)
{
	struct ledger ledger = { 0 };
	struct reorder *window = window_of(&ledger, 4);
	uint64_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert(reorder_expect(window, &t[i]));
	ck_assert(reorder_skip(window, t[1]));
	put(window, &ledger, t[2]);
	ck_assert(!reorder_take(window, NULL));
	ck_assert(reorder_skip(window, t[0]));
	expect(window, 2);
	ck_assert(reorder_skip(window, t[3]));
	ck_assert_uint_eq(reorder_len(window), 0);
	reorder_free(window);
}
END_TEST

START_TEST(what_was_put_in_and_not_taken_is_dropped)
{
	struct ledger ledger = { 0 };
	struct reorder *window = window_of(&ledger, 4);
	uint64_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert(reorder_expect(window, &t[i]));
	put(window, &ledger, t[3]);
	put(window, &ledger, t[1]);
	reorder_free(window);
	ck_assert_uint_eq(dropped_of(&ledger), 2);
	reorder_free(NULL);
}
END_TEST

START_TEST(a_window_needs_places_but_results_may_be_of_size_0)
{
	struct chan_options options = { .elem_size = 4 };
	struct reorder *window;
	uint64_t ticket;

	ck_assert_ptr_null(reorder_new(&options));
	options.capacity = SIZE_MAX;
	ck_assert_ptr_null(reorder_new(&options));
	options = (struct chan_options){ .capacity = 1 };
	window = reorder_new(&options);
	ck_assert(reorder_expect(window, &ticket));
	ck_assert(reorder_put(window, ticket, NULL));
	ck_assert(reorder_take(window, NULL));
	reorder_free(window);
}
END_TEST

/* Against the plainest model: a sequence number for each result. */
START_TEST(any_order_in_is_the_same_order_out)
{
	enum { PLACES = 7, STEPS = 20000 };
	struct ledger ledger = { 0 };
	struct reorder *window = window_of(&ledger, PLACES);
	uint64_t out[PLACES], ticket, expected = 0;
	size_t n = 0;

	random_seed(1);
	for (int i = 0; i < STEPS; i++) {
		int *number;

		if (random_below(2) && reorder_expect(window, &ticket))
			out[n++] = ticket;
		if (n > 0 && random_below(2)) {
			size_t which = random_below((uint32_t)n);

			put(window, &ledger, out[which]);
			out[which] = out[--n];
		}
		while (random_below(2) && reorder_take(window, &number))
			ck_assert_uint_eq((uint64_t)number_take(number), expected++);
	}
	ck_assert_uint_gt(expected, PLACES);
	reorder_free(window);
}
END_TEST

Suite *reorder_suite(void);

Suite *reorder_suite(void)
{
	const TTest *tests[] = {
		results_leave_in_the_order_of_their_tickets,
		what_is_not_expected_is_refused_and_stays_with_the_caller,
		those_behind_a_skipped_one_do_not_wait_for_it,
		what_was_put_in_and_not_taken_is_dropped,
		a_window_needs_places_but_results_may_be_of_size_0,
		any_order_in_is_the_same_order_out,
	};
	return suite_of("reorder", tests, countof(tests));
}
