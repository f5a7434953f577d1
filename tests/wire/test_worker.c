/* Workers: long-lived processes that do one job after another, those of docs/workers and those that do not keep to the protocol. */
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A worker that does what its payload says: a script, with the words of the protocol on stdout. */
static const char obedient[] =
	"#!/bin/sh\n"
	"echo READY\n"
	"while read -r word id left length rest; do eval \"$(head -c \"$length\")\"; done\n";

/* Scripts for it. */
#define PID "printf 'DONE %d\\n%s' ${#$} $$"
#define OK2 "printf 'DONE 2\\n''ok'"
#define OK "printf 'DONE 2\\nok'"

/* A leatd with one of them at a time, as the type `w`. */
static struct server *start_with_grace(const char *grace, const char *more)
{
	return server_start(scratchf("[job w]\nworker = %s\nconcurrency = 1\ngrace = %s\nenv.MARK = w%d\ndeadline = 20s\n%s",
				     new_file(obedient), grace, (int)getpid(), more));
}

static struct server *start(const char *more)
{
	return start_with_grace("100ms", more);
}

/* How many processes of those workers there are. */
static size_t living(void)
{
	return processes_with(scratchf("MARK=w%d", (int)getpid()));
}

static void say_run(struct client *c, const char *script, const char *options)
{
	sayf(c, "*%d\r\n$3\r\nRUN\r\n$1\r\nw\r\n$%zu\r\n%s\r\n%s", *options ? 5 : 3, strlen(script), script, options);
}

#define DEADLINE_MS(ms) "$8\r\nDEADLINE\r\n$3\r\n" #ms "\r\n"

/* Runs a script, and returns the output of a job that is done. */
static const char *output_of(struct client *c, const char *script)
{
	char *reply, *end;

	say_run(c, script, "");
	reply = hear_reply(c);
	ck_assert_msg(*reply == '$', "%s: %s", script, reply);
	reply = strstr(reply, "\r\n") + 2;
	end = strrchr(reply, '\r');
	*end = '\0';
	return reply;
}

/* A folder into which workers may write, who are nobody. */
static const char *open_folder(void)
{
	const char *folder = new_folder();

	ck_assert_int_eq(chmod(folder, 0777), 0);
	return folder;
}

/* --- What workers do --- */

static const char *built(const char *name)
{
	const char *slash = strrchr(leatd_path(), '/');
	size_t len;
	char *bytes = read_file(scratchf("%.*s/workers/%s", (int)(slash - leatd_path()), leatd_path(), name), &len);

	return new_file_of(bytes, len);
}

static const char *shipped(const char *name)
{
	return new_file(read_file(scratchf("docs/workers/%s", name), NULL));
}

