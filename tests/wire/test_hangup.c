/* A client that goes away takes its jobs with it. */
#include "wire.h"

static const char jobs[] =
	"[job nap]\n"
	"exec = /bin/sleep 60\n"
	"concurrency = 1\n"
	"queue = 4\n"
	"deadline = 1m\n"
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 1\n"
	"queue = 4\n"
	"deadline = 1m\n";

static void expect_canceled(struct server *s, const char *job, uint64_t n)
{
	await(inside(s, job) == 0);
	ck_assert_uint_eq(stat_of(s, job, "canceled"), n);
	ck_assert_uint_eq(stat_of(s, job, "submitted"), n);
	ck_assert_uint_eq(children_of(s->pid), 0);
}

/* One that runs and two that wait, on one HTTP connection. */
static struct client *three_naps(struct server *s, const char *id)
{
	struct client *c = dial(s);

	say_post(c, "/v1/run/nap", scratchf("Leat-Id: %s\r\n", id), "");
	say_post(c, "/v1/run/nap", "", "");
	say_post(c, "/v1/run/nap", "", "");
	await(stat_of(s, "nap", "waiting") == 2 && commands_of(id) == 1);
	return c;
}

START_TEST(http_a_client_that_closes_cancels_what_runs_and_what_waits)
{
	struct server *s = server_start(jobs);

	hang_up(three_naps(s, "closed-1"));
	await(commands_of("closed-1") == 0);
	expect_canceled(s, "nap", 3);
}
END_TEST

START_TEST(http_a_client_that_resets_cancels_what_runs_and_what_waits)
{
	struct server *s = server_start(jobs);

	reset(three_naps(s, "reset-1"));
	await(commands_of("reset-1") == 0);
	expect_canceled(s, "nap", 3);
}
END_TEST

START_TEST(http_half_a_close_is_a_close)
{
	struct server *s = server_start(jobs);
	struct client *c = three_naps(s, "half-1");

	end_saying(c);
	hear_end(c);
	expect_canceled(s, "nap", 3);
}
END_TEST

START_TEST(http_a_client_that_closes_with_a_full_pipeline_cancels)
{
	struct server *s = server_start("[server]\nmax_pipeline = 2\n[job nap]\nexec = /bin/sleep 60\ndeadline = 1m\n");
	struct client *c = dial(s);

	for (int i = 0; i < 5; i++)
		say_post(c, "/v1/run/nap", "", "");
	await(stat_of(s, "nap", "running") == 2);
	hang_up(c);
	expect_canceled(s, "nap", 2);
}
END_TEST

START_TEST(http_what_waits_of_a_client_that_left_frees_its_place)
{
	struct server *s = server_start(jobs);
	struct client *running = dial(s), *waiting[4], *next = dial(s);

	say(running, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (size_t i = 0; i < countof(waiting); i++)
		say_post(waiting[i] = dial(s), "/v1/run/sleep", "", "1");
	await(inside(s, "sleep") == 5);
	say(next, "RUN sleep 1\r\n");
	hear_match(next, "^-BUSY ");
	hang_up(waiting[0]);
	reset(waiting[1]);
	await(inside(s, "sleep") == 3);
	say(next, "RUN sleep 1\r\nRUN sleep 1\r\nRUN sleep 1\r\n");
	await(stat_of(s, "sleep", "refused") == 2);
	ck_assert_uint_eq(inside(s, "sleep"), 5);
	reset(running);
	hear(next, "$0\r\n\r\n$0\r\n\r\n");
	hear_match(next, "^-BUSY ");
	assert_response(hear_response(waiting[2]), 200, "");
}
END_TEST

START_TEST(line_a_client_that_resets_cancels_what_runs_and_what_waits)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RUN nap x ID line-1\r\nRUN nap x\r\nRUN nap x\r\n");
	await(stat_of(s, "nap", "waiting") == 2 && commands_of("line-1") == 1);
	reset(c);
	await(commands_of("line-1") == 0);
	expect_canceled(s, "nap", 3);
}
END_TEST

START_TEST(line_a_client_that_resets_with_a_full_pipeline_cancels)
{
	struct server *s = server_start("[server]\nmax_pipeline = 2\n[job nap]\nexec = /bin/sleep 60\ndeadline = 1m\n");
	struct client *c = dial(s);

	say(c, "RUN nap\r\nRUN nap\r\n");
	await(stat_of(s, "nap", "running") == 2);
	reset(c);
	expect_canceled(s, "nap", 2);
}
END_TEST

