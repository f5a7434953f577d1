#include "../../daemon/cmdline.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

static void expect(const char *line, const char *const *words)
{
	char why[256] = "";
	struct cmdline *split = cmdline_split(line, why, sizeof(why));
	char **argv;
	size_t i = 0;

	ck_assert_msg(split != NULL, "%s: %s", line, why);
	argv = split->argv;
	for (; words[i]; i++) {
		ck_assert_msg(argv[i] != NULL, "%s: has only %zu words", line, i);
		ck_assert_str_eq(argv[i], words[i]);
	}
	ck_assert_ptr_null(argv[i]);
	ck_assert_uint_eq(split->argc, i);
	free(split);
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

START_TEST(a_double_brace_is_one)
{
	expect("a {{b}} 'x{{'", WORDS("a", "{b}", "x{"));
	expect_refused("a {b", "'{'");
	expect_refused("a b}", "'}'");
}
END_TEST

START_TEST(a_placeholder_is_a_hole_in_its_argument)
{
	static const struct { size_t arg, at; const char *name; } holes[] = { { 1, 0, "width" }, { 2, 7, "a" }, { 2, 8, "b-c" }, { 3, 2, "q_1" } };
	char why[256];
	struct cmdline *split = cmdline_split("x {width} --size={a}x{b-c} \"y {q_1}{{\"", why, sizeof(why));

	ck_assert_msg(split != NULL, "%s", why);
	ck_assert_str_eq(split->argv[1], "");
	ck_assert_str_eq(split->argv[2], "--size=x");
	ck_assert_str_eq(split->argv[3], "y {");
	ck_assert_uint_eq(split->hole_count, countof(holes));
	for (size_t i = 0; i < countof(holes); i++) {
		ck_assert_uint_eq(split->holes[i].arg, holes[i].arg);
		ck_assert_uint_eq(split->holes[i].at, holes[i].at);
		ck_assert(slice_is(split->holes[i].name, slice_of(holes[i].name)));
	}
	free(split);
}
END_TEST

START_TEST(what_is_no_placeholder_is_refused)
{
	char line[1024] = "x ";

	expect_refused("a {}", "{} is no placeholder");
	expect_refused("a {b c}", "{b c} is no placeholder");
	expect_refused("a {b.c}", "{b.c} is no placeholder");
	expect_refused("a {012345678901234567890123456789012}", "is no placeholder");
	expect_refused("{program} x", "the program itself");
	expect_refused("/bin/{program} x", "the program itself");
	for (int i = 0; i <= CMDLINE_HOLES_MAX; i++)
		strcat(line, "{x}");
	expect_refused(line, "more than 64 placeholders");
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
	struct cmdline *split;

	for (int i = 0; i < CMDLINE_ARGS_MAX; i++)
		strcat(line, "x ");
	split = cmdline_split(line, why, sizeof(why));
	ck_assert_ptr_nonnull(split);
	ck_assert_ptr_null(split->argv[CMDLINE_ARGS_MAX]);
	free(split);
	strcat(line, "x");
	expect_refused(line, "256");
}
END_TEST

Suite *cmdline_suite(void);
Suite *cmdline_suite(void)
{
	const TTest *const tests[] = {
		words_are_split_at_blanks, quotes_keep_blanks_and_may_stand_within_a_word, a_backslash_quotes_as_in_a_shell,
		what_only_a_shell_does_is_refused, a_double_brace_is_one, a_placeholder_is_a_hole_in_its_argument,
		what_is_no_placeholder_is_refused, what_is_not_whole_is_refused,
		there_may_be_256_arguments_and_no_more,
	};

	return suite_of("cmdline", tests, countof(tests));
}
