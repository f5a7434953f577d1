/* A paused type: it refuses, what waits stays, what runs goes on. */
#include "wire.h"

#include <signal.h>

static const char jobs[] =
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 2\n"
	"queue = 8\n"
	"deadline = 1m\n"
	"[job nap]\n"
	"exec = /bin/sleep 60\n"
	"concurrency = 2\n"
	"queue = 8\n"
	"deadline = 1m\n"
	"[job echo]\n"
	"builtin = echo\n";

#define HOST "Host: localhost\r\n"

static void steer(struct server *s, const char *command)
{
	struct client *c = dial(s);

	sayf(c, "%s\r\n", command);
	hear(c, "+OK\r\n");
	hang_up(c);
}

/* Two run, r1 and r2, and three wait on this connection, the last of them not for long, and the type is paused. */
static struct client *paused_with_five(struct server *s)
{
	struct client *c = dial(s);

	say(c, "RUN sleep 60000 ID r1\r\nRUN sleep 60000 ID r2\r\n");
	await(stat_of(s, "sleep", "running") == 2);
	say(c, "RUN sleep 1\r\nRUN sleep 2\r\nRUN sleep 3 DEADLINE 500\r\n");
	await(stat_of(s, "sleep", "submitted") == 5);
	steer(s, "PAUSE sleep");
	return c;
}

static void end_running(struct server *s, struct client *c)
{
	struct client *operator = dial(s);

	ck_assert_uint_eq(stat_of(s, "sleep", "running"), 2);
	say(operator, "CANCEL r1\r\nCANCEL r2\r\n");
	hear(operator, ":1\r\n:1\r\n");
	hear_match(c, "^-CANCELED ");
	hear_match(c, "^-CANCELED ");
	hang_up(operator);
}

START_TEST(what_runs_goes_on_and_what_waits_stays_until_the_type_goes_on)
{
	struct server *s = server_start(jobs);
	struct client *c = paused_with_five(s), *other = dial(s);

	end_running(s, c);
	say(other, "RUN sleep 1\r\nRUN echo x\r\n");
	hear_match(other, "^-BUSY paused by the operator reason=paused retry_ms=[0-9]+$");
	hear(other, "$1\r\nx\r\n");
	assert_problem(post(s, "/v1/run/sleep", "1"), 503, "BUSY");
	/* Its deadline goes on while it waits. */
	await(stat_of(s, "sleep", "timeout") == 1);
	ck_assert_uint_eq(stat_of(s, "sleep", "running"), 0);
	ck_assert_uint_eq(stat_of(s, "sleep", "waiting"), 2);
	ck_assert_uint_eq(stat_of(s, "sleep", "refused_paused"), 2);
	ck_assert(!can_hear(c));
	steer(s, "RESUME sleep");
	hear(c, "$0\r\n\r\n$0\r\n\r\n");
	hear_match(c, "^-TIMEOUT out of time while waiting, after [0-9]+ ms state=waiting after_ms=[0-9]+$");
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), 2);
	say(other, "RUN sleep 1\r\n");
	hear(other, "$0\r\n\r\n");
}
END_TEST

