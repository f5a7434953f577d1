/* The leat command against a real leatd. What it makes of servers that misbehave is tested in tests/clients/leat.sh. */
#include "wire.h"

#include <signal.h>

static void assert_ran(struct ran ran, int status, const char *out, const char *err_pattern)
{
	ck_assert_msg(ran.status == status, "status %d, not %d\n%s\n%s", ran.status, status, ran.out, ran.err);
	ck_assert_str_eq(ran.out, out);
	assert_match(ran.err, err_pattern);
}

START_TEST(run_prints_the_output_and_nothing_else)
{
	struct server *s = server_start(NULL);

	assert_ran(shell(s, "$LEAT run upper 'hello world'"), 0, "HELLO WORLD", "^$");
	assert_ran(shell(s, "echo from stdin | $LEAT run upper"), 0, "FROM STDIN\n", "^$");
	assert_ran(shell(s, "echo from stdin | $LEAT run upper -"), 0, "FROM STDIN\n", "^$");
	assert_ran(shell(s, "$LEAT --server unix:$SOCKET run upper x --deadline 5s --id my.id"), 0, "X", "^$");
	assert_ran(shell(s, "LEAT_SERVER=unix:$SOCKET $LEAT run upper ''"), 0, "", "^$");
}
END_TEST

START_TEST(run_prints_any_bytes)
{
	struct server *s = server_start(NULL);
	const char *file = new_random_file(700000);

	assert_ran(shell(s, scratchf("$LEAT run echo <%s | cmp - %s", file, file)), 0, "", "^$");
	assert_ran(shell(s, scratchf("$LEAT run sha256 <%s", file)), 0,
		   scratchf("%.64s  -\n", run("/usr/bin/sha256sum", file).out), "^$");
}
END_TEST

START_TEST(the_exit_status_tells_what_happened)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n[job echo]\nbuiltin = echo\n"
					"[job fail]\nexec = /bin/sh -c 'echo why >&2; exit 3'\n[job crash]\nexec = /bin/sh -c 'kill -SEGV $$'\n");
	struct client *full = dial(s);

	assert_ran(shell(s, "$LEAT run echo x"), 0, "x", "^$");
	assert_ran(shell(s, "$LEAT run sleep 60000 --deadline 100ms"), 124, "", "^leat: TIMEOUT ");
	assert_ran(shell(s, "$LEAT run fail x"), 1, "", "^leat: FAILED .*status=3.*why");
	assert_ran(shell(s, "$LEAT run crash x"), 1, "", "^leat: KILLED .*SIGSEGV");
	assert_ran(shell(s, "$LEAT run nope x"), 1, "", "^leat: NOJOB ");
	assert_ran(shell(s, "head -c 2000000 /dev/zero | $LEAT run echo"), 1, "", "^leat: TOOBIG ");
	assert_ran(shell(s, "$LEAT run"), 64, "", "^leat: ");
	assert_ran(shell(s, "$LEAT nope"), 64, "", "^leat: ");
	assert_ran(shell(s, "$LEAT --server 127.0.0.1:1 ping"), 69, "", "^leat: ");
	assert_ran(shell(s, "$LEAT --server unix:/no/such/socket ping"), 69, "", "^leat: ");
	say(full, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	assert_ran(shell(s, "$LEAT run sleep 1"), 75, "", "^leat: BUSY ");
}
END_TEST

START_TEST(map_runs_a_job_for_each_line)
{
	struct server *s = server_start("[job echo]\nbuiltin = echo\nqueue = 20000\n[job sleep]\nbuiltin = sleep\nconcurrency = 4\n"
					"[job greet]\nexec = /bin/sh -c 'printf \"%s \" {word}; cat'\narg.word = [a-z]+\n");

	assert_ran(shell(s, "printf 'a\\n\\nb c' | $LEAT map echo"), 0, "a\n\nb c\n", "^$");
	assert_ran(shell(s, "[ \"$(seq 10000 | $LEAT map echo)\" = \"$(seq 10000)\" ] && echo same"), 0, "same\n", "^$");
	assert_ran(shell(s, "printf 'x\\ny\\n' | $LEAT map greet --arg word=hello --width 1"), 0, "hello x\nhello y\n", "^$");
	assert_ran(shell(s, "printf '1\\nno\\n2\\n' | $LEAT map sleep"), 1, "\n\n", "^leat: line 2: FAILED .*status=64\n$");
	assert_ran(shell(s, "printf '1\\n60000\\n' | $LEAT map sleep --deadline 300ms"), 124, "\n", "^leat: line 2: TIMEOUT ");
	assert_ran(shell(s, "printf '1\\n60000\\n' | $LEAT map sleep --quorum 1"), 0, "\n", "^$");
	assert_ran(shell(s, "printf 'a\"\\n' | $LEAT map echo --json"), 0, "{\"index\":0,\"output\":\"a\\\"\"}\n", "^$");
	assert_ran(shell(s, "printf 'no\\n' | $LEAT map sleep --json 2>/dev/null | cut -c1-44"), 0,
		   "{\"index\":0,\"error\":{\"code\":\"FAILED\",\"detail\"\n", "^$");
	assert_ran(shell(s, "echo x | $LEAT map nope"), 1, "", "^leat: NOJOB ");
	assert_ran(shell(s, "$LEAT map echo </dev/null"), 1, "", "^leat: stdin has 0 lines");
	assert_ran(shell(s, "seq 10001 | $LEAT map echo"), 1, "", "^leat: stdin has 10001 lines");
	assert_ran(shell(s, "echo x | $LEAT map echo --width 0"), 64, "", "^leat: bad --width '0'");
	assert_ran(shell(s, "echo x | $LEAT map echo --quorum 2"), 76, "", "^leat: ERR the quorum is over ");
}
END_TEST

