/* Commands: what goes in, what comes out, how they end. */
#include "wire.h"

static void say_payload(struct client *c, const char *job, const void *payload, size_t len)
{
	sayf(c, "*3\r\n$3\r\nRUN\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(job), job, len);
	say_bytes(c, payload, len);
	say(c, "\r\n");
}

START_TEST(a_command_that_never_reads_a_large_payload_is_done)
{
	struct server *s = server_start("[job true]\nexec = /bin/true\n[job nap]\nexec = /bin/sleep 0.1\n");
	struct client *c = dial(s);
	char *payload = random_bytes(1 << 20, 5);

	for (int i = 0; i < 5; i++) {
		say_payload(c, "true", payload, 1 << 20);
		say_payload(c, "nap", payload, 1 << 20);
		hear(c, "$0\r\n\r\n$0\r\n\r\n");
	}
}
END_TEST

START_TEST(a_large_payload_comes_through_whole)
{
	struct server *s = server_start("[job sha256]\nexec = sha256sum\n[job cat]\nexec = cat\n");
	struct client *c = dial(s);
	enum { BYTES = 900 << 10 };
	char *payload = random_bytes(BYTES, 6);
	const char *sum = run("/usr/bin/sha256sum", new_file_of(payload, BYTES)).out;

	say_payload(c, "sha256", payload, BYTES);
	hear(c, scratchf("$68\r\n%.64s  -\n\r\n", sum));
	say_payload(c, "cat", payload, BYTES);
	hear(c, scratchf("$%d\r\n", BYTES));
	hear_bytes(c, payload, BYTES);
	hear(c, "\r\n");
}
END_TEST

START_TEST(output_over_its_limit_is_toobig_and_the_command_is_killed)
{
	struct server *s = server_start("[job yes]\nexec = /usr/bin/yes\nmax_output = 100K\n"
					"[job exact]\nexec = /usr/bin/head -c 102400 /dev/zero\nmax_output = 100K\n"
					"[job over]\nexec = /usr/bin/head -c 102401 /dev/zero\nmax_output = 100K\n");
	struct client *c = dial(s);
	const struct response *r;

	say(c, "RUN yes x ID yes-1\r\n");
	hear_match(c, "^-TOOBIG .*output.* max_output=102400$");
	ck_assert_uint_eq(commands_of("yes-1"), 0);
	ck_assert_uint_eq(stat_of(s, "yes", "killed"), 1);
	r = post(s, "/v1/run/yes", "");
	assert_problem(r, 502, "TOOBIG");
	say(c, "RUN exact\r\nRUN over\r\n");
	hear(c, "$102400\r\n");
	hear_bytes(c, scratch(102400), 102400);
	hear(c, "\r\n");
	hear_match(c, "^-TOOBIG ");
}
END_TEST

START_TEST(output_over_the_memory_budget_is_killed)
{
	struct server *s = server_start("[server]\nmax_memory = 1M\n[job zero]\nexec = /usr/bin/head -c 4000000 /dev/zero\n");
	struct client *c = dial(s);

	say(c, "RUN zero\r\nPING\r\n");
	hear_match(c, "^-KILLED .* reason=memory$");
	hear(c, "+PONG\r\n");
	ck_assert_uint_eq(stat_of(s, "zero", "killed"), 1);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_status_is_answered_with_the_last_line_of_the_errors)
{
	struct client *c = dial(server_start("[job three]\nexec = /bin/sh -c 'echo first >&2; echo \"no such file\" >&2; exit 3'\n"
					     "[job open]\nexec = /bin/sh -c 'printf broken >&2; exit 1'\n"
					     "[job silent]\nexec = /bin/sh -c 'exit 255'\n"
					     "[job loud]\nexec = /bin/sh -c 'echo output; echo \"\\033[31m\\r\\nlast\\001one\\n\\n\" >&2; exit 1'\n"));

	say(c, "RUN three\r\n");
	hear_match(c, "^-FAILED .* status=3 error=\"no such file\"$");
	say(c, "RUN open\r\n");
	hear_match(c, "^-FAILED .* status=1 error=broken$");
	say(c, "RUN silent\r\n");
	hear_match(c, "^-FAILED .* status=255$");
	say(c, "RUN loud\r\n");
	hear_match(c, "^-FAILED .* status=1 error=\"last\\\\x01one\"$");
}
END_TEST

START_TEST(an_error_line_without_end_is_cut)
{
	struct client *c = dial(server_start("[job flood]\nexec = /bin/sh -c 'head -c 3000000 /dev/zero | tr \"\\\\0\" x >&2; exit 2'\n"));

	say(c, "RUN flood\r\nPING\r\n");
	ck_assert_uint_lt(strlen(hear_match(c, "^-FAILED .* status=2 error=x+")), 400);
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(a_signal_that_leat_did_not_send_is_killed)
{
	struct client *c = dial(server_start("[job segv]\nexec = /bin/sh -c 'kill -SEGV $$'\n[job term]\nexec = /bin/sh -c 'kill -TERM $$'\n"
					     "[job kill]\nexec = /bin/sh -c 'kill -KILL $$'\n[job real]\nexec = /bin/sh -c 'kill -35 $$'\n"));

	say(c, "RUN segv\r\n");
	hear_match(c, "^-KILLED .* signal=SIGSEGV$");
	say(c, "RUN term\r\n");
	hear_match(c, "^-KILLED .* signal=SIGTERM$");
	say(c, "RUN kill\r\n");
	hear_match(c, "^-KILLED .* signal=SIGKILL$");
	say(c, "RUN real\r\n");
	hear_match(c, "^-KILLED .* signal=");
}
END_TEST

START_TEST(a_child_that_keeps_the_output_open_does_not_keep_the_answer)
{
	struct server *s = server_start(scratchf("[job keep]\nexec = /bin/sh %s\n", new_file("sleep 60 & echo out; exit 0\n")));
	struct client *c = dial(s);

	say(c, "RUN keep x ID keep-1\r\n");
	hear(c, "$4\r\nout\n\r\n");
	ck_assert_uint_eq(commands_of("keep-1"), 0);
}
END_TEST

START_TEST(a_command_that_closes_everything_is_waited_for)
{
	struct server *s = server_start(scratchf("[job closer]\nexec = /bin/sh %s\n", new_file("echo out; exec 0<&- 1>&- 2>&-; sleep 0.2; exit 4\n")));
	struct client *c = dial(s);

	say(c, "RUN closer x ID closer-1\r\n");
	hear_match(c, "^-FAILED .* status=4");
	ck_assert_uint_eq(commands_of("closer-1"), 0);
}
END_TEST

START_TEST(a_script_that_cannot_be_executed_is_failed_with_the_reason)
{
	const char *script = new_file("#!/no/such/interpreter\n");
	struct server *s = server_start(scratchf("[job broken]\nexec = %s\nconcurrency = 1\nqueue = 0\n", script));
	struct client *c = dial(s);

	for (int i = 0; i < 20; i++) {
		say(c, "RUN broken\r\n");
		hear_match(c, "^-FAILED cannot be started: .*No such file.* status=12[67]$");
	}
	ck_assert_uint_eq(children_of(s->pid), 0);
}
END_TEST

START_TEST(five_hundred_commands_leave_nothing_behind)
{
	struct server *s = server_start("[job true]\nexec = /bin/true\nconcurrency = 8\nqueue = 500\n");
	struct base_line base = base_line_of(s);
	struct client *c = dial(s);

	for (int i = 0; i < 500; i++)
		say(c, "RUN true\r\n");
	for (int i = 0; i < 500; i++)
		hear(c, "$0\r\n\r\n");
	hang_up(c);
	await_base_line(s, base, 8);
	ck_assert_uint_eq(stat_of(s, "true", "done"), 500);
}
END_TEST

START_TEST(words_are_split_as_a_shell_would_and_not_expanded)
{
	struct client *c = dial(server_start("[job words]\nexec = /usr/bin/printf \"[%s]\" a 'b  c' \"d \\\"e\\\"\" f\\ g '$HOME' '*' \"\" '{{x}}' x'y'\"z\"\n"
					     "[job long]\nexec = /usr/bin/printf\n  '[%s]' one\n  two\n"));

	say(c, "RUN words\r\n");
	hear(c, scratchf("$%zu\r\n[a][b  c][d \"e\"][f g][$HOME][*][][{x}][xyz]\r\n", strlen("[a][b  c][d \"e\"][f g][$HOME][*][][{x}][xyz]")));
	say(c, "RUN long\r\n");
	hear(c, "$10\r\n[one][two]\r\n");
}
END_TEST

START_TEST(other_statuses_may_mean_success)
{
	struct server *s = server_start("[job diff]\nexec = /usr/bin/diff - /dev/null\nsuccess = 0 1\n"
					"[job two]\nexec = /bin/sh -c 'exit 2'\nsuccess = 0 1\n"
					"[job never]\nexec = /bin/true\nsuccess = 7\n");
	struct client *c = dial(s);

	say(c, "RUN diff \"\"\r\nRUN diff x\r\n");
	hear(c, "$0\r\n\r\n");
	assert_match(hear_reply(c), "^\\$[0-9]+\r\n1d0\n< x\n");
	say(c, "RUN two\r\n");
	hear_match(c, "^-FAILED .* status=2$");
	say(c, "RUN never\r\n");
	hear_match(c, "^-FAILED .* status=0$");
	ck_assert_uint_eq(stat_of(s, "diff", "done"), 2);
}
END_TEST

START_TEST(a_status_of_success_does_not_count_once_it_was_told_to_end)
{
	struct client *c = dial(server_start("[job one]\nexec = /bin/sh -c 'trap \"exit 1\" TERM; while :; do sleep 0.01; done'\nsuccess = 0 1\n"
					     "[job zero]\nexec = /bin/sh -c 'trap \"echo rest; exit 0\" TERM; while :; do sleep 0.01; done'\nsuccess = 0 1\n"));

	say(c, "RUN one x DEADLINE 1s\r\n");
	hear_match(c, "^-TIMEOUT ");
	say(c, "RUN zero x DEADLINE 1s\r\n");
	hear(c, "$5\r\nrest\n\r\n");
}
END_TEST

Suite *exec_suite(void)
{
	const TTest *tests[] = {
		a_command_that_never_reads_a_large_payload_is_done,
		a_large_payload_comes_through_whole,
		output_over_its_limit_is_toobig_and_the_command_is_killed,
		output_over_the_memory_budget_is_killed,
		a_status_is_answered_with_the_last_line_of_the_errors,
		an_error_line_without_end_is_cut,
		a_signal_that_leat_did_not_send_is_killed,
		a_child_that_keeps_the_output_open_does_not_keep_the_answer,
		a_command_that_closes_everything_is_waited_for,
		a_script_that_cannot_be_executed_is_failed_with_the_reason,
		five_hundred_commands_leave_nothing_behind,
		words_are_split_as_a_shell_would_and_not_expanded,
		other_statuses_may_mean_success,
		a_status_of_success_does_not_count_once_it_was_told_to_end,
	};
	return wire_suite("exec", tests, countof(tests));
}
