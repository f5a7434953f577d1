/* HTTP/1.1: what is asked as it should be. */
#include "wire.h"

#define HOST "Host: localhost\r\n"

START_TEST(a_run_answers_the_output_with_its_id_and_times)
{
	const struct response *r = post(server_start(NULL), "/v1/run/upper", "hello");

	assert_response(r, 200, "HELLO");
	ck_assert_str_eq(header(r, "Content-Length"), "5");
	ck_assert_str_eq(header(r, "Content-Type"), "application/octet-stream");
	assert_match(header(r, "Leat-Id"), "^[0-9a-f]{16}$");
	assert_match(header(r, "Server-Timing"), "^queue;dur=[0-9]+\\.[0-9], run;dur=[0-9]+\\.[0-9]$");
	assert_match(header(r, "Date"), "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} 20[0-9]{2} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT$");
	ck_assert_ptr_null(header(r, "Connection"));
}
END_TEST

START_TEST(an_id_that_is_given_is_echoed)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);

	say_post(c, "/v1/run/upper", "Leat-Id: a.B_c-1\r\n", "x");
	ck_assert_str_eq(header(hear_response(c), "Leat-Id"), "a.B_c-1");
	say_post(c, "/v1/run/sleep", "leat-id: late\r\nleat-deadline: 20ms\r\n", "5s");
	ck_assert_str_eq(header(hear_response(c), "Leat-Id"), "late");
	say_post(c, "/v1/run/upper", "Leat-Id: a b\r\n", "x");
	assert_problem(hear_response(c), 400, "ERR");
	say_post(c, "/v1/run/upper", "Leat-Id: \r\n", "x");
	assert_problem(hear_response(c), 400, "ERR");
}
END_TEST

START_TEST(an_id_that_is_in_flight_is_refused)
{
	struct server *s = server_start(NULL);
	struct client *a = dial(s), *b = dial(s);

	say_post(a, "/v1/run/sleep", "Leat-Id: one\r\nLeat-Deadline: 500\r\n", "60000");
	await(stat_of(s, "sleep", "running") == 1);
	say_post(b, "/v1/run/echo", "Leat-Id: one\r\n", "x");
	assert_problem(hear_response(b), 400, "ERR");
	assert_problem(hear_response(a), 504, "TIMEOUT");
}
END_TEST

START_TEST(a_deadline_comes_in_a_header_or_in_the_query)
{
	struct client *c = dial(server_start(NULL));

	say_post(c, "/v1/run/sleep", "Leat-Deadline: 50ms\r\n", "60000");
	assert_problem(hear_response(c), 504, "TIMEOUT");
	say_post(c, "/v1/run/sleep?deadline=50ms", "", "60000");
	assert_problem(hear_response(c), 504, "TIMEOUT");
	say_post(c, "/v1/run/sleep?x=y&dead%6cine=50&z", "", "60000");
	assert_problem(hear_response(c), 504, "TIMEOUT");
	say_post(c, "/v1/run/sleep?deadline=2m", "Leat-Deadline: 50ms\r\n", "60000");
	assert_problem(hear_response(c), 504, "TIMEOUT");
	say_post(c, "/v1/run/sleep?deadline=2m", "", "1");
	assert_response(hear_response(c), 200, "");
}
END_TEST

START_TEST(a_bad_deadline_is_400_and_the_connection_goes_on)
{
	static const char *const bad[] = { "0", "-1", "soon", "", "5x", "%ff", "5%", "1234567890123456789012345678901234567890" };
	struct client *c = dial(server_start(NULL));

	for (size_t i = 0; i < countof(bad); i++) {
		say_post(c, scratchf("/v1/run/echo?deadline=%s", bad[i]), "", "x");
		assert_problem(hear_response(c), 400, "ERR");
		say_post(c, "/v1/run/echo", scratchf("Leat-Deadline: %s\r\n", bad[i]), "x");
		assert_problem(hear_response(c), 400, "ERR");
	}
	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
}
END_TEST

