/* Limits of connections: how many, and how long they may take. */
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>

#define HOST "Host: localhost\r\n"

START_TEST(the_one_connection_too_many_is_told_so_in_its_protocol)
{
	struct server *s = server_start("[server]\nmax_connections = 2\n[job echo]\nbuiltin = echo\n");
	struct client *a = dial(s), *b = dial(s), *line, *http;
	const struct response *r;

	say(a, "PING\r\n");
	hear(a, "+PONG\r\n");
	say(b, "PING\r\n");
	hear(b, "+PONG\r\n");
	line = dial(s);
	say(line, "RUN echo x\r\n");
	hear_match(line, "^-BUSY .* reason=connections retry_ms=[0-9]+$");
	hear_end(line);
	http = dial(s);
	say_post(http, "/v1/run/echo", "", "x");
	r = hear_response(http);
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"connections\"");
	ck_assert_str_eq(header(r, "Connection"), "close");
	ck_assert_ptr_nonnull(header(r, "Retry-After"));
	hear_end(http);
	say(a, "RUN echo x\r\n");
	hear(a, "$1\r\nx\r\n");
}
END_TEST

/* A connection that has a place; NULL: there was none. */
static struct client *let_in(struct server *s)
{
	struct client *c = dial(s);

	say(c, "PING\r\n");
	if (*hear_match(c, "^(.PONG|-BUSY .*)$") == '+')
		return c;
	hang_up(c);
	return NULL;
}

static bool is_let_in(struct server *s)
{
	struct client *c = let_in(s);

	if (c)
		hang_up(c);
	return c != NULL;
}

START_TEST(when_a_connection_closes_the_next_is_let_in)
{
	struct server *s = server_start("[server]\nmax_connections = 1\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);

	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
	ck_assert(!is_let_in(s));
	hang_up(c);
	await(is_let_in(s));
}
END_TEST

/* Another client than those of dial(), as long as these are of 127.0.0.1. */
static uint64_t turned_away(struct server *s)
{
	struct client *c = dial_unix(s);
	const char *at;
	uint64_t n;

	say(c, "INFO stats\r\n");
	at = strstr(hear_reply(c), "rejected_connections:");
	ck_assert_ptr_nonnull(at);
	n = strtoull(strchr(at, ':') + 1, NULL, 10);
	hang_up(c);
	return n;
}

START_TEST(a_client_that_has_all_its_connections_is_told_so_and_others_are_let_in)
{
	struct server *s = server_start("[server]\nclient_connections = 2\n[job echo]\nbuiltin = echo\n");
	struct client *a = dial(s), *b = dial(s), *line, *http, *other;
	const struct response *r;

	say(a, "PING\r\n");
	hear(a, "+PONG\r\n");
	say(b, "PING\r\n");
	hear(b, "+PONG\r\n");
	line = dial(s);
	say(line, "RUN echo x\r\n");
	hear_match(line, "^-BUSY too many connections of this client reason=connections retry_ms=[0-9]+$");
	hear_end(line);
	http = dial(s);
	say_post(http, "/v1/run/echo", "", "x");
	r = hear_response(http);
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"connections\"");
	ck_assert_ptr_nonnull(header(r, "Retry-After"));
	hear_end(http);
	other = dial_unix(s);
	say(other, "RUN echo x\r\n");
	hear(other, "$1\r\nx\r\n");
	say(a, "RUN echo x\r\n");
	hear(a, "$1\r\nx\r\n");
	ck_assert_uint_eq(turned_away(s), 2);
}
END_TEST

START_TEST(when_a_connection_of_a_client_closes_its_next_is_let_in)
{
	struct server *s = server_start("[server]\nclient_connections = 1\n[job echo]\nbuiltin = echo\n");

	for (int i = 0; i < 50; i++) {
		struct client *c;

		await((c = let_in(s)));
		ck_assert(!is_let_in(s));
		i % 2 ? reset(c) : hang_up(c);
	}
}
END_TEST

START_TEST(those_who_are_too_many_and_silent_are_few_and_do_not_stay)
{
	struct server *s = server_start("[server]\nclient_connections = 2\nheader_timeout = 300ms\n[job echo]\nbuiltin = echo\n");
	struct client *many[200], *other = dial_unix(s);

	for (size_t i = 0; i < countof(many); i++) {
		many[i] = dial(s);
		if (i < 2) {
			say(many[i], "PING\r\n");
			hear(many[i], "+PONG\r\n");
		}
	}
	/* Most of them at once, and those that might have been told why they go, when their time is over. */
	for (size_t i = 2; i < countof(many); i++)
		hear_end(many[i]);
	ck_assert_uint_eq(turned_away(s), 198);
	say(other, "RUN echo x\r\n");
	hear(other, "$1\r\nx\r\n");
	say(many[0], "PING\r\n");
	say(many[1], "PING\r\n");
	hear(many[0], "+PONG\r\n");
	hear(many[1], "+PONG\r\n");
}
END_TEST

static const char hurried[] =
	"[server]\n"
	"header_timeout = 300ms\n"
	"body_timeout = 300ms\n"
	"[job echo]\n"
	"builtin = echo\n"
	"[job sleep]\n"
	"builtin = sleep\n";

