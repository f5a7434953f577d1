/* max_memory holds under load that means harm: resident memory stays within it and 64 MiB, every answer is a result or a known code,
 * and afterwards all of it is given back. */
#include "wire.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BUDGET (32 << 20)
#define BESIDE (64 << 20)

#define SERVER "[server]\nmax_memory = 32M\n"

/* Of clients at a time. Under a sanitizer everything costs several times as much. */
enum { MANY = IS_SANITIZED ? 200 : 1000 };

/* All these clients are descriptors of ours too. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_uint_gt(limit.rlim_cur, MANY + 100);
}

static struct server *start_small(const char *more)
{
	raise_descriptors();
	return server_start(scratchf(SERVER "%s", more));
}

/* A sanitizer's own memory is none of ours. */
static void check_peak(const struct server *s)
{
	size_t peak = memory_of(s->pid, "VmHWM");

	ck_assert_msg(IS_SANITIZED || peak < BUDGET + BESIDE, "%zu MiB were resident", peak >> 20);
}

static void check_books(struct server *s, const char *job)
{
	static const char *const parts[] = { "refused", "waiting", "running", "done", "failed", "timeout", "killed", "canceled" };
	uint64_t sum = 0;

	for (size_t i = 0; i < countof(parts); i++)
		sum += stat_of(s, job, parts[i]);
	ck_assert_uint_eq(stat_of(s, job, "submitted"), sum);
}

/* When all is over. */
static void check_given_back(struct server *s, const char *job)
{
	clients_reset();
	s->control = NULL;
	await(inside(s, job) == 0);
	await(metric(s, "leat_connections") == 2);
	await(metric(s, "leat_memory_bytes") == 0);
	check_books(s, job);
	check_peak(s);
}

START_TEST(output_without_end_is_toobig_and_bounded)
{
	struct server *s = start_small("[job yes]\nexec = yes\nconcurrency = 8\n");
	struct client *clients[16];

	for (size_t i = 0; i < countof(clients); i++)
		say(clients[i] = dial(s), "RUN yes\r\n");
	for (size_t i = 0; i < countof(clients); i++)
		hear_match(clients[i], "^-(TOOBIG .* max_output=|KILLED .* reason=memory|BUSY .* reason=memory)");
	check_given_back(s, "yes");
}
END_TEST

START_TEST(a_job_that_never_reads_what_it_is_sent_is_bounded)
{
	struct server *s = start_small("[job deaf]\nexec = sleep 60\nconcurrency = 8\ndeadline = 500ms\n");
	char *payload = random_bytes(1 << 20, 1);
	struct client *clients[64];

	for (size_t i = 0; i < countof(clients); i++) {
		sayf(clients[i] = dial(s), "*3\r\n$3\r\nRUN\r\n$4\r\ndeaf\r\n$%d\r\n", 1 << 20);
		say_bytes(clients[i], payload, 1 << 20);
		say(clients[i], "\r\nPING\r\n");
	}
	for (size_t i = 0; i < countof(clients); i++) {
		hear_match(clients[i], "^-(TIMEOUT|BUSY .* reason=(memory|queue_full|would_miss_deadline)) ");
		hear(clients[i], "+PONG\r\n");
	}
	check_given_back(s, "deaf");
}
END_TEST

/* Every answer of a client; returns how many of them are results. */
static size_t hear_all(struct client *c, size_t answers)
{
	size_t results = 0;

	for (size_t i = 0; i < answers; i++) {
		const char *line = hear_match(c, "^([$]0|-BUSY .* reason=(memory|queue_full) retry_ms=[0-9]+)$");

		if (*line == '$') {
			hear(c, "\r\n");
			results++;
		}
	}
	return results;
}

START_TEST(a_hundred_thousand_submissions_at_once_are_answered_one_by_one)
{
	enum { CLIENTS = 400, EACH = IS_SANITIZED ? 50 : 250 };
	struct server *s = start_small("max_pipeline = 1000\n[job sleep]\nbuiltin = sleep\npredict = no\nconcurrency = 1\nqueue = 1000000\n");
	struct client *holder = dial(s), *clients[CLIENTS];
	char *text = scratch(EACH * 32), *end = text;
	size_t results = 0;

	for (int i = 0; i < EACH; i++)
		end = stpcpy(end, "RUN sleep 0 DEADLINE 1m\r\n");
	say(holder, "RUN sleep 3000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (size_t i = 0; i < CLIENTS; i++)
		say_bytes(clients[i] = dial(s), text, (size_t)(end - text));
	for (size_t i = 0; i < CLIENTS; i++)
		results += hear_all(clients[i], EACH);
	hear(holder, "$0\r\n\r\n");
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), CLIENTS * EACH + 1);
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), results + 1);
	ck_assert_uint_ge(results, 1000);
	check_given_back(s, "sleep");
}
END_TEST

