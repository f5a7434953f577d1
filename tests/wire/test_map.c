/* MAP: many payloads of one job in one request, on both protocols. */
#include "wire.h"

#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

static const char jobs[] =
	"[job echo]\n"
	"builtin = echo\n"
	"queue = 20000\n"
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 2\n"
	"queue = 20\n"
	"deadline = 1m\n"
	"[job wide]\n"
	"builtin = sleep\n"
	"concurrency = 8\n"
	"queue = 20\n"
	"deadline = 1m\n"
	"[job sh]\n"
	"exec = /bin/sh\n"
	"concurrency = 4\n"
	"queue = 20\n"
	"deadline = 1m\n"
	"[job greet]\n"
	"exec = /bin/sh -c 'printf \"%s \" {word}; cat'\n"
	"arg.word = [a-z]+\n"
	"[job only]\n"
	"builtin = echo\n"
	"concurrency = 1\n"
	"queue = 0\n"
	"[job nap]\n"
	"exec = /bin/sh -c 'sleep 60 & sleep 60'\n"
	"concurrency = 4\n"
	"queue = 20\n"
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

/* The body of an answer that comes in chunks. */
static const char *hear_chunks(struct client *c)
{
	char *body = scratch(1);
	size_t len = 0, n;

	while ((n = strtoul(hear_match(c, "^[1-9a-f][0-9a-f]*$|^0$"), NULL, 16)) > 0) {
		char *more = scratch(len + n + 1);

		while (c->len - c->at < n)
			ck_assert(hear_more(c));
		memcpy(more, body, len);
		memcpy(more + len, c->in + c->at, n);
		c->at += n;
		len += n;
		body = more;
		hear(c, "\r\n");
	}
	hear(c, "\r\n");
	return body;
}

static const char *hear_map(struct client *c)
{
	const struct response *r = hear_head(c);

	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(header(r, "Content-Type"), "application/x-ndjson");
	ck_assert_str_eq(header(r, "Transfer-Encoding"), "chunked");
	ck_assert_ptr_nonnull(header(r, "Leat-Id"));
	return hear_chunks(c);
}

/* One on a connection of its own. */
static const char *map(struct server *s, const char *path, const char *body)
{
	struct client *c = dial(s);
	const char *lines;

	say_post(c, path, "", body);
	lines = hear_map(c);
	hang_up(c);
	return lines;
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

/* --- Orders --- */

START_TEST(outputs_come_in_the_order_of_the_payloads)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "MAP wide 3 300 1 100\r\nMAP echo 4 a \"\" c 'd e'\r\n");
	hear(c, "*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
	hear(c, "*4\r\n$1\r\na\r\n$0\r\n\r\n$1\r\nc\r\n$3\r\nd e\r\n");
	ck_assert_str_eq(map(s, "/v1/map/wide?order=input", "300\n1\n"), "{\"index\":0,\"output\":\"\"}\n{\"index\":1,\"output\":\"\"}\n");
	check_books(s, "wide", 5);
	check_books(s, "echo", 4);
}
END_TEST

START_TEST(over_http_each_comes_as_it_ends)
{
	struct server *s = server_start(jobs);

	ck_assert_str_eq(map(s, "/v1/map/wide", "600\n300\n1"),
			 "{\"index\":2,\"output\":\"\"}\n{\"index\":1,\"output\":\"\"}\n{\"index\":0,\"output\":\"\"}\n");
}
END_TEST

START_TEST(the_answer_begins_before_the_last_has_ended)
{
	struct server *s = server_start(jobs);
	struct client *line = dial(s), *http = dial(s);

	say(line, "MAP wide 2 1 60000\r\n");
	hear(line, "*2\r\n$0\r\n\r\n");
	say_post(http, "/v1/map/wide", "", "60000\n1\n");
	ck_assert_int_eq(hear_head(http)->status, 200);
	hear(http, "18\r\n{\"index\":1,\"output\":\"\"}\n\r\n");
	ck_assert_uint_eq(stat_of(s, "wide", "running"), 2);
}
END_TEST

START_TEST(what_is_behind_it_on_the_connection_waits_for_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *http = dial(s);

	say(c, "RUN sleep 100\r\nMAP sleep 2 200 1\r\nRUN echo x\r\nMAP echo 1 y\r\nPING\r\n");
	hear(c, "$0\r\n\r\n*2\r\n$0\r\n\r\n$0\r\n\r\n$1\r\nx\r\n*1\r\n$1\r\ny\r\n+PONG\r\n");
	say_post(http, "/v1/map/sleep", "", "200");
	say_post(http, "/v1/map/echo", "", "x");
	say_post(http, "/v1/run/echo", "", "y");
	ck_assert_str_eq(hear_map(http), "{\"index\":0,\"output\":\"\"}\n");
	ck_assert_str_eq(hear_map(http), "{\"index\":0,\"output\":\"x\"}\n");
	assert_response(hear_response(http), 200, "y");
}
END_TEST

START_TEST(however_its_bytes_are_cut_the_answer_is_the_same)
{
	static const char request[] = "*7\r\n$3\r\nmap\r\n$4\r\necho\r\n$2\r\n02\r\n$1\r\na\r\n$4\r\n*1\r\n\r\n$5\r\nWIDTH\r\n$1\r\n1\r\n";
	static const char answer[] = "*2\r\n$1\r\na\r\n$4\r\n*1\r\n\r\n";
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	for (size_t cut = 1; cut < sizeof(request) - 1; cut++) {
		say_bytes(c, request, cut);
		say(c, "");
		say_bytes(c, request + cut, sizeof(request) - 1 - cut);
		hear(c, answer);
	}
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		say_bytes(c, request + i, 1);
	hear(c, answer);
}
END_TEST

/* --- Payloads --- */

