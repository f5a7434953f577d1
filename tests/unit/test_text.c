#include "../../daemon/text.h"
#include "testing.h"

#include <stdio.h>

#define MS INT64_C(1000000)

START_TEST(counts_are_digits_that_fit)
{
	uint64_t n = 7;

	ck_assert(text_count(SLICE("0"), &n) && n == 0);
	ck_assert(text_count(SLICE("18446744073709551615"), &n) && n == UINT64_MAX);
	n = 7;
	ck_assert(!text_count(SLICE("18446744073709551616"), &n));
	ck_assert(!text_count(SLICE(""), &n));
	ck_assert(!text_count(SLICE("-1"), &n));
	ck_assert(!text_count(SLICE("1 "), &n));
	ck_assert(!text_count(SLICE("0x10"), &n));
	ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(sizes_take_k_m_and_g)
{
	uint64_t n;

	ck_assert(text_size(SLICE("5"), &n) && n == 5);
	ck_assert(text_size(SLICE("5K"), &n) && n == 5120);
	ck_assert(text_size(SLICE("5k"), &n) && n == 5120);
	ck_assert(text_size(SLICE("2M"), &n) && n == 2 << 20);
	ck_assert(text_size(SLICE("3G"), &n) && n == UINT64_C(3) << 30);
	ck_assert(!text_size(SLICE("3T"), &n));
	ck_assert(!text_size(SLICE("3KB"), &n));
	ck_assert(!text_size(SLICE("99999999999999G"), &n));
}
END_TEST

START_TEST(durations_take_ms_s_m_and_h_and_a_bare_number_is_milliseconds)
{
	int64_t ns;

	ck_assert(text_duration(SLICE("250ms"), &ns) && ns == 250 * MS);
	ck_assert(text_duration(SLICE("250"), &ns) && ns == 250 * MS);
	ck_assert(text_duration(SLICE("5s"), &ns) && ns == 5000 * MS);
	ck_assert(text_duration(SLICE("2m"), &ns) && ns == 120000 * MS);
	ck_assert(text_duration(SLICE("1h"), &ns) && ns == 3600000 * MS);
	ck_assert(!text_duration(SLICE("1.5s"), &ns));
	ck_assert(!text_duration(SLICE("5 s"), &ns));
	ck_assert(!text_duration(SLICE("9223372036855"), &ns));
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	static const uint64_t sizes[] = { 0, 1, 1023, 1024, 1536, 1 << 20, UINT64_C(5) << 30, UINT64_MAX };
	char room[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < countof(sizes); i++) {
		uint64_t size;
		int64_t ns, wanted = (int64_t)(sizes[i] % 1000000) * MS;

		text_from_size(sizes[i], room);
		ck_assert(text_size(slice_of(room), &size) && size == sizes[i]);
		text_from_duration(wanted, room);
		ck_assert(text_duration(slice_of(room), &ns) && ns == wanted);
	}
	text_from_size(1 << 20, room);
	ck_assert_str_eq(room, "1M");
	text_from_duration(90000 * MS, room);
	ck_assert_str_eq(room, "90s");
}
END_TEST

START_TEST(names_are_letters_digits_dots_dashes)
{
	ck_assert(text_is_name(SLICE("Resize-2.big_1"), 40));
	ck_assert(!text_is_name(SLICE(""), 40));
	ck_assert(!text_is_name(SLICE("a b"), 40));
	ck_assert(!text_is_name(SLICE("a/b"), 40));
	ck_assert(!text_is_name(SLICE("abcd"), 3));
}
END_TEST

static const char *candidate(size_t i, const void *arg)
{
	return ((const char *const *)arg)[i];
}

START_TEST(the_nearest_name_is_the_one_that_was_meant_or_none)
{
	static const char *const names[] = { "concurrency", "queue", "deadline" };

	ck_assert_str_eq(text_nearest(SLICE("concurency"), candidate, 3, names), "concurrency");
	ck_assert_str_eq(text_nearest(SLICE("deadlien"), candidate, 3, names), "deadline");
	ck_assert_ptr_null(text_nearest(SLICE("xyzzy"), candidate, 3, names));
	ck_assert_uint_eq(text_distance(SLICE("kitten"), SLICE("sitting")), 3);
}
END_TEST

START_TEST(what_is_shown_cannot_break_a_line_or_a_quotation)
{
	char room[64], small[16];

	text_printable((struct slice){ "a\n\"\\\x1b\xff", 6 }, room, sizeof(room));
	ck_assert_str_eq(room, "a\\x0a\\x22\\x5c\\x1b\\xff");
	text_printable(SLICE("abcdefghijklmnopqrstuvwxyz"), small, sizeof(small));
	ck_assert_uint_lt(strlen(small), sizeof(small));
	ck_assert_str_eq(small + strlen(small) - 3, "...");
}
END_TEST

Suite *text_suite(void);
Suite *text_suite(void)
{
	const TTest *const tests[] = {
		counts_are_digits_that_fit, sizes_take_k_m_and_g, durations_take_ms_s_m_and_h_and_a_bare_number_is_milliseconds,
		what_is_written_reads_back, names_are_letters_digits_dots_dashes, the_nearest_name_is_the_one_that_was_meant_or_none,
		what_is_shown_cannot_break_a_line_or_a_quotation,
	};

	return suite_of("text", tests, countof(tests));
}