START_TEST(what_waits_in_a_pause_can_be_cancelled_and_abandoned)
{
	struct server *s = server_start(jobs);
	struct base_line base = base_line_of(s);
	struct client *c[6];

	say(c[0] = dial(s), "RUN sleep 60000 ID runs\r\nRUN sleep 60000 ID runs-too\r\n");
	await(stat_of(s, "sleep", "running") == 2);
	for (int i = 1; i < 6; i++)
		sayf(c[i] = dial(s), "RUN sleep 60000 ID waits-%d\r\n", i);
	await(stat_of(s, "sleep", "waiting") == 5);
	steer(s, "PAUSE sleep");
	/* The runners take two more out of the channel, and stand at the gate with them. */
	steer(s, "PAUSE sleep");
	reset(c[0]);
	await(stat_of(s, "sleep", "running") == 0);
	say(c[0] = dial(s), "CANCEL waits-1\r\nCANCEL waits-3\r\n");
	hear(c[0], ":1\r\n:1\r\n");
	hear_match(c[1], "^-CANCELED cancelled while waiting ");
	hear_match(c[3], "^-CANCELED cancelled while waiting ");
	reset(c[2]);
	reset(c[5]);
	await(stat_of(s, "sleep", "waiting") == 1);
	say(c[0], "CANCEL waits-4\r\n");
	hear(c[0], ":1\r\n");
	hear_match(c[4], "^-CANCELED ");
	ck_assert_uint_eq(stat_of(s, "sleep", "waiting"), 0);
	for (int i = 0; i < 6; i++)
		hang_up(c[i]);
	/* Nobody holds them any more, though the pause has not ended. */
	await(metric(s, "leat_memory_bytes") == 0);
	await_base_line(s, base, 2);
	ck_assert_uint_eq(stat_of(s, "sleep", "canceled"), 7);
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), 7);
	steer(s, "RESUME sleep");
}
END_TEST

START_TEST(a_pause_is_shown)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	ck_assert_uint_eq(metric(s, "leat_jobs_paused{job=\"sleep\"}"), 0);
	say(c, "PAUSE sleep\r\nJOBS\r\n");
	hear(c, "+OK\r\n");
	assert_match(hear_reply(c), "sleep\r\n.*\\$6\r\npaused\r\n:1\r\n");
	ck_assert_uint_eq(metric(s, "leat_jobs_paused{job=\"sleep\"}"), 1);
	ck_assert_uint_eq(metric(s, "leat_jobs_paused{job=\"echo\"}"), 0);
	assert_match(get(s, "/v1/jobs")->body, "\"job\":\"sleep\",[^{}]*\"paused\":1,");
	await(server_logged(s, "msg=paused job=sleep"));
	steer(s, "RESUME sleep");
	assert_match(get(s, "/v1/jobs")->body, "\"job\":\"sleep\",[^{}]*\"paused\":0,");
	await(server_logged(s, "msg=resumed job=sleep"));
}
END_TEST

START_TEST(it_is_steered_over_http_as_well)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const struct response *r;

	say(c, "POST /v1/jobs/echo/pause HTTP/1.1\r\n" HOST "\r\n");
	r = hear_head(c);
	ck_assert_int_eq(r->status, 204);
	ck_assert_ptr_null(header(r, "Content-Length"));
	say_post(c, "/v1/run/echo", "", "x");
	r = hear_response(c);
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"paused\"");
	ck_assert(header(r, "Retry-After") != NULL);
	say_post(c, "/v1/jobs/echo/resume", "", "");
	ck_assert_int_eq(hear_head(c)->status, 204);
	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
	assert_problem(post(s, "/v1/jobs/ech/pause", ""), 404, "NOJOB");
	assert_problem(post(s, "/v1/jobs/echo/stop", ""), 404, "ERR");
	r = get(s, "/v1/jobs/echo/pause");
	assert_problem(r, 405, "ERR");
	ck_assert_str_eq(header(r, "Allow"), "POST, OPTIONS");
	say(c, "POST /v1/jobs/echo/pause HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n");
	assert_problem(hear_response(c), 403, "NOAUTH");
	ck_assert_uint_eq(metric(s, "leat_jobs_paused{job=\"echo\"}"), 0);
}
END_TEST

START_TEST(again_and_unknown_are_answered)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RESUME echo\r\nPAUSE echo\r\nPAUSE echo\r\nRUN echo x\r\nRESUME echo\r\nRUN echo x\r\nPAUSE ech\r\nRESUME nope\r\nPAUSE\r\n");
	hear(c, "+OK\r\n+OK\r\n+OK\r\n");
	hear_match(c, "^-BUSY ");
	hear(c, "+OK\r\n$1\r\nx\r\n");
	hear_match(c, "^-NOJOB no such job job=ech nearest=echo$");
	hear_match(c, "^-NOJOB ");
	hear_match(c, "^-ERR wrong number of arguments: PAUSE job");
}
END_TEST

