#include "../../daemon/args.h"
#include "../../daemon/cmdline.h"
#include "../../daemon/config.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static char path[] = "/tmp/leat-config-XXXXXX";

static struct config *load(const char *text, const char *const *overrides, size_t n, struct buf *errors)
{
	struct config *config;
	int fd;

	strcpy(path, "/tmp/leat-config-XXXXXX");
	fd = mkstemp(path);
	ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	config = config_load(path, overrides, n, errors);
	unlink(path);
	return config;
}

static struct config *load_right(const char *text)
{
	struct buf errors = { 0 };
	struct config *config = load(text, NULL, 0, &errors);

	ck_assert_msg(config != NULL, "%.*s", (int)errors.len, errors.at);
	return config;
}

/* Every one of `parts` stands in the errors, which are of `lines` lines. */
static void expect_errors(const char *text, size_t lines, const char *const *parts)
{
	struct buf errors = { 0 };
	size_t found = 0;

	ck_assert_ptr_null(load(text, NULL, 0, &errors));
	buf_add_char(&errors, '\0');
	for (; *parts; parts++)
		ck_assert_msg(strstr(errors.at, *parts) != NULL, "'%s' is not in:\n%s", *parts, errors.at);
	for (const char *c = errors.at; *c; c++)
		found += *c == '\n';
	ck_assert_msg(found == lines, "%zu lines, not %zu:\n%s", found, lines, errors.at);
	buf_free(&errors);
}

#define PARTS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define ECHO_JOB "[job echo]\nbuiltin = echo\n"

START_TEST(the_built_in_configuration_serves_echo_sleep_upper_and_sha256)
{
	struct buf errors = { 0 };
	struct config *config = config_load(NULL, NULL, 0, &errors);

	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->job_count, 4);
	ck_assert_str_eq(config->jobs[0]->name, "echo");
	ck_assert_uint_eq(config->jobs[0]->queue, 1024);
	ck_assert_str_eq(config->server.listen, "127.0.0.1:5328");
	config_free(config);
}
END_TEST

START_TEST(semaphores_are_sorted_and_so_are_the_uses_of_a_job)
{
	struct config *config = load_right("[semaphore gpu]\n[job echo]\nbuiltin = echo\nuses = gpu  db\npredict = no\n[semaphore db]\npermits = 3\n");

	ck_assert_uint_eq(config->semaphore_count, 2);
	ck_assert_str_eq(config->semaphores[0]->name, "db");
	ck_assert_uint_eq(config->semaphores[0]->permits, 3);
	ck_assert_uint_eq(config->semaphores[1]->permits, 1);
	ck_assert_uint_eq(config->jobs[0]->uses_count, 2);
	ck_assert_uint_eq(config->jobs[0]->uses_index[0], 0);
	ck_assert_uint_eq(config->jobs[0]->uses_index[1], 1);
	ck_assert(!config->jobs[0]->predict);
	config_free(config);
}
END_TEST

START_TEST(what_is_wrong_with_semaphores_is_said_with_the_nearest_name)
{
	expect_errors("[semaphore db]\npermits = 0\npermit = 3\n[semaphore gpu]\n[job echo]\nbuiltin = echo\nuses = dbb gpu gpu zzzzzz\npredict = maybe\n",
		      6, PARTS(":2: [semaphore db] permits: '0' is not a whole number from 1 to 1000000",
			       ":3: [semaphore db] permit: unknown key; did you mean permits?",
			       ":7: [job echo] uses: there is no [semaphore dbb]; did you mean db?", ":7: [job echo] uses: names a semaphore twice",
			       ":7: [job echo] uses: there is no [semaphore zzzzzz]", ":8: [job echo] predict: 'maybe' is not yes or no"));
	expect_errors("[job echo]\nbuiltin = echo\n[semaphore]\npermits = 1\n", 1, PARTS("did you mean [semaphore NAME]?"));
	expect_errors("[job echo]\nbuiltin = echo\n[semaphore a/b]\npermits = 1\n", 1, PARTS("a semaphore's name is 1 to 39 of"));
}
END_TEST