START_TEST(a_connection_is_kept_until_the_client_asks_to_close_it)
{
	struct client *c = dial(server_start(NULL));

	for (int i = 0; i < 3; i++) {
		say_post(c, "/v1/run/upper", "", "a");
		assert_response(hear_response(c), 200, "A");
	}
	say_post(c, "/v1/run/echo", "Connection: foo, Close\r\n", "x");
	say_post(c, "/v1/run/echo", "", "never");
	const struct response *r = hear_response(c);
	assert_response(r, 200, "x");
	ck_assert_str_eq(header(r, "Connection"), "close");
	hear_end(c);
}
END_TEST

START_TEST(http_1_0_closes_unless_asked_to_keep_alive)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);
	const struct response *r;

	say(c, "POST /v1/run/upper HTTP/1.0\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na");
	r = hear_response(c);
	assert_response(r, 200, "A");
	ck_assert_str_eq(header(r, "Connection"), "keep-alive");
	say(c, "POST /v1/run/upper HTTP/1.0\r\nContent-Length: 1\r\n\r\na");
	assert_response(hear_response(c), 200, "A");
	hear_end(c);
}
END_TEST

START_TEST(head_answers_what_get_would_without_the_body)
{
	static const char *const paths[] = { "/healthz", "/readyz", "/v1/jobs" };
	struct client *c = dial(server_start(NULL));

	for (size_t i = 0; i < countof(paths); i++) {
		const struct response *r;

		sayf(c, "GET %s HTTP/1.1\r\n" HOST "\r\nHEAD %s HTTP/1.1\r\n" HOST "\r\n", paths[i], paths[i]);
		r = hear_response(c);
		ck_assert_str_eq(header(r, "Content-Length"), header(hear_head(c), "Content-Length"));
	}
	say(c, "HEAD /nothing HTTP/1.1\r\n" HOST "\r\nHEAD /v1/run/echo HTTP/1.1\r\n" HOST "\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(hear_head(c)->status, 404);
	ck_assert_int_eq(hear_head(c)->status, 405);
	assert_response(hear_response(c), 200, "ok\n");
}
END_TEST

START_TEST(a_chunked_body_is_a_payload)
{
	struct client *c = dial(server_start(NULL));
	static const char head[] = "POST /v1/run/upper HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";

	sayf(c, "%s5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", head);
	assert_response(hear_response(c), 200, "HELLO WORLD");
	sayf(c, "%s0\r\n\r\n", head);
	assert_response(hear_response(c), 200, "");
	sayf(c, "%sA\r\n0123456789\r\n000a\r\nabcdefghij\r\n0\r\nTrailer: x\r\n\r\n", head);
	assert_response(hear_response(c), 200, "0123456789ABCDEFGHIJ");
	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
}
END_TEST

START_TEST(a_client_that_expects_100_is_told_to_go_on)
{
	struct client *c = dial(server_start(NULL));

	say(c, "POST /v1/run/upper HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	hear(c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(c, "hello");
	assert_response(hear_response(c), 200, "HELLO");
	say(c, "POST /v1/run/upper HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n\r\n");
	hear(c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(c, "1\r\na\r\n0\r\n\r\n");
	assert_response(hear_response(c), 200, "A");
}
END_TEST

START_TEST(a_client_that_expects_100_behind_others_is_told_in_its_turn)
{
	struct client *c = dial(server_start(NULL));

	say_post(c, "/v1/run/sleep", "", "100");
	say(c, "POST /v1/run/upper HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n");
	assert_response(hear_response(c), 200, "");
	hear(c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(c, "a");
	assert_response(hear_response(c), 200, "A");
}
END_TEST

START_TEST(a_body_of_too_many_bytes_is_refused_before_it_is_sent)
{
	struct client *c = dial(server_start(NULL));

	say(c, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n");
	assert_problem(hear_response(c), 413, "TOOBIG");
	hear_end(c);
}
END_TEST

START_TEST(a_body_over_its_limit_is_413_and_the_connection_goes_on)
{
	enum { BYTES = 2 << 20 };
	struct server *s = server_start(NULL);
	struct client *c = dial(s);
	char *body = scratch(BYTES + 1);

	memset(body, 'x', BYTES);
	say_post(c, "/v1/run/echo", "", body);
	assert_problem(hear_response(c), 413, "TOOBIG");
	sayf(c, "POST /v1/run/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", BYTES, body);
	assert_problem(hear_response(c), 413, "TOOBIG");
	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 1);
}
END_TEST

START_TEST(what_jobs_end_with_has_its_status_and_code)
{
	struct server *s = server_start("[job fail]\nexec = /bin/sh -c \"echo first >&2; echo why it failed >&2; exit 3\"\n"
					"[job crash]\nexec = /bin/sh -c 'kill -SEGV $$'\n"
					"[job sleep]\nbuiltin = sleep\n");
	const struct response *r = post(s, "/v1/run/fail", "");

	assert_problem(r, 502, "FAILED");
	assert_has(r->body, "\"status\":3");
	assert_has(r->body, "\"error\":\"why it failed\"");
	ck_assert_ptr_nonnull(header(r, "Leat-Id"));
	r = post(s, "/v1/run/crash", "");
	assert_problem(r, 502, "KILLED");
	assert_has(r->body, "\"signal\":\"SIGSEGV\"");
	r = post(s, "/v1/run/sleep?deadline=20", "60000");
	assert_problem(r, 504, "TIMEOUT");
	assert_has(r->body, "\"state\":\"running\"");
	assert_match(r->body, "\"after_ms\":[0-9]+");
	r = post(s, "/v1/run/slep", "");
	assert_problem(r, 404, "NOJOB");
	assert_has(r->body, "\"nearest\":\"sleep\"");
	ck_assert_ptr_null(header(r, "Leat-Id"));
}
END_TEST

START_TEST(a_refusal_says_when_to_come_again)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n");
	struct client *c = dial(s);
	const struct response *r;

	say_post(c, "/v1/run/sleep", "", "300");
	await(stat_of(s, "sleep", "running") == 1);
	r = post(s, "/v1/run/sleep", "300");
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"queue_full\"");
	assert_match(header(r, "Retry-After"), "^[1-9][0-9]*$");
	assert_match(header(r, "Leat-Retry-Ms"), "^[0-9]+$");
	assert_has(r->body, scratchf("\"retry_ms\":%s", header(r, "Leat-Retry-Ms")));
	assert_response(hear_response(c), 200, "");
}
END_TEST

START_TEST(health_and_readiness_are_ok)
{
	struct server *s = server_start(NULL);

	assert_response(get(s, "/healthz"), 200, "ok\n");
	assert_response(get(s, "/readyz"), 200, "ok\n");
	assert_response(get(s, "/healthz?x=1"), 200, "ok\n");
}
END_TEST

START_TEST(jobs_are_json)
{
	struct server *s = server_start("[job one]\nbuiltin = echo\nqueue = 7\n[job two]\nexec = /bin/cat\n");
	const struct response *r = get(s, "/v1/jobs");

	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(header(r, "Content-Type"), "application/json");
	assert_match(r->body, "^\\[\\{\"job\":\"one\",\"kind\":\"builtin\",.*\"queue\":7,.*\"waiting\":0,\"running\":0\\},"
			      "\\{\"job\":\"two\",\"kind\":\"exec\",[^{}]*\\}\\]\n$");
}
END_TEST

/* A sample line: name{labels} value. */
static const char sample[] = "^[a-z_]+(\\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\\})? [0-9.e+-]+$";

static void check_metrics(char *text)
{
	const char *family = "";

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			family = scratchf("%.*s", (int)strcspn(line + 7, " "), line + 7);
			ck_assert_msg(strlen(line) > 7 + strlen(family) + 1, "a HELP without words: %s", line);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_match(line, scratchf("^# TYPE %s (counter|gauge|histogram)$", family));
		} else {
			assert_match(line, sample);
			ck_assert_msg(strncmp(line, family, strlen(family)) == 0, "%s is not of %s", line, family);
		}
	}
}

