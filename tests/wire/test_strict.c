/* HTTP/1.1: what is not asked as it should be is answered, closes the connection, and nothing behind it is looked at. */
#include "wire.h"

#define HOST "Host: localhost\r\n"
#define RUN "POST /v1/run/echo HTTP/1.1\r\n"

static const struct bad {
	const char *what;
	const char *say;
	int status;
} bad[] = {
	{ "both Transfer-Encoding and Content-Length",
	  RUN HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "both, the other way round",
	  RUN HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
	{ "two Content-Lengths", RUN HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400 },
	{ "two lengths in one", RUN HOST "Content-Length: 1, 1\r\n\r\nx", 400 },
	{ "a signed length", RUN HOST "Content-Length: +1\r\n\r\nx", 400 },
	{ "a negative length", RUN HOST "Content-Length: -1\r\n\r\nx", 400 },
	{ "a hexadecimal length", RUN HOST "Content-Length: 0x1\r\n\r\nx", 400 },
	{ "an empty length", RUN HOST "Content-Length:\r\n\r\nx", 400 },
	{ "another coding", RUN HOST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400 },
	{ "another coding before chunked", RUN HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "chunked twice", RUN HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "a disguised coding", RUN HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400 },
	{ "a chunked HTTP/1.0", "POST /v1/run/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "LF alone after the request line", "GET /healthz HTTP/1.1\n" HOST "\r\n", 400 },
	{ "LF alone after a header", "GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n", 400 },
	{ "LF alone at the end", "GET /healthz HTTP/1.1\r\n" HOST "\n", 400 },
	{ "CR alone", "GET /healthz HTTP/1.1\r\nHost: local\rhost\r\n\r\n", 400 },
	{ "a space before the colon", "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", 400 },
	{ "a tab before the colon", RUN HOST "Content-Length\t: 1\r\n\r\nx", 400 },
	{ "a folded header", "GET /healthz HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400 },
	{ "a header without a name", "GET /healthz HTTP/1.1\r\n" HOST ": x\r\n\r\n", 400 },
	{ "a header without a colon", "GET /healthz HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", 400 },
	{ "a control character", "GET /healthz HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400 },
	{ "no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400 },
	{ "two Hosts", "GET /healthz HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
	{ "a Host with more behind its address", "GET /healthz HTTP/1.1\r\nHost: [::1].example\r\n\r\n", 400 },
	{ "a Host whose port is none", "GET /healthz HTTP/1.1\r\nHost: localhost:80.example\r\n\r\n", 400 },
	{ "a Host with somebody before it", "GET /healthz HTTP/1.1\r\nHost: localhost:80@example\r\n\r\n", 400 },
	{ "two Hosts in one", "GET /healthz HTTP/1.1\r\nHost: localhost:80, example\r\n\r\n", 400 },
	{ "a Host with a path", "GET /healthz HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400 },
	{ "a Host behind a target that names another", "GET http://localhost/healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
	{ "a target with a Host that is none", "GET http://[::1].example/healthz HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "two deadlines", RUN HOST "Leat-Deadline: 1s\r\nLeat-Deadline: 2s\r\nContent-Length: 0\r\n\r\n", 400 },
	{ "a target that is no path", "GET healthz HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "a target with a fragment", "GET /healthz#x HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "a request line without a version", "GET /healthz\r\n" HOST "\r\n", 400 },
	{ "two spaces", "GET  /healthz HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "a space at the end", "GET /healthz HTTP/1.1 \r\n" HOST "\r\n", 400 },
	{ "a version in lower case", "GET /healthz http/1.1\r\n" HOST "\r\n", 400 },
	{ "another version", "GET /healthz HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "the preface of HTTP/2 on an open connection", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400 },
	{ "a chunk whose size is no number", RUN HOST "Transfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n", 400 },
	{ "a chunk with a signed size", RUN HOST "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n", 400 },
	{ "a chunk longer than it says", RUN HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400 },
	{ "a chunk line that ends with LF alone", RUN HOST "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400 },
	{ "a chunk of 2^64 bytes", RUN HOST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", 400 },
	{ "a chunk of 1 TiB", RUN HOST "Transfer-Encoding: chunked\r\n\r\n10000000000\r\n", 413 },
	{ "a body of 1 TiB", RUN HOST "Content-Length: 1099511627776\r\n\r\n", 413 },
	{ "a body of more bytes than there are numbers", RUN HOST "Content-Length: 99999999999999999999999999\r\n\r\n", 413 },
	{ "something else to expect", RUN HOST "Content-Length: 1\r\nExpect: a miracle\r\n\r\nx", 417 },
};

static void expect_bad(struct client *c, const struct bad *b)
{
	const struct response *r;

	say(c, b->say);
	say(c, "POST /v1/run/upper HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nevil");
	r = hear_response(c);
	ck_assert_msg(r->status == b->status, "%s: not %d but\n%s\n%s", b->what, b->status, r->head, r->body);
	assert_problem(r, b->status, b->status == 413 ? "TOOBIG" : "ERR");
	ck_assert_str_eq(header(r, "Connection"), "close");
	hear_end(c);
}

START_TEST(a_bad_request_is_answered_and_closes)
{
	struct server *s = server_start(NULL);

	for (size_t i = 0; i < countof(bad); i++) {
		struct client *c = dial(s);

		say(c, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
		assert_response(hear_response(c), 200, "ok\n");
		expect_bad(c, &bad[i]);
	}
	ck_assert_uint_eq(stat_of(s, "upper", "submitted"), 0);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(a_bad_request_keeps_its_place_behind_those_that_run)
{
	struct server *s = server_start(NULL);

	for (size_t i = 0; i < countof(bad); i += 7) {
		struct client *c = dial(s);

		say_post(c, "/v1/run/sleep", "", "30");
		say(c, bad[i].say);
		assert_response(hear_response(c), 200, "");
		ck_assert_int_eq(hear_response(c)->status, bad[i].status);
		hear_end(c);
	}
}
END_TEST

static char *as(size_t n)
{
	return memset(scratch(n + 1), 'a', n);
}

START_TEST(a_request_line_over_4_kib_is_414)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);

	sayf(c, "GET /%s HTTP/1.1\r\n" HOST "\r\n", as(4096 - 14));
	ck_assert_int_eq(hear_response(c)->status, 404);
	sayf(c, "GET /%s HTTP/1.1\r\n" HOST "\r\n", as(4096));
	assert_problem(hear_response(c), 414, "ERR");
	hear_end(c);
	c = dial(s);
	say(c, "GET /");
	say(c, as(5000));
	assert_problem(hear_response(c), 414, "ERR");
	hear_end(c);
}
END_TEST

START_TEST(headers_over_16_kib_are_431)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);

	sayf(c, "GET /healthz HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", as(16000));
	ck_assert_int_eq(hear_response(c)->status, 200);
	sayf(c, "GET /healthz HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", as(17000));
	assert_problem(hear_response(c), 431, "ERR");
	hear_end(c);
}
END_TEST

START_TEST(more_than_64_headers_are_431)
{
	struct client *c = dial(server_start(NULL));
	const char *many = "";

	for (int i = 0; i < 63; i++)
		many = scratchf("%sX-%d: %d\r\n", many, i, i);
	sayf(c, "GET /healthz HTTP/1.1\r\n" HOST "%s\r\n", many);
	ck_assert_int_eq(hear_response(c)->status, 200);
	sayf(c, "GET /healthz HTTP/1.1\r\n" HOST "%sX: y\r\n\r\n", many);
	assert_problem(hear_response(c), 431, "ERR");
	hear_end(c);
}
END_TEST

START_TEST(trailers_without_end_are_431)
{
	struct client *c = dial(server_start(NULL));

	sayf(c, RUN HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: %s\r\n\r\n", as(17000));
	assert_problem(hear_response(c), 431, "ERR");
	hear_end(c);
}
END_TEST

START_TEST(one_empty_line_before_a_request_is_forgiven)
{
	struct client *c = dial(server_start(NULL));

	say_post(c, "/v1/run/echo", "", "x");
	assert_response(hear_response(c), 200, "x");
	say(c, "\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
	assert_response(hear_response(c), 200, "ok\n");
	say(c, "\r\n\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
	assert_problem(hear_response(c), 400, "ERR");
	hear_end(c);
}
END_TEST

Suite *strict_suite(void)
{
	const TTest *tests[] = {
		a_bad_request_is_answered_and_closes,
		a_bad_request_keeps_its_place_behind_those_that_run,
		a_request_line_over_4_kib_is_414,
		headers_over_16_kib_are_431,
		more_than_64_headers_are_431,
		trailers_without_end_are_431,
		one_empty_line_before_a_request_is_forgiven,
	};
	return wire_suite("strict", tests, countof(tests));
}
