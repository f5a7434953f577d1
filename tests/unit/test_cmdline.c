#include "../../daemon/cmdline.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

static void expect(const char *line, const char *const *words)
{
	char why[256] = "";
	char **argv = cmdline_split(line, why, sizeof(why));
	size_t i = 0;

	ck_assert_msg(argv != NULL, "%s: %s", line, why);
	for (; words[i]; i++) {
		ck_assert_msg(argv[i] != NULL, "%s: has only %zu words", line, i);
		ck_assert_str_eq(argv[i], words[i]);
	}
	ck_assert_ptr_null(argv[i]);
	free(argv);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void expect_refused(const char *line, const char *about)
{
	char why[256] = "";

	ck_assert_ptr_null(cmdline_split(line, why, sizeof(why)));
	ck_assert_msg(strstr(why, about) != NULL, "%s: '%s' says nothing of '%s'", line, why, about);
}

START_TEST(words_are_split_at_blanks)
{
	expect("tr a-z A-Z", WORDS("tr", "a-z", "A-Z"));
	expect("  tr\t\ta-z  ", WORDS("tr", "a-z"));
	expect("x", WORDS("x"));
}
END_TEST

START_TEST(quotes_keep_blanks_and_may_stand_within_a_word)
{
	expect("a 'b c' \"d e\"", WORDS("a", "b c", "d e"));
	expect("a'b c'd\"e\"", WORDS("ab cde"));
	expect("a '' \"\"", WORDS("a", "", ""));
	expect("'|' \"$x\" '`'", WORDS("|", "$x", "`"));
}
END_TEST

START_TEST(a_backslash_quotes_as_in_a_shell)
{
	expect("a\\ b \\| \\\\", WORDS("a b", "|", "\\"));
	expect("\"a\\\"b\\c\"", WORDS("a\"b\\c"));
	expect("'a\\b'", WORDS("a\\b"));
}
END_TEST

START_TEST(what_only_a_shell_does_is_refused)
{
	expect_refused("a | b", "'|'");
	expect_refused("a > b", "'>'");
	expect_refused("a && b", "'&'");
	expect_refused("a; b", "';'");
	expect_refused("echo $HOME", "'$'");
	expect_refused("echo `date`", "'`'");
}
END_TEST

START_TEST(a_double_brace_is_one_and_a_placeholder_needs_its_key)
{
	expect("a {{b}} 'x{{'", WORDS("a", "{b}", "x{"));
	expect_refused("a {width}", "{width}");
	expect_refused("a {b", "'{'");
	expect_refused("a b}", "'}'");
}
END_TEST

START_TEST(what_is_not_whole_is_refused)
{
	expect_refused("", "nothing");
	expect_refused("   ", "nothing");
	expect_refused("a 'b", "not closed");
	expect_refused("a \"b", "not closed");
	expect_refused("a \\", "at the end");
}
END_TEST

START_TEST(there_may_be_256_arguments_and_no_more)
{
	char line[1024] = "", why[128];
	char **argv;

	for (int i = 0; i < CMDLINE_ARGS_MAX; i++)
		strcat(line, "x ");
	argv = cmdline_split(line, why, sizeof(why));
	ck_assert_ptr_nonnull(argv);
	ck_assert_ptr_null(argv[CMDLINE_ARGS_MAX]);
	free(argv);
	strcat(line, "x");
	expect_refused(line, "256");
}
END_TEST

Suite *cmdline_suite(void);
Suite *cmdline_suite(void)
{
	const TTest *const tests[] = {
		words_are_split_at_blanks, quotes_keep_blanks_and_may_stand_within_a_word, a_backslash_quotes_as_in_a_shell,
		what_only_a_shell_does_is_refused, a_double_brace_is_one_and_a_placeholder_needs_its_key, what_is_not_whole_is_refused,
		there_may_be_256_arguments_and_no_more,
	};

	return suite_of("cmdline", tests, countof(tests));
}
