/* SIGTERM: what was accepted is finished, what comes is refused, and leatd ends 0. */
#include "wire.h"

#include <signal.h>

#define HOST "Host: localhost\r\n"

static const char jobs[] =
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 1\n"
	"queue = 10\n"
	"deadline = 1m\n"
	"[job echo]\n"
	"builtin = echo\n"
	"[job nap]\n"
	"exec = /bin/sleep 60\n"
	"deadline = 1m\n";

/* Sends the signal and waits until it is seen. */
static void begin_drain(struct server *s, int signal)
{
	kill(s->pid, signal);
	await(server_logged(s, "msg=draining"));
}

START_TEST(what_runs_and_what_waits_is_answered)
{
	struct server *s = server_start(jobs);
	struct client *running = dial(s), *waiting = dial(s), *idle = dial(s);

	say(running, "RUN sleep 500\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say_post(waiting, "/v1/run/sleep", "", "200");
	await(stat_of(s, "sleep", "waiting") == 1);
	begin_drain(s, SIGTERM);
	hear(running, "$0\r\n\r\n");
	assert_response(hear_response(waiting), 200, "");
	hear_end(running);
	hear_end(waiting);
	hear_end(idle);
	server_wait(s);
}
END_TEST

START_TEST(new_jobs_are_refused_on_open_and_on_new_connections)
{
	struct server *s = server_start(jobs);
	struct client *running = dial(s), *line = dial(s), *http = dial(s);
	const struct response *r;

	say(running, "RUN sleep 60000\r\n");
	say(line, "PING\r\n");
	hear(line, "+PONG\r\n");
	say(http, "GET /readyz HTTP/1.1\r\n" HOST "\r\n");
	assert_response(hear_response(http), 200, "ok\n");
	await(stat_of(s, "sleep", "running") == 1);
	begin_drain(s, SIGTERM);
	say(line, "RUN echo x\r\nPING\r\n");
	hear_match(line, "^-DRAINING .* reason=draining retry_ms=[0-9]+$");
	hear(line, "+PONG\r\n");
	say(http, "GET /readyz HTTP/1.1\r\n" HOST "\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
	assert_problem(hear_response(http), 503, "DRAINING");
	assert_response(hear_response(http), 200, "ok\n");
	say_post(http, "/v1/run/echo", "", "x");
	assert_problem(hear_response(http), 503, "DRAINING");
	line = dial(s);
	say(line, "RUN echo x\r\n");
	hear_match(line, "^-DRAINING ");
	r = post(s, "/v1/run/echo", "x");
	assert_problem(r, 503, "DRAINING");
	assert_match(header(r, "Retry-After"), "^[1-9][0-9]*$");
	assert_problem(get(s, "/readyz"), 503, "DRAINING");
	ck_assert_uint_eq(stat_of(s, "echo", "refused_draining"), 4);
	reset(running);
	server_wait(s);
}
END_TEST

START_TEST(what_takes_longer_than_drain_timeout_is_cancelled)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 300ms\n%s", jobs));
	struct client *line = dial(s), *http = dial(s), *waiting = dial(s);

	say(line, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(waiting, "RUN sleep 60000\r\n");
	say_post(http, "/v1/run/nap", "Leat-Id: drained-1\r\n", "");
	await(stat_of(s, "sleep", "waiting") == 1 && commands_of("drained-1") == 1);
	begin_drain(s, SIGTERM);
	hear_match(line, "^-CANCELED .* state=running ");
	/* The runner that the other one left may have taken it up just before its turn to be cancelled came. */
	hear_match(waiting, "^-CANCELED .* state=waiting ");
	assert_problem(hear_response(http), 499, "CANCELED");
	server_wait(s);
	ck_assert_uint_eq(commands_of("drained-1"), 0);
}
END_TEST

START_TEST(a_second_signal_hurries)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 1h\n%s", jobs));
	struct client *c = dial(s);

	say(c, "RUN sleep 60000\r\nRUN nap x ID hurried-1\r\n");
	await(stat_of(s, "sleep", "running") == 1 && commands_of("hurried-1") == 1);
	begin_drain(s, SIGINT);
	ck_assert(!can_hear(c));
	kill(s->pid, SIGTERM);
	hear_match(c, "^-CANCELED ");
	hear_match(c, "^-CANCELED ");
	server_wait(s);
	ck_assert_uint_eq(commands_of("hurried-1"), 0);
}
END_TEST

START_TEST(a_command_that_ignores_sigterm_does_not_keep_leatd)
{
	struct server *s = server_start("[server]\ndrain_timeout = 0\n"
					"[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\ndeadline = 1m\n");
	struct client *c = dial(s);

	say(c, "RUN stubborn x ID stubborn-4\r\n");
	await(commands_of("stubborn-4") >= 1);
	kill(s->pid, SIGTERM);
	hear_match(c, "^-CANCELED ");
	server_wait(s);
	ck_assert_uint_eq(commands_of("stubborn-4"), 0);
}
END_TEST

START_TEST(a_client_that_does_not_read_does_not_keep_leatd)
{
	struct server *s = server_start("[server]\ndrain_timeout = 500ms\n"
					"[job zero]\nexec = head -c 60000000 /dev/zero\nmax_output = 100M\ndeadline = 1m\n");
	struct client *c = dial(s);

	say(c, "RUN zero\r\n");
	await(stat_of(s, "zero", "done") == 1);
	begin_drain(s, SIGTERM);
	server_wait(s);
}
END_TEST

START_TEST(a_client_that_has_quit_and_does_not_close_does_not_keep_leatd)
{
	struct server *s = server_start("[server]\ndrain_timeout = 1h\n[job echo]\nbuiltin = echo\n");
	struct client *line = dial(s), *http = dial(s), *bad = dial(s), *silent = dial(s);

	say(line, "QUIT\r\n");
	hear(line, "+OK\r\n");
	hear_end(line);
	say(http, "GET /healthz HTTP/1.0\r\n\r\n");
	assert_response(hear_response(http), 200, "ok\n");
	hear_end(http);
	say(bad, "*x\r\n");
	hear_match(bad, "^-ERR ");
	hear_end(bad);
	begin_drain(s, SIGTERM);
	server_wait(s);
	hear_end(silent);
}
END_TEST

/* Asked for by a client, once and again. */
static void ask_for_drain(struct server *s)
{
	struct client *c = dial(s);

	say(c, "DRAIN\r\n");
	hear(c, "+OK\r\n");
	await(server_logged(s, "msg=draining"));
	say(c, "DRAIN\r\nPOST /v1/drain\r\n");
	hear(c, "+OK\r\n");
	hear_match(c, "^-ERR ");
	c = dial(s);
	say_post(c, "/v1/drain", "", "");
	ck_assert_int_eq(hear_head(c)->status, 204);
}

START_TEST(a_client_may_ask_for_it_and_asking_again_does_not_hurry)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 1h\n%s", jobs));
	struct client *c = dial(s);

	say(c, "RUN sleep 3000\r\nRUN sleep 1\r\n");
	await(stat_of(s, "sleep", "running") == 1 && stat_of(s, "sleep", "waiting") == 1);
	ask_for_drain(s);
	assert_problem(get(s, "/readyz"), 503, "DRAINING");
	hear(c, "$0\r\n\r\n$0\r\n\r\n");
	server_wait(s);
}
END_TEST