START_TEST(what_is_printed_reads_back_to_the_same)
{
	struct buf first = { 0 }, second = { 0 }, errors = { 0 };
	struct config *config = config_load(NULL, PARTS("job x.exec=/bin/echo 'a  b' {c}", "job x.env.TZ=UTC", "server.max_payload=3K", "semaphore db.permits=2", "job x.uses=db",
							  "job x.predict=no", "job x.arg.c=(a|b=.c)", "job x.limit.cpu=3s", "job x.limit.memory=64M", "job x.success=0 3",
							  "job x.limit.files=9", "job x.limit.processes=7", "job x.group=root"), 13,
					    &errors);
	struct config *again;

	ck_assert_msg(config != NULL, "%.*s", (int)errors.len, errors.at);
	config_print(config, &first);
	buf_add_char(&first, '\0');
	ck_assert_ptr_nonnull(strstr(first.at, "limit.cpu = 3s\nlimit.memory = 64M\nlimit.files = 9\nlimit.processes = 7\narg.c = (a|b=.c)\nenv.TZ = UTC\n"));
	again = load_right(first.at);
	config_print(again, &second);
	buf_add_char(&second, '\0');
	ck_assert_str_eq(first.at, second.at);
	config_free(config);
	config_free(again);
	buf_free(&first);
	buf_free(&second);
}
END_TEST

START_TEST(the_built_in_text_is_what_print_config_prints)
{
	struct buf errors = { 0 }, printed = { 0 };
	struct config *config = config_load(NULL, NULL, 0, &errors);

	config_print(config, &printed);
	ck_assert(slice_is(buf_slice(&printed), config_default_text()));
	config_free(config);
	buf_free(&printed);
}
END_TEST

START_TEST(values_keep_their_units)
{
	struct config *config = load_right("[server]\nmax_payload = 2M\nidle_timeout = 0\n" ECHO_JOB "deadline = 2m\nmax_deadline = 1h\ngrace = 7\n");

	ck_assert_uint_eq(config->server.max_payload, 2 << 20);
	ck_assert_int_eq(config->server.idle_timeout, 0);
	ck_assert_int_eq(config->jobs[0]->deadline, 120000 * MS);
	ck_assert_int_eq(config->jobs[0]->grace, 7 * MS);
	config_free(config);
}
END_TEST

START_TEST(an_error_names_file_line_section_key_value_and_what_is_allowed)
{
	expect_errors(ECHO_JOB "concurrency = x\n", 1,
		      PARTS(":3: [job echo] concurrency: 'x' is not a whole number from 1 to 4096\n"));
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(all_errors_are_shown_at_once)
{
	expect_errors("[server]\nlistne = 1\nmax_payload = 1X\nrubbish\n[sever]\nx = 1\n[job a]\nbuiltin = echo\nexec = /bin/true\n[job b]\n"
		      "[job c d]\n[job e]\nbuiltin = ecko\nqueue = -1\n", 9,
		      PARTS(":2: [server] listne: unknown key; did you mean listen?", ":3: [server] max_payload: '1X' is not a size",
			    ":4: is not `key = value`", ":5: unknown section [sever]; did you mean [server]?",
			    ":9: [job a] exec: and builtin are both set", "[job b] has no kind",
			    ":11: [job c d]: a job's name", ":13: [job e] builtin: 'ecko' is not echo or sleep; did you mean echo",
			    ":14: [job e] queue: '-1'"));
}
END_TEST

START_TEST(a_key_may_be_said_once)
{
	expect_errors(ECHO_JOB "queue = 1\nqueue = 2\n", 1, PARTS(":4: [job echo] queue: is set twice, first in line 3"));
}
END_TEST

START_TEST(a_key_before_any_section_is_an_error)
{
	expect_errors("queue = 1\n" ECHO_JOB, 1, PARTS(":1: queue: stands before the first [section]"));
}
END_TEST

START_TEST(a_text_goes_on_in_an_indented_line_but_an_indented_key_is_a_key)
{
	struct config *config = load_right("[job a]\n  exec = /bin/echo one\n     two ; remark\n  queue = 3\n");

	ck_assert_str_eq(config->jobs[0]->exec, "/bin/echo one two");
	ck_assert_str_eq(config->jobs[0]->cmdline->argv[2], "two");
	ck_assert_uint_eq(config->jobs[0]->queue, 3);
	config_free(config);
	/* It may begin there. */
	config = load_right("[job a]\nexec =\n  /bin/echo\n  one\n");
	ck_assert_str_eq(config->jobs[0]->exec, "/bin/echo one");
	config_free(config);
}
END_TEST

START_TEST(a_line_too_long_for_the_reader_is_named_and_not_cut)
{
	char text[600];

	snprintf(text, sizeof(text), "%s[job b]\nexec = /bin/echo %0300d\n", ECHO_JOB, 0);
	expect_errors(text, 2, PARTS(":4: a line of more than", "[job b] has no kind"));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
	struct buf errors = { 0 };

	ck_assert_ptr_null(config_load("/nonexistent/leatd.ini", NULL, 0, &errors));
	buf_add_char(&errors, '\0');
	ck_assert_ptr_nonnull(strstr(errors.at, "/nonexistent/leatd.ini: cannot be read: No such file"));
	buf_free(&errors);
}
END_TEST

START_TEST(what_stands_in_a_file_does_not_play_with_the_terminal)
{
	expect_errors("[server]\ncgroup = a\x1b[2Jb\n[job echo]\nbuiltin = echo\nenv.A\x07 = 1\n", 2,
		      PARTS("'a?[2Jb' is not auto", "'A?' is not a name of letters"));
}
END_TEST

START_TEST(an_override_wins_and_makes_a_job_that_is_not_there)
{
	struct buf errors = { 0 };
	struct config *config = load(ECHO_JOB, PARTS("job echo.queue=8", "job echo.queue=9", "job new.exec=/bin/true",
						     "job new.env.A.B=1", "server.listen=127.0.0.1:0"), 3, &errors);

	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->jobs[0]->queue, 9);
	ck_assert_str_eq(config->jobs[1]->name, "new");
	config_free(config);
}
END_TEST