START_TEST(lines_and_strings_of_json_are_payloads)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	ck_assert_str_eq(map(s, "/v1/map/echo?order=input", "a\n\n\"q\\\"\n"),
			 "{\"index\":0,\"output\":\"a\"}\n{\"index\":1,\"output\":\"\"}\n{\"index\":2,\"output\":\"\\\"q\\\\\\\"\"}\n");
	say_post(c, "/v1/map/echo?order=input", "Content-Type: Application/X-NDJSON; charset=utf-8\r\n",
		 "\"a\\nb\"\n  \"\\u00e9\\ud83d\\ude00\" \r\n\"\"");
	ck_assert_str_eq(hear_map(c), "{\"index\":0,\"output\":\"a\\nb\"}\n{\"index\":1,\"output\":\"\xc3\xa9\xf0\x9f\x98\x80\"}\n"
			 "{\"index\":2,\"output\":\"\"}\n");
	say_post(c, "/v1/map/echo", "Content-Type: application/x-ndjson\r\n", "\"a\"\n12\n");
	const struct response *r = hear_response(c);

	assert_problem(r, 400, "ERR");
	assert_has(r->body, "\"line\":2,\"why\":\"it does not begin with a quote\"");
	say_post(c, "/v1/map/echo", "", "\xff\xfe!");
	ck_assert_str_eq(hear_map(c), "{\"index\":0,\"output_base64\":\"//4h\"}\n");
}
END_TEST

START_TEST(a_client_of_http_1_0_reads_to_the_end_of_the_connection)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const struct response *r;

	say(c, "POST /v1/map/echo?order=input HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\na\nb");
	r = hear_head(c);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(header(r, "Connection"), "close");
	ck_assert_ptr_null(header(r, "Transfer-Encoding"));
	ck_assert_ptr_null(header(r, "Content-Length"));
	hear(c, "{\"index\":0,\"output\":\"a\"}\n{\"index\":1,\"output\":\"b\"}\n");
	hear_end(c);
}
END_TEST

START_TEST(of_a_job_with_a_streamed_stdin_too_the_body_comes_whole)
{
	struct server *s = server_start("[job cat]\nexec = /bin/cat\nstdin = stream\n");
	const char *head = "POST /v1/map/cat?order=input HTTP/1.1\r\n" HOST;
	const char *two = "{\"index\":0,\"output\":\"one\"}\n{\"index\":1,\"output\":\"two\"}\n";
	struct client *c = dial_unix(s);

	sayf(c, "%sTransfer-Encoding: chunked\r\n\r\n6\r\none\ntw\r\n1\r\no\r\n0\r\n\r\n", head);
	ck_assert_str_eq(hear_map(c), two);
	sayf(c, "%sContent-Length: 7\r\n\r\n", head);
	await(is_read(c));
	say(c, "one\ntwo");
	ck_assert_str_eq(hear_map(c), two);
	sayf(c, "%sContent-Length: 300004\r\n\r\n%0300000d\ntwo", head, 0);
	ck_assert_str_eq(hear_map(c), scratchf("{\"index\":0,\"output\":\"%0300000d\"}\n{\"index\":1,\"output\":\"two\"}\n", 0));
	hang_up(c);
}
END_TEST

START_TEST(ten_thousand_payloads_are_one_request_on_both_protocols)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	char *request = scratch(400000), *body = scratch(100000), *answer = scratch(400000), *lines = scratch(800000);
	size_t request_len, body_len = 0, answer_len, lines_len = 0;

	request_len = (size_t)sprintf(request, "*10003\r\n$3\r\nMAP\r\n$4\r\necho\r\n$5\r\n10000\r\n");
	answer_len = (size_t)sprintf(answer, "*10000\r\n");
	for (int i = 0; i < 10000; i++) {
		int digits = snprintf(NULL, 0, "%d", i);

		request_len += (size_t)sprintf(request + request_len, "$%d\r\n%d\r\n", digits, i);
		answer_len += (size_t)sprintf(answer + answer_len, "$%d\r\n%d\r\n", digits, i);
		body_len += (size_t)sprintf(body + body_len, "%d\n", i);
		lines_len += (size_t)sprintf(lines + lines_len, "{\"index\":%d,\"output\":\"%d\"}\n", i, i);
	}
	say(c, request);
	hear(c, answer);
	ck_assert_str_eq(map(s, "/v1/map/echo?order=input", body), lines);
	ck_assert_uint_eq(count_of(map(s, "/v1/map/echo", body), "\"output\""), 10000);
	assert_problem(post(s, "/v1/map/echo", strcat(body, "x\n")), 400, "ERR");
	check_books(s, "echo", 30000);
	check_books(s, "echo", stat_of(s, "echo", "done"));
}
END_TEST

/* --- How many, and how they end --- */

START_TEST(no_more_run_at_a_time_than_the_width_says)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const char *folder = new_folder();
	/* Each says how many are there with it. */
	const char *count = scratchf("mkdir %s/$$; ls %s | wc -l; sleep 0.05; rmdir %s/$$", folder, folder, folder);
	bool two = false;

	ck_assert_int_eq(chmod(folder, 0777), 0);
	say(c, "*13\r\n$3\r\nMAP\r\n$2\r\nsh\r\n$1\r\n8\r\n");
	for (int i = 0; i < 8; i++)
		sayf(c, "$%zu\r\n%s\r\n", strlen(count), count);
	say(c, "$5\r\nWIDTH\r\n$1\r\n2\r\n");
	hear(c, "*8\r\n");
	for (int i = 0; i < 8; i++) {
		const char *element = hear_reply(c);

		assert_match(element, "^\\$2\r\n[12]\n\r\n$");
		two |= element[4] == '2';
	}
	ck_assert(two);
}
END_TEST