START_TEST(line_a_client_that_resets_after_it_has_ended_saying_cancels)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RUN sleep 60000\r\nRUN nap x ID ended-1\r\n");
	end_saying(c);
	await(stat_of(s, "sleep", "running") == 1 && commands_of("ended-1") == 1);
	reset(c);
	expect_canceled(s, "nap", 1);
	expect_canceled(s, "sleep", 1);
}
END_TEST

START_TEST(line_a_client_that_has_ended_saying_is_waited_for)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RUN sleep 200\r\nRUN sleep 1\r\nRUN nap x DEADLINE 300\r\n");
	end_saying(c);
	hear(c, "$0\r\n\r\n$0\r\n\r\n");
	hear_match(c, "^-TIMEOUT ");
	hear_end(c);
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), 2);
}
END_TEST

START_TEST(line_a_client_that_closed_is_found_out_by_the_first_answer)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RUN sleep 300\r\nRUN nap x ID gone-1\r\n");
	await(stat_of(s, "sleep", "running") == 1 && commands_of("gone-1") == 1);
	hang_up(c);
	await(inside(s, "sleep") == 0 && inside(s, "nap") == 0);
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), 1);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 1);
	ck_assert_uint_eq(commands_of("gone-1"), 0);
}
END_TEST

START_TEST(a_cancelled_command_that_ignores_sigterm_is_killed_within_its_grace)
{
	struct server *s = server_start("[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\ngrace = 200ms\n"
					"deadline = 10m\nmax_deadline = 10m\n");
	struct client *c = dial(s);

	say(c, "RUN stubborn x ID stubborn-3\r\n");
	await(commands_of("stubborn-3") >= 1);
	reset(c);
	expect_canceled(s, "stubborn", 1);
	ck_assert_uint_eq(commands_of("stubborn-3"), 0);
}
END_TEST

