/* Streams: output that goes to the client as the job writes it, and payloads that go to the job as they come. */
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* A command that says `one`, waits until a file is there, and says `two`. */
static const char *waiting_for(const char *file)
{
	return scratchf("exec = /bin/sh -c 'echo one; until [ -e %s ]; do sleep 0.01; done; echo two'\n", file);
}

static const char *not_there(void)
{
	return scratchf("%s/go", new_folder());
}

static void create(const char *file)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fclose(f);
}

struct streamed {
	const struct response *head;
	char *body;
	size_t len;
	const char *trailer;            /* its lines, each ended by CR LF */
};

/* The rest of a chunked body, and its trailer. */
static struct streamed hear_chunks(struct client *c)
{
	struct streamed s = { .body = scratch(1), .trailer = "" };
	unsigned long n;

	while ((n = strtoul(hear_match(c, "^[0-9a-f]+$"), NULL, 16)) > 0) {
		char *body = scratch(s.len + n + 1);

		while (c->len - c->at < n)
			ck_assert(hear_more(c));
		memcpy(body, s.body, s.len);
		memcpy(body + s.len, c->in + c->at, n);
		c->at += n;
		s.len += n;
		s.body = body;
		hear(c, "\r\n");
	}
	for (const char *line; *(line = hear_match(c, "^.*$"));)
		s.trailer = scratchf("%s%s\r\n", s.trailer, line);
	return s;
}

static struct streamed hear_streamed(struct client *c)
{
	const struct response *head = hear_head(c);
	struct streamed s;

	ck_assert_msg(head->status == 200, "%s", head->head);
	ck_assert_str_eq(header(head, "Transfer-Encoding"), "chunked");
	s = hear_chunks(c);
	s.head = head;
	return s;
}

static void expect_streamed(struct client *c, const char *body, const char *trailer_pattern)
{
	struct streamed s = hear_streamed(c);

	ck_assert_str_eq(s.body, body);
	assert_match(s.trailer, trailer_pattern);
}

#define DONE "^Leat-Outcome: done\r\nServer-Timing: run;dur=[0-9.]+\r\n$"

/* --- Output --- */

START_TEST(output_comes_while_the_job_writes_it)
{
	const char *go = not_there();
	struct server *s = server_start(scratchf("[job t]\n%s", waiting_for(go)));
	struct client *c = dial(s);
	const struct response *head;

	say_post(c, "/v1/run/t?stream=1", "Leat-Id: my.id\r\n", "");
	head = hear_head(c);
	ck_assert_str_eq(header(head, "Leat-Id"), "my.id");
	ck_assert_str_eq(header(head, "Trailer"), "Leat-Outcome, Leat-Error, Server-Timing");
	ck_assert_ptr_null(header(head, "Content-Length"));
	hear(c, "4\r\none\n\r\n");
	ck_assert_uint_eq(stat_of(s, "t", "running"), 1);
	create(go);
	hear(c, "4\r\ntwo\n\r\n0\r\nLeat-Outcome: done\r\n");
	hear_match(c, "^Server-Timing: run;dur=");
	hear(c, "\r\n");
	say_post(c, "/v1/run/t?stream=0", "", "");
	assert_response(hear_response(c), 200, "one\ntwo\n");
}
END_TEST

START_TEST(every_kind_is_streamed)
{
	struct server *s = server_start("[job echo]\nbuiltin = echo\n[job sleep]\nbuiltin = sleep\n[job cat]\nexec = cat\n");
	struct client *c = dial(s);
	char *payload = random_bytes(900000, 7);
	struct streamed got;

	say_post(c, "/v1/run/echo?stream=1", "", "hello");
	expect_streamed(c, "hello", DONE);
	say_post(c, "/v1/run/sleep?stream=1", "", "1");
	expect_streamed(c, "", DONE);
	for (int i = 0; i < 2; i++) {
		sayf(c, "POST /v1/run/%s?stream=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n", i ? "cat" : "echo");
		say_bytes(c, payload, 900000);
		got = hear_streamed(c);
		ck_assert_uint_eq(got.len, 900000);
		ck_assert(memcmp(got.body, payload, 900000) == 0);
	}
}
END_TEST