START_TEST(metrics_are_in_the_text_format_of_prometheus)
{
	static const char *const families[] = {
		"leat_jobs_submitted_total counter", "leat_jobs_refused_total counter", "leat_jobs_ended_total counter",
		"leat_jobs_waiting gauge", "leat_jobs_running gauge", "leat_queue_seconds histogram", "leat_run_seconds histogram",
		"leat_connections gauge", "leat_memory_bytes gauge", "leat_log_dropped_total counter", "leat_build_info gauge",
	};
	struct server *s = server_start(NULL);
	const struct response *r;

	post(s, "/v1/run/upper", "x");
	r = get(s, "/metrics");
	assert_match(header(r, "Content-Type"), "^text/plain; version=0\\.0\\.4");
	for (size_t i = 0; i < countof(families); i++)
		assert_has(r->body, scratchf("# TYPE %s\n", families[i]));
	assert_has(r->body, "\nleat_run_seconds_bucket{job=\"upper\",le=\"+Inf\"} 1\n");
	assert_has(r->body, "\nleat_run_seconds_count{job=\"upper\"} 1\n");
	check_metrics(scratchf("%s", r->body));
}
END_TEST

START_TEST(every_answer_is_told_apart_by_its_address_and_method)
{
	static const struct {
		const char *say;
		int status;
	} asked[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "GET /v1/run HTTP/1.1\r\n" HOST "\r\n", 404 },
		{ "GET /v1/run/ HTTP/1.1\r\n" HOST "\r\n", 404 },
		{ "POST /v1/nothing HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404 },
		{ "GET /healthz/ HTTP/1.1\r\n" HOST "\r\n", 404 },
		{ "POST /v1/run/nope HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404 },
		{ "GET /v1/run/echo HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "PUT /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 405 },
		{ "DELETE /v1/run/echo HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 405 },
		{ "POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405 },
		{ "POST /v1/run/echo HTTP/1.1\r\n" HOST "\r\n", 411 },
		{ "GET http://localhost/healthz HTTP/1.1\r\nHost: whatever\r\n\r\n", 200 },
		{ "GET /healthz HTTP/1.1\r\nhOsT:   LOCALHOST:99  \r\n\r\n", 200 },
		{ "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200 },
		{ "GET /healthz HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", 200 },
		{ "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421 },
		{ "GET /healthz HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421 },
		{ "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 421 },
		{ "POST /v1/run/echo HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nContent-Length: 1\r\n\r\nx", 403 },
		{ "POST /v1/run/echo HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 1\r\n\r\nx", 403 },
		{ "POST /v1/run/echo HTTP/1.1\r\n" HOST "Origin: http://localhost\r\nContent-Length: 1\r\n\r\nx", 200 },
		{ "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 200 },
	};
	struct client *c = dial(server_start(NULL));

	/* All on one connection: none of them closes it. */
	for (size_t i = 0; i < countof(asked); i++) {
		const struct response *r;

		say(c, asked[i].say);
		r = hear_response(c);
		ck_assert_msg(r->status == asked[i].status, "%s\nnot %d but\n%s\n%s", asked[i].say, asked[i].status, r->head, r->body);
	}
}
END_TEST

START_TEST(a_method_that_an_address_does_not_take_is_405_with_those_that_it_does)
{
	struct server *s = server_start(NULL);

	ck_assert_str_eq(header(get(s, "/v1/run/echo"), "Allow"), "POST, OPTIONS");
	ck_assert_str_eq(header(post(s, "/healthz", ""), "Allow"), "GET, HEAD, OPTIONS");
}
END_TEST

START_TEST(configured_names_and_origins_are_let_in)
{
	struct client *c = dial(server_start("[server]\nserver_names = leat.example, other.example\n"
					     "allow_origins = https://app.example, https://b.example\n[job echo]\nbuiltin = echo\n"));

	say(c, "GET /healthz HTTP/1.1\r\nHost: Leat.Example:80\r\n\r\nGET /healthz HTTP/1.1\r\nHost: other.example\r\n\r\n"
	       "GET /healthz HTTP/1.1\r\nHost: example\r\n\r\n");
	ck_assert_int_eq(hear_response(c)->status, 200);
	ck_assert_int_eq(hear_response(c)->status, 200);
	ck_assert_int_eq(hear_response(c)->status, 421);
	say_post(c, "/v1/run/echo", "Origin: https://app.example\r\n", "x");
	ck_assert_int_eq(hear_response(c)->status, 200);
	say_post(c, "/v1/run/echo", "Origin: http://app.example\r\n", "x");
	ck_assert_int_eq(hear_response(c)->status, 403);
}
END_TEST

START_TEST(who_is_turned_away_for_the_name_or_the_page_is_counted)
{
	struct server *s = server_start("[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);

	say(c, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	assert_problem(hear_response(c), 421, "ERR");
	for (int i = 0; i < 2; i++) {
		say_post(c, "/v1/run/echo", "Origin: http://evil.example\r\n", "x");
		assert_problem(hear_response(c), 403, "NOAUTH");
	}
	ck_assert_uint_eq(metric(s, "leat_denied_total{reason=\"host\"}"), 1);
	ck_assert_uint_eq(metric(s, "leat_denied_total{reason=\"origin\"}"), 2);
	ck_assert_uint_eq(metric(s, "leat_denied_total{reason=\"token\"}"), 0);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

#define APP "https://app.example"

static struct client *dial_with_origins(void)
{
	return dial(server_start("[server]\nallow_origins = http://other.example, " APP "\n[job echo]\nbuiltin = echo\n[job sleep]\nbuiltin = sleep\n"));
}

/* What a browser wants to see before it lets the page have the answer. */
static void assert_readable(const struct response *r, int status)
{
	ck_assert_msg(r->status == status, "%s", r->head);
	ck_assert_str_eq(header(r, "Access-Control-Allow-Origin"), APP);
	ck_assert_str_eq(header(r, "Access-Control-Expose-Headers"),
			 "Leat-Id, Leat-Outcome, Leat-Error, Leat-Retry-Ms, Retry-After, Server-Timing");
	ck_assert_str_eq(header(r, "Vary"), "Origin");
}

START_TEST(options_answers_the_methods_that_an_address_takes)
{
	static const struct {
		const char *target, *allow;
	} rows[] = {
		{ "/v1/run/echo", "POST, OPTIONS" }, { "/v1/jobs", "GET, HEAD, OPTIONS" }, { "/v1/ps/x", "DELETE, OPTIONS" },
		{ "/v1/jobs/echo/pause", "POST, OPTIONS" }, { "/healthz", "GET, HEAD, OPTIONS" }, { "*", "GET, HEAD, POST, DELETE, OPTIONS" },
	};
	struct client *c = dial(server_start(NULL));

	for (size_t i = 0; i < countof(rows); i++) {
		const struct response *r;

		sayf(c, "OPTIONS %s HTTP/1.1\r\n" HOST "\r\n", rows[i].target);
		r = hear_head(c);
		ck_assert_int_eq(r->status, 204);
		ck_assert_str_eq(header(r, "Allow"), rows[i].allow);
		ck_assert_ptr_null(header(r, "Content-Length"));
		ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
		ck_assert_ptr_null(header(r, "Access-Control-Allow-Methods"));
	}
	say(c, "OPTIONS /nothing HTTP/1.1\r\n" HOST "\r\n");
	assert_problem(hear_response(c), 404, "ERR");
	say(c, "OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	assert_problem(hear_response(c), 421, "ERR");
}
END_TEST

START_TEST(a_page_of_an_allowed_origin_is_told_what_it_may_send)
{
	struct client *c = dial_with_origins();
	const struct response *r;

	say(c, "OPTIONS /v1/run/echo HTTP/1.1\r\n" HOST "Origin: " APP "\r\nAccess-Control-Request-Method: POST\r\n"
	       "Access-Control-Request-Headers: leat-deadline\r\n\r\n");
	r = hear_head(c);
	assert_readable(r, 204);
	ck_assert_str_eq(header(r, "Access-Control-Allow-Methods"), "POST, OPTIONS");
	ck_assert_str_eq(header(r, "Access-Control-Allow-Headers"), "Authorization, Content-Type, Leat-Deadline, Leat-Id, traceparent");
	assert_match(header(r, "Access-Control-Max-Age"), "^[0-9]+$");
	say(c, "OPTIONS /v1/run/echo HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n");
	r = hear_response(c);
	assert_problem(r, 403, "NOAUTH");
	ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
}
END_TEST

START_TEST(a_page_of_an_allowed_origin_may_read_every_answer_and_no_other_page_any)
{
	struct client *c = dial_with_origins();
	const struct response *r;

	/* Behind one that runs, what was sent is gone by the time of the answer. */
	say_post(c, "/v1/run/sleep", "Origin: " APP "\r\n", "50");
	say_post(c, "/v1/run/echo", "Origin: " APP "\r\n", "x");
	say_post(c, "/v1/run/echo", "", "y");
	say_post(c, "/v1/run/nope", "Origin: HTTPS://App.Example\r\n", "x");
	say(c, "GET /healthz HTTP/1.1\r\n" HOST "Origin: " APP "\r\n\r\nHEAD /v1/run/echo HTTP/1.1\r\n" HOST "Origin: " APP "\r\n\r\n");
	assert_readable(hear_response(c), 200);
	r = hear_response(c);
	assert_readable(r, 200);
	ck_assert_str_eq(r->body, "x");
	r = hear_response(c);
	assert_response(r, 200, "y");
	ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
	assert_readable(hear_response(c), 404);
	assert_readable(hear_response(c), 200);
	assert_readable(hear_head(c), 405);
	say_post(c, "/v1/run/echo", "Origin: https://app.example.evil.example\r\n", "x");
	r = hear_response(c);
	assert_problem(r, 403, "NOAUTH");
	ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
	say_post(c, "/v1/run/echo?stream=1", "Origin: " APP "\r\n", "x");
	assert_readable(hear_head(c), 200);
	hear(c, "1\r\nx\r\n0\r\nLeat-Outcome: done\r\n");
	hear_match(c, "^Server-Timing: ");
	hear(c, "\r\n");
	/* Nor may a page that has made itself a name for this machine. */
	say(c, "POST /v1/run/echo HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 1\r\n\r\nx");
	assert_problem(hear_response(c), 421, "ERR");
}
END_TEST

Suite *http_suite(void)
{
	const TTest *tests[] = {
		a_run_answers_the_output_with_its_id_and_times,
		an_id_that_is_given_is_echoed,
		an_id_that_is_in_flight_is_refused,
		a_deadline_comes_in_a_header_or_in_the_query,
		a_bad_deadline_is_400_and_the_connection_goes_on,
		a_connection_is_kept_until_the_client_asks_to_close_it,
		http_1_0_closes_unless_asked_to_keep_alive,
		head_answers_what_get_would_without_the_body,
		a_chunked_body_is_a_payload,
		a_client_that_expects_100_is_told_to_go_on,
		a_client_that_expects_100_behind_others_is_told_in_its_turn,
		a_body_of_too_many_bytes_is_refused_before_it_is_sent,
		a_body_over_its_limit_is_413_and_the_connection_goes_on,
		what_jobs_end_with_has_its_status_and_code,
		a_refusal_says_when_to_come_again,
		health_and_readiness_are_ok,
		jobs_are_json,
		metrics_are_in_the_text_format_of_prometheus,
		every_answer_is_told_apart_by_its_address_and_method,
		a_method_that_an_address_does_not_take_is_405_with_those_that_it_does,
		configured_names_and_origins_are_let_in,
		who_is_turned_away_for_the_name_or_the_page_is_counted,
		options_answers_the_methods_that_an_address_takes,
		a_page_of_an_allowed_origin_is_told_what_it_may_send,
		a_page_of_an_allowed_origin_may_read_every_answer_and_no_other_page_any,
	};
	return wire_suite("http", tests, countof(tests));
}