START_TEST(half_a_request_is_answered_when_its_time_is_over)
{
	static const char *const line[] = { "RUN echo x", "PING\r\nRUN echo", "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$100\r\nxxx", "*2\r\n$4\r\nPI" };
	static const char *const http[] = {
		"GET /healthz HTTP/1.1\r\nHost: local", "GET /", "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc",
		"POST /v1/run/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
	};
	struct server *s = server_start(hurried);
	struct client *clients[countof(line) + countof(http)];

	for (size_t i = 0; i < countof(clients); i++)
		say(clients[i] = dial(s), i < countof(line) ? line[i] : http[i - countof(line)]);
	for (size_t i = 0; i < countof(clients); i++) {
		if (i == 1)
			hear(clients[i], "+PONG\r\n");
		if (i < countof(line))
			hear_match(clients[i], "^-ERR .*time");
		else
			assert_problem(hear_response(clients[i]), 408, "ERR");
		hear_end(clients[i]);
	}
}
END_TEST

START_TEST(a_request_that_drips_in_is_cut_off_all_the_same)
{
	struct server *s = server_start(hurried);
	struct client *http = dial(s), *line = dial(s), *body = dial(s);

	say(http, "GET /healthz HTTP/1.1\r\n" HOST "X: ");
	say(line, "RUN echo ");
	say(body, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
	wait_until((say(http, "x"), say(line, "x"), say(body, "x"), can_hear(http) && can_hear(line) && can_hear(body)), SOON);
	assert_problem(hear_response(http), 408, "ERR");
	hear_match(line, "^-ERR .*time");
	assert_problem(hear_response(body), 408, "ERR");
}
END_TEST

START_TEST(a_payload_over_its_limit_has_its_time_too)
{
	struct server *s = server_start(hurried);
	struct client *line = dial(s), *http = dial(s), *drips = dial(s);

	say(line, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$2000000\r\nxxx");
	say(http, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\nxxx");
	say(drips, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$2000000\r\nxxx");
	hear_match(line, "^-ERR .*time");
	hear_end(line);
	assert_problem(hear_response(http), 408, "ERR");
	hear_end(http);
	wait_until((say(drips, "x"), can_hear(drips)), SOON);
	hear_match(drips, "^-ERR .*time");
}
END_TEST

START_TEST(too_few_bytes_to_know_the_protocol_are_cut_off_without_a_word)
{
	struct client *c = dial(server_start(hurried));

	say(c, "PO");
	hear_end(c);
}
END_TEST

/* So much time goes by. */
static void let_pass(struct server *s, const char *milliseconds)
{
	struct client *c = dial(s);

	say(c, scratchf("RUN sleep %s\r\n", milliseconds));
	hear(c, "$0\r\n\r\n");
	hang_up(c);
}

static const char at_a_rate[] = "[server]\nmin_rate = %s\nmin_rate_after = 300ms\nwrite_timeout = 300ms\nmax_memory = 1G\n"
	"[job echo]\nbuiltin = echo\n[job sleep]\nbuiltin = sleep\npredict = no\n"
	"[job zero]\nexec = head -c 60000000 /dev/zero\nmax_output = 100M\ndeadline = 1m\n";

START_TEST(a_body_that_comes_too_slowly_is_cut_off_long_before_its_time)
{
	struct server *s = server_start(scratchf(at_a_rate, "1G"));
	struct client *line = dial(s), *http = dial(s), *chunked = dial(s), *too_big = dial(s);

	say(line, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$1000000\r\n");
	say(http, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
	say(chunked, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nf0000\r\n");
	say(too_big, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 20000000\r\n\r\n");
	await((say(line, "x"), say(http, "x"), say(chunked, "x"), say(too_big, "x"),
	       can_hear(line) && can_hear(http) && can_hear(chunked) && can_hear(too_big)));
	hear_match(line, "^-ERR .*time");
	hear_end(line);
	assert_problem(hear_response(http), 408, "ERR");
	hear_end(http);
	assert_problem(hear_response(chunked), 408, "ERR");
	assert_problem(hear_response(too_big), 408, "ERR");
}
END_TEST

START_TEST(a_body_that_keeps_the_rate_has_its_time)
{
	struct server *s = server_start(scratchf(at_a_rate, "100"));
	struct client *line = dial(s), *http = dial(s);
	static char half[1000];

	memset(half, 'x', sizeof(half));
	say(line, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$2000\r\n");
	say_bytes(line, half, sizeof(half));
	say(http, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 2000\r\n\r\n");
	say_bytes(http, half, sizeof(half));
	let_pass(s, "800");
	say_bytes(line, half, sizeof(half));
	say(line, "\r\n");
	hear(line, "$2000\r\n");
	say_bytes(http, half, sizeof(half));
	ck_assert_int_eq(hear_response(http)->status, 200);
}
END_TEST

/* Reads a little; false when the server has closed. */
static bool sip(struct client *c)
{
	char room[2000];
	ssize_t n = recv(c->fd, room, sizeof(room), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

START_TEST(who_reads_the_answer_too_slowly_is_cut_off)
{
	struct server *s = server_start(scratchf(at_a_rate, "1G"));
	struct client *line = dial(s), *http = dial(s);

	say(line, "RUN zero\r\n");
	say_post(http, "/v1/run/zero", "", "");
	await(stat_of(s, "zero", "done") == 2);
	/* They make progress all the time. */
	await((sip(line), sip(http), metric(s, "leat_connections") == 2));
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_late_request_keeps_its_place_behind_those_that_run)
{
	struct client *c = dial(server_start(hurried));

	say(c, "RUN sleep 700\r\nRUN echo x\r\nRUN echo");
	hear(c, "$0\r\n\r\n$1\r\nx\r\n");
	hear_match(c, "^-ERR .*time");
	hear_end(c);
}
END_TEST

START_TEST(who_says_nothing_is_idle_and_who_waits_for_an_answer_is_not)
{
	struct server *s = server_start("[server]\nidle_timeout = 300ms\n[job sleep]\nbuiltin = sleep\n");
	struct client *silent = dial(s), *line = dial(s), *http = dial(s);

	say(line, "RUN sleep 1000\r\n");
	say_post(http, "/v1/run/sleep", "", "1000");
	hear_end(silent);
	hear(line, "$0\r\n\r\n");
	assert_response(hear_response(http), 200, "");
	hear_end(line);
	hear_end(http);
}
END_TEST

START_TEST(who_does_not_read_the_answer_is_cut_off)
{
	struct server *s = server_start("[server]\nwrite_timeout = 300ms\n"
					"[job zero]\nexec = head -c 60000000 /dev/zero\nmax_output = 100M\ndeadline = 1m\n");
	struct client *c = dial(s);
	size_t len;

	say(c, "RUN zero\r\n");
	await(stat_of(s, "zero", "done") == 1);
	await(metric(s, "leat_connections") == 2);
	hear_rest(c, &len);
	ck_assert_uint_lt(len, 60000000);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_client_may_leave_in_the_middle_of_an_answer)
{
	struct server *s = server_start("[job zero]\nexec = head -c 30000000 /dev/zero\nmax_output = 100M\ndeadline = 1m\n");

	for (int i = 0; i < 4; i++) {
		struct client *c = dial(s);

		say(c, "RUN zero\r\n");
		hear(c, "$30000000\r\n");
		i % 2 ? reset(c) : hang_up(c);
	}
	await(metric(s, "leat_connections") == 1);
	await(metric(s, "leat_memory_bytes") == 0);
	ck_assert_uint_eq(stat_of(s, "zero", "done"), 4);
}
END_TEST

START_TEST(without_descriptors_the_old_connections_go_on_and_the_new_ones_come_in_later)
{
	struct server *s = server_launch(&(struct launch){
		.config = "[job echo]\nbuiltin = echo\n[job cat]\nexec = cat\n", .shell = "ulimit -n 64; exec \"$@\"" });
	struct client *old = dial(s), *many[100];

	say(old, "RUN cat a\r\n");
	hear(old, "$1\r\na\r\n");
	for (size_t i = 0; i < countof(many); i++)
		say(many[i] = dial(s), "RUN echo x\r\n");
	await(server_logged(s, "cannot accept"));
	say(old, "RUN echo b\r\nRUN cat c\r\n");
	hear(old, "$1\r\nb\r\n");
	hear_match(old, "^-FAILED cannot be started: .*Too many open files");
	for (size_t i = 0; i < countof(many); i++) {
		hear(many[i], "$1\r\nx\r\n");
		hang_up(many[i]);
	}
	await((say(old, "RUN cat d\r\n"), strcmp(hear_reply(old), "$1\r\nd\r\n") == 0));
}
END_TEST

Suite *limits_suite(void)
{
	const TTest *tests[] = {
		the_one_connection_too_many_is_told_so_in_its_protocol,
		when_a_connection_closes_the_next_is_let_in,
		a_client_that_has_all_its_connections_is_told_so_and_others_are_let_in,
		when_a_connection_of_a_client_closes_its_next_is_let_in,
		those_who_are_too_many_and_silent_are_few_and_do_not_stay,
		half_a_request_is_answered_when_its_time_is_over,
		a_request_that_drips_in_is_cut_off_all_the_same,
		a_payload_over_its_limit_has_its_time_too,
		too_few_bytes_to_know_the_protocol_are_cut_off_without_a_word,
		a_body_that_comes_too_slowly_is_cut_off_long_before_its_time,
		a_body_that_keeps_the_rate_has_its_time,
		who_reads_the_answer_too_slowly_is_cut_off,
		a_late_request_keeps_its_place_behind_those_that_run,
		who_says_nothing_is_idle_and_who_waits_for_an_answer_is_not,
		who_does_not_read_the_answer_is_cut_off,
		a_client_may_leave_in_the_middle_of_an_answer,
		without_descriptors_the_old_connections_go_on_and_the_new_ones_come_in_later,
	};
	return wire_suite("limits", tests, countof(tests));
}