START_TEST(map_shows_how_far_it_is_on_a_terminal_only)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 20\n");
	struct ran ran = shell(s, "seq 100 110 | script -qec \"$LEAT map sleep >/dev/null\" /dev/null | tr '\\r' '\\n'");

	assert_match(ran.out, "\\[#+ *\\] [0-9]+/11");
}
END_TEST

START_TEST(draining_is_worth_another_try_later)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\n[job echo]\nbuiltin = echo\n");
	struct client *running = dial(s);

	say(running, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	kill(s->pid, SIGTERM);
	await(server_logged(s, "msg=draining"));
	assert_ran(shell(s, "$LEAT run echo x"), 75, "", "^leat: DRAINING ");
	reset(running);
	server_wait(s);
}
END_TEST

START_TEST(jobs_and_stats_are_tables_or_json)
{
	struct server *s = server_start(NULL);
	struct ran ran;

	assert_ran(shell(s, "$LEAT run upper x"), 0, "X", "^$");
	ran = shell(s, "$LEAT jobs");
	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^job +kind +concurrency +queue +.*\necho +builtin +4 +1024 +");
	ran = shell(s, "$LEAT jobs --json | jq -r '.[] | select(.job == \"echo\") | .queue'");
	assert_ran(ran, 0, "1024\n", "^$");
	ran = shell(s, "$LEAT stats upper --json | jq -r '.[0].done'");
	assert_ran(ran, 0, "1\n", "^$");
	ran = shell(s, "$LEAT stats upper");
	assert_match(ran.out, "(^|\n)submitted +1\n");
	assert_ran(shell(s, "$LEAT stats nope"), 1, "", "^leat: NOJOB ");
}
END_TEST

START_TEST(ping_prints_pong)
{
	struct server *s = server_start(NULL);

	assert_ran(shell(s, "$LEAT ping"), 0, "PONG\n", "^$");
	assert_ran(shell(s, "$LEAT ping --server $HOST:$PORT"), 0, "PONG\n", "^$");
}
END_TEST

START_TEST(version_says_both)
{
	struct server *s = server_start(NULL);

	assert_match(shell(s, "$LEAT version").out, "^leat [0-9.]+\nleatd [0-9.]+\n$");
	assert_match(shell(s, "$LEAT version --json").out, "^\\{\"leat\":\"[0-9.]+\",\"leatd\":\"[0-9.]+\"\\}\n$");
	ck_assert_int_eq(shell(s, "$LEAT version --server 127.0.0.1:1").status, 69);
}
END_TEST

START_TEST(drain_answers_at_once_and_leatd_ends)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\n");
	struct client *running = dial(s);

	say(running, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	assert_ran(shell(s, "$LEAT drain"), 0, "", "^$");
	await(server_logged(s, "msg=draining"));
	assert_ran(shell(s, "$LEAT drain"), 0, "", "^$");
	ck_assert(!can_hear(running));
	reset(running);
	server_wait(s);
}
END_TEST

START_TEST(a_leat_that_is_interrupted_takes_its_command_with_it)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGKILL };
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\ndeadline = 1m\n");

	for (size_t i = 0; i < countof(signals); i++) {
		const char *id = scratchf("leat-%zu", i);
		pid_t leat = shell_start(s, scratchf("exec $LEAT run nap x --id %s", id));

		await(commands_of(id) == 1);
		kill(leat, signals[i]);
		ck_assert_int_ne(wait_for(leat), 0);
		await(commands_of(id) == 0);
	}
	await(stat_of(s, "nap", "canceled") == countof(signals));
}
END_TEST

Suite *leat_suite(void)
{
	const TTest *tests[] = {
		run_prints_the_output_and_nothing_else,
		run_prints_any_bytes,
		the_exit_status_tells_what_happened,
		map_runs_a_job_for_each_line,
		map_shows_how_far_it_is_on_a_terminal_only,
		draining_is_worth_another_try_later,
		jobs_and_stats_are_tables_or_json,
		ping_prints_pong,
		version_says_both,
		drain_answers_at_once_and_leatd_ends,
		a_leat_that_is_interrupted_takes_its_command_with_it,
	};
	return wire_suite("leat", tests, countof(tests));
}