START_TEST(the_examples_do_job_after_job)
{
	struct server *s = server_start(scratchf("[job sh]\nworker = %s\nconcurrency = 1\n[job py]\nworker = %s\nconcurrency = 1\n"
						 "[job c]\nworker = %s\nconcurrency = 1\n[job echo]\nworker = %s\nconcurrency = 1\n",
						 shipped("upper.sh"), shipped("upper.py"), built("upper"), built("echo")));
	struct client *c = dial(s);

	for (int i = 0; i < 20; i++) {
		say(c, "RUN sh \"hello\\n\\n\"\r\nRUN py hello\r\nRUN c hello\r\nRUN echo hello\r\n");
		say(c, "RUN sh\r\nRUN py\r\nRUN c\r\nRUN echo\r\n");
		hear(c, "$7\r\nHELLO\n\n\r\n$5\r\nHELLO\r\n$5\r\nHELLO\r\n$5\r\nhello\r\n");
		hear(c, "$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
	}
	ck_assert_uint_eq(stat_of(s, "py", "done"), 40);
}
END_TEST

START_TEST(large_payloads_and_outputs_come_through_whole)
{
	enum { BYTES = 900 << 10 };
	struct client *c = dial(server_start(scratchf("[job echo]\nworker = %s\nconcurrency = 2\n", built("echo"))));
	char *payload = random_bytes(BYTES, 6);

	for (int i = 0; i < 5; i++) {
		sayf(c, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%d\r\n", BYTES);
		say_bytes(c, payload, BYTES);
		say(c, "\r\n");
		hear(c, scratchf("$%d\r\n", BYTES));
		hear_bytes(c, payload, BYTES);
		hear(c, "\r\n");
	}
}
END_TEST

START_TEST(one_worker_does_one_job_after_another)
{
	struct client *c = dial(start(""));
	const char *pid = output_of(c, PID);

	for (int i = 0; i < 10; i++)
		ck_assert_str_eq(output_of(c, PID), pid);
}
END_TEST

START_TEST(parts_are_joined_and_beats_are_no_output)
{
	struct client *c = dial(start(""));

	ck_assert_str_eq(output_of(c, "printf 'PART 2\\nab'; echo BEAT; printf 'PART 0\\n'; sleep 0.05; printf 'PART 1\\nc'; printf 'DONE 1\\nd'"), "abcd");
	ck_assert_str_eq(output_of(c, "printf 'PART 2\\nab'; printf 'DONE 0\\n'"), "ab");
}
END_TEST

START_TEST(a_job_comes_with_its_id_its_time_and_its_trace)
{
	struct client *c = dial(start(""));

	assert_match(output_of(c, "a=\"$id $left $rest\"; printf 'DONE %d\\n%s' ${#a} \"$a\""), "^[0-9a-f]{16} 19[0-9]{3} -$");
}
END_TEST

START_TEST(a_job_may_fail_with_a_message_and_the_worker_goes_on)
{
	struct client *c = dial(start(""));
	const char *pid = output_of(c, PID);

	say_run(c, "printf 'FAIL 13\\nno such image'", "");
	hear_match(c, "^-FAILED .* error=\"no such image\"$");
	ck_assert_str_eq(output_of(c, PID), pid);
}
END_TEST

START_TEST(its_errors_are_in_the_log_with_the_id_of_the_job)
{
	struct server *s = start("");
	struct client *c = dial(s);

	say_run(c, "echo first trouble >&2; " OK, "$2\r\nID\r\n$5\r\njob-1\r\n");
	say_run(c, "echo second trouble >&2; " OK, "$2\r\nID\r\n$5\r\njob-2\r\n");
	hear(c, "$2\r\nok\r\n$2\r\nok\r\n");
	await(server_logged(s, "job=w id=job-1 error=\"first trouble\""));
	await(server_logged(s, "job=w id=job-2 error=\"second trouble\""));
}
END_TEST

/* --- What workers do wrong --- */

static const struct {
	const char *script, *answer;
} wrongs[] = {
	{ "echo rubbish; sleep 60", "^-FAILED the worker wrote what is not of the protocol$" },
	{ "head -c 100000 /dev/zero; sleep 60", "^-FAILED the worker wrote a line that is too long$" },
	{ "echo READY; sleep 60", "^-FAILED the worker said READY although it was ready$" },
	{ "printf 'DONE 3\\nhello'; sleep 60", "^-FAILED the worker wrote more than its answer$" },
	{ "printf 'DONE -1\\n'; sleep 60", "^-FAILED the worker wrote a length that is no number$" },
	{ "exec >&-; exec sleep 60", "^-FAILED the worker closed its stdout$" },
	{ "echo trouble >&2; exit 3", "^-FAILED exited with status 3 status=3 error=trouble$" },
	{ "exit 0", "^-FAILED exited with status 0 status=0$" },
	{ "printf 'PART 5\\nhe'; exit 4", "^-FAILED exited with status 4 status=4$" },
	{ "kill -SEGV $$", "^-KILLED died of a signal signal=SIGSEGV$" },
	{ "setsid sleep 60 & kill -KILL $$", "^-KILLED died of a signal signal=SIGKILL$" },
	{ "printf 'DONE 2000\\n'; head -c 2000 /dev/zero; sleep 60", "^-TOOBIG .* max_output=1000$" },
	{ "while :; do printf 'PART 100\\n'; head -c 100 /dev/zero; done", "^-TOOBIG .* max_output=1000$" },
};

START_TEST(a_worker_that_breaks_the_protocol_is_killed_with_its_tree_and_replaced)
{
	struct server *s = start("max_output = 1000\n");
	struct client *c = dial(s);

	for (size_t i = 0; i < countof(wrongs); i++) {
		const char *pid = output_of(c, PID);

		say_run(c, wrongs[i].script, "");
		hear_match(c, wrongs[i].answer);
		ck_assert_msg(living() == 0, "%s", wrongs[i].script);
		ck_assert_str_ne(output_of(c, PID), pid);
	}
}
END_TEST

START_TEST(a_worker_that_writes_without_a_job_is_replaced_and_no_job_feels_it)
{
	struct server *s = start("");
	struct client *c = dial(s);
	const char *pid = output_of(c, "(sleep 0.05; printf 'DONE 5\\nwrong'; echo written >&2) & " PID);

	await(server_logged(s, "error=written"));
	ck_assert_str_eq(output_of(c, OK), "ok");
	ck_assert_str_ne(output_of(c, PID), pid);
	ck_assert(server_logged(s, "wrote something although it had no job"));
}
END_TEST

START_TEST(a_worker_that_dies_between_jobs_is_replaced_and_no_job_feels_it)
{
	struct server *s = start("");
	struct client *c = dial(s);
	const char *pid = output_of(c, "(sleep 0.05; kill -KILL $$) & " PID);

	await(living_below(s->pid) == 0);
	ck_assert_str_ne(output_of(c, PID), pid);
}
END_TEST

START_TEST(all_that_an_idle_worker_says_before_it_dies_is_in_the_log)
{
	struct server *s = start("");
	struct client *c = dial(s);

	output_of(c, "(sleep 0.05; head -c 30000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last words >&2; kill -KILL $$) & " PID);
	await(server_logged(s, "error=\"last words\""));
}
END_TEST

/* leatd is stopped meanwhile, so that it hears READY of one that is dead already. */
START_TEST(one_that_is_ready_and_dies_before_its_first_job_has_failed_and_the_next_is_held_back)
{
	const char *folder = open_folder();
	struct server *s = server_start(scratchf("[job w]\nworker = %s\nconcurrency = 1\nenv.MARK = w%d\ndeadline = 20s\n",
						 new_file(scratchf("#!/bin/sh\nif ! [ -e %s/first ]; then echo >%s/first; "
								   "until [ -e %s/go ]; do sleep 0.01; done; echo READY; exit; fi\n%s",
								   folder, folder, folder, obedient + 10)), (int)getpid()));
	struct client *c = dial(s);
	moment woken;

	say_run(c, OK, "");
	await(access(scratchf("%s/first", folder), F_OK) == 0);
	ck_assert_int_eq(kill(s->pid, SIGSTOP), 0);
	fclose(fopen(scratchf("%s/go", folder), "w"));
	await(living_below(s->pid) == 0);
	woken = moment_now();
	ck_assert_int_eq(kill(s->pid, SIGCONT), 0);
	hear(c, "$2\r\nok\r\n");
	ck_assert_int_ge(moment_now() - woken, 100 * MILLISECONDS);
}
END_TEST

START_TEST(other_jobs_are_untouched)
{
	struct server *s = server_start(scratchf("[job w]\nworker = %s\nconcurrency = 2\n", new_file(obedient)));
	struct client *good = dial(s), *bad = dial(s);

	for (int i = 0; i < 5; i++) {
		say_run(good, "sleep 0.3; " OK, "");
		await(stat_of(s, "w", "running") == 1);
		say_run(bad, "echo rubbish; sleep 60", "");
		hear_match(bad, "^-FAILED ");
		hear(good, "$2\r\nok\r\n");
	}
}
END_TEST

START_TEST(a_worker_that_is_silent_for_longer_than_its_heartbeat_is_killed)
{
	struct client *c = dial(start("heartbeat = 2s\n"));

	ck_assert_str_eq(output_of(c, "for i in 1 2 3 4 5 6; do sleep 0.5; echo BEAT; done; " OK), "ok");
	say_run(c, "sleep 60; " OK, "");
	hear_match(c, "^-FAILED the worker said nothing for longer than heartbeat$");
	ck_assert_uint_eq(living(), 0);
}
END_TEST

/* --- Deadlines --- */

static const char *escape_path(void)
{
	const char *slash = strrchr(leatd_path(), '/');
	size_t len;
	char *bytes = read_file(scratchf("%.*s/escape", (int)(slash - leatd_path()), leatd_path()), &len);

	return new_file_of(bytes, len);
}

START_TEST(at_the_deadline_the_whole_tree_is_gone_when_the_answer_comes)
{
	struct server *s = start("predict = no\n");
	struct client *c = dial(s);
	const char *escape = escape_path();

	for (int i = 0; i < 10; i++) {
		say_run(c, scratchf("setsid %s tree & trap '' TERM; %s tree; sleep 60", escape, escape), DEADLINE_MS(500));
		hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
		ck_assert_uint_eq(living(), 0);
		ck_assert_str_eq(output_of(c, OK), "ok");
	}
	ck_assert_uint_eq(stat_of(s, "w", "timeout"), 10);
}
END_TEST

START_TEST(beats_for_ever_end_at_the_deadline)
{
	struct client *c = dial(start(""));

	say_run(c, "trap '' TERM; while :; do echo BEAT; done", DEADLINE_MS(900));
	hear_match(c, "^-TIMEOUT .* state=running ");
	ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(one_that_writes_without_pause_ends_at_the_deadline_and_when_it_is_cancelled)
{
	const char *begun = scratchf("%s/begun", open_folder());
	struct server *s = start("");
	struct client *c = dial(s), *operator = dial(s);

	say_run(c, "trap '' TERM; yes BEAT", DEADLINE_MS(900));
	hear_match(c, "^-TIMEOUT .* state=running ");
	ck_assert_uint_eq(living(), 0);
	say_run(c, scratchf("echo >%s; exec yes BEAT", begun), "$2\r\nID\r\n$5\r\nbeats\r\n");
	await(access(begun, F_OK) == 0);
	say(operator, "CANCEL beats\r\n");
	hear(operator, ":1\r\n");
	hear_match(c, "^-CANCELED .* state=running ");
	ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(a_worker_that_never_reads_a_large_payload_ends_at_the_deadline)
{
	struct client *c = dial(start(""));
	char *payload = scratch(500001);

	memset(payload, 'x', 500000);
	ck_assert_str_eq(output_of(c, OK "; exec sleep 60"), "ok");
	say_run(c, payload, DEADLINE_MS(300));
	hear_match(c, "^-TIMEOUT .* state=running ");
	ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(a_worker_may_still_answer_when_it_is_told_to_end_and_is_replaced)
{
	struct client *c = dial(start_with_grace("5s", ""));

	ck_assert_str_eq(output_of(c, OK), "ok");
	say_run(c, "trap \"" OK2 "\" TERM; sleep 60 & wait; sleep 60", DEADLINE_MS(900));
	hear(c, "$2\r\nok\r\n");
	ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(a_client_that_goes_away_cancels_its_job)
{
	const char *begun = scratchf("%s/begun", open_folder());
	struct server *s = start("");
	struct client *c = dial(s);

	say_run(c, scratchf("echo >%s; sleep 60", begun), "");
	await(access(begun, F_OK) == 0);
	reset(c);
	await(stat_of(s, "w", "canceled") == 1);
	await(living() == 0);
}
END_TEST

/* --- Cancelling --- */

/* An array of bulk strings, as programs send it; `words` are ended by NULL. */
static void say_words(struct client *c, const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	sayf(c, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++)
		sayf(c, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
}
#define say_array(c, ...) say_words(c, (const char *const[]){ __VA_ARGS__, NULL })

/* A script that starts a tree of processes of which some have left its session, all with `TREE=mark`, and does not want to end. */
static const char *tree(const char *mark)
{
	const char *escape = escape_path();

	return scratchf("export TREE=%s; setsid %s tree & trap '' TERM; %s tree; sleep 60", mark, escape, escape);
}

static size_t tree_size(const char *mark)
{
	return processes_with(scratchf("TREE=%s", mark));
}

/* Two workers at a time. */
static struct server *start_two(void)
{
	return server_start(scratchf("[server]\nloops = 3\n[job w]\nworker = %s\nconcurrency = 2\ngrace = 100ms\ndeadline = 1m\n"
				     "[job cat]\nexec = cat\n[job both]\npipeline = cat w\ndeadline = 1m\n", new_file(obedient)));
}

static void cancel_by_command(struct server *s, const char *id)
{
	struct client *operator = dial(s);

	sayf(operator, "CANCEL %s\r\n", id);
	hear(operator, ":1\r\n");
	sayf(operator, "CANCEL %s\r\n", id);
	hear_match(operator, "^:[01]$");
	hang_up(operator);
}

static void cancel_by_http(struct server *s, const char *id)
{
	ck_assert_int_eq(ask(s, scratchf("DELETE /v1/ps/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", id))->status, 204);
}

static void cancel_by_leat(struct server *s, const char *id)
{
	struct ran ran = shell(s, scratchf("$LEAT cancel %s", id));

	ck_assert_msg(ran.status == 0, "%s\n%s", ran.out, ran.err);
}

START_TEST(a_cancelled_worker_is_gone_with_its_tree_and_replaced_and_the_other_goes_on)
{
	static void (*const ways[])(struct server *, const char *id) = { cancel_by_command, cancel_by_http, cancel_by_leat };
	struct server *s = start_two();
	const char *go = scratchf("%s/go", open_folder());
	struct client *c = dial(s), *other = dial(s);

	say_run(other, scratchf("while ! [ -e %s ]; do sleep 0.1; done; " OK, go), "");
	for (size_t i = 0; i < countof(ways); i++) {
		say_run(c, tree("cancelled"), "$2\r\nID\r\n$2\r\nit\r\n");
		await(tree_size("cancelled") > 2);
		ways[i](s, "it");
		hear_match(c, "^-CANCELED cancelled while running state=running after_ms=[0-9]+$");
		ck_assert_uint_eq(tree_size("cancelled"), 0);
		ck_assert_str_eq(output_of(c, OK), "ok");
	}
	ck_assert_uint_eq(stat_of(s, "w", "canceled"), countof(ways));
	fclose(fopen(go, "w"));
	hear(other, "$2\r\nok\r\n");
}
END_TEST

START_TEST(a_worker_that_is_a_stage_is_cancelled_like_any_other)
{
	/* The first stage has ended by then, so that its id is nobody's any more. */
	static const char *const ids[] = { "it", "it.1" };
	struct server *s = start_two();
	struct client *c = dial(s);

	for (size_t i = 0; i < countof(ids); i++) {
		if (i == 1)
			say_array(c, "RUN", "both", tree("stage"), "ID", "it");
		else
			say_array(c, "PIPE", "2", "cat", "w", tree("stage"), "ID", "it");
		await(tree_size("stage") > 2);
		cancel_by_http(s, ids[i]);
		hear_match(c, "^-CANCELED cancelled while running .*stage=1 job=w$");
		ck_assert_uint_eq(tree_size("stage"), 0);
		ck_assert_str_eq(output_of(c, OK), "ok");
	}
}
END_TEST

START_TEST(one_worker_of_a_batch_is_cancelled_and_then_all_of_it)
{
	struct server *s = start_two();
	struct client *c = dial(s);

	say_array(c, "MAP", "w", "3", tree("first"), tree("second"), tree("third"), "ID", "it");
	hear(c, "*3\r\n");
	await(tree_size("first") > 2 && tree_size("second") > 2);
	cancel_by_command(s, "it.0");
	hear_match(c, "^-CANCELED cancelled while running ");
	ck_assert_uint_eq(tree_size("first"), 0);
	ck_assert_uint_gt(tree_size("second"), 2);
	await(tree_size("third") > 2);
	cancel_by_leat(s, "it");
	hear_match(c, "^-CANCELED cancelled while running ");
	ck_assert_uint_eq(tree_size("second"), 0);
	hear_match(c, "^-CANCELED cancelled while running ");
	ck_assert_uint_eq(tree_size("third"), 0);
	ck_assert_str_eq(output_of(c, OK), "ok");
}
END_TEST

/* --- A reader that is slow --- */

/* What comes behind the answer to a request before it on the same connection is not read until that has been answered. */
static struct server *start_behind(const char *before, const char *more)
{
	return server_start(scratchf("[job before]\n%s\n[job w]\nworker = %s\nconcurrency = 1\nenv.MARK = w%d\n%s", before, new_file(obedient),
				     (int)getpid(), more));
}

/* What the stream, the worker's pipe and leatd cannot hold. */
#define MUCH "head -c 300000 /dev/zero"

START_TEST(a_worker_is_not_silent_while_its_reader_is_slow)
{
	struct client *c = dial(start_behind("builtin = sleep", "heartbeat = 1s\n"));

	say_post(c, "/v1/run/before", "", "2500");
	say_post(c, "/v1/run/w?stream=1", "", "printf 'PART 300000\\n'; " MUCH "; " OK);
	ck_assert_int_eq(hear_response(c)->status, 200);
	ck_assert_int_eq(hear_head(c)->status, 200);
	while (!strstr(hear_match(c, "^.*$"), "Leat-Outcome: done"))
		;
}
END_TEST

START_TEST(a_worker_whose_reader_is_slow_is_told_to_end_and_has_its_grace)
{
	/* In the middle of a part, and of the last; and cancelled there. A shell hears of a signal when its command has ended. */
	static const char *const words[] = { "PART", "DONE" };
	const char *folder = open_folder();
	struct server *s = start_behind(scratchf("exec = /bin/sh -c 'until [ -e %s/go ]; do sleep 0.01; done'\ndeadline = 1m", folder), "grace = 2s\n");

	for (size_t i = 0; i < 2 * countof(words); i++) {
		const char *told = scratchf("%s/told-%zu", folder, i), *begun = scratchf("%s/begun-%zu", folder, i);
		bool cancels = i >= countof(words);
		struct client *c = dial(s), *operator = dial(s);

		say_post(c, "/v1/run/before", "", "");
		say_post(c, scratchf("/v1/run/w?stream=1&deadline=%s", cancels ? "30s" : "4s"), "Leat-Id: slow\r\n",
			 scratchf("trap 'echo >%s' TERM; printf '%s 300000\\n'; " MUCH " & echo >%s; wait; sleep 60", told, words[i % countof(words)], begun));
		await(access(begun, F_OK) == 0);
		if (cancels) {
			say(operator, "CANCEL slow\r\n");
			hear(operator, ":1\r\n");
		}
		await(stat_of(s, "w", cancels ? "canceled" : "timeout") == i % countof(words) + 1);
		ck_assert_msg(access(told, F_OK) == 0, "%zu", i);
		ck_assert_uint_eq(living(), 0);
		reset(c);
		await(inside(s, "before") == 0);
	}
}
END_TEST

/* --- Coming and going --- */

START_TEST(a_worker_is_replaced_after_max_jobs)
{
	struct client *c = dial(start("max_jobs = 2\n"));
	const char *first = output_of(c, PID), *second;

	ck_assert_str_eq(output_of(c, PID), first);
	second = output_of(c, PID);
	ck_assert_str_ne(second, first);
	ck_assert_str_eq(output_of(c, PID), second);
	await(living() == 0);
}
END_TEST

START_TEST(workers_are_started_ahead_and_those_that_die_are_replaced)
{
	struct server *s = start("prestart = 1\nworker_idle = 10ms\n");
	struct client *c = dial(s);

	await(living() == 1);
	ck_assert_uint_eq(stat_of(s, "w", "submitted"), 0);
	say_run(c, "exit 1", "");
	hear_match(c, "^-FAILED ");
	await(living() == 1);
}
END_TEST

START_TEST(a_worker_without_a_job_is_ended)
{
	struct client *c = dial(start("worker_idle = 200ms\n"));
	const char *pid = output_of(c, PID);

	await(living() == 0);
	ck_assert_str_ne(output_of(c, PID), pid);
}
END_TEST

START_TEST(a_type_whose_workers_cannot_start_is_quarantined_until_they_can)
{
	const char *file = scratchf("%s/able", new_folder());
	struct server *s = server_start(scratchf("[job w]\nworker = %s\nconcurrency = 2\n",
						 new_file(scratchf("#!/bin/sh\n[ -e %s ] || { echo not able >&2; exit 5; }\n%s", file, obedient + 10))));
	struct client *c = dial(s);
	int failed = 0;

	for (;;) {
		char *reply;

		say_run(c, OK, "");
		reply = hear_reply(c);
		if (text_matches(reply, "^-BUSY its workers cannot start reason=crash_loop retry_ms=[0-9]+"))
			break;
		assert_match(reply, "^-FAILED ");
		ck_assert_int_lt(++failed, 50);
	}
	ck_assert_int_ge(failed, 5);
	ck_assert(server_logged(s, "not able"));
	fclose(fopen(file, "w"));
	await(server_logged(s, "workers can start again"));
	ck_assert_str_eq(output_of(c, OK), "ok");
}
END_TEST

START_TEST(a_worker_that_never_is_ready_is_killed_and_its_job_fails)
{
	struct client *c = dial(server_start("[job w]\nworker = sleep 60\nstart_timeout = 200ms\n[job rubbish]\nworker = sh -c 'echo hello; sleep 60'\n"));

	say(c, "RUN w x\r\n");
	hear_match(c, "^-FAILED the worker cannot be started: it did not say READY within start_timeout$");
	say(c, "RUN rubbish x\r\n");
	hear_match(c, "^-FAILED the worker cannot be started: it wrote what is not of the protocol$");
}
END_TEST

START_TEST(a_job_that_waits_for_a_worker_is_answered_at_its_deadline)
{
	struct client *c = dial(server_start("[job w]\nworker = sleep 60\nstart_timeout = 30s\n"));

	say(c, "RUN w x DEADLINE 200\r\n");
	hear_match(c, "^-TIMEOUT ");
}
END_TEST

START_TEST(nothing_is_left_when_leatd_has_ended)
{
	struct server *s = server_start(scratchf("[job w]\nworker = %s\nprestart = 3\nconcurrency = 3\ngrace = 100ms\nenv.MARK = w%d\n",
						 new_file("#!/bin/sh\ntrap '' TERM\nsetsid sleep 60 &\necho READY\nwhile :; do sleep 60; done\n"), (int)getpid()));

	await(living() == 9);
	server_stop(s);
	ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(a_leatd_that_is_killed_takes_its_workers_with_it)
{
	struct server *s = start("");
	struct client *c = dial(s);

	adopt_orphans();
	say_run(c, scratchf("setsid %s tree & exec %s tree", escape_path(), escape_path()), "");
	await(living() >= 3);
	server_kill(s);
	await(living() == 0);
}
END_TEST

START_TEST(the_books_balance)
{
	struct server *s = start("queue = 1000\npredict = no\n");
	struct client *c = dial(s);

	for (int i = 0; i < 100; i++)
		say_run(c, i % 25 == 7 ? "exit 1" : i % 25 == 9 ? "printf 'FAIL 0\\n'" : OK, "");
	for (int i = 0; i < 100; i++)
		hear_reply(c);
	ck_assert_uint_eq(stat_of(s, "w", "done"), 92);
	ck_assert_uint_eq(stat_of(s, "w", "failed"), 8);
	ck_assert_uint_eq(inside(s, "w"), 0);
}
END_TEST

START_TEST(what_is_wrong_in_the_configuration_is_said)
{
	static const char *const cases[][2] = {
		{ "[job w]\nworker = cat\nexec = cat\n", ":2: [job w] worker: and exec are both set; a job is of one kind" },
		{ "[job w]\nworker = cat {x}\narg.x = .\n", ":2: [job w] worker: has the placeholder {x}" },
		{ "[job w]\nworker = cat\narg.x = .\n", ":3: [job w] arg.x: there is no placeholder {x}" },
		{ "[job w]\nworker = /no/such\n", ":2: [job w] worker: '/no/such' is not an executable file" },
		{ "[job w]\nworker = cat\nprestart = 5\n", ":3: [job w] prestart: is over concurrency" },
		{ "[job w]\nworker = cat\nleave_children = yes\n", ":3: [job w] leave_children: is for exec" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct ran ran = leatd("--check-config", "-c", new_file(cases[i][0]));

		ck_assert_int_eq(ran.status, 78);
		assert_has(ran.err, cases[i][1]);
	}
}
END_TEST

START_TEST(a_worker_takes_no_arguments)
{
	struct client *c = dial(start(""));

	say(c, "RUN w x ARG size 3\r\n");
	hear_match(c, "^-ERR .*takes no arguments");
}
END_TEST

Suite *worker_suite(void)
{
	const TTest *const tests[] = {
		the_examples_do_job_after_job,
		large_payloads_and_outputs_come_through_whole,
		one_worker_does_one_job_after_another,
		parts_are_joined_and_beats_are_no_output,
		a_job_comes_with_its_id_its_time_and_its_trace,
		a_job_may_fail_with_a_message_and_the_worker_goes_on,
		its_errors_are_in_the_log_with_the_id_of_the_job,
		a_worker_that_breaks_the_protocol_is_killed_with_its_tree_and_replaced,
		a_worker_that_writes_without_a_job_is_replaced_and_no_job_feels_it,
		a_worker_that_dies_between_jobs_is_replaced_and_no_job_feels_it,
		all_that_an_idle_worker_says_before_it_dies_is_in_the_log,
		one_that_is_ready_and_dies_before_its_first_job_has_failed_and_the_next_is_held_back,
		other_jobs_are_untouched,
		a_worker_that_is_silent_for_longer_than_its_heartbeat_is_killed,
		at_the_deadline_the_whole_tree_is_gone_when_the_answer_comes,
		beats_for_ever_end_at_the_deadline,
		one_that_writes_without_pause_ends_at_the_deadline_and_when_it_is_cancelled,
		a_worker_that_never_reads_a_large_payload_ends_at_the_deadline,
		a_worker_may_still_answer_when_it_is_told_to_end_and_is_replaced,
		a_client_that_goes_away_cancels_its_job,
		a_cancelled_worker_is_gone_with_its_tree_and_replaced_and_the_other_goes_on,
		a_worker_that_is_a_stage_is_cancelled_like_any_other,
		one_worker_of_a_batch_is_cancelled_and_then_all_of_it,
		a_worker_is_not_silent_while_its_reader_is_slow,
		a_worker_whose_reader_is_slow_is_told_to_end_and_has_its_grace,
		a_worker_is_replaced_after_max_jobs,
		workers_are_started_ahead_and_those_that_die_are_replaced,
		a_worker_without_a_job_is_ended,
		a_type_whose_workers_cannot_start_is_quarantined_until_they_can,
		a_worker_that_never_is_ready_is_killed_and_its_job_fails,
		a_job_that_waits_for_a_worker_is_answered_at_its_deadline,
		nothing_is_left_when_leatd_has_ended,
		a_leatd_that_is_killed_takes_its_workers_with_it,
		the_books_balance,
		what_is_wrong_in_the_configuration_is_said,
		a_worker_takes_no_arguments,
	};

	return wire_suite("worker", tests, countof(tests));
}