START_TEST(each_fails_for_itself)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "MAP sh 4 'echo one' 'echo bad >&2; exit 3' 'kill -9 $$' 'echo four'\r\n");
	hear(c, "*4\r\n$4\r\none\n\r\n-FAILED exited with status 3 status=3 error=bad\r\n");
	hear_match(c, "^-KILLED .* signal=SIGKILL$");
	hear(c, "$5\r\nfour\n\r\n");
	assert_has(map(s, "/v1/map/sh", "exit 3\n"),
		   "{\"index\":0,\"error\":{\"code\":\"FAILED\",\"detail\":\"exited with status 3\",\"status\":3}}\n");
	ck_assert_uint_eq(stat_of(s, "sh", "done"), 2);
	ck_assert_uint_eq(stat_of(s, "sh", "failed"), 2);
	check_books(s, "sh", 5);
}
END_TEST

START_TEST(a_quorum_ends_the_rest_and_their_trees_are_gone_before_the_answer_ends)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const char *stay = "sleep 60 & sleep 60; echo", *folder = new_folder();

	ck_assert_int_eq(chmod(folder, 0777), 0);
	/* The last that has to succeed does not before the one that fails. */
	sayf(c, "MAP sh 6 '%s' 'echo a' '%s' 'echo >%s/failing; exit 1' 'until [ -e %s/failing ]; do sleep 0.01; done; sleep 1; echo b' '%s' QUORUM 2 ID quorum\r\n",
	     stay, stay, folder, folder, stay);
	hear(c, "*6\r\n");
	hear_match(c, "^-CANCELED cancelled while running ");
	hear(c, "$2\r\na\n\r\n");
	hear_match(c, "^-CANCELED cancelled while running ");
	hear_match(c, "^-FAILED ");
	hear(c, "$2\r\nb\n\r\n");
	hear_match(c, "^-CANCELED ");
	for (int i = 0; i < 6; i++)
		ck_assert_uint_eq(commands_of(scratchf("quorum.%d", i)), 0);
	ck_assert_uint_eq(inside(s, "sh"), 0);
	ck_assert_uint_eq(stat_of(s, "sh", "done"), 2);
	ck_assert_uint_eq(stat_of(s, "sh", "canceled"), 3);
	check_books(s, "sh", 6);
	const char *lines = map(s, "/v1/map/sleep?quorum=1&width=1", "1\n60000\n60000");

	ck_assert_uint_eq(count_of(lines, "CANCELED"), 2);
	ck_assert_uint_eq(count_of(lines, "\"output\""), 1);
}
END_TEST

START_TEST(a_hang_up_cancels_all_of_it)
{
	struct server *s = server_start(jobs);
	struct client *http = dial(s), *line = dial(s);

	say_post(http, "/v1/map/nap", "Leat-Id: gone\r\n", "1\n2\n3\n4\n5\n6\n");
	await(commands_of("gone.3") > 0 && stat_of(s, "nap", "waiting") == 2);
	hang_up(http);
	await(inside(s, "nap") == 0);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(commands_of(scratchf("gone.%d", i)), 0);
	say(line, "MAP nap 6 1 2 3 4 5 6\r\n");
	await(stat_of(s, "nap", "running") == 4);
	reset(line);
	await(inside(s, "nap") == 0);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 12);
	ck_assert_uint_eq(children_of(s->pid), 0);
	check_books(s, "nap", 12);
}
END_TEST

START_TEST(one_deadline_is_over_all_of_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "MAP sleep 4 1 60000 60000 1 DEADLINE 500ms\r\n");
	hear(c, "*4\r\n$0\r\n\r\n");
	hear_match(c, "^-TIMEOUT out of time while running, .* state=running after_ms=[0-9]+$");
	hear_match(c, "^-TIMEOUT out of time while running, ");
	hear_match(c, "^-TIMEOUT out of time while waiting, after [0-9]+ ms state=waiting after_ms=[0-9]+$");
	ck_assert_uint_eq(stat_of(s, "sleep", "timeout"), 3);
	check_books(s, "sleep", 4);
}
END_TEST

/* --- Admission --- */

START_TEST(all_places_or_none)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *busy = dial(s);

	say(c, "MAP sleep 23 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\r\n");
	hear_match(c, "^-BUSY queue full reason=queue_full retry_ms=[0-9]+ places=22 needed=23$");
	say(busy, "MAP sleep 20 60000 60000 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\r\n");
	await(stat_of(s, "sleep", "running") == 2);
	say(c, "MAP sleep 3 1 1 1\r\n");
	hear_match(c, "^-BUSY queue full reason=queue_full retry_ms=[0-9]+$");
	ck_assert_uint_eq(inside(s, "sleep"), 20);
	assert_problem(post(s, "/v1/map/sleep", "1\n2\n3\n"), 503, "BUSY");
	say(c, "MAP sleep 2 1 1\r\n");
	await(inside(s, "sleep") == 22);
	reset(busy);
	hear(c, "*2\r\n$0\r\n\r\n$0\r\n\r\n");
	ck_assert_uint_eq(stat_of(s, "sleep", "refused"), 29);
	check_books(s, "sleep", 51);
}
END_TEST

START_TEST(the_place_is_free_when_the_answer_is_there)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	for (int i = 0; i < 300; i++) {
		say(c, "MAP only 1 x\r\n");
		hear(c, "*1\r\n$1\r\nx\r\n");
	}
}
END_TEST

