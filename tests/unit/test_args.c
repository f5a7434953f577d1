#include "../../daemon/args.h"
#include "../../daemon/cmdline.h"
#include "../../daemon/config.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }

/* A job with this command line and these arguments: name, pattern, name, ... */
static struct job_config *job_of(const char *exec, const char *const *args)
{
	struct job_config *job = calloc(1, sizeof(*job));
	char why[256];

	job->args = calloc(ARGS_MAX, sizeof(*job->args));
	job->cmdline = cmdline_split(exec, why, sizeof(why));
	ck_assert_msg(job->cmdline != NULL, "%s", why);
	for (; *args; args += 2) {
		job->args[job->arg_count] = arg_rule_new(args[0], args[1]);
		ck_assert_msg(arg_rule_compile(job->args[job->arg_count], why, sizeof(why)), "%s", why);
		job->arg_count++;
	}
	return job;
}

static void job_free(struct job_config *job)
{
	for (size_t i = 0; i < job->arg_count; i++)
		arg_rule_free(job->args[i]);
	free(job->args);
	free(job->cmdline);
	free(job);
}

/* The same for what a client says: name, value, name, ... */
static struct arg_values values_of(const char *const *said)
{
	struct arg_values values = { .count = 0 };
	struct answer why;

	for (; *said; said += 2)
		ck_assert(arg_values_add(&values, slice_of(said[0]), slice_of(said[1]), &why));
	return values;
}

static void expect_argv(const char *exec, const char *const *args, const char *const *said, const char *const *argv)
{
	struct job_config *job = job_of(exec, args);
	struct arg_values values = values_of(said);
	char room[ARGS_PACKED_MAX];
	struct slice packed;
	struct answer why;
	char **filled;
	size_t i = 0;

	ck_assert(args_pack(job, &values, room, &packed, &why));
	filled = args_fill(job, packed);
	for (; argv[i]; i++) {
		ck_assert_msg(filled[i] != NULL, "%s: has only %zu arguments", exec, i);
		ck_assert_str_eq(filled[i], argv[i]);
	}
	ck_assert_ptr_null(filled[i]);
	free(filled);
	job_free(job);
}

static void expect_refused(const char *const *args, const char *const *said, const char *line)
{
	struct job_config *job = job_of("x", args);
	struct arg_values values = values_of(said);
	char room[ARGS_PACKED_MAX];
	struct buf is = { 0 };
	struct slice packed;
	struct answer why;

	ck_assert(!args_pack(job, &values, room, &packed, &why));
	answer_add_line(&why, &is);
	buf_add_char(&is, '\0');
	ck_assert_str_eq(is.at, line);
	buf_free(&is);
	job_free(job);
}

static bool allows(const char *pattern, const char *value)
{
	struct arg_rule *rule = arg_rule_new("x", pattern);
	char why[128];
	bool allowed;

	ck_assert_msg(arg_rule_compile(rule, why, sizeof(why)), "%s: %s", pattern, why);
	allowed = arg_rule_allows(rule, slice_of(value));
	arg_rule_free(rule);
	return allowed;
}

START_TEST(values_stand_for_their_placeholders)
{
	expect_argv("convert - -resize {width} png:-", LIST("width", "[0-9]{1,4}"), LIST("width", "128"),
		    LIST("convert", "-", "-resize", "128", "png:-"));
	expect_argv("x {a}{b}{a} --size={a}x{b}! {{{a}}}", LIST("b", ".*", "a", ".*"), LIST("a", "1", "b", "22"),
		    LIST("x", "1221", "--size=1x22!", "{1}"));
	expect_argv("x '{a} b' \"{a}\"", LIST("a", ".*"), LIST("a", "v"), LIST("x", "v b", "v"));
}
END_TEST

START_TEST(a_value_never_makes_more_than_its_argument)
{
	expect_argv("x {a} y", LIST("a", ".*"), LIST("a", "one two; rm -rf / \"'$(x)` {b} {{\n*"),
		    LIST("x", "one two; rm -rf / \"'$(x)` {b} {{\n*", "y"));
	expect_argv("x {a} y", LIST("a", ".*"), LIST("a", ""), LIST("x", "", "y"));
}
END_TEST

START_TEST(a_pattern_has_to_match_the_whole_value)
{
	ck_assert(allows("[0-9]{1,4}", "1234"));
	ck_assert(!allows("[0-9]{1,4}", "12345"));
	ck_assert(!allows("[0-9]{1,4}", ""));
	ck_assert(!allows("[0-9]{1,4}", "12\n"));
	ck_assert(!allows("[0-9]+", "x12"));
	ck_assert(!allows("[0-9]+", "12\n34"));
	ck_assert(allows("a|ab", "ab"));
	ck_assert(!allows("a|b", "ab"));
	ck_assert(!allows("a)|b(c)", "bcd") && !allows("a)|b(c)", "xa)"));
	ck_assert(allows("^abc$", "abc"));
	ck_assert(allows("x*", ""));
	ck_assert(allows(".", "\xff"));
}
END_TEST

START_TEST(a_value_begins_with_a_dash_only_if_its_pattern_does)
{
	ck_assert(!allows(".*", "-rf"));
	ck_assert(!allows("[a-z-]+", "-rf"));
	ck_assert(allows("[a-z-]+", "r-f"));
	ck_assert(!allows("fast|-v", "-v"));
	ck_assert(allows("-?[0-9]+", "-5"));
	ck_assert(allows("[-+]?[0-9]+", "-5"));
	ck_assert(allows("^(-v|fast)$", "-v"));
	ck_assert(allows("\\-[0-9]", "-5"));
}
END_TEST