START_TEST(a_wrong_override_is_named_as_one)
{
	static const char *const wrong[] = { "job echo.queue=many", "nonsense", "server.", "srever.loops=1", "server.lops=1" };
	struct buf errors = { 0 };

	ck_assert_ptr_null(load(ECHO_JOB, wrong, 5, &errors));
	buf_add_char(&errors, '\0');
	ck_assert_ptr_nonnull(strstr(errors.at, "-o: [job echo] queue: 'many'"));
	ck_assert_ptr_nonnull(strstr(errors.at, "-o: 'nonsense' is not SECTION.KEY=VALUE"));
	ck_assert_ptr_nonnull(strstr(errors.at, "-o: 'server.' is not SECTION.KEY=VALUE"));
	ck_assert_ptr_nonnull(strstr(errors.at, "-o: unknown section [srever]; did you mean [server]?"));
	ck_assert_ptr_nonnull(strstr(errors.at, "-o: [server] lops: unknown key; did you mean loops?"));
	buf_free(&errors);
}
END_TEST

START_TEST(a_command_is_checked_before_it_is_needed)
{
	expect_errors("[job a]\nexec = /nonexistent/tool\n[job b]\nexec = cat | wc\n[job c]\nexec = nosuchtool\n"
		      "[job d]\nexec = cat\ncwd = /nonexistent\n[job e]\nexec = cat\nuser = nosuchuser\n[job f]\nexec = cat {x}\n", 6,
		      PARTS(":2: [job a] exec: '/nonexistent/tool' is not an executable file", ":4: [job b] exec: an unquoted '|'",
			    ":6: [job c] exec: 'nosuchtool' is not an executable file in", ":9: [job d] cwd: '/nonexistent'",
			    ":12: [job e] user: there is no user 'nosuchuser'", "{x} has no arg.* key"));
}
END_TEST

START_TEST(an_address_that_others_can_reach_is_refused)
{
	expect_errors("[server]\nlisten = 127.0.0.1:1, 0.0.0.0:5328, [::]:5328, nonsense, 127.0.0.1:99999, unix:rel, [::ffff:127.0.0.1]:1\n" ECHO_JOB, 6,
		      PARTS("'0.0.0.0:5328' can be reached from other machines", "'[::]:5328' can be reached", "'nonsense': wants HOST:PORT",
			    "'127.0.0.1:99999': the port", "'unix:rel': unix: wants an absolute path",
			    "'[::ffff:127.0.0.1]:1': an IPv4 address is written as one, without brackets"));
}
END_TEST