START_TEST(what_cannot_be_understood_is_said_and_the_connection_goes_on)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	static const struct {
		const char *said, *heard;
	} cases[] = {
		{ "MAP", "^-ERR wrong number of arguments: MAP job n payload" },
		{ "MAP echo 1", "^-ERR wrong number of arguments" },
		{ "MAP echo 0 x", "^-ERR the number of payloads is not 1 to 10000$" },
		{ "MAP echo -1 x", "^-ERR the number of payloads " },
		{ "MAP echo 10001 x", "^-ERR the number of payloads " },
		{ "MAP echo 2 x", "^-ERR fewer payloads follow than their number says number=2 payloads=1$" },
		{ "MAP echo 1 x y", "^-ERR MAP takes job n payload" },
		{ "MAP echo 1 x WIDTH", "^-ERR MAP takes " },
		{ "MAP echo 1 x WIDTH 0", "^-ERR the width is not a number over 0$" },
		{ "MAP echo 1 x QUORUM 0", "^-ERR the quorum is not a number over 0$" },
		{ "MAP echo 1 x QUORUM 2", "^-ERR the quorum is over the number of payloads$" },
		{ "MAP echo 1 x DEADLINE 0", "^-ERR the deadline " },
		{ "MAP nothing 1 x", "^-NOJOB no such job job=nothing$" },
		{ "MAP greet 1 x ARG word 7", "^-ERR " },
		{ "MAP echo 1 x ID a23456789012345678901234567890123456789012345678901234567890", "^-ERR the id of a MAP is at most 59 " },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		sayf(c, "%s\r\n", cases[i].said);
		hear_match(c, cases[i].heard);
	}
	say(c, "MAP greet 2 x y ARG word hello width 1\r\n");
	hear(c, "*2\r\n$7\r\nhello x\r\n$7\r\nhello y\r\n");
	assert_problem(post(s, "/v1/map/echo", ""), 400, "ERR");
	assert_problem(post(s, "/v1/map/echo?width=0", "x"), 400, "ERR");
	assert_problem(post(s, "/v1/map/echo?quorum=2", "x"), 400, "ERR");
	assert_problem(post(s, "/v1/map/echo?order=up", "x"), 400, "ERR");
	assert_problem(post(s, "/v1/map/ecko", "x"), 404, "NOJOB");
	assert_problem(get(s, "/v1/map/echo"), 405, "ERR");
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(only_map_may_have_so_many_arguments)
{
	struct server *s = server_start(jobs);
	struct client *run = dial(s), *map = dial(s), *other = dial(s);

	say(run, "*1025\r\n$3\r\nRUN\r\n");
	hear_match(run, "^-ERR too many arguments");
	hear_end(run);
	say(other, "*1025\r\n$4\r\n");
	hear_match(other, "^-ERR too many arguments");
	hear_end(other);
	say(map, "*10100\r\n$3\r\nMAP\r\n");
	hear_match(map, "^-ERR too many arguments");
	hear_end(map);
}
END_TEST

START_TEST(the_payloads_together_may_be_as_large_as_one)
{
	struct server *s = server_start(scratchf("[server]\nmax_payload = 64K\n%s", jobs));
	struct client *c = dial(s);
	const char *half = scratchf("%032768d", 7);

	sayf(c, "*5\r\n$3\r\nMAP\r\n$4\r\necho\r\n$1\r\n2\r\n$32768\r\n%s\r\n$32768\r\n%s\r\n", half, half);
	hear(c, "*2\r\n$32768\r\n");
	hear(c, half);
	hear(c, "\r\n$32768\r\n");
	hear(c, half);
	hear(c, "\r\n");
	sayf(c, "*6\r\n$3\r\nMAP\r\n$4\r\necho\r\n$1\r\n3\r\n$32768\r\n%s\r\n$32768\r\n%s\r\n$1\r\nx\r\nPING\r\n", half, half);
	hear_match(c, "^-TOOBIG the payloads together are over max_payload max_payload=65536$");
	hear(c, "+PONG\r\n");
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 2);
}
END_TEST

/* --- Seen and steered from outside --- */

static int cancel(struct server *s, const char *id)
{
	struct client *c = dial(s);
	const char *line;

	sayf(c, "CANCEL %s\r\n", id);
	line = hear_match(c, "^:[01]$");
	hang_up(c);
	return line[1] - '0';
}

START_TEST(each_of_its_jobs_is_listed_and_can_be_cancelled)
{
	struct server *s = server_start(scratchf("[server]\nloops = 3\n%s", jobs));
	struct client *c = dial(s);
	const char *ps;

	say(c, "MAP nap 6 1 2 3 4 5 6 ID six\r\n");
	hear(c, "*6\r\n");
	await(commands_of("six.3") > 0 && stat_of(s, "nap", "running") == 4);
	ps = get(s, "/v1/ps")->body;
	ck_assert_uint_eq(count_of(ps, "\"id\":\"six."), 6);
	ck_assert_uint_eq(count_of(ps, "\"state\":\"running\""), 4);
	assert_has(ps, "\"id\":\"six.0\",\"job\":\"nap\",\"state\":\"running\"");
	assert_has(ps, "\"id\":\"six.5\",\"job\":\"nap\",\"state\":\"waiting\"");
	ck_assert_int_eq(cancel(s, "six.6"), 0);
	ck_assert_int_eq(cancel(s, "six.05"), 0);
	ck_assert_int_eq(cancel(s, "si"), 0);
	ck_assert_int_eq(cancel(s, "six.4"), 1);
	ck_assert_uint_eq(stat_of(s, "nap", "waiting"), 1);
	ck_assert_int_eq(cancel(s, "six.4"), 0);
	ck_assert_int_eq(cancel(s, "six.0"), 1);
	hear_match(c, "^-CANCELED cancelled while running state=running after_ms=[0-9]+$");
	ck_assert_uint_eq(commands_of("six.0"), 0);
	/* The one that waited has its slot now. */
	await(commands_of("six.5") > 0);
	ck_assert_int_eq(cancel(s, "six"), 1);
	for (int i = 1; i < 4; i++)
		hear_match(c, "^-CANCELED cancelled while running ");
	hear_match(c, "^-CANCELED cancelled while waiting state=waiting after_ms=[0-9]+$");
	hear_match(c, "^-CANCELED cancelled while running ");
	ck_assert_int_eq(cancel(s, "six"), 0);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled"), 6);
	check_books(s, "nap", 6);
	/* The id is free again. */
	say(c, "MAP echo 1 x ID six\r\n");
	hear(c, "*1\r\n$1\r\nx\r\n");
}
END_TEST

