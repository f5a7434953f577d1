/* PIPE, /v1/pipe and pipelines: jobs of which each has the output of the one before it for its payload. */
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

/* What does not end by itself has a child that does not, and hears no SIGTERM. */
static const char jobs[] =
	"[job echo]\n"
	"builtin = echo\n"
	"[job sleep]\n"
	"builtin = sleep\n"
	"deadline = 1m\n"
	"[job sh]\n"
	"exec = /bin/sh\n"
	"deadline = 1m\n"
	"[job up]\n"
	"exec = /usr/bin/tr a-z A-Z\n"
	"deadline = 1m\n"
	"[job rev]\n"
	"exec = /usr/bin/rev\n"
	"deadline = 1m\n"
	"[job cat]\n"
	"exec = /bin/cat\n"
	"stdin = stream\n"
	"concurrency = 8\n"
	"deadline = 1m\n"
	"max_output = 1G\n"
	"[job wc]\n"
	"exec = /usr/bin/wc -c\n"
	"deadline = 1m\n"
	"[job zeros]\n"
	"exec = /usr/bin/head -c 100M /dev/zero\n"
	"deadline = 1m\n"
	"[job yes]\n"
	"exec = /usr/bin/yes\n"
	"deadline = 1m\n"
	"[job first]\n"
	"exec = /usr/bin/head -n 1\n"
	"deadline = 1m\n"
	"[job fail]\n"
	"exec = /bin/sh -c 'echo in vain >&2; exit 3'\n"
	"deadline = 1m\n"
	"[job nap]\n"
	"exec = /bin/sh -c 'trap \"\" TERM; sleep 60 & cat; sleep 60'\n"
	"grace = 50ms\n"
	"deadline = 1m\n"
	"[job one]\n"
	"exec = /bin/cat\n"
	"concurrency = 1\n"
	"queue = 1\n"
	"deadline = 1m\n"
	"[job greet]\n"
	"exec = /usr/bin/printf %s {word}\n"
	"arg.word = [a-z]+\n"
	"[job loud]\n"
	"pipeline = up rev echo\n"
	"deadline = 1m\n"
	"[job louder]\n"
	"pipeline = loud cat\n"
	"deadline = 1m\n"
	"[job doomed]\n"
	"pipeline = cat fail nap\n"
	"deadline = 1m\n"
	"[job stuck]\n"
	"pipeline = nap cat\n"
	"concurrency = 1\n"
	"queue = 1\n"
	"deadline = 1m\n"
	"[job count]\n"
	"pipeline = cat cat wc\n"
	"deadline = 1m\n";

static void check_books(struct server *s, const char *job, uint64_t submitted)
{
	static const char *const parts[] = { "refused", "waiting", "running", "done", "failed", "timeout", "killed", "canceled" };
	uint64_t sum = 0;

	await(inside(s, job) == 0);
	for (size_t i = 0; i < countof(parts); i++)
		sum += stat_of(s, job, parts[i]);
	ck_assert_uint_eq(stat_of(s, job, "submitted"), submitted);
	ck_assert_uint_eq(sum, submitted);
}

/* --- Outputs --- */

START_TEST(each_has_the_output_of_the_one_before_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "PIPE 2 up rev abc\r\nPIPE 3 sleep echo echo 1ms\r\nPIPE 4 echo up echo rev abc\r\nPIPE 2 echo echo abc ID a DEADLINE 5s\r\n");
	hear(c, "$3\r\nCBA\r\n$0\r\n\r\n$3\r\nCBA\r\n$3\r\nabc\r\n");
	assert_response(post(s, "/v1/pipe/up/rev", "abc"), 200, "CBA");
	ck_assert_str_eq(shell(s, "printf abc | $LEAT pipe up rev echo --deadline 20s --id x").out, "CBA");
	ck_assert_str_eq(shell(s, "printf abc | $LEAT pipe up rev --stream").out, "CBA");
	check_books(s, "up", 5);
	check_books(s, "rev", 5);
	ck_assert_uint_eq(stat_of(s, "up", "done"), 5);
}
END_TEST