START_TEST(a_deadline_over_the_longest_one_is_an_error_only_if_both_were_said)
{
	struct config *config = load_right(ECHO_JOB "deadline = 2m\n");

	ck_assert_int_eq(config->jobs[0]->max_deadline, 120000 * MS);
	config_free(config);
	config = load_right(ECHO_JOB "max_deadline = 1s\n");
	ck_assert_int_eq(config->jobs[0]->deadline, 1000 * MS);
	config_free(config);
	expect_errors(ECHO_JOB "max_deadline = 1s\ndeadline = 2s\n", 1, PARTS(":4: [job echo] deadline: is over max_deadline"));
}
END_TEST

START_TEST(the_environment_of_a_command_cannot_be_used_against_it)
{
	expect_errors("[job a]\nexec = cat\nenv.LD_PRELOAD = x\nenv.LEAT_ID = x\nenv.1A = x\n", 3,
		      PARTS("LD_PRELOAD may not be set", "LEAT_ID may not be set", "'1A' is not a name"));
}
END_TEST

START_TEST(what_systemd_says_to_leatd_is_not_for_a_command)
{
	expect_errors("[job a]\nexec = cat\nenv.NOTIFY_SOCKET = x\nenv.LISTEN_FDS = 1\nenv.WATCHDOG_USEC = 1\nenv.CREDENTIALS_DIRECTORY = /\n", 4,
		      PARTS(":3: [job a] env.*: NOTIFY_SOCKET may not be set", ":4: [job a] env.*: LISTEN_FDS may not", ":5: [job a] env.*: WATCHDOG_USEC may",
			    ":6: [job a] env.*: CREDENTIALS_DIRECTORY may"));
}
END_TEST

START_TEST(arguments_and_their_placeholders_belong_together)
{
	struct config *config = load_right("[job a]\nexec = /bin/echo {width} --x={b}{width}\narg.width = [0-9]{1,4}\narg.b = .*\n");
	const struct job_config *job = config->jobs[0];

	ck_assert_uint_eq(job->arg_count, 2);
	ck_assert_str_eq(job->args[0]->name, "width");
	ck_assert_str_eq(job->args[0]->pattern, "[0-9]{1,4}");
	ck_assert(arg_rule_allows(job->args[0], SLICE("12")) && !arg_rule_allows(job->args[0], SLICE("12345")));
	ck_assert_uint_eq(job->cmdline->hole_count, 3);
	config_free(config);
	expect_errors("[job a]\nexec = cat {x} {y}\narg.x = [\narg.z = .\n", 3,
		      PARTS(":2: [job a] exec: the placeholder {y} has no arg.* key", ":3: [job a] arg.x: '[' is not an extended regular expression: ",
			    ":4: [job a] arg.z: there is no placeholder {z} in exec"));
	expect_errors(ECHO_JOB "arg.x = .\n", 1, PARTS(":3: [job echo] arg.x: there is no placeholder {x} in exec"));
	expect_errors("[job a]\nexec = {x}\narg.x = .\n", 1, PARTS(":2: [job a] exec: the program itself can hold no placeholder"));
	expect_errors("[job a]\nexec = cat {x}\narg.x = .\narg.x = .\narg.a.b = .\narg.y =\n", 3,
		      PARTS(":4: [job a] arg.x: is set twice, first in line 3", ":5: [job a] arg.*: 'a.b' is not a name", ":6: [job a] arg.y: is not a pattern"));
}
END_TEST

START_TEST(an_argument_can_be_overridden_and_is_bounded)
{
	struct buf errors = { 0 };
	struct config *config = load("[job a]\nexec = cat {x}\narg.x = [0-9]\n", PARTS("job a.arg.x=[a-z]=[.]"), 1, &errors);
	char text[2048] = "[job a]\nexec = cat";

	ck_assert_ptr_nonnull(config);
	ck_assert_str_eq(config->jobs[0]->args[0]->pattern, "[a-z]=[.]");
	config_free(config);
	for (int i = 0; i <= ARGS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " {n%d}", i);
	strcat(text, "\n");
	for (int i = 0; i <= ARGS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "arg.n%d = .\n", i);
	expect_errors(text, 2, PARTS("arg.n16: more than 16 arguments", "{n16} has no arg.* key"));
}
END_TEST