START_TEST(what_was_cancelled_one_by_one_leaves_room_in_the_queue)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 4\ndeadline = 1m\npredict = no\n");
	struct client *run = dial(s), *c = dial(s);

	say(run, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	for (int i = 0; i < 30; i++) {
		say(c, "MAP sleep 2 1 1 ID two\r\n");
		hear(c, "*2\r\n");
		ck_assert_int_eq(cancel(s, "two.1"), 1);
		ck_assert_int_eq(cancel(s, "two.0"), 1);
		hear_match(c, "^-CANCELED ");
		hear_match(c, "^-CANCELED ");
	}
	reset(run);
	check_books(s, "sleep", 61);
}
END_TEST

START_TEST(an_id_that_is_in_flight_is_refused)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *other = dial(s);

	say(c, "MAP sleep 1 60000 ID mine\r\n");
	hear(c, "*1\r\n");
	say(other, "MAP echo 1 x ID mine\r\nRUN echo x ID mine\r\n");
	hear_match(other, "^-ERR a job of this id is in flight$");
	hear_match(other, "^-ERR a job of this id is in flight$");
}
END_TEST

static void steer(struct server *s, const char *command)
{
	struct client *c = dial(s);

	sayf(c, "%s\r\n", command);
	hear(c, "+OK\r\n");
	hang_up(c);
}

START_TEST(a_pause_holds_what_waits_and_lets_what_runs_end)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *late = dial(s);

	say(c, "MAP sleep 5 300 300 1 1 1\r\n");
	await(stat_of(s, "sleep", "running") == 2);
	steer(s, "PAUSE sleep");
	hear(c, "*5\r\n$0\r\n\r\n$0\r\n\r\n");
	ck_assert_uint_eq(stat_of(s, "sleep", "waiting"), 3);
	ck_assert_uint_eq(stat_of(s, "sleep", "running"), 0);
	say(late, "MAP sleep 2 1 1\r\n");
	hear_match(late, "^-BUSY .* reason=paused ");
	steer(s, "RESUME sleep");
	hear(c, "$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
	/* And what waits in a pause can be given up. */
	steer(s, "PAUSE wide");
	steer(s, "RESUME wide");
	say(c, "MAP wide 12 60000 60000 60000 60000 60000 60000 60000 60000 1 1 1 1 ID held\r\n");
	await(stat_of(s, "wide", "running") == 8);
	steer(s, "PAUSE wide");
	ck_assert_int_eq(cancel(s, "held.9"), 1);
	ck_assert_int_eq(cancel(s, "held"), 1);
	hear(c, "*12\r\n");
	for (int i = 0; i < 12; i++)
		hear_match(c, "^-CANCELED ");
	check_books(s, "wide", 12);
	check_books(s, "sleep", 7);
}
END_TEST