START_TEST(workers_are_stages_like_others)
{
	const char *worker = new_file("#!/bin/sh\necho READY\nwhile read -r word id left len rest; do\n\tpayload=$(head -c \"$len\")\n"
				      "\tprintf 'DONE %d\\n<%s>' $((${#payload} + 2)) \"$payload\"\ndone\n");
	struct server *s = server_start(scratchf("%s[job w]\nworker = %s\nuser = root\n", jobs, worker));
	struct client *c = dial(s);

	say(c, "PIPE 4 up w rev w abc\r\n");
	hear(c, "$7\r\n<>CBA<>\r\n");
	check_books(s, "w", 2);
}
END_TEST

START_TEST(a_pipeline_is_a_job_of_its_own)
{
	struct server *s = server_start(jobs);
	struct client *line = dial(s), *c = dial(s);

	say(line, "RUN loud abc\r\nRUN louder abc\r\nMAP loud 3 ab cd ef\r\nPIPE 2 loud wc abcd\r\nRUN doomed x\r\n");
	hear(line, "$3\r\nCBA\r\n$3\r\nCBA\r\n*3\r\n$2\r\nBA\r\n$2\r\nDC\r\n$2\r\nFE\r\n$2\r\n4\n\r\n");
	hear_match(line, "^-FAILED exited with status 3 status=3 error=\"in vain\" stage=1 job=fail$");
	say_post(c, "/v1/run/loud?stream=1", "", "abc");
	ck_assert_int_eq(hear_head(c)->status, 200);
	hear(c, "3\r\nCBA\r\n0\r\nLeat-Outcome: done\r\n");
	check_books(s, "loud", 7);
	ck_assert_uint_eq(stat_of(s, "loud", "done"), 7);
	ck_assert_uint_eq(stat_of(s, "up", "done"), 7);
	ck_assert_uint_eq(stat_of(s, "doomed", "failed"), 1);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 1);
	check_books(s, "doomed", 1);
	assert_has(get(s, "/v1/jobs")->body, "\"kind\":\"pipeline\"");
}
END_TEST

START_TEST(commands_run_together_and_what_one_writes_the_next_one_reads_at_once)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "POST /v1/pipe/cat/cat/cat?stream=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n");
	ck_assert_int_eq(hear_head(c)->status, 200);
	hear(c, "6\r\nfirst\n\r\n");
	ck_assert_uint_eq(stat_of(s, "cat", "running"), 3);
	say(c, "7\r\nsecond\n\r\n");
	hear(c, "7\r\nsecond\n\r\n");
	say(c, "0\r\n\r\n");
	hear_match(c, "^0$");
	check_books(s, "cat", 3);
}
END_TEST

START_TEST(much_goes_through_in_constant_memory)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	size_t before;

	say(c, "PIPE 3 zeros cat wc ''\r\n");
	hear(c, "$10\r\n104857600\n\r\n");
	before = memory_of(s->pid, "VmHWM");
	say(c, "PIPE 4 zeros cat cat wc ''\r\n");
	hear(c, "$10\r\n104857600\n\r\n");
	ck_assert_str_eq(shell(s, "head -c 100M /dev/zero | $LEAT run --stream count").out, "104857600\n");
	ck_assert_str_eq(shell(s, "head -c 100M /dev/zero | $LEAT pipe --stream cat cat cat | wc -c").out, "104857600\n");
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM"), before + (8 << 20));
	check_books(s, "count", 1);
}
END_TEST

START_TEST(what_is_taken_whole_is_collected_up_to_max_payload)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "PIPE 3 cat echo wc abc\r\nPIPE 3 sh echo wc 'head -c 2M /dev/zero'\r\n");
	hear(c, "$2\r\n3\n\r\n");
	hear_match(c, "^-TOOBIG .* max_payload=1048576 stage=0 job=sh$");
	ck_assert_uint_eq(stat_of(s, "echo", "canceled"), 1);
	check_books(s, "echo", 2);
	check_books(s, "wc", 2);
}
END_TEST

