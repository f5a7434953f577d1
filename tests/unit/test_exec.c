#include "mill.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs `exec` once; the job has come home. */
static struct job *run(struct mill **m, const char *exec, const char *payload, int64_t deadline_ns)
{
	char override[512];
	const char *overrides[] = { override, "job t.max_output=64K", "job t.grace=100ms" };
	struct answer why;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(override, sizeof(override), "job t.exec=%s", exec);
	*m = mill_start(overrides, countof(overrides));
	ck_assert_ptr_nonnull(mill_submit(*m, "t", payload, deadline_ns, &why));
	return mill_home(*m);
}

static void expect_end(const char *exec, const char *payload, int64_t deadline_ns, enum outcome outcome, const char *text)
{
	struct mill *m;
	struct job *job = run(&m, exec, payload, deadline_ns);
	struct buf line = { 0 };

	ck_assert_str_eq(outcome_name(job->outcome), outcome_name(outcome));
	if (outcome == OUTCOME_done)
		buf_add_slice(&line, job->answer.output);
	else
		answer_add_line(&job->answer, &line);
	buf_add_char(&line, '\0');
	ck_assert_msg(strstr(line.at, text) != NULL, "'%s' is not in: %s", text, line.at);
	buf_free(&line);
	mill_forget(job);
	mill_stop(m);
}

START_TEST(the_payload_goes_in_and_the_output_comes_out)
{
	expect_end("tr a-z A-Z", "hello", 0, OUTCOME_done, "HELLO");
	expect_end("cat", "", 0, OUTCOME_done, "");
}
END_TEST

START_TEST(a_status_other_than_0_is_failed_with_the_last_line_of_its_errors)
{
	expect_end("sh -c 'echo one >&2; echo two words >&2; exit 3'", "", 0, OUTCOME_failed,
		   "FAILED exited with status 3 status=3 error=\"two words\"");
}
END_TEST

START_TEST(the_last_line_is_found_behind_any_number_of_others)
{
	for (int i = 0; i < 10; i++)
		expect_end("sh -c 'seq 1 9000 >&2; echo FINAL >&2; exit 3'", "", 0, OUTCOME_failed, "status=3 error=FINAL");
}
END_TEST

START_TEST(a_variable_of_the_configuration_replaces_the_usual_one)
{
	const char *overrides[] = { "job t.exec=/bin/sh -c 'echo $PATH $TZ'", "job t.env.PATH=/foo:/bin", "job t.env.TZ=UTC" };
	struct mill *m = mill_start(overrides, countof(overrides));
	struct answer why;
	struct job *job;

	ck_assert_ptr_nonnull(mill_submit(m, "t", "", 0, &why));
	job = mill_home(m);
	ck_assert(slice_is(job->answer.output, SLICE("/foo:/bin UTC\n")));
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(a_signal_that_leat_did_not_send_is_killed)
{
	expect_end("sh -c 'kill -SEGV $$'", "", 0, OUTCOME_killed, "KILLED died of a signal signal=SIGSEGV");
}
END_TEST

START_TEST(output_over_its_limit_is_killed_and_too_big)
{
	expect_end("yes", "", 0, OUTCOME_killed, "TOOBIG the output is over max_output max_output=65536");
}
END_TEST

START_TEST(a_command_that_takes_too_long_is_terminated_and_timed_out)
{
	expect_end("sleep 60", "", 200 * MILLISECONDS, OUTCOME_timeout, "state=running");
}
END_TEST

START_TEST(a_command_that_ignores_sigterm_is_killed_with_its_children)
{
	struct mill *m;
	struct job *job = run(&m, "sh -c 'trap \"\" TERM; sleep 61 & sleep 62 & echo $$; sleep 63'", "", 300 * MILLISECONDS);
	long pid = strtol(job->output, NULL, 10);

	ck_assert_str_eq(outcome_name(job->outcome), "timeout");
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill((pid_t)-pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(children_that_are_left_behind_do_not_outlive_the_job)
{
	struct mill *m;
	struct job *job = run(&m, "sh -c 'sleep 64 & echo $$'", "", 0);
	long pid = strtol(job->output, NULL, 10);

	ck_assert_str_eq(outcome_name(job->outcome), "done");
	ck_assert_int_eq(kill((pid_t)-pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(a_command_that_never_reads_a_large_payload_ends_all_the_same)
{
	size_t n = 512 * 1024;
	char *payload = malloc(n + 1);
	struct mill *m;
	struct job *job;

	memset(payload, 'x', n);
	payload[n] = '\0';
	job = run(&m, "sh -c 'echo fine'", payload, 0);
	ck_assert(slice_is(job->answer.output, SLICE("fine\n")));
	mill_forget(job);
	mill_stop(m);
	free(payload);
}
END_TEST

START_TEST(a_command_sees_three_descriptors_and_a_fresh_environment)
{
	expect_end("sh -c 'for f in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do test -e /proc/$$/fd/$f && echo -n $f,; done; echo .'", "", 0,
		   OUTCOME_done, "0,1,2,.\n");
	expect_end("sh -c 'tr \"\\0\" \"\\n\" </proc/$$/environ | cut -d= -f1 | sort | tr \"\\n\" \" \"'", "", 0, OUTCOME_done,
		   "HOME LANG LEAT_DEADLINE_MS LEAT_ID LEAT_JOB PATH ");
}
END_TEST

START_TEST(a_command_has_no_signal_blocked_or_ignored)
{
	expect_end("sh -c 'grep SigBlk /proc/self/status'", "", 0, OUTCOME_done, "0000000000000000");
	expect_end("sh -c 'grep SigIgn /proc/self/status'", "", 0, OUTCOME_done, "0000000000000000");
}
END_TEST

START_TEST(what_cannot_be_executed_is_failed_with_the_reason)
{
	char path[] = "/tmp/leat-exec-XXXXXX", override[64];
	int fd = mkstemp(path);

	ck_assert(fd >= 0 && write(fd, "#!/nonexistent/interpreter\n", 27) == 27 && fchmod(fd, 0755) == 0);
	close(fd);
	snprintf(override, sizeof(override), "%s", path);
	expect_end(override, "", 0, OUTCOME_failed, "cannot be started: executing: No such file or directory");
	unlink(path);
}
END_TEST

Suite *exec_suite(void);
Suite *exec_suite(void)
{
	const TTest *const tests[] = {
		the_payload_goes_in_and_the_output_comes_out, a_status_other_than_0_is_failed_with_the_last_line_of_its_errors,
		the_last_line_is_found_behind_any_number_of_others, a_variable_of_the_configuration_replaces_the_usual_one,
		a_signal_that_leat_did_not_send_is_killed, output_over_its_limit_is_killed_and_too_big,
		a_command_that_takes_too_long_is_terminated_and_timed_out, a_command_that_ignores_sigterm_is_killed_with_its_children,
		children_that_are_left_behind_do_not_outlive_the_job, a_command_that_never_reads_a_large_payload_ends_all_the_same,
		a_command_sees_three_descriptors_and_a_fresh_environment, a_command_has_no_signal_blocked_or_ignored,
		what_cannot_be_executed_is_failed_with_the_reason,
	};

	return suite_of("exec", tests, countof(tests));
}