/* Sends what can be sent without reading; false when that is nothing. */
static bool push(const struct client *c, const char *bytes, size_t len)
{
	return send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

/* Clients that send until nobody takes any more, and read nothing. They say it in whole requests of `len` bytes, or in parts of them:
 * that does not matter to who is flooded. */
static void flood(struct server *s, struct client **clients, const char *bytes, size_t len)
{
	size_t stuck = 0;

	for (size_t i = 0; i < MANY; i++)
		clients[i] = dial_unix(s);
	while (stuck < MANY) {
		stuck = 0;
		for (size_t i = 0; i < MANY; i++)
			stuck += !push(clients[i], bytes, len);
	}
}

/* While others do harm: an answer, and a known one. */
static void check_answered(struct server *s)
{
	struct client *c = dial(s);

	say(c, "PING\r\nRUN echo hello\r\n");
	hear(c, "+PONG\r\n");
	if (*hear_match(c, "^([$]5|-BUSY .* reason=(memory|queue_full|client_share) )") == '$')
		hear(c, "hello\r\n");
	assert_response(get(s, "/healthz"), 200, "ok\n");
	hang_up(c);
}

static void check_unread(const char *bytes, size_t len)
{
	struct server *s = start_small("write_timeout = 2s\nbody_timeout = 3s\nheader_timeout = 3s\nidle_timeout = 3s\n[job echo]\nbuiltin = echo\nqueue = 10000\n");
	struct client **clients = scratch(MANY * sizeof(struct client *));

	flood(s, clients, bytes, len);
	check_answered(s);
	check_peak(s);
	/* Each is cut off; then there is only us. */
	await(metric(s, "leat_connections") <= 2);
	await(metric(s, "leat_memory_bytes") == 0);
	check_given_back(s, "echo");
}

START_TEST(a_thousand_clients_that_do_not_read_small_answers_are_cut_off)
{
	char *text = scratch(100000), *end = text;

	while (end < text + 90000)
		end = stpcpy(end, "RUN echo 0123456789012345678901234567890123456789\r\nPING 0123456789012345678901234567890\r\n");
	check_unread(text, (size_t)(end - text));
}
END_TEST

START_TEST(a_thousand_clients_that_do_not_read_large_answers_are_cut_off)
{
	size_t payload = 12000;
	char *text = scratch(payload + 100);
	int head = sprintf(text, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%zu\r\n", payload);

	memset(text + head, 'x', payload);
	strcpy(text + head + payload, "\r\n");
	check_unread(text, (size_t)head + payload + 2);
}
END_TEST

START_TEST(a_thousand_clients_that_do_not_read_reports_are_cut_off)
{
	char *text = scratch(8000), *end = text;

	for (int i = 0; i < 50; i++)
		end = stpcpy(end, "INFO\r\nJOBS\r\nSTATS\r\n");
	check_unread(text, (size_t)(end - text));
}
END_TEST

START_TEST(a_thousand_halves_of_large_requests_are_refused_and_bounded)
{
	struct server *s = start_small("body_timeout = 3s\n[job echo]\nbuiltin = echo\n");
	enum { SENT = 500000 };
	char *payload = random_bytes(SENT, 1);
	struct client *clients[MANY];

	for (size_t i = 0; i < MANY; i++) {
		clients[i] = dial(s);
		if (i % 2)
			say(clients[i], "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$1000000\r\n");
		else
			say(clients[i], "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
		say_bytes(clients[i], payload, SENT);
	}
	check_answered(s);
	for (size_t i = 0; i < MANY; i++) {
		if (i % 2)
			hear_match(clients[i], "^-(BUSY .* reason=memory retry_ms=[0-9]+|ERR .* in time)$");
		else
			hear_match(clients[i], "^HTTP/1.1 (503|408) ");
	}
	/* Not even a tenth of them can be held. */
	ck_assert_uint_ge(metric(s, "leat_starved_total"), MANY / 2);
	check_given_back(s, "echo");
}
END_TEST

START_TEST(what_never_ends_is_refused_and_bounded)
{
	struct server *s = start_small("[job echo]\nbuiltin = echo\n");
	size_t len = 10 << 20;
	char *bytes = scratch(len);
	struct client *line = dial(s), *array = dial(s), *http = dial(s), *chunked = dial(s);

	memset(bytes, 'x', len);
	say(line, "RUN echo ");
	say_bytes(line, bytes, len);
	hear_match(line, "^-ERR the inline command is too long");
	say(array, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$10485760\r\n");
	say_bytes(array, bytes, len);
	say(array, "\r\nPING\r\n");
	hear_match(array, "^-TOOBIG ");
	hear(array, "+PONG\r\n");
	say(http, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485760\r\n\r\n");
	say_bytes(http, bytes, len);
	assert_problem(hear_response(http), 413, "TOOBIG");
	say(chunked, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 10 && !is_over(chunked); i++) {
		say(chunked, "a00000\r\n");
		say_bytes(chunked, bytes, len);
		say(chunked, "\r\n");
	}
	assert_problem(hear_response(chunked), 413, "TOOBIG");
	check_given_back(s, "echo");
}
END_TEST

/* Fills the budget with a request that has not come whole, and one that waits. */
static void fill(struct server *s)
{
	char *payload = random_bytes(1 << 20, 2);
	struct client *c = dial(s);

	for (int i = 0; i < 32 && stat_of(s, "sleep", "refused_memory") == 0; i++) {
		c = dial(s);
		say(c, "*5\r\n$3\r\nRUN\r\n$5\r\nsleep\r\n$1000000\r\n");
		say_bytes(c, payload, 1000000);
		say(c, "\r\n$8\r\nDEADLINE\r\n$2\r\n1m\r\n");
		await(stat_of(s, "sleep", "submitted") == (uint64_t)i + 2);
	}
	ck_assert_uint_eq(stat_of(s, "sleep", "refused_memory"), 1);
}

START_TEST(a_payload_for_which_there_is_no_memory_is_refused_and_the_connection_goes_on)
{
	struct server *s = start_small("[job sleep]\nbuiltin = sleep\npredict = no\nconcurrency = 1\nqueue = 100\n[job echo]\nbuiltin = echo\n");
	struct client *holder = dial(s), *line = dial(s), *http = dial(s), *chunked = dial(s), *waits = dial(s);
	char *payload = random_bytes(900000, 3);

	say(holder, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	fill(s);
	say(line, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$900000\r\n");
	say_bytes(line, payload, 900000);
	say(line, "\r\nPING\r\n");
	hear_match(line, "^-BUSY .* reason=memory retry_ms=[0-9]+$");
	hear(line, "+PONG\r\n");
	say(http, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n");
	say_bytes(http, payload, 900000);
	assert_problem(hear_response(http), 503, "BUSY");
	assert_response(ask(s, "GET /healthz HTTP/1.0\r\n\r\n"), 200, "ok\n");
	say(http, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_response(hear_response(http), 200, "ok\n");
	say(chunked, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 9; i++) {
		say(chunked, "186a0\r\n");
		say_bytes(chunked, payload, 100000);
		say(chunked, "\r\n");
	}
	say(chunked, "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_problem(hear_response(chunked), 503, "BUSY");
	assert_response(hear_response(chunked), 200, "ok\n");
	/* Who would send it only when told to is told at once. */
	say(waits, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	hear(waits, "HTTP/1.1 100 Continue\r\n\r\n");
	say(waits, "hello");
	hear_match(waits, "^HTTP/1.1 (200|503) ");
	ck_assert_uint_eq(stat_of(s, "echo", "refused_memory"), 3);
	check_given_back(s, "sleep");
	check_books(s, "echo");
}
END_TEST

START_TEST(after_a_peak_the_memory_goes_back_to_the_system)
{
	struct server *s = start_small("[job sleep]\nbuiltin = sleep\npredict = no\nconcurrency = 1\nqueue = 100000\n");
	size_t before = memory_of(s->pid, "VmRSS");
	char *text = scratch(100000), *end = text;
	struct client *holder = dial(s);

	for (int i = 0; i < 100; i++)
		end += sprintf(end, "RUN sleep \"0%500s\"\r\n", "");
	say(holder, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (int i = 0; i < 100; i++)
		say_bytes(dial(s), text, (size_t)(end - text));
	await(stat_of(s, "sleep", "submitted") == 10001);
	ck_assert(IS_SANITIZED || memory_of(s->pid, "VmRSS") > before + (10 << 20));
	check_given_back(s, "sleep");
	await(IS_SANITIZED || memory_of(s->pid, "VmRSS") < before + (10 << 20));
}
END_TEST

Suite *memory_suite(void)
{
	const TTest *tests[] = {
		output_without_end_is_toobig_and_bounded,
		a_job_that_never_reads_what_it_is_sent_is_bounded,
		a_hundred_thousand_submissions_at_once_are_answered_one_by_one,
		a_thousand_clients_that_do_not_read_small_answers_are_cut_off,
		a_thousand_clients_that_do_not_read_large_answers_are_cut_off,
		a_thousand_clients_that_do_not_read_reports_are_cut_off,
		a_thousand_halves_of_large_requests_are_refused_and_bounded,
		what_never_ends_is_refused_and_bounded,
		a_payload_for_which_there_is_no_memory_is_refused_and_the_connection_goes_on,
		after_a_peak_the_memory_goes_back_to_the_system,
	};
	return wire_suite("memory", tests, countof(tests));
}