/* --- Failures --- */

START_TEST(the_first_failure_is_the_answer_and_the_others_are_dead)
{
	static const char *const pipes[] = { "fail nap nap", "nap fail nap", "nap nap fail" };
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	for (int i = 0; i < 3; i++) {
		sayf(c, "PIPE 3 %s x ID p%d\r\n", pipes[i], i);
		hear_match(c, scratchf("^-FAILED exited with status 3 status=3 error=\"in vain\" stage=%d job=fail$", i));
		for (int stage = 0; stage < 3; stage++)
			ck_assert_uint_eq(commands_of(scratchf("p%d.%d", i, stage)), 0);
	}
	ck_assert_uint_eq(children_of(s->pid), 0);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled") + stat_of(s, "nap", "killed"), 6);
	assert_problem(post(s, "/v1/pipe/echo/fail/up", "x"), 502, "FAILED");
	check_books(s, "nap", 6);
	check_books(s, "fail", 4);
	ck_assert_uint_eq(stat_of(s, "up", "canceled"), 1);
}
END_TEST

START_TEST(a_stage_reads_an_end_only_if_the_one_before_it_ended_well)
{
	const char *folder = new_folder();
	struct server *s;
	struct client *c;

	/* Who reads `part` and then an end says so in the file. */
	s = server_start(scratchf("%s[job late]\nexec = /bin/sh -c 'cat >/dev/null; touch %s/end'\nuser = root\n", jobs, folder));
	c = dial(s);
	say(c, "PIPE 2 sh late 'printf part; exit 5'\r\n");
	hear_match(c, "^-FAILED .* status=5 stage=0 job=sh$");
	ck_assert_int_ne(run("/usr/bin/test", "-e", scratchf("%s/end", folder)).status, 0);
	check_books(s, "late", 1);
	ck_assert_uint_eq(stat_of(s, "late", "canceled"), 1);
}
END_TEST

START_TEST(who_stops_reading_makes_no_failure_of_the_one_before)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "PIPE 2 yes first x\r\nPIPE 3 yes cat first x\r\nPIPE 3 yes first fail x\r\n");
	hear(c, "$2\r\ny\n\r\n$2\r\ny\n\r\n");
	hear_match(c, "^-FAILED .* stage=2 job=fail$");
	ck_assert_uint_ge(stat_of(s, "yes", "done"), 2);
	check_books(s, "yes", 3);
}
END_TEST

START_TEST(one_deadline_is_over_all_stages)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "PIPE 3 nap cat echo x DEADLINE 300ms ID late\r\n");
	hear_match(c, "^-TIMEOUT out of time while running, after [0-9]+ ms state=running after_ms=[0-9]+ stage=0 job=nap$");
	ck_assert_uint_eq(commands_of("late.0") + commands_of("late.1"), 0);
	assert_problem(post(s, "/v1/run/stuck?deadline=300ms", "x"), 504, "TIMEOUT");
	ck_assert_uint_eq(stat_of(s, "nap", "timeout"), 2);
	ck_assert_uint_eq(stat_of(s, "echo", "timeout"), 1);
	ck_assert_uint_eq(children_of(s->pid), 0);
	check_books(s, "nap", 2);
	check_books(s, "cat", 2);
	check_books(s, "stuck", 1);
}
END_TEST

/* --- Ends by others --- */

static int cancel(struct server *s, const char *id)
{
	struct client *c = dial(s);
	const char *line;

	sayf(c, "CANCEL %s\r\n", id);
	line = hear_match(c, "^:[01]$");
	hang_up(c);
	return line[1] - '0';
}