START_TEST(a_storm_of_pauses_loses_no_job)
{
	struct server *s = server_start("[job echo]\nbuiltin = echo\nconcurrency = 4\nqueue = 1000\ndeadline = 1m\n");
	struct client *c[8];

	for (int i = 0; i < 8; i++)
		c[i] = dial(s);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 8; i++)
			say(c[i], i == round % 8 ? "PAUSE echo\r\nRUN echo a\r\nRESUME echo\r\n" : "RUN echo a\r\nRUN echo b\r\n");
	}
	steer(s, "RESUME echo");
	for (int i = 0; i < 8; i++)
		end_saying(c[i]);
	for (int i = 0; i < 8; i++)
		hear_rest(c[i], &(size_t){ 0 });
	/* The last word of them all need not have been a RESUME. */
	steer(s, "RESUME echo");
	await(inside(s, "echo") == 0);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 100 * (7 * 2 + 1));
	ck_assert_uint_eq(stat_of(s, "echo", "done") + stat_of(s, "echo", "refused_paused"), 100 * (7 * 2 + 1));
}
END_TEST

START_TEST(what_waits_in_a_pause_is_cancelled_when_the_drain_has_taken_too_long)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 700ms\n%s", jobs));
	struct client *c = dial(s), *waiting = dial(s);

	say(c, "RUN sleep 60000\r\nRUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 2);
	say(waiting, "RUN sleep 1 DEADLINE 100ms\r\nRUN sleep 1\r\nRUN sleep 1\r\n");
	steer(s, "PAUSE sleep");
	reset(c);
	await(stat_of(s, "sleep", "running") == 0);
	kill(s->pid, SIGTERM);
	hear_match(waiting, "^-(TIMEOUT|BUSY) ");
	hear_match(waiting, "^-(CANCELED cancelled while waiting|BUSY) ");
	hear_match(waiting, "^-(CANCELED cancelled while waiting|BUSY) ");
	hear_end(waiting);
	server_wait(s);
}
END_TEST

START_TEST(a_type_that_goes_on_while_draining_finishes_what_waits)
{
	struct server *s = server_start(jobs);
	struct client *c = paused_with_five(s), *operator = dial(s);

	say(operator, "PING\r\n");
	hear(operator, "+PONG\r\n");
	kill(s->pid, SIGTERM);
	await(server_logged(s, "msg=draining"));
	end_running(s, c);
	say(operator, "RESUME sleep\r\n");
	hear(operator, "+OK\r\n");
	hear(c, "$0\r\n\r\n$0\r\n\r\n");
	hear_match(c, "^(\\$0|-TIMEOUT .*)$");
	server_wait(s);
}
END_TEST

START_TEST(leatd_stops_with_a_paused_type_that_is_empty)
{
	struct server *s = server_start(jobs);

	steer(s, "PAUSE echo");
	kill(s->pid, SIGTERM);
	server_wait(s);
}
END_TEST

Suite *pause_suite(void)
{
	const TTest *tests[] = {
		what_runs_goes_on_and_what_waits_stays_until_the_type_goes_on,
		what_waits_in_a_pause_can_be_cancelled_and_abandoned,
		a_pause_is_shown,
		it_is_steered_over_http_as_well,
		again_and_unknown_are_answered,
		a_storm_of_pauses_loses_no_job,
		what_waits_in_a_pause_is_cancelled_when_the_drain_has_taken_too_long,
		a_type_that_goes_on_while_draining_finishes_what_waits,
		leatd_stops_with_a_paused_type_that_is_empty,
	};
	return wire_suite("pause", tests, countof(tests));
}
