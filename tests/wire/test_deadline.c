/* The deadline over waiting and running; and when TIMEOUT is heard, nothing of the job is left. */
#include "wire.h"

#include <signal.h>
#include <stdio.h>

START_TEST(a_job_that_runs_is_answered_at_its_deadline)
{
	struct client *c = dial(server_start(NULL));

	say(c, "RUN sleep 60000 DEADLINE 200\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
	say(c, "RUN sleep 60000 DEADLINE 200ms ID x\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=(19[0-9]|[2-9][0-9][0-9]|[0-9]{4,})$");
}
END_TEST

START_TEST(a_command_that_runs_is_killed_at_its_deadline)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\n");
	struct client *c = dial(s);

	say(c, "RUN nap x DEADLINE 300 ID nap-1\r\n");
	await(commands_of("nap-1") == 1);
	hear_match(c, "^-TIMEOUT .* state=running ");
	ck_assert_uint_eq(commands_of("nap-1"), 0);
	ck_assert_uint_eq(children_of(s->pid), 0);
}
END_TEST

START_TEST(the_deadline_of_the_type_holds_when_the_client_names_none)
{
	struct client *c = dial(server_start("[job sleep]\nbuiltin = sleep\ndeadline = 100ms\nmax_deadline = 200ms\n"));

	say(c, "RUN sleep 60000\r\n");
	hear_match(c, "^-TIMEOUT ");
	/* And never more than the longest. */
	say(c, "RUN sleep 60000 DEADLINE 1h\r\n");
	hear_match(c, "^-TIMEOUT ");
}
END_TEST

START_TEST(a_job_that_waits_is_answered_at_its_deadline_and_gives_its_place_up)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 1\n");
	struct client *running = dial(s), *waiting = dial(s), *next = dial(s);

	say(running, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (int i = 0; i < 20; i++) {
		say(waiting, "RUN sleep 1 DEADLINE 30\r\n");
		hear_match(waiting, "^-TIMEOUT .*waiting.* state=waiting after_ms=[0-9]+$");
		ck_assert_uint_eq(inside(s, "sleep"), 1);
	}
	say(next, "RUN sleep 1 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "waiting") == 1);
	ck_assert(!can_hear(running));
	ck_assert_uint_eq(stat_of(s, "sleep", "timeout"), 20);
	reset(running);
	hear(next, "$0\r\n\r\n");
}
END_TEST

START_TEST(many_that_wait_are_answered_at_their_deadlines_in_order)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 300\n");
	struct client *running = dial(s), *c = dial(s);

	say(running, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (int i = 0; i < 100; i++)
		sayf(c, "RUN sleep 1 DEADLINE %d\r\n", 20 + i % 7);
	for (int i = 0; i < 100; i++)
		hear_match(c, "^-TIMEOUT .* state=waiting ");
	ck_assert_uint_eq(inside(s, "sleep"), 1);
}
END_TEST

START_TEST(a_command_that_ignores_sigterm_is_killed)
{
	struct server *s = server_start("[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\n");
	struct client *c = dial(s);

	say(c, "RUN stubborn x DEADLINE 400 ID stubborn-1\r\n");
	hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(commands_of("stubborn-1"), 0);
	say(c, "RUN stubborn x DEADLINE 400 ID stubborn-2\r\n");
	await(commands_of("stubborn-2") >= 1);
	hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(commands_of("stubborn-2"), 0);
}
END_TEST

START_TEST(the_children_of_a_command_die_with_it)
{
	const char *script = new_file("sleep 61 & sleep 62 & (sleep 63 & sleep 64) & sh -c 'sleep 65 & wait' & wait\n");
	struct server *s = server_start(scratchf("[job family]\nexec = /bin/sh %s\n", script));
	struct client *c = dial(s);

	say(c, "RUN family x DEADLINE 1000 ID family-1\r\n");
	await(commands_of("family-1") >= 6);
	hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(commands_of("family-1"), 0);
	ck_assert_uint_eq(children_of(s->pid), 0);
}
END_TEST

START_TEST(children_that_a_command_leaves_behind_die_when_it_ends)
{
	const char *script = new_file("(trap '' TERM HUP; sleep 66) & (sleep 67 <&- >&- 2>&- &) & echo left; exit 0\n");
	struct server *s = server_start(scratchf("[job leaver]\nexec = /bin/sh %s\n", script));
	struct client *c = dial(s);

	for (int i = 0; i < 20; i++) {
		sayf(c, "RUN leaver x ID leaver-%d\r\n", i);
		hear(c, "$5\r\nleft\n\r\n");
		ck_assert_uint_eq(commands_of(scratchf("leaver-%d", i)), 0);
		ck_assert_uint_eq(children_of(s->pid), 0);
	}
}
END_TEST

/* Counts how often it has been alive until it was told to end. */
static const char counter[] =
	"n=0\n"
	"trap 'echo $n; exit 0' TERM\n"
	"while :; do n=$((n+1)); sleep 0.1; done\n";

START_TEST(the_grace_is_at_most_a_quarter_of_the_time)
{
	struct server *s = server_start(scratchf("[job count]\nexec = /bin/sh %s\ngrace = 1h\n", new_file(counter)));
	struct client *c = dial(s);
	int n;

	say(c, "RUN count x DEADLINE 2000\r\n");
	/* It took the hint in time, so it is done. */
	ck_assert_int_eq(sscanf(hear_reply(c), "$%*d\r\n%d\n\r\n", &n), 1);
	ck_assert_int_ge(n, 3);
}
END_TEST

START_TEST(a_command_that_dies_of_sigterm_at_its_deadline_is_timeout)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\ngrace = 300ms\n"
					"[job fail]\nexec = /bin/sh -c \"trap 'exit 7' TERM; while :; do sleep 0.05; done\"\n");
	struct client *c = dial(s);

	say(c, "RUN nap x DEADLINE 500\r\nRUN fail x DEADLINE 500\r\n");
	hear_match(c, "^-TIMEOUT ");
	hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(stat_of(s, "nap", "timeout"), 1);
	ck_assert_uint_eq(stat_of(s, "fail", "timeout"), 1);
}
END_TEST