START_TEST(it_is_listed_with_its_stages_and_cancelled_by_any_id)
{
	static const char *const ids[] = { "it", "it.0", "it.2" };
	struct server *s = server_start(scratchf("[server]\nloops = 3\n%s", jobs));
	struct client *c = dial(s);

	for (size_t i = 0; i < countof(ids); i++) {
		const char *ps;

		say(c, "PIPE 3 nap cat echo x ID it\r\n");
		await(commands_of("it.0") > 0 && commands_of("it.1") > 0);
		ps = get(s, "/v1/ps")->body;
		assert_has(ps, "\"id\":\"it\",\"job\":\"PIPE\",\"state\":\"running\"");
		assert_has(ps, "\"id\":\"it.1\",\"job\":\"cat\",\"state\":\"running\"");
		assert_has(ps, "\"id\":\"it.2\",\"job\":\"echo\",\"state\":\"waiting\"");
		ck_assert_int_eq(cancel(s, "it.3"), 0);
		ck_assert_int_eq(cancel(s, ids[i]), 1);
		hear_match(c, "^-CANCELED cancelled while running state=running after_ms=[0-9]+ stage=[01] job=(nap|cat)$");
		ck_assert_int_eq(cancel(s, "it"), 0);
		ck_assert_uint_eq(commands_of("it.0") + commands_of("it.1"), 0);
	}
	say(c, "RUN stuck x ID p\r\n");
	await(commands_of("p.1") > 0);
	ck_assert_int_eq(cancel(s, "p.0"), 1);
	hear_match(c, "^-CANCELED ");
	check_books(s, "nap", 4);
	check_books(s, "echo", 3);
	ck_assert_uint_eq(stat_of(s, "echo", "canceled"), 3);
	check_books(s, "stuck", 1);
}
END_TEST

START_TEST(a_hang_up_cancels_all_stages)
{
	struct server *s = server_start(jobs);
	struct client *http = dial(s), *line = dial(s);

	say_post(http, "/v1/pipe/nap/cat/echo", "Leat-Id: gone\r\n", "x");
	say(line, "PIPE 3 nap cat echo x ID left\r\n");
	await(commands_of("gone.1") > 0 && commands_of("left.1") > 0);
	hang_up(http);
	reset(line);
	await(inside(s, "nap") == 0 && inside(s, "cat") == 0 && inside(s, "echo") == 0);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 2);
	ck_assert_uint_eq(stat_of(s, "echo", "canceled"), 2);
	ck_assert_uint_eq(children_of(s->pid), 0);
	check_books(s, "cat", 2);
}
END_TEST

START_TEST(a_drain_finishes_what_was_accepted)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	/* The pipeline in the queue has yet to have its stages admitted. */
	say(c, "PIPE 3 sh echo wc 'sleep 1; echo x'\r\nPIPE 3 sleep loud echo 1000\r\n");
	await(stat_of(s, "sleep", "running") == 1 && stat_of(s, "sh", "running") == 1);
	kill(s->pid, SIGTERM);
	hear(c, "$2\r\n2\n\r\n$0\r\n\r\n");
	server_wait(s);
}
END_TEST

START_TEST(a_drain_that_takes_too_long_cancels_it)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 100ms\n%s", jobs));
	struct client *c = dial(s);

	say(c, "PIPE 3 nap cat echo x\r\nRUN stuck x\r\nRUN stuck x\r\n");
	await(stat_of(s, "nap", "running") == 2);
	kill(s->pid, SIGTERM);
	for (int i = 0; i < 3; i++)
		hear_match(c, "^-CANCELED ");
	server_wait(s);
}
END_TEST

/* --- Places --- */

START_TEST(all_stages_get_a_place_or_none_does)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *other = dial(s);

	say(c, "PIPE 2 sleep one 60000\r\nPIPE 2 sleep one 60000\r\n");
	await(inside(s, "one") == 2);
	say(other, "PIPE 4 up echo one rev abc\r\nRUN up abc\r\n");
	hear_match(other, "^-BUSY queue full reason=queue_full retry_ms=[0-9]+ stage=2 job=one$");
	hear(other, "$3\r\nABC\r\n");
	assert_problem(post(s, "/v1/pipe/up/one", "x"), 503, "BUSY");
	ck_assert_uint_eq(stat_of(s, "up", "refused_queue_full"), 2);
	ck_assert_uint_eq(stat_of(s, "echo", "refused_queue_full"), 1);
	check_books(s, "up", 3);
	check_books(s, "echo", 1);
	ck_assert_uint_eq(stat_of(s, "rev", "submitted"), 0);
	reset(c);
	check_books(s, "one", 4);
}
END_TEST