START_TEST(statuses_that_mean_success_are_a_list)
{
	struct config *config = load_right("[job a]\nexec = cat\n[job b]\nexec = cat\nsuccess = 0 1\t255\n");

	ck_assert(config_is_success(config->jobs[0], 0) && !config_is_success(config->jobs[0], 1));
	ck_assert(config_is_success(config->jobs[1], 0) && config_is_success(config->jobs[1], 1) && config_is_success(config->jobs[1], 255));
	ck_assert(!config_is_success(config->jobs[1], 2) && !config_is_success(config->jobs[1], 256) && !config_is_success(config->jobs[1], -1));
	config_free(config);
	expect_errors("[job a]\nexec = cat\nsuccess = 0 256 x\n", 2,
		      PARTS(":3: [job a] success: '256' is not an exit status", ":3: [job a] success: 'x' is not an exit status from 0 to 255"));
}
END_TEST

START_TEST(limits_have_units_and_bounds)
{
	struct config *config = load_right("[job a]\nexec = cat\nlimit.cpu = 10s\nlimit.memory = 512M\nlimit.files = 64\nlimit.processes = 32\n");

	ck_assert_int_eq(config->jobs[0]->limit_cpu, 10000 * MS);
	ck_assert_uint_eq(config->jobs[0]->limit_memory, 512 << 20);
	ck_assert_uint_eq(config->jobs[0]->limit_files, 64);
	ck_assert_uint_eq(config->jobs[0]->limit_processes, 32);
	config_free(config);
	expect_errors("[job a]\nexec = cat\nlimit.cpu = x\nlimit.memry = 1M\nlimit_files = 9\n", 3,
		      PARTS(":3: [job a] limit.cpu: 'x' is not a duration", ":4: [job a] limit.memry: unknown key; did you mean limit.memory?",
			    ":5: [job a] limit_files: unknown key; did you mean limit.files?"));
}
END_TEST

START_TEST(a_group_has_to_be_there)
{
	expect_errors("[server]\ngroup = nosuchgroup\n[job a]\nexec = cat\ngroup = nogroupeither\n", 2,
		      PARTS(":2: [server] group: there is no group 'nosuchgroup'", ":5: [job a] group: there is no group 'nogroupeither'"));
}
END_TEST

START_TEST(any_bytes_are_refused_or_read_but_never_crash)
{
	static const char *const pieces[] = { "[server]\n", "[job a]\n", "exec = ", "cat", "\n", " = ", "[", "]", "queue", ";", "\t", "x", "builtin = echo\n", " {x}", "arg.x = ", "limit.cpu = 1s\n", "(" };

	srand(7);
	for (int round = 0; round < 2000; round++) {
		char text[512] = "";
		struct buf errors = { 0 };

		for (int i = 0; i < 30; i++)
			strcat(text, pieces[(size_t)rand() % countof(pieces)]);
		config_free(load(text, NULL, 0, &errors));
		buf_free(&errors);
	}
}
END_TEST

Suite *config_suite(void);
Suite *config_suite(void)
{
	const TTest *const tests[] = {
		the_built_in_configuration_serves_echo_sleep_upper_and_sha256,
		semaphores_are_sorted_and_so_are_the_uses_of_a_job, what_is_wrong_with_semaphores_is_said_with_the_nearest_name,
		what_is_printed_reads_back_to_the_same,
		the_built_in_text_is_what_print_config_prints, values_keep_their_units,
		an_error_names_file_line_section_key_value_and_what_is_allowed, all_errors_are_shown_at_once, a_key_may_be_said_once,
		a_key_before_any_section_is_an_error, a_text_goes_on_in_an_indented_line_but_an_indented_key_is_a_key,
		a_line_too_long_for_the_reader_is_named_and_not_cut, a_file_that_is_not_there_is_named,
		what_stands_in_a_file_does_not_play_with_the_terminal,
		what_systemd_says_to_leatd_is_not_for_a_command, arguments_and_their_placeholders_belong_together,
		an_argument_can_be_overridden_and_is_bounded, statuses_that_mean_success_are_a_list, limits_have_units_and_bounds,
		a_group_has_to_be_there,
		an_override_wins_and_makes_a_job_that_is_not_there, a_wrong_override_is_named_as_one,
		a_command_is_checked_before_it_is_needed, an_address_that_others_can_reach_is_refused,
		a_deadline_over_the_longest_one_is_an_error_only_if_both_were_said,
		the_environment_of_a_command_cannot_be_used_against_it, any_bytes_are_refused_or_read_but_never_crash,
	};

	return suite_of("config", tests, countof(tests));
}