START_TEST(a_very_short_deadline_is_answered)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\npredict = no\n[job sleep]\nbuiltin = sleep\npredict = no\n");
	struct client *c = dial(s);

	for (int i = 0; i < 30; i++)
		sayf(c, "RUN nap x DEADLINE %d\r\nRUN sleep 60000 DEADLINE %d\r\n", 1 + i / 6, 1 + i / 6);
	for (int i = 0; i < 60; i++)
		hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(children_of(s->pid), 0);
	ck_assert_uint_eq(inside(s, "nap") + inside(s, "sleep"), 0);
}
END_TEST

START_TEST(what_passed_while_leatd_was_stopped_is_answered_when_it_goes_on)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 100\n[job nap]\nexec = /bin/sleep 60\n");
	struct client *c = dial(s);
	moment later;

	for (int i = 0; i < 20; i++)
		say(c, "RUN sleep 60000 DEADLINE 1000\r\n");
	say(c, "RUN nap x ID stopped-1 DEADLINE 1000\r\n");
	await(inside(s, "sleep") == 20 && commands_of("stopped-1") == 1);
	kill(s->pid, SIGSTOP);
	later = moment_in(1500 * MILLISECONDS);
	wait_until(moment_reached(later), SOON);
	kill(s->pid, SIGCONT);
	for (int i = 0; i < 21; i++)
		hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(commands_of("stopped-1"), 0);
}
END_TEST

Suite *deadline_suite(void)
{
	const TTest *tests[] = {
		a_job_that_runs_is_answered_at_its_deadline,
		a_command_that_runs_is_killed_at_its_deadline,
		the_deadline_of_the_type_holds_when_the_client_names_none,
		a_job_that_waits_is_answered_at_its_deadline_and_gives_its_place_up,
		many_that_wait_are_answered_at_their_deadlines_in_order,
		a_command_that_ignores_sigterm_is_killed,
		the_children_of_a_command_die_with_it,
		children_that_a_command_leaves_behind_die_when_it_ends,
		the_grace_is_at_most_a_quarter_of_the_time,
		a_command_that_dies_of_sigterm_at_its_deadline_is_timeout,
		a_very_short_deadline_is_answered,
		what_passed_while_leatd_was_stopped_is_answered_when_it_goes_on,
	};
	return wire_suite("deadline", tests, countof(tests));
}