START_TEST(only_so_many_at_a_time_are_put_together)
{
	struct server *s = server_start(scratchf("[server]\nmax_pipes = 1\n%s", jobs));
	struct client *c = dial(s);

	say(c, "PIPE 2 nap cat x ID a\r\n");
	await(stat_of(s, "nap", "running") == 1);
	say(c, "PIPE 2 echo echo x\r\n");
	ck_assert_int_eq(cancel(s, "a"), 1);
	hear_match(c, "^-CANCELED ");
	hear_match(c, "^-BUSY queue full reason=queue_full retry_ms=[0-9]+$");
	say(c, "PIPE 2 echo echo x\r\n");
	hear(c, "$1\r\nx\r\n");
	check_books(s, "echo", 2);
}
END_TEST

START_TEST(the_place_is_free_when_the_answer_is_there)
{
	struct server *s = server_start("[server]\nmax_pipes = 1\n[job a]\nexec = /bin/cat\nconcurrency = 1\nqueue = 0\n"
					"[job b]\nexec = /bin/cat\nconcurrency = 1\nqueue = 0\n[job e]\nbuiltin = echo\nconcurrency = 1\nqueue = 0\n"
					"[job p]\npipeline = b e a\nconcurrency = 1\nqueue = 0\n");
	struct client *c = dial(s);

	for (int i = 0; i < 20; i++) {
		say(c, "PIPE 3 b e a x\r\n");
		hear(c, "$1\r\nx\r\n");
		say(c, "RUN p x\r\n");
		hear(c, "$1\r\nx\r\n");
	}
	check_books(s, "a", 40);
}
END_TEST

/* Many pipes of these two forms at once, each of which takes a moment. All of them end well. */
static void cross(const char *config, const char *one, const char *other)
{
	enum { PIPES = 24 };
	struct server *s = server_start(config);
	struct client *clients[4];

	for (size_t i = 0; i < countof(clients); i++) {
		clients[i] = dial(s);
		for (int n = 0; n < PIPES; n++)
			sayf(clients[i], "PIPE 2 %s x DEADLINE 1m\r\n", (n + i) % 2 ? one : other);
	}
	for (size_t i = 0; i < countof(clients); i++) {
		for (int n = 0; n < PIPES; n++)
			hear(clients[i], "$1\r\nx\r\n");
	}
	check_books(s, "a", countof(clients) * PIPES * (*one == 'a' && one[2] == 'a' ? 2 : 1));
}

#define TWO_JOBS(concurrency) \
	"[job a]\nexec = /bin/cat\nqueue = 500\nmax_deadline = 1m\npredict = no\nconcurrency = " concurrency "\n" \
	"[job b]\nexec = /bin/cat\nqueue = 500\nmax_deadline = 1m\npredict = no\nconcurrency = " concurrency "\n"

START_TEST(pipes_that_cross_do_not_wait_for_each_other)
{
	cross(TWO_JOBS("1"), "a b", "b a");
	cross(TWO_JOBS("2"), "a b", "b a");
	cross(TWO_JOBS("2"), "a a", "a a");
	cross(TWO_JOBS("3"), "a a", "a a");
}
END_TEST

START_TEST(nor_do_they_for_permits)
{
	cross("[semaphore x]\npermits = 1\n[semaphore y]\npermits = 1\n"
	      "[job a]\nexec = /bin/cat\nqueue = 500\nmax_deadline = 1m\npredict = no\nconcurrency = 2\nuses = y\n"
	      "[job b]\nexec = /bin/cat\nqueue = 500\nmax_deadline = 1m\npredict = no\nconcurrency = 2\nuses = x\n", "a b", "b a");
	cross("[semaphore x]\npermits = 2\n[job a]\nexec = /bin/cat\nqueue = 500\nmax_deadline = 1m\npredict = no\nconcurrency = 4\nuses = x\n", "a a", "a a");
}
END_TEST