START_TEST(clients_that_come_and_go_leave_nothing_behind)
{
	struct server *s = server_start(jobs);
	struct base_line base = base_line_of(s);

	for (int i = 0; i < 100; i++) {
		struct client *line = dial(s), *http = dial(s), *silent = dial(s), *half = dial_unix(s);

		say(line, "RUN sleep 1\r\nRUN nap\r\n");
		say_post(http, "/v1/run/sleep", "", "60000");
		say(half, i % 2 ? "POST /v1/run/sleep HTTP/1.1\r\nHost: loc" : "*3\r\n$3\r\nRUN\r\n$5\r\nsl");
		reset(line);
		i % 2 ? hang_up(http) : reset(http);
		hang_up(silent);
		i % 3 ? hang_up(half) : reset(half);
	}
	await(inside(s, "sleep") == 0 && inside(s, "nap") == 0);
	await_base_line(s, base, 2);
	await(metric(s, "leat_connections") == 2);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

/* --- A thousand --- */

enum { MANY = 1000, OPEN_MOST = 100 };

static unsigned random_of(unsigned *seed, unsigned below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* Says one or more jobs, perhaps not to the end: of either kind, over either protocol. */
static void say_something(struct client *c, unsigned *seed)
{
	static const char *const jobs_said[] = {
		"RUN nap x\r\n", "RUN sleep 60000\r\n", "RUN stubborn x\r\n", "RUN sleep 1\r\n", "RUN nap x DEADLINE 50\r\n",
		"RUN nap x\r\nRUN sleep 60000\r\nPS\r\nRUN stubborn x\r\n", "RUN sleep 1\r\nRUN nap x\r\n",
		"*3\r\n$3\r\nRUN\r\n$5\r\nsleep\r\n$5\r\n60000\r\n",
		"POST /v1/run/nap HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx",
		"POST /v1/run/sleep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n60000",
		("POST /v1/run/stubborn HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
		 "POST /v1/run/sleep HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n60000\r\n0\r\n\r\n"),
		"POST /v1/run/sleep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1",
	};
	const char *text = jobs_said[random_of(seed, countof(jobs_said))];
	size_t len = strlen(text);

	say_bytes(c, text, random_of(seed, 8) == 0 ? random_of(seed, (unsigned)len) : len);
}

/* Submitted is what became of them. */
static void expect_balanced(struct server *s, const char *job)
{
	static const char *const ends[] = { "refused", "waiting", "running", "done", "failed", "timeout", "killed", "canceled" };
	uint64_t sum = 0;

	for (size_t i = 0; i < countof(ends); i++)
		sum += stat_of(s, job, ends[i]);
	ck_assert_uint_eq(stat_of(s, job, "submitted"), sum);
	ck_assert_uint_gt(stat_of(s, job, "canceled"), 0);
	ck_assert_uint_eq(stat_of(s, job, "failed"), 0);
	ck_assert_uint_eq(stat_of(s, job, "killed"), 0);
}

START_TEST(a_thousand_clients_that_reset_at_random_moments_leave_nothing_behind)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\nconcurrency = 8\nqueue = 30\ndeadline = 1m\n"
					"[job sleep]\nbuiltin = sleep\nconcurrency = 8\nqueue = 30\ndeadline = 1m\n"
					"[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; sleep 60 & sleep 60; wait\"\n"
					"concurrency = 4\nqueue = 30\ndeadline = 1m\ngrace = 100ms\n");
	static const char *const names[] = { "nap", "sleep", "stubborn" };
	struct base_line base = base_line_of(s);
	struct client *open[OPEN_MOST];
	struct client *c = dial(s);
	size_t count = 0;
	unsigned seed = 7;

	for (int begun = 0; begun < MANY || count > 0;) {
		if (begun < MANY && count < OPEN_MOST && random_of(&seed, 100) < 52) {
			open[count] = random_of(&seed, 5) ? dial(s) : dial_unix(s);
			say_something(open[count++], &seed);
			begun++;
		} else if (count > 0) {
			size_t i = random_of(&seed, (unsigned)count);

			reset(open[i]);
			open[i] = open[--count];
		}
	}
	for (size_t i = 0; i < countof(names); i++)
		await(inside(s, names[i]) == 0);
	ck_assert_uint_eq(processes_with("LEAT_JOB=nap") + processes_with("LEAT_JOB=stubborn"), 0);
	await(children_of(s->pid) == 0);
	for (size_t i = 0; i < countof(names); i++)
		expect_balanced(s, names[i]);
	say(c, "PS\r\n");
	hear(c, "*0\r\n");
	/* The places are there again, and jobs run. */
	for (int i = 0; i < 38; i++)
		say(c, "RUN sleep 1\r\n");
	for (int i = 0; i < 38; i++)
		hear(c, "$0\r\n\r\n");
	hang_up(c);
	await_base_line(s, base, 8 + 8 + 4);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_queue_full_of_the_abandoned_takes_new_jobs_at_once)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sh -c \"trap '' TERM; sleep 60 & wait; wait\"\n"
					"concurrency = 1\nqueue = 50\ndeadline = 1m\ngrace = 10s\n");
	struct client *runs = dial(s), *next = dial(s), *waiting[50];

	say(runs, "RUN nap x ID full-1\r\n");
	await(commands_of("full-1") >= 1);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 50; i++) {
			waiting[i] = dial(s);
			i % 2 ? say(waiting[i], "RUN nap x\r\n") : say_post(waiting[i], "/v1/run/nap", "", "");
		}
		await(stat_of(s, "nap", "waiting") == 50);
		say(next, "RUN nap x\r\n");
		hear_match(next, "^-BUSY ");
		for (int i = 0; i < 50; i++)
			reset(waiting[i]);
		/* While the runner is busy throughout. */
		await(stat_of(s, "nap", "waiting") == 0);
		ck_assert_uint_eq(stat_of(s, "nap", "running"), 1);
	}
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 200);
	ck_assert_uint_eq(stat_of(s, "nap", "refused"), 4);
	reset(runs);
}
END_TEST

Suite *hangup_suite(void)
{
	const TTest *tests[] = {
		http_a_client_that_closes_cancels_what_runs_and_what_waits,
		http_a_client_that_resets_cancels_what_runs_and_what_waits,
		http_half_a_close_is_a_close,
		http_a_client_that_closes_with_a_full_pipeline_cancels,
		http_what_waits_of_a_client_that_left_frees_its_place,
		line_a_client_that_resets_cancels_what_runs_and_what_waits,
		line_a_client_that_resets_with_a_full_pipeline_cancels,
		line_a_client_that_resets_after_it_has_ended_saying_cancels,
		line_a_client_that_has_ended_saying_is_waited_for,
		line_a_client_that_closed_is_found_out_by_the_first_answer,
		a_cancelled_command_that_ignores_sigterm_is_killed_within_its_grace,
		clients_that_come_and_go_leave_nothing_behind,
		a_thousand_clients_that_reset_at_random_moments_leave_nothing_behind,
		a_queue_full_of_the_abandoned_takes_new_jobs_at_once,
	};
	return wire_suite("hangup", tests, countof(tests));
}