START_TEST(semaphores_hold_for_each_of_its_jobs)
{
	struct server *s = server_start("[semaphore one]\npermits = 1\n[job sleep]\nbuiltin = sleep\nconcurrency = 4\nuses = one\n"
					"deadline = 1m\n");
	struct client *c = dial(s), *d = dial(s);

	say(c, "MAP sleep 4 50 50 50 50\r\n");
	for (int i = 0; i < 20 && inside(s, "sleep") > 0; i++)
		ck_assert_uint_le(stat_of(s, "sleep", "running"), 1);
	hear(c, "*4\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
	say(d, "MAP sleep 4 60000 1 1 1\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	reset(d);
	check_books(s, "sleep", 8);
	say(c, "RUN sleep 1\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

/* A thousand short runs of `sleep` and the payloads of `many` take turns with the permit, and then a long run has it. NULL: too late, or
 * before any of `many`. */
static struct client *be_interrupted(struct server *s, const char *many, uint64_t *done)
{
	struct client *c = dial(s), *sleeper = dial(s);
	uint64_t before = stat_of(s, "echo", "done");
	char *runs = scratch(20000), *at = runs;

	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "RUN sleep 0\r\n");
	strcpy(at, "RUN sleep 60000 ID long\r\n");
	say(sleeper, runs);
	say(c, many);
	for (int i = 0; i < 1000; i++)
		hear(sleeper, "$0\r\n\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	*done = stat_of(s, "echo", "done") - before;
	if (*done > 0 && inside(s, "echo") > 0)
		return c;
	reset(c);
	reset(sleeper);
	await(inside(s, "sleep") + inside(s, "echo") == 0);
	return NULL;
}

START_TEST(what_has_ended_is_told_while_the_next_waits_for_a_permit)
{
	struct server *s = server_start("[semaphore one]\npermits = 1\n[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 2000\n"
					"uses = one\ndeadline = 1m\npredict = no\n"
					"[job echo]\nbuiltin = echo\nqueue = 20000\nuses = one\ndeadline = 1m\npredict = no\n");
	char *many = scratch(100000), *at = many + sprintf(many, "*10005\r\n$3\r\nMAP\r\n$4\r\necho\r\n$5\r\n10000\r\n");
	struct client *c = NULL;
	uint64_t done = 0;

	for (int i = 0; i < 10000; i++)
		at += sprintf(at, "$1\r\nx\r\n");
	strcpy(at, "$5\r\nWIDTH\r\n$1\r\n1\r\n");
	for (int i = 0; i < 50 && !c; i++)
		c = be_interrupted(s, many, &done);
	ck_assert_ptr_nonnull(c);
	hear(c, "*10000\r\n");
	for (uint64_t i = 0; i < done; i++)
		hear(c, "$1\r\nx\r\n");
}
END_TEST

START_TEST(others_of_the_type_get_their_turn)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 300\ndeadline = 1m\npredict = no\n");
	struct client *c = dial(s), *other = dial(s);
	char *many = scratchf("MAP sleep 200");

	for (int i = 0; i < 200; i++)
		many = scratchf("%s 20", many);
	sayf(c, "%s\r\n", many);
	await(stat_of(s, "sleep", "running") == 1);
	say(other, "RUN sleep 1\r\n");
	hear(other, "$0\r\n\r\n");
	ck_assert_uint_gt(stat_of(s, "sleep", "waiting"), 50);
}
END_TEST

START_TEST(a_drain_finishes_what_was_accepted)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *http = dial(s);

	say(c, "MAP sleep 4 3000 3000 1 1\r\n");
	say_post(http, "/v1/map/sleep?order=input", "", "1\n1\n");
	await(stat_of(s, "sleep", "submitted") == 6);
	kill(s->pid, SIGTERM);
	hear(c, "*4\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
	hear_end(c);
	ck_assert_str_eq(hear_map(http), "{\"index\":0,\"output\":\"\"}\n{\"index\":1,\"output\":\"\"}\n");
	server_wait(s);
}
END_TEST

START_TEST(a_drain_that_takes_too_long_cancels_it)
{
	struct server *s = server_start(scratchf("[server]\ndrain_timeout = 300ms\n%s", jobs));
	struct client *c = dial(s);

	say(c, "MAP nap 6 1 2 3 4 5 6\r\n");
	await(stat_of(s, "nap", "running") == 4);
	kill(s->pid, SIGTERM);
	hear(c, "*6\r\n");
	for (int i = 0; i < 6; i++)
		hear_match(c, "^-CANCELED ");
	hear_end(c);
	server_wait(s);
}
END_TEST

/* --- Memory --- */

enum { LARGE = IS_SANITIZED ? 20 * 1024 : 100 * 1024 };

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Of the folder of the build. */
static const char *plugin_path(const char *name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(leatd_path(), '/');

	ck_assert_ptr_nonnull(realpath(scratchf("%.*s/plugins/%s.so", (int)(slash - leatd_path()), leatd_path(), name), path));
	return scratchf("%s", path);
}

/* Its answers are as large as that: the payload, and blanks. */
static struct server *start_large(const char *keys)
{
	return server_start(scratchf("[server]\nuser = %s\n[job large]\nplugin = %s\nplugin_config = %d\nisolate = no\nconcurrency = 4\n"
				     "queue = 20000\nmax_output = 1M\ndeadline = 10m\nmax_deadline = 10m\n%s", getpwuid(geteuid())->pw_name,
				     plugin_path("large"), LARGE, keys));
}

/* Its socket takes little: what the server still holds must not depend on how much the kernel lets a socket grow, which is tens of MiB on some. */
static struct client *dial_narrow(const struct server *s)
{
	struct client *c = dial(s);
	int size = 128 * 1024;

	ck_assert_int_eq(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	return c;
}

/* Payloads 0, 1, 2 and so on. */
static void say_large(struct client *c, int count, const char *options)
{
	char *request = scratch(200 + 20 * (size_t)count), *at = request;
	int more = 0;

	for (const char *word = options; *word; word = strchr(word, '\n') + 1)
		more++;
	at += sprintf(at, "*%d\r\n$3\r\nMAP\r\n$5\r\nlarge\r\n$%d\r\n%d\r\n", 3 + count + more, snprintf(NULL, 0, "%d", count), count);
	for (int i = 0; i < count; i++)
		at += sprintf(at, "$%d\r\n%d\r\n", snprintf(NULL, 0, "%d", i), i);
	for (const char *word = options; *word; word = strchr(word, '\n') + 1) {
		int len = (int)(strchr(word, '\n') - word);

		at += sprintf(at, "$%d\r\n%.*s\r\n", len, len, word);
	}
	say(c, request);
	sayf(c, "PING\r\n");
}

static void hear_large(struct client *c, int from, int to)
{
	char *element = scratch(LARGE + 32);

	for (int i = from; i < to; i++) {
		sprintf(element, "$%d\r\n%-*d\r\n", LARGE, LARGE, i);
		hear(c, element);
	}
}

static bool is_held(struct server *s)
{
	return stat_of(s, "large", "done") > 0 && stat_of(s, "large", "waiting") > 0 && stat_of(s, "large", "running") == 0;
}

/* So much of it has not been read that nothing of it runs, though there are runners: also not for what the sockets still take. Returns how many
 * are done. */
static uint64_t await_held(struct server *s)
{
	uint64_t done;

	do {
		await(is_held(s));
		done = stat_of(s, "large", "done");
		poll(NULL, 0, 100);
	} while (!is_held(s) || stat_of(s, "large", "done") != done);
	return done;
}

START_TEST(a_client_that_does_not_read_holds_its_batch_back_and_nobody_else)
{
	struct server *s = start_large("");
	struct client *c = dial_narrow(s), *other = dial(s);
	int count = IS_SANITIZED ? 2000 : 10000;

	say_large(c, count, "");
	await_held(s);
	for (int i = 0; i < 100; i++) {
		say(other, "RUN large 7\r\n");
		hear_large(other, 7, 8);
	}
	say_large(other, 20, "");
	hear(other, "*20\r\n");
	hear_large(other, 0, 20);
	hear(other, "+PONG\r\n");
	/* A budget of 1 MiB, what four have run into it, the request; the rest of what is done lies in sockets. */
	ck_assert_uint_lt(metric(s, "leat_memory_bytes"), 4 << 20);
	ck_assert_uint_lt(stat_of(s, "large", "done"), 1000);
	hear(c, scratchf("*%d\r\n", count));
	hear_large(c, 0, count);
	hear(c, "+PONG\r\n");
	ck_assert_uint_eq(stat_of(s, "large", "done"), (uint64_t)count + 120);
	ck_assert_msg(IS_SANITIZED || memory_of(s->pid, "VmHWM") < 64 << 20, "%zu", memory_of(s->pid, "VmHWM") >> 20);
	check_books(s, "large", (uint64_t)count + 120);
}
END_TEST

START_TEST(what_is_held_back_ends_at_the_deadline)
{
	struct server *s = start_large("predict = no\n");
	struct client *c = dial_narrow(s);
	uint64_t done;

	say_large(c, 2000, IS_SANITIZED ? "DEADLINE\n10s\n" : "DEADLINE\n1s\n");
	await(stat_of(s, "large", "submitted") == 2000 && inside(s, "large") == 0);
	done = stat_of(s, "large", "done");
	ck_assert_uint_eq(stat_of(s, "large", "timeout"), 2000 - done);
	ck_assert_uint_lt(done, 1000);
	hear(c, "*2000\r\n");
	hear_large(c, 0, (int)done);
	for (uint64_t i = done; i < 2000; i++)
		hear_match(c, "^-TIMEOUT out of time while waiting, after 1[0-9]{3,4} ms state=waiting after_ms=");
	hear(c, "+PONG\r\n");
	check_books(s, "large", 2000);
}
END_TEST

START_TEST(what_is_held_back_ends_by_cancel_by_quorum_and_with_its_client)
{
	struct server *s = start_large("");
	struct client *c = dial_narrow(s), *control = dial(s);
	uint64_t done;

	say_large(c, 1000, "ID\nheld\n");
	done = await_held(s);
	say(control, "CANCEL held\r\n");
	hear(control, ":1\r\n");
	ck_assert_uint_eq(inside(s, "large"), 0);
	hear(c, "*1000\r\n");
	hear_large(c, 0, (int)done);
	for (uint64_t i = done; i < 1000; i++)
		hear_match(c, "^-CANCELED cancelled while waiting ");
	hear(c, "+PONG\r\n");
	say_large(c, 1000, "QUORUM\n500\nWIDTH\n1\n");
	await_held(s);
	hear(c, "*1000\r\n");
	hear_large(c, 0, 500);
	for (uint64_t i = 500; i < 1000; i++)
		hear_match(c, "^-CANCELED ");
	hear(c, "+PONG\r\n");
	say_large(c, 1000, "");
	await_held(s);
	reset(c);
	check_books(s, "large", 3000);
}
END_TEST

START_TEST(a_drain_waits_for_the_reader_of_what_is_held_back)
{
	struct server *s = start_large("");
	struct client *c = dial_narrow(s);

	say_large(c, 1000, "");
	await_held(s);
	kill(s->pid, SIGTERM);
	await(server_logged(s, "draining"));
	hear(c, "*1000\r\n");
	hear_large(c, 0, 1000);
	server_wait(s);
}
END_TEST

START_TEST(a_reload_takes_nothing_from_what_is_held_back)
{
	struct server *s = start_large("");
	struct client *c = dial_narrow(s), *control = dial(s);
	char *config = read_file(s->config_path, NULL);

	say_large(c, 1000, "");
	await_held(s);
	write_file(s->config_path, scratchf("%sclient_share = 99\n", config));
	say(control, "RELOAD\r\n");
	hear_match(control, "^\\+OK 0 added, 1 changed, ");
	hear(c, "*1000\r\n");
	hear_large(c, 0, 1000);
	hear(c, "+PONG\r\n");
	check_books(s, "large", 1000);
}
END_TEST

START_TEST(results_behind_a_slow_one_wait_within_their_limit_and_it_is_never_held_back)
{
	struct server *s = server_start("[job sh]\nexec = /bin/sh\nconcurrency = 2\nqueue = 100\nmax_output = 1M\ndeadline = 1m\npredict = no\n");
	const char *file = scratchf("%s/there", new_folder()), *slow = scratchf("until [ -e %s ]; do sleep 0.01; done", file);
	const char *large = "head -c 100000 /dev/zero | tr \\\\0 x";
	struct client *c = dial(s), *other = dial(s);
	char *body = scratchf("%s\n%s\n%s\n", slow, large, slow);

	for (int i = 3; i < 20; i++)
		body = scratchf("%s%s\n", body, large);
	say_post(c, "/v1/map/sh?order=input", "", body);
	await(stat_of(s, "sh", "running") == 2 && stat_of(s, "sh", "done") == 1);
	write_file(file, "");
	ck_assert_uint_eq(count_of(hear_map(c), "\"output\""), 20);
	check_books(s, "sh", 20);
	/* One that blocks all: the others run as far as there is room. */
	ck_assert_int_eq(unlink(file), 0);
	body = scratchf("%s\n", slow);
	for (int i = 1; i < 20; i++)
		body = scratchf("%s%s\n", body, large);
	say_post(c, "/v1/map/sh?order=input", "", body);
	await(stat_of(s, "sh", "running") == 1 && stat_of(s, "sh", "done") == 31);
	say(other, "RUN sh 'exit 0'\r\n");
	hear(other, "$0\r\n\r\n");
	ck_assert_uint_eq(stat_of(s, "sh", "done"), 32);
	write_file(file, "");
	ck_assert_uint_eq(count_of(hear_map(c), "\"output\""), 20);
	check_books(s, "sh", 41);
}
END_TEST

START_TEST(results_that_wait_stay_within_the_budget)
{
	struct server *s = server_start("[server]\nmax_memory = 32M\n[job big]\nexec = /usr/bin/head -c 4000000 /dev/zero\n"
					"concurrency = 4\nqueue = 100\ndeadline = 1m\npredict = no\n");
	struct client *c = dial(s), *second = dial(s), *third = dial(s), *reader = dial(s);
	struct client *const all[] = { c, second, third };
	char *request = scratchf("MAP big 20");
	size_t done = 0;

	for (int i = 0; i < 20; i++)
		request = scratchf("%s %d", request, i);
	/* Nobody reads: what does not fit is killed, and leatd goes on. */
	for (size_t i = 0; i < countof(all); i++)
		sayf(all[i], "%s\r\n", request);
	await(stat_of(s, "big", "submitted") == 60 && stat_of(s, "big", "running") == 0 && stat_of(s, "big", "done") > 6);
	ck_assert_uint_le(metric(s, "leat_memory_bytes"), 32 << 20);
	ck_assert_msg(IS_SANITIZED || memory_of(s->pid, "VmHWM") < (32 + 64) << 20, "%zu", memory_of(s->pid, "VmHWM") >> 20);
	say(reader, "PING\r\n");
	hear(reader, "+PONG\r\n");
	for (size_t i = 0; i < countof(all); i++) {
		hear(all[i], "*20\r\n");
		for (int n = 0; n < 20; n++) {
			char *element = hear_reply(all[i]);

			done += element[0] == '$';
			if (element[0] != '$')
				assert_match(element, "^-KILLED no memory left for its output reason=memory");
		}
	}
	ck_assert_uint_eq(done, stat_of(s, "big", "done"));
	ck_assert_uint_gt(done, 6);
	check_books(s, "big", 60);
	clients_reset();
	s->control = NULL;
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(large_outputs_come_whole_in_every_form)
{
	struct server *s = server_start("[job cat]\nexec = /bin/cat\n");
	struct client *c = dial(s);
	size_t len = 300001;
	char *payload = scratch(len + 1), *quotes = scratch(len + 1);
	const char *lines;

	memset(payload, 'x', len);
	memset(quotes, '"', len);
	sayf(c, "*5\r\n$3\r\nMAP\r\n$3\r\ncat\r\n$1\r\n2\r\n$%zu\r\n%s\r\n$1\r\ny\r\n", len, payload);
	hear(c, "*2\r\n$300001\r\n");
	hear(c, payload);
	hear(c, "\r\n$1\r\ny\r\n");
	lines = map(s, "/v1/map/cat?order=input", scratchf("%s\n%s\nz", payload, quotes));
	ck_assert_uint_eq(count_of(lines, "\\\""), len);
	ck_assert_ptr_nonnull(strstr(lines, scratchf("{\"index\":0,\"output\":\"%s\"}\n{\"index\":1,\"output\":\"\\\"", payload)));
	assert_has(lines + strlen(lines) - 40, "\\\"\"}\n{\"index\":2,\"output\":\"z\"}\n");
	payload[0] = '\xff';
	lines = map(s, "/v1/map/cat", payload);
	ck_assert_uint_eq(strlen(lines), strlen("{\"index\":0,\"output_base64\":\"\"}\n") + (len + 2) / 3 * 4);
}
END_TEST

START_TEST(a_batch_for_which_there_is_no_memory_is_refused_as_a_whole)
{
	struct server *s = server_start("[server]\nmax_memory = 1M\n[job echo]\nbuiltin = echo\nqueue = 20000\n");
	struct client *c = dial(s);
	char *body = scratch(500000);

	for (int i = 0; i < 9999; i++)
		sprintf(body + 41 * i, "%040d\n", i);
	say_post(c, "/v1/map/echo", "", body);
	const struct response *r = hear_response(c);

	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"memory\"");
	ck_assert_uint_eq(stat_of(s, "echo", "refused"), 9999);
	check_books(s, "echo", 9999);
}
END_TEST

Suite *map_suite(void)
{
	const TTest *tests[] = {
		outputs_come_in_the_order_of_the_payloads,
		over_http_each_comes_as_it_ends,
		the_answer_begins_before_the_last_has_ended,
		what_is_behind_it_on_the_connection_waits_for_it,
		however_its_bytes_are_cut_the_answer_is_the_same,
		lines_and_strings_of_json_are_payloads,
		a_client_of_http_1_0_reads_to_the_end_of_the_connection,
		of_a_job_with_a_streamed_stdin_too_the_body_comes_whole,
		ten_thousand_payloads_are_one_request_on_both_protocols,
		no_more_run_at_a_time_than_the_width_says,
		each_fails_for_itself,
		a_quorum_ends_the_rest_and_their_trees_are_gone_before_the_answer_ends,
		a_hang_up_cancels_all_of_it,
		one_deadline_is_over_all_of_it,
		all_places_or_none,
		the_place_is_free_when_the_answer_is_there,
		what_cannot_be_understood_is_said_and_the_connection_goes_on,
		only_map_may_have_so_many_arguments,
		the_payloads_together_may_be_as_large_as_one,
		each_of_its_jobs_is_listed_and_can_be_cancelled,
		what_was_cancelled_one_by_one_leaves_room_in_the_queue,
		an_id_that_is_in_flight_is_refused,
		a_pause_holds_what_waits_and_lets_what_runs_end,
		semaphores_hold_for_each_of_its_jobs,
		what_has_ended_is_told_while_the_next_waits_for_a_permit,
		others_of_the_type_get_their_turn,
		a_drain_finishes_what_was_accepted,
		a_drain_that_takes_too_long_cancels_it,
		a_client_that_does_not_read_holds_its_batch_back_and_nobody_else,
		what_is_held_back_ends_at_the_deadline,
		what_is_held_back_ends_by_cancel_by_quorum_and_with_its_client,
		a_drain_waits_for_the_reader_of_what_is_held_back,
		a_reload_takes_nothing_from_what_is_held_back,
		results_behind_a_slow_one_wait_within_their_limit_and_it_is_never_held_back,
		results_that_wait_stay_within_the_budget,
		large_outputs_come_whole_in_every_form,
		a_batch_for_which_there_is_no_memory_is_refused_as_a_whole,
	};
	return wire_suite("map", tests, countof(tests));
}