START_TEST(what_goes_wrong_behind_the_first_byte_is_in_the_trailer)
{
	struct server *s = server_start("[job fail]\nexec = /bin/sh -c 'echo one; echo why >&2; exit 3'\n"
					"[job crash]\nexec = /bin/sh -c 'echo one; kill -SEGV $$'\n"
					"[job slow]\nexec = /bin/sh -c 'echo one; exec sleep 60'\n"
					"[job big]\nexec = /usr/bin/yes\nmax_output = 8\n"
					"[job exact]\nexec = /usr/bin/printf 12345678\nmax_output = 8\n");
	struct client *c = dial(s);

	say_post(c, "/v1/run/fail?stream=1", "", "");
	expect_streamed(c, "one\n", "^Leat-Outcome: failed\r\nLeat-Error: FAILED exited with status 3 status=3 error=why\r\nServer-Timing: ");
	say_post(c, "/v1/run/crash?stream=1", "", "");
	expect_streamed(c, "one\n", "^Leat-Outcome: killed\r\nLeat-Error: KILLED .*SIGSEGV");
	say_post(c, "/v1/run/slow?stream=1&deadline=1s", "Leat-Id: slow-1\r\n", "");
	expect_streamed(c, "one\n", "^Leat-Outcome: timeout\r\nLeat-Error: TIMEOUT .*state=running");
	ck_assert_uint_eq(commands_of("slow-1"), 0);
	say_post(c, "/v1/run/big?stream=1", "", "");
	expect_streamed(c, "y\ny\ny\ny\n", "^Leat-Outcome: killed\r\nLeat-Error: TOOBIG .*max_output=8");
	say_post(c, "/v1/run/exact?stream=1", "", "");
	expect_streamed(c, "12345678", DONE);
}
END_TEST

START_TEST(what_goes_wrong_before_the_first_byte_is_answered_as_without_a_stream)
{
	struct server *s = server_start("[job fail]\nexec = /bin/false\n[job slow]\nexec = /bin/sleep 60\nconcurrency = 1\nqueue = 1\npredict = no\n");
	struct client *c = dial(s), *holder = dial(s), *waits = dial(s);
	const struct response *r;

	say_post(c, "/v1/run/fail?stream=1", "", "");
	r = hear_response(c);
	assert_problem(r, 502, "FAILED");
	ck_assert_str_eq(header(r, "Leat-Outcome"), "failed");
	assert_match(header(r, "Leat-Error"), "^FAILED .*status=1$");
	say_post(c, "/v1/run/nope?stream=1", "", "");
	assert_problem(hear_response(c), 404, "NOJOB");
	say_post(c, "/v1/run/fail?stream=yes", "", "");
	assert_problem(hear_response(c), 400, "ERR");
	say_post(holder, "/v1/run/slow?stream=1", "", "");
	await(stat_of(s, "slow", "running") == 1);
	say_post(waits, "/v1/run/slow?stream=1&deadline=300ms", "", "");
	await(stat_of(s, "slow", "waiting") == 1);
	say_post(c, "/v1/run/slow?stream=1", "", "");
	r = hear_response(c);
	assert_problem(r, 503, "BUSY");
	ck_assert_str_eq(header(r, "Leat-Outcome"), "refused");
	assert_problem(hear_response(waits), 504, "TIMEOUT");
}
END_TEST