START_TEST(what_is_wrong_is_said_with_the_name_and_the_pattern_but_not_the_value)
{
	expect_refused(LIST("width", "[0-9]{1,4}"), LIST("width", "12px"),
		       "ERR the value of an argument does not match its pattern arg=width pattern=[0-9]{1,4}");
	expect_refused(LIST("width", ".*"), LIST("width", "-1"), "ERR the value of an argument may not begin with - arg=width pattern=.*");
	expect_refused(LIST("width", "[0-9 ]+"), LIST(NULL), "ERR an argument is missing arg=width pattern=\"[0-9 ]+\"");
	expect_refused(LIST("width", ".*"), LIST("widht", "1"), "ERR the job has no such argument arg=widht nearest=width");
	expect_refused(LIST("width", ".*"), LIST("width", "1", "Width", "1"), "ERR the job has no such argument arg=Width nearest=width");
	expect_refused(LIST(NULL), LIST("width", "1"), "ERR the job takes no arguments arg=width");
	expect_refused(LIST("width", ".*"), LIST("0123456789012345678901234567890123456789", "1"),
		       "ERR the job has no such argument arg=01234567890123456789012345678901");
}
END_TEST

START_TEST(what_a_client_says_is_bounded)
{
	struct arg_values values = { .count = 0 };
	char names[ARGS_MAX + 1][8], long_value[ARG_VALUE_MAX + 1];
	struct answer why;

	memset(long_value, 'x', sizeof(long_value));
	ck_assert(!arg_values_add(&values, SLICE("a"), (struct slice){ long_value, ARG_VALUE_MAX + 1 }, &why));
	ck_assert_int_eq(answer_number(&why, "max"), ARG_VALUE_MAX);
	ck_assert(arg_values_add(&values, SLICE("a"), (struct slice){ long_value, ARG_VALUE_MAX }, &why));
	ck_assert(!arg_values_add(&values, SLICE("a"), SLICE("1"), &why));
	ck_assert_str_eq(why.detail, "an argument is given twice");
	ck_assert(!arg_values_add(&values, SLICE("b"), SLICE("x\0y"), &why));
	ck_assert_str_eq(why.detail, "the value of an argument holds a NUL");
	for (size_t i = 0; i < ARGS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		ck_assert(arg_values_add(&values, slice_of(names[i]), SLICE("v"), &why) == (i < ARGS_MAX - 1));
	}
	ck_assert_str_eq(why.detail, "too many arguments");
	ck_assert_uint_eq(values.count, ARGS_MAX);
}
END_TEST

START_TEST(as_many_and_as_long_as_may_be_fit)
{
	char exec[1024] = "x", names[ARGS_MAX][8], value[ARG_VALUE_MAX + 1];
	const char *rules[2 * ARGS_MAX + 1] = { NULL }, *said[2 * ARGS_MAX + 1] = { NULL }, *argv[ARGS_MAX + 2] = { "x" };

	memset(value, 'v', ARG_VALUE_MAX);
	value[ARG_VALUE_MAX] = '\0';
	for (size_t i = 0; i < ARGS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		snprintf(exec + strlen(exec), sizeof(exec) - strlen(exec), " {%s}", names[i]);
		rules[2 * i] = said[2 * i] = names[i];
		rules[2 * i + 1] = "v*";
		said[2 * i + 1] = value;
		argv[i + 1] = value;
	}
	expect_argv(exec, rules, said, argv);
}
END_TEST

START_TEST(any_bytes_on_a_command_line_are_split_or_refused_but_never_become_more_arguments)
{
	static const char *const pieces[] = { "x", " ", "{a}", "{", "}", "{{", "'", "\"", "\\", "|", "\t", "--a={a}", "$", "\n", "{b}" };

	srand(11);
	for (int round = 0; round < 20000; round++) {
		struct slice packed = { "v 'w\0", 6 };
		struct arg_rule rule = { .name = (char[]){ "a" } }, *rules[] = { &rule };
		struct job_config job = { .args = rules, .arg_count = 1 };
		char line[256] = "/bin/x ", why[256];
		size_t n = 0;
		char **argv;

		for (int i = 0; i < 12; i++)
			strcat(line, pieces[(size_t)rand() % countof(pieces)]);
		job.cmdline = cmdline_split(line, why, sizeof(why));
		if (!job.cmdline || strstr(line, "{b}")) {
			free(job.cmdline);
			continue;
		}
		argv = args_fill(&job, packed);
		while (argv[n])
			n++;
		ck_assert_uint_eq(n, job.cmdline->argc);
		free(argv);
		free(job.cmdline);
	}
}
END_TEST

Suite *args_suite(void);
Suite *args_suite(void)
{
	const TTest *const tests[] = {
		values_stand_for_their_placeholders, a_value_never_makes_more_than_its_argument, a_pattern_has_to_match_the_whole_value,
		a_value_begins_with_a_dash_only_if_its_pattern_does,
		what_is_wrong_is_said_with_the_name_and_the_pattern_but_not_the_value, what_a_client_says_is_bounded,
		as_many_and_as_long_as_may_be_fit,
		any_bytes_on_a_command_line_are_split_or_refused_but_never_become_more_arguments,
	};

	return suite_of("args", tests, countof(tests));
}