START_TEST(a_stage_that_is_paused_holds_those_beside_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *control = dial(s);

	say(c, "PIPE 3 sleep up cat 300\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(control, "PAUSE up\r\n");
	hear(control, "+OK\r\n");
	await(stat_of(s, "sleep", "done") == 1);
	ck_assert_uint_eq(stat_of(s, "cat", "waiting"), 1);
	ck_assert_uint_eq(stat_of(s, "up", "waiting"), 1);
	say(control, "PIPE 2 cat up x\r\nRESUME up\r\n");
	hear_match(control, "^-BUSY .*reason=paused retry_ms=[0-9]+ stage=1 job=up$");
	hear(control, "+OK\r\n");
	hear(c, "$0\r\n\r\n");
	say(control, "PAUSE up\r\nRUN loud x\r\n");
	hear(control, "+OK\r\n");
	hear_match(control, "^-BUSY .*reason=paused retry_ms=[0-9]+ stage=0 job=up$");
	say(c, "RESUME up\r\nPIPE 3 sleep up cat 200 DEADLINE 500ms\r\n");
	hear(c, "+OK\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(control, "PAUSE up\r\n");
	hear(control, "+OK\r\n");
	hear_match(c, "^-TIMEOUT out of time while waiting, .* stage=1 job=up$");
	check_books(s, "up", 4);
	check_books(s, "cat", 3);
}
END_TEST

/* --- What cannot be --- */

START_TEST(what_cannot_be_understood_is_said_and_the_connection_goes_on)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "PIPE 5 up rev abc x\r\nPIPE 2 up rev\r\nPIPE 1 up abc x\r\nPIPE 17 up abc x x\r\nPIPE two up rev abc\r\nPIPE 2 up rev abc ARG a b\r\n"
	       "PIPE 2 up rev abc DEADLINE 0\r\nPIPE 2 up greet abc\r\nPIPE 2 up upp abc\r\nPIPE 2 one one x\r\nPIPE 2 up\r\n");
	hear_match(c, "^-ERR fewer jobs and a payload follow than their number says number=5 words=4$");
	hear_match(c, "^-ERR wrong number of arguments: PIPE ");
	hear_match(c, "^-ERR a pipe has 2 to 16 jobs$");
	hear_match(c, "^-ERR a pipe has 2 to 16 jobs$");
	hear_match(c, "^-ERR the number of jobs ");
	hear_match(c, "^-ERR PIPE takes ");
	hear_match(c, "^-ERR the deadline ");
	hear_match(c, "^-ERR a job takes arguments .* name=greet$");
	hear_match(c, "^-NOJOB no such job job=upp nearest=up stage=1$");
	hear_match(c, "^-ERR a job is needed more often at once than its concurrency name=one needed=2 most=1$");
	hear_match(c, "^-ERR wrong number of arguments: PIPE ");
	sayf(c, "PIPE 2 up rev abc ID %062d\r\n", 1);
	hear_match(c, "^-ERR the id of a PIPE is at most 61 characters");
	assert_problem(post(s, "/v1/pipe/up", "x"), 400, "ERR");
	assert_problem(post(s, "/v1/pipe/up/up/up/up/up/up/up/up/up/up/up/up/up/up/up/up/up", "x"), 400, "ERR");
	assert_problem(post(s, "/v1/pipe/up//rev", "x"), 404, "NOJOB");
	assert_problem(post(s, "/v1/pipe/up/rev?arg.x=1", "x"), 400, "ERR");
	ck_assert_uint_eq(stat_of(s, "up", "submitted"), 0);
	say(c, "PIPE 2 up rev abc\r\n");
	hear(c, "$3\r\nCBA\r\n");
}
END_TEST

static void assert_fault(const char *config, const char *pattern)
{
	struct ran ran = leatd("-c", new_file(config), "--check-config");

	ck_assert_int_eq(ran.status, 78);
	assert_match(ran.err, pattern);
}

