#include "../../daemon/estimate.h"
#include "testing.h"

#include <stdlib.h>

#define MS MILLISECONDS

static struct estimate *estimate_new(void)
{
	struct estimate *e = aligned_alloc(CACHE_LINE, (sizeof(*e) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	memset(e, 0, sizeof(*e));
	return e;
}

static void record(struct estimate *e, int n, int64_t ns)
{
	for (int i = 0; i < n; i++)
		estimate_record(e, ns, true, 1, moment_now());
}

/* The median is rounded up by at most a sixteenth. */
#define expect_median(e, ns) \
	do { \
		int64_t median_ = estimate_median(e); \
		ck_assert_msg(median_ >= (ns) && median_ <= (ns) + (ns) / 16 + 1024, "%lld", (long long)median_); \
	} while (0)

START_TEST(nothing_is_known_until_a_few_runs_have_ended)
{
	struct estimate *e = estimate_new();

	record(e, ESTIMATE_KNOWN - 1, 20 * MS);
	ck_assert_int_eq(estimate_median(e), 0);
	ck_assert_int_eq(estimate_mean(e), 20 * MS);
	record(e, 1, 20 * MS);
	expect_median(e, 20 * MS);
	free(e);
}
END_TEST

START_TEST(from_a_microsecond_to_a_day_it_is_right_to_a_sixteenth)
{
	for (int64_t ns = 1 * MICROSECONDS; ns <= 24 * 3600 * SECONDS; ns += ns / 3) {
		struct estimate *e = estimate_new();

		record(e, 5, ns);
		expect_median(e, ns);
		ck_assert_int_eq(estimate_mean(e), ns);
		free(e);
	}
}
END_TEST

START_TEST(a_few_long_runs_move_the_mean_and_not_the_median)
{
	struct estimate *e = estimate_new();

	record(e, 60, 5 * MS);
	record(e, 4, 500 * MS);
	expect_median(e, 5 * MS);
	ck_assert_int_eq(estimate_mean(e), (60 * 5 + 4 * 500) * MS / 64);
	free(e);
}
END_TEST

START_TEST(when_the_speed_changes_ten_times_up_and_down_half_a_window_is_enough)
{
	struct estimate *e = estimate_new();

	record(e, 1000, 10 * MS);
	record(e, ESTIMATE_WINDOW / 2 + 1, 100 * MS);
	expect_median(e, 100 * MS);
	record(e, ESTIMATE_WINDOW / 2 - 1, 100 * MS);
	ck_assert_int_eq(estimate_mean(e), 100 * MS);
	record(e, ESTIMATE_WINDOW / 2 + 1, 10 * MS);
	expect_median(e, 10 * MS);
	free(e);
}
END_TEST

START_TEST(runs_that_were_cut_short_alone_make_nothing_known)
{
	struct estimate *e = estimate_new();

	for (int i = 0; i < 1000; i++)
		estimate_record(e, 50 * MS, false, 1, moment_now());
	ck_assert_int_eq(estimate_median(e), 0);
	ck_assert_int_eq(estimate_mean(e), 50 * MS);
	free(e);
}
END_TEST

START_TEST(runs_that_were_cut_short_say_that_it_takes_longer_and_never_that_it_takes_less)
{
	struct estimate *e = estimate_new();

	record(e, ESTIMATE_WINDOW, 100 * MS);
	for (int i = 0; i < 10 * ESTIMATE_WINDOW; i++)
		estimate_record(e, 30 * MS, false, 1, moment_now());
	/* All that was counted has left the window; what it said stays. */
	expect_median(e, 100 * MS);
	ck_assert_int_eq(estimate_mean(e), 30 * MS);
	record(e, ESTIMATE_WINDOW, 100 * MS);
	for (int i = 0; i < ESTIMATE_WINDOW / 2 + 1; i++)
		estimate_record(e, 500 * MS, false, 1, moment_now());
	expect_median(e, 500 * MS);
	free(e);
}
END_TEST

START_TEST(a_probe_is_let_through_when_nothing_was_learned_for_a_while_and_two_heal_a_wrong_median)
{
	struct estimate *e = estimate_new();
	moment now = moment_now();

	for (int i = 0; i < ESTIMATE_WINDOW; i++)
		estimate_record(e, 1 * SECONDS, true, 1, now);
	ck_assert(!estimate_probe(e, now + 900 * MS));
	ck_assert(estimate_probe(e, now + 1100 * MS));
	ck_assert(!estimate_probe(e, now + 1100 * MS));
	estimate_record(e, 10 * MS, true, ESTIMATE_PROBE_WEIGHT, now + 1110 * MS);
	ck_assert(!estimate_probe(e, now + 1200 * MS));
	ck_assert(estimate_probe(e, now + 2300 * MS));
	estimate_record(e, 10 * MS, true, ESTIMATE_PROBE_WEIGHT, now + 2310 * MS);
	expect_median(e, 10 * MS);
	free(e);
}
END_TEST

static void *record_many(void *arg)
{
	for (int i = 0; i < 100000; i++)
		estimate_record(arg, (1 + i % 50) * MS, true, 1, moment_now());
	return NULL;
}

START_TEST(many_threads_record_at_once_and_nothing_is_lost)
{
	struct estimate *e = estimate_new();
	pthread_t threads[4];
	uint64_t sum = 0;

	for (size_t i = 0; i < countof(threads); i++)
		threads[i] = thread_start(record_many, e);
	for (size_t i = 0; i < countof(threads); i++)
		thread_join(threads[i]);
	record(e, 1, 25 * MS);
	ck_assert_uint_eq(shim_load(&e->recorded, relaxed), 4 * 100000 + 1);
	ck_assert_uint_eq(shim_load(&e->counted, relaxed), ESTIMATE_WINDOW);
	for (size_t i = 0; i < ESTIMATE_BUCKETS; i++)
		sum += shim_load(&e->buckets[i], relaxed);
	ck_assert_uint_eq(sum, ESTIMATE_WINDOW);
	ck_assert_int_gt(estimate_mean(e), 1 * MS);
	ck_assert_int_lt(estimate_mean(e), 50 * MS);
	free(e);
}
END_TEST

Suite *estimate_suite(void);
Suite *estimate_suite(void)
{
	const TTest *const tests[] = {
		nothing_is_known_until_a_few_runs_have_ended, from_a_microsecond_to_a_day_it_is_right_to_a_sixteenth,
		a_few_long_runs_move_the_mean_and_not_the_median, when_the_speed_changes_ten_times_up_and_down_half_a_window_is_enough,
		runs_that_were_cut_short_alone_make_nothing_known,
		runs_that_were_cut_short_say_that_it_takes_longer_and_never_that_it_takes_less,
		a_probe_is_let_through_when_nothing_was_learned_for_a_while_and_two_heal_a_wrong_median,
		many_threads_record_at_once_and_nothing_is_lost,
	};

	return suite_of("estimate", tests, countof(tests));
}
