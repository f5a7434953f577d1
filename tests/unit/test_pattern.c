#include "testing.h"

#include "../../daemon/pattern.h"
#include "../../lib/sanitized.h"

#include <stdlib.h>

static struct pattern *pattern_of(const char *text)
{
	char why[128];
	struct pattern *p = pattern_new(text, why, sizeof(why));

	ck_assert_msg(p != NULL, "%s: %s", text, why);
	return p;
}

static bool matches(const char *text, const char *value)
{
	struct pattern *p = pattern_of(text);
	bool is_match = pattern_matches(p, slice_of(value));

	pattern_free(p);
	return is_match;
}

START_TEST(a_text_is_matched_from_end_to_end)
{
	ck_assert(matches("a|bc", "bc") && !matches("a|bc", "abc") && !matches("a|bc", "bcd"));
	ck_assert(matches("^a$", "a") && matches("a*", "") && matches("(|a)", ""));
	ck_assert(matches("a.c", "a\nc") && !matches("a", "a\n") && !matches("a", "\na"));
	/* The longest match does not count, but whether there is one of all. */
	ck_assert(matches("(a|ab)(c|bcd)", "abcd"));
	ck_assert(!matches(".", "\xc3\xa4") && matches("..", "\xc3\xa4"));
}
END_TEST

START_TEST(a_bracket_that_closes_none_is_a_character)
{
	ck_assert(matches("a)|b", "a)") && matches("a)|b", "b") && !matches("a)|b", "a") && !matches("a)|b", "ba)"));
	ck_assert(matches(")+", "))))") && !matches(")+", ""));
	ck_assert(matches("(a))b", "a)b") && matches("(a)[)(]b\\)", "a(b)") && matches("[^]()]+)", "a)"));
	ck_assert(matches("\\(a)", "(a)") && !matches("\\(a)", "(a"));
}
END_TEST

static void expect_none(const char *text, const char *about)
{
	char why[128] = "";

	ck_assert_msg(pattern_new(text, why, sizeof(why)) == NULL, "%s", text);
	ck_assert_msg(strstr(why, about) != NULL, "%s: %s", text, why);
}

START_TEST(one_that_is_none_is_refused_with_the_reason)
{
	expect_none("[0-9", "Unmatched");
	expect_none("(a", "Unmatched");
	expect_none("a{2,1}", "Invalid");
	expect_none("*", "Invalid");
}
END_TEST

START_TEST(one_that_would_be_tried_for_minutes_is_refused)
{
	expect_none("(.*)\\1b", "back-references");
	expect_none("[]x\\](.)\\\\\\1", "back-references");
	expect_none("[^][:alpha:]]([[.-.]])\\1", "back-references");
	/* These are none. */
	ck_assert(matches("[\\1]+", "1\\"));
	ck_assert(matches("\\\\1", "\\1"));
	ck_assert(matches("[][:alpha:]\\1]+\\.", "]a1."));
}
END_TEST

START_TEST(one_that_is_too_large_written_out_is_refused)
{
	expect_none("x+++++++++++", "more than 1024");
	expect_none(")+++++++++++", "more than 1024");
	expect_none("((((((((((x)+)+)+)+)+)+)+)+)+)+", "more than 1024");
	expect_none("((x{10}){10,}){10,30}", "more than 1024");
	expect_none("(x{,100}){0000000000100}", "more than 1024");
	expect_none("x{1025,}", "more than 1024");
	/* The library knows of none that large. */
	expect_none("x{100000000000000000000}", "more than 1024");
	ck_assert(matches(".{0,1024}", ""));
	ck_assert(matches("([a-z0-9]{1,63}\\.){1,10}[a-z]{2,63}", "www.example.org"));
	ck_assert(!matches("(.|\\\\+|[+]|[]+{9}]){100}", "+"));
	ck_assert(matches("a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+", "abcdefghijklmnop"));
	/* To go round without a character is nothing to try for ever. */
	ck_assert(matches("((a*)*){40}", "aaa") && matches("(a**){40}", "aaa") && matches("((a?)+){40}", "") && matches("((|a)*){40}", "aa"));
}
END_TEST

enum { LONG = 1024 };

START_TEST(what_is_remembered_of_texts_is_bounded)
{
	struct pattern *p = pattern_of(".*a[ab]{20}c");
	size_t before = bytes_in_use(), most = 0;
	char text[LONG];

	srand(1);
	for (int i = 0; i < 40; i++) {
		for (size_t at = 0; at < LONG; at++)
			text[at] = rand() % 2 ? 'a' : 'b';
		ck_assert(!pattern_matches(p, (struct slice){ text, LONG }));
		if (bytes_in_use() - before > most)
			most = bytes_in_use() - before;
		memcpy(text + LONG - 22, "aaaaaaaaaaaaaaaaaaaaac", 22);
		ck_assert(pattern_matches(p, (struct slice){ text, LONG }));
	}
	if (!IS_SANITIZED) {
		ck_assert_uint_gt(most, 1 << 20);
		ck_assert_uint_lt(most, PATTERN_MEMORY);
	}
	pattern_free(p);
}
END_TEST

Suite *pattern_suite(void);

Suite *pattern_suite(void)
{
	const TTest *tests[] = {
		a_text_is_matched_from_end_to_end,
		a_bracket_that_closes_none_is_a_character,
		one_that_is_none_is_refused_with_the_reason,
		one_that_would_be_tried_for_minutes_is_refused,
		one_that_is_too_large_written_out_is_refused,
		what_is_remembered_of_texts_is_bounded,
	};
	return suite_of("pattern", tests, countof(tests));
}