START_TEST(a_pipeline_that_could_never_run_is_a_fault_of_the_configuration)
{
#define ECHO "[job echo]\nbuiltin = echo\n"
	assert_fault(ECHO "[job p]\npipeline = echo p\n", ":4: \\[job p\\] pipeline: leads back to itself");
	assert_fault(ECHO "[job p]\npipeline = echo q\n[job q]\npipeline = p echo\n", ":6: \\[job q\\] pipeline: leads back to itself");
	assert_fault(ECHO "[job p]\npipeline = echo ecko\n", "there is no \\[job ecko\\]; did you mean echo\\?");
	assert_fault(ECHO "[job p]\npipeline = echo\n", "names 1 jobs; it takes 2 to 16");
	assert_fault(ECHO "[job p]\npipeline = echo echo echo echo echo echo echo echo echo echo echo echo echo echo echo echo echo\n", "names 17 jobs");
	assert_fault(ECHO "[job p]\npipeline = echo echo\nbuiltin = echo\n", "are both set");
	assert_fault("[job c]\nexec = /bin/cat\nconcurrency = 1\n[job p]\npipeline = c c\n", "more often at once than its concurrency: c, 2 of 1");
	assert_fault("[semaphore s]\npermits = 1\n[job c]\nexec = /bin/cat\nuses = s\n[job p]\npipeline = c c\n", "than it has: s, 2 of 1");
	assert_fault("[semaphore s]\npermits = 1\n" ECHO "[job p]\npipeline = echo echo\nuses = s\n", "uses: is for the jobs of a pipeline");
	assert_fault("[job c]\nexec = /bin/echo {x}\narg.x = a\n[job p]\npipeline = c c\n", "takes arguments of a client");
}
END_TEST

START_TEST(a_token_needs_the_right_for_each_job_of_a_pipe_but_only_for_the_pipeline)
{
	/* The token is `secret`. */
	const char *tokens = new_file("op 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b run:up,loud ops\n");
	struct server *s;
	struct client *c;

	ck_assert_int_eq(chmod(tokens, 0600), 0);
	s = server_start(scratchf("[server]\ntokens = %s\n%s", tokens, jobs));
	c = dial(s);

	say(c, "AUTH secret\r\nPIPE 2 up rev abc\r\nPIPE 2 up up abc\r\nRUN loud abc\r\n");
	hear(c, "+OK\r\n");
	hear_match(c, "^-NOAUTH .* job=rev$");
	hear(c, "$3\r\nABC\r\n$3\r\nCBA\r\n");
}
END_TEST

Suite *pipe_suite(void)
{
	const TTest *tests[] = {
		each_has_the_output_of_the_one_before_it,
		workers_are_stages_like_others,
		a_pipeline_is_a_job_of_its_own,
		commands_run_together_and_what_one_writes_the_next_one_reads_at_once,
		much_goes_through_in_constant_memory,
		what_is_taken_whole_is_collected_up_to_max_payload,
		the_first_failure_is_the_answer_and_the_others_are_dead,
		a_stage_reads_an_end_only_if_the_one_before_it_ended_well,
		who_stops_reading_makes_no_failure_of_the_one_before,
		one_deadline_is_over_all_stages,
		it_is_listed_with_its_stages_and_cancelled_by_any_id,
		a_hang_up_cancels_all_stages,
		a_drain_finishes_what_was_accepted,
		a_drain_that_takes_too_long_cancels_it,
		all_stages_get_a_place_or_none_does,
		only_so_many_at_a_time_are_put_together,
		the_place_is_free_when_the_answer_is_there,
		pipes_that_cross_do_not_wait_for_each_other,
		nor_do_they_for_permits,
		a_stage_that_is_paused_holds_those_beside_it,
		what_cannot_be_understood_is_said_and_the_connection_goes_on,
		a_pipeline_that_could_never_run_is_a_fault_of_the_configuration,
		a_token_needs_the_right_for_each_job_of_a_pipe_but_only_for_the_pipeline,
	};
	return wire_suite("pipe", tests, countof(tests));
}
