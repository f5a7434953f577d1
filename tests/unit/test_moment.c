#include "testing.h"

START_TEST(the_present_is_after_now_and_never_goes_back)
{
	moment first = moment_now();

	ck_assert(first > NOW);
	ck_assert(moment_now() >= first);
}
END_TEST

START_TEST(adding_stops_at_the_ends_of_time)
{
	ck_assert_int_eq(moment_add(5, 7), 12);
	ck_assert_int_eq(moment_add(FOREVER - 1, 7), FOREVER);
	ck_assert_int_eq(moment_add(FOREVER, -7), FOREVER);
	ck_assert_int_eq(moment_add(INT64_MIN + 1, -7), INT64_MIN);
	ck_assert_int_eq(moment_in(INT64_MAX), FOREVER);
	ck_assert(moment_in(SECONDS) > moment_now());
	ck_assert(moment_in(-SECONDS) < moment_now());
}
END_TEST

START_TEST(a_span_is_that_of_the_rate_however_much_it_is)
{
	ck_assert_int_eq(moment_span(0, 500), 0);
	ck_assert_int_eq(moment_span(1, 500), 2 * MILLISECONDS);
	ck_assert_int_eq(moment_span(1750, 500), 3500 * MILLISECONDS);
	/* A nanosecond for each byte would no longer fit. */
	ck_assert_int_eq(moment_span(20000000000, 500), 40000000 * SECONDS);
	ck_assert_int_eq(moment_span(UINT64_MAX, (uint64_t)1 << 40), ((1 << 24) - 1) * SECONDS);
	ck_assert_int_eq(moment_span(UINT64_MAX, 1), FOREVER);
	ck_assert_int_eq(moment_span(10000000000, 1), FOREVER);
}
END_TEST

START_TEST(now_is_reached_and_forever_never_is)
{
	ck_assert(moment_reached(NOW));
	ck_assert(moment_reached(-1));
	ck_assert(moment_reached(INT64_MIN));
	ck_assert(moment_reached(moment_now()));
	ck_assert(!moment_reached(FOREVER));
	ck_assert(!moment_reached(moment_in(1000 * SECONDS)));
	ck_assert_int_eq(moment_min(3, NOW), NOW);
}
END_TEST

Suite *moment_suite(void);

Suite *moment_suite(void)
{
	const TTest *tests[] = {
		the_present_is_after_now_and_never_goes_back,
		adding_stops_at_the_ends_of_time,
		a_span_is_that_of_the_rate_however_much_it_is,
		now_is_reached_and_forever_never_is,
	};
	return suite_of("moment", tests, countof(tests));
}
