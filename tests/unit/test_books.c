#include "../../daemon/books.h"
#include "testing.h"

START_TEST(an_empty_histogram_has_no_percentile)
{
	struct histogram h = { 0 };

	ck_assert_int_eq(histogram_percentile(&h, 50), 0);
	ck_assert_int_eq(histogram_percentile(&h, 99), 0);
}
END_TEST

START_TEST(a_percentile_is_read_off_between_the_bounds_of_its_bucket)
{
	struct histogram h = { 0 };

	/* From 10 to 25 ms, and from 100 to 250 ms. */
	h.buckets[8] = 90;
	h.buckets[11] = 10;
	ck_assert_int_eq(histogram_percentile(&h, 45), 17500 * MICROSECONDS);
	ck_assert_int_eq(histogram_percentile(&h, 90), 25 * MILLISECONDS);
	ck_assert_int_eq(histogram_percentile(&h, 95), 175 * MILLISECONDS);
	ck_assert_int_eq(histogram_percentile(&h, 100), 250 * MILLISECONDS);
}
END_TEST

START_TEST(what_took_longer_than_all_bounds_counts_as_the_last_one)
{
	struct histogram h = { 0 };

	h.buckets[HISTOGRAM_BUCKETS - 1] = 1;
	ck_assert_int_eq(histogram_percentile(&h, 50), histogram_bounds[HISTOGRAM_BUCKETS - 2]);
}
END_TEST

Suite *books_suite(void);
Suite *books_suite(void)
{
	const TTest *const tests[] = {
		an_empty_histogram_has_no_percentile, a_percentile_is_read_off_between_the_bounds_of_its_bucket,
		what_took_longer_than_all_bounds_counts_as_the_last_one,
	};

	return suite_of("books", tests, countof(tests));
}