START_TEST(a_signal_hurries_a_drain_that_a_client_asked_for)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 1h\n%s", jobs));
	struct client *c = dial(s);

	say(c, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	ask_for_drain(s);
	ck_assert(!can_hear(c));
	kill(s->pid, SIGTERM);
	hear_match(c, "^-CANCELED ");
	server_wait(s);
}
END_TEST

START_TEST(a_page_from_elsewhere_may_not_ask_for_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	assert_problem(get(s, "/v1/drain"), 405, "ERR");
	say_post(c, "/v1/drain", "Origin: http://evil.example\r\n", "");
	assert_problem(hear_response(c), 403, "NOAUTH");
	assert_response(get(s, "/readyz"), 200, "ok\n");
}
END_TEST

START_TEST(under_load_no_answer_is_cut_and_every_request_is_answered)
{
	enum { CLIENTS = 16, REQUESTS = 100 };
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 50\nqueue = 10000\ndeadline = 1m\n"
					"[job echo]\nbuiltin = echo\nqueue = 10000\n");
	struct client *last = dial(s), *clients[CLIENTS];
	int refused = 0;

	/* As long as this one runs, leatd is there. */
	say(last, "RUN sleep 60000\r\n");
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = dial(s);
		for (int j = 0; j < REQUESTS / 2; j++)
			say(clients[i], "RUN sleep 20\r\nRUN echo abc\r\n");
		if (i == CLIENTS / 2) {
			await(stat_of(s, "sleep", "submitted") + stat_of(s, "echo", "submitted") == 1 + (i + 1) * REQUESTS);
			begin_drain(s, SIGTERM);
		}
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		for (int j = 0; j < REQUESTS; j++) {
			const char *reply = hear_reply(clients[i]);

			refused += *reply == '-';
			ck_assert_msg(strcmp(reply, j % 2 ? "$3\r\nabc\r\n" : "$0\r\n\r\n") == 0 || strncmp(reply, "-DRAINING ", 10) == 0,
				      "%s", reply);
		}
	}
	ck_assert_int_eq(refused, (CLIENTS / 2 - 1) * REQUESTS);
	reset(last);
	for (size_t i = 0; i < CLIENTS; i++)
		hear_end(clients[i]);
	server_wait(s);
}
END_TEST

Suite *drain_suite(void)
{
	const TTest *tests[] = {
		what_runs_and_what_waits_is_answered,
		new_jobs_are_refused_on_open_and_on_new_connections,
		what_takes_longer_than_drain_timeout_is_cancelled,
		a_second_signal_hurries,
		a_client_may_ask_for_it_and_asking_again_does_not_hurry,
		a_signal_hurries_a_drain_that_a_client_asked_for,
		a_page_from_elsewhere_may_not_ask_for_it,
		a_command_that_ignores_sigterm_does_not_keep_leatd,
		a_client_that_does_not_read_does_not_keep_leatd,
		a_client_that_has_quit_and_does_not_close_does_not_keep_leatd,
		under_load_no_answer_is_cut_and_every_request_is_answered,
	};
	return wire_suite("drain", tests, countof(tests));
}