START_TEST(http_1_0_is_streamed_until_the_connection_closes_and_reset_if_the_job_fails)
{
	struct server *s = server_start("[job ok]\nexec = /bin/echo one\n[job fail]\nexec = /bin/sh -c 'echo one; exit 3'\n");
	struct client *c = dial(s);
	const struct response *r;
	ssize_t n;
	char room[512];

	say(c, "POST /v1/run/ok?stream=1 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
	r = hear_head(c);
	ck_assert_ptr_null(header(r, "Transfer-Encoding"));
	ck_assert_ptr_null(header(r, "Content-Length"));
	ck_assert_str_eq(header(r, "Connection"), "close");
	hear(c, "one\n");
	hear_end(c);
	c = dial(s);
	say(c, "POST /v1/run/fail?stream=1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
	do
		poll(&(struct pollfd){ c->fd, POLLIN, 0 }, 1, 30000);
	while ((n = recv(c->fd, room, sizeof(room), 0)) > 0);
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(streams_keep_the_order_of_the_requests)
{
	const char *go = not_there();
	struct server *s = server_start(scratchf("[job t]\n%s[job long]\nexec = seq 1 60000\n[job echo]\nbuiltin = echo\n", waiting_for(go)));
	struct client *c = dial(s);
	struct streamed got;

	say_post(c, "/v1/run/t", "", "");
	say_post(c, "/v1/run/long?stream=1", "", "");
	say_post(c, "/v1/run/echo", "", "between");
	say_post(c, "/v1/run/long?stream=1", "", "");
	await(stat_of(s, "long", "running") == 2);
	ck_assert(!can_hear(c));
	create(go);
	assert_response(hear_response(c), 200, "one\ntwo\n");
	got = hear_streamed(c);
	ck_assert_uint_eq(got.len, 348894);
	assert_response(hear_response(c), 200, "between");
	got = hear_streamed(c);
	ck_assert_str_eq(got.body + got.len - 6, "60000\n");
}
END_TEST

START_TEST(a_client_that_hangs_up_in_the_middle_cancels)
{
	struct server *s = server_start("[job t]\nexec = /bin/sh -c 'echo one; exec sleep 60'\n[job yes]\nexec = yes\nmax_output = 1G\n");
	struct client *c = dial(s), *other = dial(s);

	say_post(c, "/v1/run/t?stream=1", "Leat-Id: gone-1\r\n", "");
	hear_head(c);
	hang_up(c);
	await(commands_of("gone-1") == 0);
	await(stat_of(s, "t", "canceled") == 1);
	say_post(other, "/v1/run/yes?stream=1", "Leat-Id: gone-2\r\n", "");
	hear_head(other);
	reset(other);
	await(commands_of("gone-2") == 0);
	await(stat_of(s, "yes", "canceled") == 1);
}
END_TEST

START_TEST(a_client_that_does_not_read_stops_the_job_and_is_cut_off_at_write_timeout)
{
	struct server *s = server_start("[server]\nwrite_timeout = 500ms\n[job zero]\nexec = head -c 200M /dev/zero\nmax_output = 1G\n");
	size_t before = memory_of(s->pid, "VmHWM");
	struct client *c = dial(s);

	say_post(c, "/v1/run/zero?stream=1", "", "");
	await(stat_of(s, "zero", "canceled") == 1);
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM") - before, 4 * MIB);
}
END_TEST

START_TEST(a_job_that_is_silent_is_not_cut_off_at_write_timeout)
{
	struct server *s = server_start("[server]\nwrite_timeout = 50ms\n[job t]\nexec = /bin/sh -c 'echo one; sleep 0.5; echo two'\n");
	struct client *c = dial(s);

	say_post(c, "/v1/run/t?stream=1", "", "");
	expect_streamed(c, "one\ntwo\n", DONE);
}
END_TEST

START_TEST(a_job_whose_reader_is_too_slow_is_timed_out_although_its_command_has_ended)
{
	/* What the sockets hold is more than this client's, so that only the pipes fill. */
	const char *go = not_there();
	struct server *s = server_start(scratchf("[job t]\n%s[job long]\nexec = seq 1 20000\n", waiting_for(go)));
	struct client *c = dial(s);

	say_post(c, "/v1/run/t", "", "");
	/* Its turn does not come, so nobody reads it. */
	say_post(c, "/v1/run/long?stream=1&deadline=400ms", "Leat-Id: slow-2\r\n", "");
	await(stat_of(s, "long", "timeout") == 1);
	ck_assert_uint_eq(commands_of("slow-2"), 0);
	create(go);
	assert_response(hear_response(c), 200, "one\ntwo\n");
	assert_match(hear_streamed(c).trailer, "^Leat-Outcome: timeout\r\n");
}
END_TEST

START_TEST(a_streamed_job_can_be_cancelled_by_its_id)
{
	struct server *s = server_start("[job t]\nexec = /bin/sh -c 'echo one; exec sleep 60'\n");
	struct client *c = dial(s), *other = dial(s);

	say_post(c, "/v1/run/t?stream=1", "Leat-Id: it\r\n", "");
	hear_head(c);
	say(other, "CANCEL it\r\n");
	hear(other, ":1\r\n");
	assert_match(hear_chunks(c).trailer, "^Leat-Outcome: canceled\r\nLeat-Error: CANCELED ");
}
END_TEST

START_TEST(without_descriptors_a_stream_is_refused_and_other_jobs_are_not)
{
	struct server *s = server_start("[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	struct rlimit limit;
	const struct response *r;

	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
	stat_of(s, "echo", "done");
	ck_assert_int_eq(prlimit(s->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	/* Those that are open stay, and there is no number for another one. */
	limit.rlim_cur = 3;
	ck_assert_int_eq(prlimit(s->pid, RLIMIT_NOFILE, &limit, NULL), 0);
	say_post(c, "/v1/run/echo?stream=1", "", "x");
	r = hear_response(c);
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "no descriptors left");
	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(prlimit(s->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}
END_TEST

START_TEST(streams_that_wait_leave_descriptors_for_others)
{
	struct server *s = server_launch(&(struct launch){
		.config = "[server]\nmax_pipeline = 400\n[job t]\nbuiltin = sleep\nqueue = 300\nconcurrency = 1\ndeadline = 1m\npredict = no\n"
			  "[job sh]\nexec = /bin/sh -c 'echo fine'\n",
		.shell = "ulimit -n 256; exec \"$@\"" });

	struct client *holder = dial(s);

	say_post(holder, "/v1/run/t", "", "60000");
	await(stat_of(s, "t", "running") == 1);
	/* Those that are over do not count any more, although no runner has come by. */
	for (uint64_t round = 1; round <= 3; round++) {
		struct client *many = dial(s), *other = dial(s);
		uint64_t taken;

		for (int i = 0; i < 200; i++)
			say_post(many, "/v1/run/t?stream=1", "", "60000");
		await(stat_of(s, "t", "submitted") == 1 + 200 * round + 3 * (round - 1));
		taken = inside(s, "t");
		ck_assert_msg(taken == 33, "%d", (int)taken);
		say_post(other, "/v1/run/sh", "", "");
		assert_response(hear_response(other), 200, "fine\n");
		say_post(other, "/v1/run/t?stream=1", "", "1");
		assert_has(hear_response(other)->body, "no descriptors left for its stream");
		say_post(other, "/v1/run/t?stream=0&deadline=1ms", "", "1");
		assert_problem(hear_response(other), 504, "TIMEOUT");
		reset(many);
		await(inside(s, "t") == 1);
		say_post(other, "/v1/run/t?stream=1&deadline=1ms", "", "1");
		assert_problem(hear_response(other), 504, "TIMEOUT");
		hang_up(other);
	}
}
END_TEST

START_TEST(streams_leave_no_descriptor_and_no_memory_behind)
{
	struct server *s = server_start("[job t]\nexec = cat\nstdin = stream\n[job no]\nexec = /bin/false\nstdin = stream\n");
	struct client *c = dial(s);
	struct base_line base;

	/* The connection is part of the base line: it has been taken when it has been answered. */
	say(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_response(hear_response(c), 200, "ok\n");
	base = base_line_of(s);
	for (int i = 0; i < 20; i++) {
		say(c, "POST /v1/run/t?stream=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
		expect_streamed(c, "abc", DONE);
		say(c, "POST /v1/run/no?stream=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
		assert_problem(hear_response(c), 502, "FAILED");
	}
	await_base_line(s, base, 8);
}
END_TEST

/* --- Input --- */

#define CHUNKED(job) "POST /v1/run/" job " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

START_TEST(a_job_reads_its_payload_while_it_comes)
{
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\n");
	struct client *c = dial(s);

	say(c, CHUNKED("cat?stream=1") "4\r\none\n\r\n");
	hear_head(c);
	hear(c, "4\r\none\n\r\n");
	say(c, "4\r\ntwo\n\r\n");
	hear(c, "4\r\ntwo\n\r\n");
	say(c, "0\r\n\r\n");
	assert_match(hear_chunks(c).trailer, DONE);
	/* Also without a stream for its answer, of a known length, and in one piece. */
	say(c, "POST /v1/run/cat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\none\n");
	await(stat_of(s, "cat", "running") == 1);
	say(c, "two\n");
	assert_response(hear_response(c), 200, "one\ntwo\n");
	say_post(c, "/v1/run/cat", "", "whole");
	assert_response(hear_response(c), 200, "whole");
	say(c, CHUNKED("cat") "5\r\nwhole\r\n0\r\n\r\n");
	assert_response(hear_response(c), 200, "whole");
	say(c, "POST /v1/run/cat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 8\r\n\r\none\n");
	await(stat_of(s, "cat", "running") == 1);
	say(c, "two\n");
	assert_response(hear_response(c), 200, "one\ntwo\n");
	hear_end(c);
}
END_TEST

START_TEST(requests_follow_a_streamed_body_at_once)
{
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);

	say(c, CHUNKED("cat") "3\r\nabc\r\n0\r\n\r\n" CHUNKED("cat?stream=1") "1\r\nd\r\n2\r\nef\r\n0\r\n\r\n"
	       "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
	assert_response(hear_response(c), 200, "abc");
	expect_streamed(c, "def", DONE);
	assert_response(hear_response(c), 200, "x");
}
END_TEST

START_TEST(a_body_that_ends_with_the_turn_of_its_connection_is_at_its_end)
{
	struct server *s = server_start("[server]\nmax_payload = 10\n[job cat]\nexec = cat\nstdin = stream\n");
	struct client *c = dial(s);

	/* However many steps a turn has, one of these ends with it. */
	for (int before = 55; before <= 70; before++) {
		char *said = scratchf("%s", "");

		for (int i = 0; i < before; i++)
			said = scratchf("%sGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", said);
		sayf(c, "%sPOST /v1/run/cat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nover by one", said);
		for (int i = 0; i < before; i++)
			assert_response(hear_response(c), 200, "ok\n");
		assert_response(hear_response(c), 200, "over by one");
	}
}
END_TEST

START_TEST(a_streamed_payload_may_be_over_max_payload)
{
	struct server *s = server_start("[server]\nmax_payload = 10\n[job sum]\nexec = sha256sum\nstdin = stream\n[job whole]\nexec = sha256sum\n"
					"[job wc]\nexec = wc -c\nstdin = stream\ndeadline = 1m\n");
	const char *file = new_random_file(3000000);
	const char *sum = scratchf("%.64s  -\n", run("/usr/bin/sha256sum", file).out);
	size_t before = memory_of(s->pid, "VmHWM");
	struct client *c = dial(s);

	ck_assert_str_eq(shell(s, scratchf("curl -sS --data-binary @%s http://$HOST:$PORT/v1/run/sum", file)).out, sum);
	ck_assert_str_eq(shell(s, scratchf("curl -sS -H Expect: --data-binary @%s http://$HOST:$PORT/v1/run/sum", file)).out, sum);
	ck_assert_str_eq(shell(s, scratchf("curl -sS -X POST -T - http://$HOST:$PORT/v1/run/sum <%s", file)).out, sum);
	ck_assert_str_eq(shell(s, scratchf("curl -sS -0 --data-binary @%s http://$HOST:$PORT/v1/run/sum", file)).out, sum);
	ck_assert_str_eq(shell(s, "head -c 100M /dev/zero | curl -sS -X POST -T - http://$HOST:$PORT/v1/run/wc").out, "104857600\n");
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM") - before, 4 * MIB);
	say_post(c, "/v1/run/sum", "", "more than ten bytes");
	ck_assert_int_eq(hear_response(c)->status, 200);
	say_post(c, "/v1/run/whole", "", "more than ten bytes");
	assert_problem(hear_response(c), 413, "TOOBIG");
}
END_TEST

#define EXPECTING "POST /v1/run/t HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"

START_TEST(the_body_is_asked_for_when_the_job_is_admitted_and_not_before)
{
	struct server *s = server_start("[job t]\nexec = cat\nstdin = stream\nconcurrency = 1\nqueue = 0\n");
	struct client *first = dial(s), *second = dial(s);
	const struct response *r;

	say(first, EXPECTING);
	hear(first, "HTTP/1.1 100 Continue\r\n\r\n");
	await(stat_of(s, "t", "running") == 1);
	say(second, EXPECTING);
	r = hear_response(second);
	assert_problem(r, 503, "BUSY");
	ck_assert_str_eq(header(r, "Connection"), "close");
	hear_end(second);
	say(first, "abc");
	assert_response(hear_response(first), 200, "abc");
	say(first, EXPECTING);
	hear(first, "HTTP/1.1 100 Continue\r\n\r\n");
	say(first, "def");
	assert_response(hear_response(first), 200, "def");
}
END_TEST

START_TEST(a_body_that_turns_out_malformed_cancels_the_job_and_is_400)
{
	const char *proof = not_there();
	struct server *s = server_start(scratchf("[job t]\nexec = /bin/sh -c 'cat && touch %s'\nstdin = stream\n", proof));
	struct client *c = dial(s);
	const struct response *r;

	say(c, CHUNKED("t") "3\r\nabc\r\n");
	await(stat_of(s, "t", "running") == 1);
	say(c, "nonsense\r\n");
	r = hear_response(c);
	assert_problem(r, 400, "ERR");
	assert_has(r->body, "not a hexadecimal number");
	hear_end(c);
	c = dial(s);
	say(c, CHUNKED("t?stream=1") "3\r\nabc\r\n");
	hear_head(c);
	hear(c, "3\r\nabc\r\n");
	say(c, "3\r\nabcdef");
	assert_match(hear_chunks(c).trailer, "^Leat-Outcome: canceled\r\nLeat-Error: ERR a chunk has to be followed by CR LF\r\n");
	hear_end(c);
	ck_assert_uint_eq(stat_of(s, "t", "canceled"), 2);
	ck_assert_int_ne(access(proof, F_OK), 0);
}
END_TEST

START_TEST(a_client_that_goes_away_in_the_middle_of_a_body_cancels_and_the_job_sees_no_end_of_it)
{
	const char *proof = not_there();
	struct server *s = server_start(scratchf("[job t]\nexec = /bin/sh -c 'cat && touch %s'\nstdin = stream\n", proof));

	for (int i = 0; i < 3; i++) {
		struct client *c = dial(s);

		say(c, CHUNKED("t?stream=1") "3\r\nabc\r\n");
		hear_head(c);
		(i == 0 ? hang_up : i == 1 ? reset : end_saying)(c);
		await(stat_of(s, "t", "canceled") == (uint64_t)i + 1);
	}
	ck_assert_int_ne(access(proof, F_OK), 0);
}
END_TEST

START_TEST(the_rest_of_a_body_that_the_job_does_not_want_is_thrown_away)
{
	struct server *s = server_start("[job first]\nexec = head -c 3\nstdin = stream\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	enum { BYTES = 3000000 };
	char *payload = random_bytes(BYTES, 9);

	payload[0] = payload[1] = payload[2] = 'a';
	sayf(c, "POST /v1/run/first HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", BYTES);
	say_bytes(c, payload, BYTES);
	say_post(c, "/v1/run/echo", "", "next");
	assert_response(hear_response(c), 200, "aaa");
	assert_response(hear_response(c), 200, "next");
	/* Too much for that. */
	say(c, "POST /v1/run/first HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\naaa");
	ck_assert_str_eq(header(hear_head(c), "Connection"), "close");
	hear(c, "aaa");
	hear_end(c);
}
END_TEST

START_TEST(a_refused_body_is_not_read)
{
	struct server *s = server_start("[job u]\nexec = cat {a}\narg.a = x\nstdin = stream\n");
	struct client *c = dial(s);
	const struct response *r;

	say(c, CHUNKED("u") "3\r\nab");
	r = hear_response(c);
	assert_problem(r, 400, "ERR");
	ck_assert_str_eq(header(r, "Connection"), "close");
	hear_end(c);
}
END_TEST

START_TEST(a_body_that_the_job_is_slow_to_read_is_not_late_and_one_that_does_not_come_is)
{
	struct server *s = server_start("[server]\nbody_timeout = 1s\n[job slow]\nexec = /bin/sh -c 'sleep 2; exec wc -c'\nstdin = stream\n"
					"[job cat]\nexec = cat\nstdin = stream\n");
	struct client *c = dial(s);

	ck_assert_str_eq(shell(s, "head -c 3000000 /dev/zero | curl -sS -X POST -T - http://$HOST:$PORT/v1/run/slow").out, "3000000\n");
	/* Longer than body_timeout in all. */
	ck_assert_str_eq(shell(s, "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done | curl -sS -X POST -T - http://$HOST:$PORT/v1/run/cat").out,
			 "1\n2\n3\n4\n5\n6\n");
	say(c, CHUNKED("cat") "3\r\nab");
	assert_problem(hear_response(c), 408, "ERR");
	hear_end(c);
	ck_assert_uint_eq(stat_of(s, "cat", "canceled"), 1);
}
END_TEST

START_TEST(a_job_that_waits_makes_its_body_wait)
{
	const char *go = not_there();
	struct server *s = server_start(scratchf("[job t]\n%sconcurrency = 1\n[job cat]\nexec = wc -c\nstdin = stream\nconcurrency = 1\nuses = one\n"
						 "[job hold]\n%suses = one\n[semaphore one]\n", waiting_for(go), waiting_for(go)));
	struct client *holder = dial(s);
	pid_t curl;
	size_t before;

	say(holder, "RUN hold\r\n");
	await(stat_of(s, "hold", "running") == 1);
	before = memory_of(s->pid, "VmHWM");
	curl = shell_start(s, "head -c 20M /dev/zero | curl -sS -X POST -T - http://$HOST:$PORT/v1/run/cat | grep -q 20971520");
	await(stat_of(s, "cat", "waiting") == 1);
	create(go);
	ck_assert_int_eq(wait_for(curl), 0);
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM") - before, 4 * MIB);
}
END_TEST

START_TEST(the_line_protocol_gives_a_payload_whole)
{
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\n");
	struct client *c = dial(s);

	say(c, "RUN cat hello\r\n");
	hear(c, "$5\r\nhello\r\n");
}
END_TEST

START_TEST(stdin_is_whole_or_stream_and_of_commands)
{
	struct ran ran = leatd("-c", new_file("[job a]\nexec = cat\nstdin = maybe\n[job b]\nbuiltin = echo\nstdin = stream\n"), "--check-config");

	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, ":3: [job a] stdin: 'maybe' is not whole or stream");
	assert_has(ran.err, ":6: [job b] stdin: can be stream for a job with exec only");
}
END_TEST

/* --- leat --- */

static void assert_ran(struct ran ran, int status, const char *out, const char *err_pattern)
{
	ck_assert_msg(ran.status == status, "status %d, not %d\n%s\n%s", ran.status, status, ran.out, ran.err);
	ck_assert_str_eq(ran.out, out);
	assert_match(ran.err, err_pattern);
}

START_TEST(leat_says_how_a_stream_has_ended)
{
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\n[job fail]\nexec = /bin/sh -c 'echo one; echo why >&2; exit 3'\n"
					"[job slow]\nexec = /bin/sh -c 'echo one; exec sleep 60'\n[job echo]\nbuiltin = echo\n"
					"[job arg]\nexec = echo {a}\narg.a = [a-z &%]*\n[job shut]\nbuiltin = echo\nconcurrency = 1\nqueue = 0\n");

	assert_ran(shell(s, "echo hello | $LEAT run --stream cat"), 0, "hello\n", "^$");
	assert_ran(shell(s, "$LEAT --server unix:$SOCKET run cat --stream hello --id my.id"), 0, "hello", "^$");
	assert_ran(shell(s, "$LEAT run --stream echo ''"), 0, "", "^$");
	assert_ran(shell(s, "$LEAT run --stream arg --arg 'a=b & c%' </dev/null"), 0, "b & c%\n", "^$");
	assert_ran(shell(s, "$LEAT run --stream fail x"), 1, "one\n", "^leat: FAILED exited with status 3 status=3 error=why\n$");
	assert_ran(shell(s, "$LEAT run --stream slow x --deadline 300ms"), 124, "one\n", "^leat: TIMEOUT ");
	assert_ran(shell(s, "$LEAT run --stream nope x"), 1, "", "^leat: NOJOB ");
	assert_ran(shell(s, "$LEAT pause shut; $LEAT run --stream shut x"), 75, "", "^leat: BUSY ");
	assert_ran(shell(s, "head -c 2000000 /dev/zero | $LEAT run --stream echo"), 1, "", "^leat: TOOBIG ");
	assert_ran(shell(s, "$LEAT run --stream cat x --deadline nonsense"), 64, "", "^leat: ");
	assert_ran(shell(s, "yes | $LEAT run --stream cat | head -n 2"), 0, "y\ny\n", "^$");
	await(stat_of(s, "cat", "canceled") == 1);
}
END_TEST

START_TEST(leat_sends_and_prints_at_the_same_time)
{
	const char *folder = new_folder();
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\n");

	/* What is said depends on what was heard. */
	assert_ran(shell(s, scratchf("D=%s; mkfifo $D/back && (echo 0; while read n; do [ $n = 50 ] && exit; echo $((n + 1)); done <$D/back) | "
				     "$LEAT run --stream cat | tee $D/back | tail -n 1", folder)), 0, "50\n", "^$");
}
END_TEST

START_TEST(much_more_than_memory_holds_passes_through_a_job)
{
	struct server *s = server_start("[job cat]\nexec = cat\nstdin = stream\nmax_output = 1G\ndeadline = 1m\n");
	size_t before = memory_of(s->pid, "VmHWM");

	assert_ran(shell(s, "head -c 100M /dev/zero | $LEAT run --stream cat | cmp -n 104857600 - /dev/zero && echo same"), 0, "same\n", "^$");
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM") - before, 4 * MIB);
}
END_TEST

Suite *stream_suite(void)
{
	const TTest *const tests[] = {
		output_comes_while_the_job_writes_it,
		every_kind_is_streamed,
		what_goes_wrong_behind_the_first_byte_is_in_the_trailer,
		what_goes_wrong_before_the_first_byte_is_answered_as_without_a_stream,
		http_1_0_is_streamed_until_the_connection_closes_and_reset_if_the_job_fails,
		streams_keep_the_order_of_the_requests,
		a_client_that_hangs_up_in_the_middle_cancels,
		a_client_that_does_not_read_stops_the_job_and_is_cut_off_at_write_timeout,
		a_job_that_is_silent_is_not_cut_off_at_write_timeout,
		a_job_whose_reader_is_too_slow_is_timed_out_although_its_command_has_ended,
		a_streamed_job_can_be_cancelled_by_its_id,
		without_descriptors_a_stream_is_refused_and_other_jobs_are_not,
		streams_that_wait_leave_descriptors_for_others,
		streams_leave_no_descriptor_and_no_memory_behind,
		a_job_reads_its_payload_while_it_comes,
		requests_follow_a_streamed_body_at_once,
		a_body_that_ends_with_the_turn_of_its_connection_is_at_its_end,
		a_streamed_payload_may_be_over_max_payload,
		the_body_is_asked_for_when_the_job_is_admitted_and_not_before,
		a_body_that_turns_out_malformed_cancels_the_job_and_is_400,
		a_client_that_goes_away_in_the_middle_of_a_body_cancels_and_the_job_sees_no_end_of_it,
		the_rest_of_a_body_that_the_job_does_not_want_is_thrown_away,
		a_refused_body_is_not_read,
		a_body_that_the_job_is_slow_to_read_is_not_late_and_one_that_does_not_come_is,
		a_job_that_waits_makes_its_body_wait,
		the_line_protocol_gives_a_payload_whole,
		stdin_is_whole_or_stream_and_of_commands,
		leat_says_how_a_stream_has_ended,
		leat_sends_and_prints_at_the_same_time,
		much_more_than_memory_holds_passes_through_a_job,
	};
	return wire_suite("stream", tests, countof(tests));
}
