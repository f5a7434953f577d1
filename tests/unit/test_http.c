#include "../../daemon/http.h"
#include "pieces.h"

/* ---- What the parser says, as text ---- */

enum { MAX_BODY = 32 };

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_PATCH] = "PATCH", [HTTP_OTHER] = "OTHER",
};

static void *http_open(void)
{
	struct http_parser *p = malloc(sizeof(*p));

	insist(p);
	memset(p, 0xa5, sizeof(*p));
	http_parser_init(p);
	return p;
}

static struct parse_result http_feed(void *parser, char *window, size_t len)
{
	return http_parse(parser, window, len, MAX_BODY);
}

static void describe_field(struct buf *to, const char *name, struct slice value)
{
	if (value.at)
		buf_addf(to, " %s=%.*s", name, (int)value.len, value.at);
}

static void describe_request(const struct http_request *request, struct buf *to)
{
	buf_addf(to, "%s %.*s", method_names[request->method], (int)request->path.len, request->path.at);
	if (request->query.at)
		buf_addf(to, "?%.*s", (int)request->query.len, request->query.at);
	buf_addf(to, " 1.%d %s", request->minor, request->keep_alive ? "keep" : "close");
	if (request->expect_continue)
		buf_addf(to, " expect");
	describe_field(to, "host", request->host);
	describe_field(to, "origin", request->origin);
	describe_field(to, "type", request->content_type);
	describe_field(to, "auth", request->authorization);
	describe_field(to, "trace", request->traceparent);
	describe_field(to, "deadline", request->leat_deadline);
	describe_field(to, "id", request->leat_id);
}

static void http_describe(void *parser, const struct parse_result *result, struct buf *to)
{
	const struct http_request *request = &((struct http_parser *)parser)->request;

	if (result->status == PARSE_BAD) {
		insist(result->why);
		buf_addf(to, "%d %s\n", result->http_status, result->why);
		return;
	}
	if (result->status == PARSE_TOOBIG)
		buf_addf(to, "TOOBIG ");
	describe_request(request, to);
	if (request->has_body && result->status == PARSE_DONE) {
		buf_addf(to, " body=");
		buf_add_slice(to, request->body);
	}
	buf_add_char(to, '\n');
}

static const struct pieces http = { http_open, free, http_feed, http_describe };

struct row {
	struct slice bytes;
	const char *said;
};

static void expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		feed_expect(&http, rows[i].bytes, rows[i].said);
}

#define H "Host: h\r\n"
#define H1 " HTTP/1.1\r\n" H
#define POST_CHUNKED "POST /" H1 "Transfer-Encoding: chunked\r\n\r\n"
#define A16 "aaaaaaaaaaaaaaaa"

#define BAD_LF "400 a line has to end with CR LF, not with LF alone\n"
#define BAD_CR "400 a CR that is not followed by LF\n"
#define BAD_CONTROL "400 a control character in the request\n"
#define BAD_METHOD "400 the request has to begin with a method and a space\n"
#define BAD_LINE "400 the request line has to be `METHOD TARGET HTTP/1.1`\n"
#define BAD_VERSION "400 the request line has to end with HTTP/1.1\n"
#define BAD_TARGET "400 the target has to begin with '/'\n"
#define BAD_HEADER "400 a header has to be `Name: value`\n"
#define BAD_CHUNK "400 the size of a chunk is not a hexadecimal number\n"

/* ---- Request line ---- */

START_TEST(a_request_is_taken_apart)
{
	static const struct row rows[] = {
		{ SLICE("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:5328\r\n\r\n"), "GET /healthz 1.1 keep host=127.0.0.1:5328\n" },
		{ SLICE("POST /v1/run/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
		  "POST /v1/run/echo 1.1 keep host=h body=hello\n" },
		{ SLICE("POST /v1/run/echo?deadline=500ms&arg.a=b?c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
		  "POST /v1/run/echo?deadline=500ms&arg.a=b?c 1.1 keep host=h body=\n" },
		{ SLICE("GET /?" H1 "\r\n"), "GET /? 1.1 keep host=h\n" },
		{ SLICE("GET /a%20\"b\\c|~" H1 "\r\n"), "GET /a%20\"b\\c|~ 1.1 keep host=h\n" },
		{ SLICE("GET /" H1 "Origin: http://o\r\nContent-Type: text/plain\r\nAuthorization: Bearer x\r\n"
			"traceparent: 00-1-2-01\r\nLeat-Deadline: 5s\r\nLeat-Id: a.b\r\nX-Other: y\r\n\r\n"),
		  "GET / 1.1 keep host=h origin=http://o type=text/plain auth=Bearer x trace=00-1-2-01 deadline=5s id=a.b\n" },
		{ SLICE("GET / HTTP/1.1\r\nhOST:h\r\nLEAT-ID:i\r\n\r\n"), "GET / 1.1 keep host=h id=i\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(each_method_is_known_and_others_are_left_to_the_router)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH" };
	static const struct row rows[] = {
		{ SLICE("CONNECT /" H1 "\r\n"), "OTHER / 1.1 keep host=h\n" },
		{ SLICE("TRACE /" H1 "\r\n"), "OTHER / 1.1 keep host=h\n" },
		{ SLICE("get /" H1 "\r\n"), "OTHER / 1.1 keep host=h\n" },
		{ SLICE("GETS /" H1 "\r\n"), "OTHER / 1.1 keep host=h\n" },
		{ SLICE("M-SEARCH! /" H1 "\r\n"), "OTHER / 1.1 keep host=h\n" },
	};

	expect_rows(rows, countof(rows));
	for (size_t i = 0; i < countof(known); i++) {
		char bytes[64], said[64];

		snprintf(bytes, sizeof(bytes), "%s /" H1 "\r\n", known[i]);
		snprintf(said, sizeof(said), "%s / 1.1 keep host=h\n", known[i]);
		feed_expect(&http, slice_of(bytes), said);
	}
}
END_TEST

START_TEST(one_empty_line_before_a_request_is_forgiven)
{
	static const struct row rows[] = {
		{ SLICE("\r\nGET /" H1 "\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET /" H1 "\r\n\r\nGET /" H1 "\r\n"), "GET / 1.1 keep host=h\nGET / 1.1 keep host=h\n" },
		{ SLICE("\r\n\r\nGET /" H1 "\r\n"), BAD_METHOD },
		{ SLICE("\nGET /" H1 "\r\n"), BAD_LF },
		{ SLICE("\rGET /" H1 "\r\n"), BAD_CR },
	};
	struct feed f = feed_open(&http);

	expect_rows(rows, countof(rows));
	/* It does not begin a request, for which there would be a time limit. */
	ck_assert_uint_eq(feed_say(&f, SLICE("\r\n")).used, 2);
	ck_assert_uint_eq(f.len, 0);
	ck_assert_uint_eq(feed_say(&f, SLICE("")).status, PARSE_MORE);
	feed_say(&f, SLICE("\r\n"));
	ck_assert(f.over);
	feed_close(&f);
}
END_TEST

START_TEST(a_malformed_request_line_is_refused)
{
	static const struct row rows[] = {
		{ SLICE(" GET / HTTP/1.1\r\n"), BAD_METHOD },
		{ SLICE("GET\r\n"), BAD_METHOD },
		{ SLICE("G@T / HTTP/1.1\r\n"), BAD_METHOD },
		{ SLICE("GET\t/ HTTP/1.1\r\n"), BAD_METHOD },
		{ SLICE("G\xc3\x84T / HTTP/1.1\r\n"), BAD_METHOD },
		{ SLICE("GET /\r\n"), BAD_LINE },
		{ SLICE("GET /a\tb HTTP/1.1\r\n"), BAD_LINE },
		{ SLICE("GET /a#b HTTP/1.1\r\n"), BAD_LINE },
		{ SLICE("GET /a?b#c HTTP/1.1\r\n"), BAD_LINE },
		{ SLICE("GET /\xc3\xa4 HTTP/1.1\r\n"), BAD_LINE },
		{ SLICE("GET  / HTTP/1.1\r\n"), BAD_TARGET },
		{ SLICE("GET  HTTP/1.1\r\n"), BAD_TARGET },
		{ SLICE("GET / \r\n"), BAD_VERSION },
		{ SLICE("GET /  HTTP/1.1\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1.1 \r\n"), BAD_VERSION },
		{ SLICE("GET / b HTTP/1.1\r\n"), BAD_VERSION },
		{ SLICE("GET / http/1.1\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1.10\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1,1\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/x.1\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1.x\r\n"), BAD_VERSION },
		{ SLICE("GET / HTTP/1.1\n"), BAD_LF },
		{ SLICE("GET /\n"), BAD_LF },
		{ SLICE("GET / HTTP/1.1\rX"), BAD_CR },
		{ SLICE("GET /\r\r\n"), BAD_CR },
		{ SLICE("GET /\0"), BAD_CONTROL },
		{ SLICE("GET /\x7f"), BAD_CONTROL },
		{ SLICE("GET /a-longer-target-than-one-block\x01"), BAD_CONTROL },
		{ SLICE("\x16\x03\x01\x02"), BAD_CONTROL },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(only_versions_1_0_and_1_1_are_spoken)
{
	static const struct row rows[] = {
		{ SLICE("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 close\n" },
		{ SLICE("GET / HTTP/1.2\r\n"), "505 only HTTP/1.1 and HTTP/1.0 are spoken here\n" },
		{ SLICE("GET / HTTP/2.0\r\n"), "505 only HTTP/1.1 and HTTP/1.0 are spoken here\n" },
		{ SLICE("GET / HTTP/0.9\r\n"), "505 only HTTP/1.1 and HTTP/1.0 are spoken here\n" },
		{ SLICE("OPTIONS * HTTP/3.1\r\n"), "505 only HTTP/1.1 and HTTP/1.0 are spoken here\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(a_target_is_a_path_or_an_absolute_address_or_the_star_of_options)
{
	static const struct row rows[] = {
		{ SLICE("OPTIONS *" H1 "\r\n"), "OPTIONS * 1.1 keep host=h\n" },
		{ SLICE("GET *" H1 "\r\n"), BAD_TARGET },
		{ SLICE("OPTIONS *x" H1 "\r\n"), BAD_TARGET },
		{ SLICE("OPTIONS *?x" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET a" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET ?a" H1 "\r\n"), BAD_TARGET },
		{ SLICE("CONNECT h:443" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http://other:80/a?b" H1 "\r\n"), "GET /a?b 1.1 keep host=other:80\n" },
		{ SLICE("GET HTTP://[::1]:80/" H1 "\r\n"), "GET / 1.1 keep host=[::1]:80\n" },
		{ SLICE("GET http://A-b.c_d/ HTTP/1.0\r\n\r\n"), "GET / 1.0 close host=A-b.c_d\n" },
		{ SLICE("GET http://other/ HTTP/1.1\r\n\r\n"), "400 no Host header\n" },
		{ SLICE("GET http://other/" H1 H "\r\n"), "400 more than one Host header\n" },
		{ SLICE("GET http://other" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http://other?/" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http:///a" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http://user@other/" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http:/other/" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http:" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET http" H1 "\r\n"), BAD_TARGET },
		{ SLICE("GET https://other/" H1 "\r\n"), BAD_TARGET },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

/* ---- Headers ---- */

START_TEST(white_space_around_a_value_is_not_part_of_it)
{
	static const struct row rows[] = {
		{ SLICE("GET / HTTP/1.1\r\nHost:h\r\n\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET / HTTP/1.1\r\nHost: \t h\t \t\r\n\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET / HTTP/1.1\r\nHost: h\r\nOrigin: a \t b \r\n\r\n"), "GET / 1.1 keep host=h origin=a \t b\n" },
		{ SLICE("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET / 1.1 keep host=\n" },
		{ SLICE("GET / HTTP/1.1\r\nHost: \t \r\n\r\n"), "GET / 1.1 keep host=\n" },
		{ SLICE("GET / HTTP/1.1\r\nHost: h\r\nOrigin: \xc3\xa4\xff:x\r\n\r\n"), "GET / 1.1 keep host=h origin=\xc3\xa4\xff:x\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

#define NO_HOST "400 the Host header has to be a name or an address, and perhaps a port\n"

START_TEST(a_host_is_a_name_or_an_address_and_perhaps_a_port)
{
	static const char *const good[] = { "h", "a.b-c_d.example", "h:5328", "h:", "127.0.0.1:1", "[::1]", "[::1]:5328", "[::ffff:127.0.0.1]:1" };
	static const char *const wrong[] = { ":x", "h:80x", "h:80:80", "h:80, i", "a b", "a\tb", "u@h", "h:80@i", "h/", "h?", "h#", "[::1", "[::1]x",
					     "[::1]:x", "::1", "h%00", "\xc3\xa4", "h,", "\"h\"" };
	char text[200];

	for (size_t i = 0; i < countof(good); i++) {
		char wanted[200];

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
		snprintf(wanted, sizeof(wanted), "GET / 1.1 keep host=%s\n", good[i]);
		expect_rows(&(struct row){ slice_of(text), wanted }, 1);
	}
	for (size_t i = 0; i < countof(wrong); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", wrong[i]);
		expect_rows(&(struct row){ slice_of(text), NO_HOST }, 1);
	}
}
END_TEST

START_TEST(a_malformed_header_is_refused)
{
	static const struct row rows[] = {
		{ SLICE("GET /" H1 "X : y\r\n"), "400 a space in the name of a header\n" },
		{ SLICE("GET /" H1 "X\t: y\r\n"), "400 a space in the name of a header\n" },
		{ SLICE("GET /" H1 "X y: z\r\n"), "400 a space in the name of a header\n" },
		{ SLICE("GET /" H1 " folded\r\n"), "400 a header that is folded over two lines\n" },
		{ SLICE("GET /" H1 "\tfolded: x\r\n"), "400 a header that is folded over two lines\n" },
		{ SLICE("GET / HTTP/1.1\r\n " H), "400 a header that is folded over two lines\n" },
		{ SLICE("GET /" H1 ": y\r\n"), "400 a header without a name\n" },
		{ SLICE("GET /" H1 "X\r\n"), BAD_HEADER },
		{ SLICE("GET /" H1 "X(y): z\r\n"), BAD_HEADER },
		{ SLICE("GET /" H1 "X\xc3\xa4: z\r\n"), BAD_HEADER },
		{ SLICE("GET /" H1 "X: y\n"), BAD_LF },
		{ SLICE("GET /" H1 "\n"), BAD_LF },
		{ SLICE("GET /" H1 "X: y\rz"), BAD_CR },
		{ SLICE("GET /" H1 "\rX"), BAD_CR },
		{ SLICE("GET /" H1 "X: y\0"), BAD_CONTROL },
		{ SLICE("GET /" H1 "X: y\x1f"), BAD_CONTROL },
		{ SLICE("GET /" H1 "X: y\x7f"), BAD_CONTROL },
		{ SLICE("GET /" H1 "X\0: y"), BAD_CONTROL },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(every_control_character_but_tab_is_refused_wherever_it_stands)
{
	for (int c = 0; c < 256; c++) {
		for (size_t before = 0; before < 34; before++) {
			char bytes[128], said[128];
			const char *expected = said;
			size_t n = 0;

			n += (size_t)snprintf(bytes, sizeof(bytes), "GET /" H1 "X: %.*s", (int)before, A16 A16 A16);
			bytes[n++] = (char)c;
			n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, A16 "\r\n\r\n");
			snprintf(said, sizeof(said), "GET / 1.1 keep host=h\n");
			if (c == '\n')
				expected = BAD_LF;
			else if (c == '\r')
				expected = BAD_CR;
			else if ((c < 0x20 && c != '\t') || c == 0x7f)
				expected = BAD_CONTROL;
			feed_expect_cut(&http, (struct slice){ bytes, n }, uncut, expected);
			feed_expect_cut(&http, (struct slice){ bytes, n }, every_byte, expected);
		}
	}
}
END_TEST

START_TEST(there_is_one_host_header_but_http_1_0_needs_none)
{
	static const struct row rows[] = {
		{ SLICE("GET / HTTP/1.1\r\n\r\n"), "400 no Host header\n" },
		{ SLICE("GET /" H1 H "\r\n"), "400 more than one Host header\n" },
		{ SLICE("GET /" H1 "host:\r\n"), "400 more than one Host header\n" },
		{ SLICE("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 close\n" },
		{ SLICE("GET / HTTP/1.0\r\n" H H), "400 more than one Host header\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(headers_that_mean_something_may_not_be_repeated)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "Origin", "http://h" }, { "Content-Type", "a/b" }, { "Authorization", "Bearer x" }, { "traceparent", "00-1-2-01" },
		{ "Leat-Deadline", "5s" }, { "Leat-Id", "x" }, { "Content-Length", "0" }, { "Transfer-Encoding", "chunked" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		char bytes[200], said[80];

		snprintf(bytes, sizeof(bytes), "POST /" H1 "%s: %s\r\nX: y\r\n%s: %s\r\n\r\n", rows[i].name, rows[i].value,
			 rows[i].name, rows[i].value);
		snprintf(said, sizeof(said), "400 more than one %s\n", rows[i].name);
		feed_expect(&http, slice_of(bytes), said);
	}
	feed_expect(&http, SLICE("GET /" H1 "X: a\r\nX: b\r\nAccept: *\r\nAccept: *\r\n\r\n"), "GET / 1.1 keep host=h\n");
}
END_TEST

START_TEST(a_connection_is_kept_or_closed_as_version_and_header_say)
{
	static const struct row rows[] = {
		{ SLICE("GET /" H1 "Connection: close\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: CLOSE\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: a, close\t,b\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: ,,close\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: a\r\nConnection: close\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: keep-alive, close\r\n\r\n"), "GET / 1.1 close host=h\n" },
		{ SLICE("GET /" H1 "Connection: closed, clos e\r\n\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET /" H1 "Connection: keep-alive\r\n\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET /" H1 "Connection:\r\n\r\n"), "GET / 1.1 keep host=h\n" },
		{ SLICE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "GET / 1.0 keep\n" },
		{ SLICE("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), "GET / 1.0 close\n" },
		{ SLICE("GET / HTTP/1.0\r\nConnection: upgrade\r\n\r\n"), "GET / 1.0 close\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(no_other_expectation_than_100_continue_is_understood)
{
	static const struct row rows[] = {
		{ SLICE("POST /" H1 "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"), "POST / 1.1 keep expect host=h body=x\n" },
		{ SLICE("POST /" H1 "Expect: 200-ok\r\n"), "417 no other Expect than 100-continue is understood\n" },
		{ SLICE("POST /" H1 "Expect:\r\n"), "417 no other Expect than 100-continue is understood\n" },
		{ SLICE("POST /" H1 "Expect: 100-continue, x\r\n"), "417 no other Expect than 100-continue is understood\n" },
		{ SLICE("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"), "POST / 1.0 close body=x\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

/* ---- Limits ---- */

static struct slice filled(char *room, const char *before, char fill, size_t n, const char *after)
{
	size_t at = strlen(before), len = strlen(after);

	memcpy(room, before, at);
	memset(room + at, fill, n);
	memcpy(room + at + n, after, len);
	return (struct slice){ room, at + n + len };
}

/* `bytes` is refused as soon as it is there, and without its last byte it is not. */
static void expect_certain(struct slice bytes, const char *said)
{
	feed_expect(&http, bytes, said);
	feed_expect(&http, (struct slice){ bytes.at, bytes.len - 1 }, "");
}

START_TEST(a_request_line_over_4_kib_is_refused_as_soon_as_it_is_certain)
{
	static char room[HTTP_LINE_MAX + 100], said[HTTP_LINE_MAX + 100];
	const size_t target = HTTP_LINE_MAX - strlen("GET / HTTP/1.1");

	filled(said, "GET /", 'a', target, " 1.1 keep host=h\n");
	feed_expect(&http, filled(room, "GET /", 'a', target, H1 "\r\n"), said);
	expect_certain(filled(room, "GET /", 'a', HTTP_LINE_MAX + 1 - strlen("GET /"), ""), "414 the request line is too long\n");
	feed_expect(&http, filled(room, "GET /", 'a', target + 1, H1 "\r\n"), "414 the request line is too long\n");
	/* What comes first on the wire counts. */
	feed_expect(&http, filled(room, "GET /", 'a', HTTP_LINE_MAX + 1, "\x01"), "414 the request line is too long\n");
	feed_expect(&http, filled(room, "GET /\x01", 'a', HTTP_LINE_MAX + 1, ""), BAD_CONTROL);
}
END_TEST

START_TEST(a_head_over_16_kib_is_refused_as_soon_as_it_is_certain)
{
	static char room[HTTP_HEAD_MAX + 100];
	const char *before = "GET /" H1 "X: ";
	const size_t all = strlen(before) + strlen("\r\n\r\n");

	feed_expect(&http, filled(room, before, 'x', HTTP_HEAD_MAX - all, "\r\n\r\n"), "GET / 1.1 keep host=h\n");
	feed_expect(&http, filled(room, before, 'x', HTTP_HEAD_MAX + 1 - all, "\r\n\r"), "431 the headers are too long\n");
	expect_certain(filled(room, before, 'x', HTTP_HEAD_MAX - 1 - strlen(before), ""), "431 the headers are too long\n");
}
END_TEST

START_TEST(more_than_64_headers_are_refused_as_soon_as_it_is_certain)
{
	static char room[HTTP_HEADERS_MAX * 8 + 100];
	size_t len = (size_t)snprintf(room, sizeof(room), "GET /" H1);

	for (int i = 1; i < HTTP_HEADERS_MAX; i++)
		len += (size_t)snprintf(room + len, sizeof(room) - len, "X%d: y\r\n", i);
	strcpy(room + len, "\r\n");
	feed_expect(&http, slice_of(room), "GET / 1.1 keep host=h\n");
	strcpy(room + len, "X");
	expect_certain(slice_of(room), "431 too many headers\n");
	strcpy(room + len, "\n");
	expect_certain(slice_of(room), "431 too many headers\n");
	strcpy(room + len, "\rX");
	expect_certain(slice_of(room), BAD_CR);
}
END_TEST

START_TEST(what_can_never_become_valid_is_refused_before_the_rest_has_come)
{
	static const struct row rows[] = {
		{ SLICE("GET /" H1 "Content-Length: x\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("GET x HTTP/1.1\r\n"), BAD_TARGET },
		{ SLICE("GET / HTTP/1.1\r\nHost h\r\n"), "400 a space in the name of a header\n" },
		{ SLICE("GET /" H1 "X: y\rz"), BAD_CR },
		{ SLICE("GET /" H1 "X: y\n"), BAD_LF },
		{ SLICE("GET /\x01"), BAD_CONTROL },
		{ SLICE("GET /" H1 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
		  "400 both Transfer-Encoding and Content-Length\n" },
		{ SLICE(POST_CHUNKED "2\r\nabc"), "400 a chunk has to be followed by CR LF\n" },
		{ SLICE(POST_CHUNKED "2\r\nab\rc"), "400 a chunk has to be followed by CR LF\n" },
		{ SLICE(POST_CHUNKED "2x\r\n"), BAD_CHUNK },
	};

	for (size_t i = 0; i < countof(rows); i++)
		expect_certain(rows[i].bytes, rows[i].said);
}
END_TEST

/* ---- Bodies ---- */

START_TEST(the_length_of_a_body_leaves_no_doubt)
{
	static const struct row rows[] = {
		{ SLICE("POST /" H1 "Content-Length: 000000000000000000000000003\r\n\r\nabc"), "POST / 1.1 keep host=h body=abc\n" },
		{ SLICE("GET /" H1 "Content-Length: 1\r\n\r\nx"), "GET / 1.1 keep host=h body=x\n" },
		{ SLICE("POST /" H1 "\r\n"), "POST / 1.1 keep host=h\n" },
		{ SLICE("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"), "POST / 1.0 close body=ab\n" },
		{ SLICE("POST /" H1 "Content-Length: 4\r\n\r\n\0\r\n\xff"), "POST / 1.1 keep host=h body=@\r\n\xff\n" },
		{ SLICE("POST /" H1 "Content-Length:\r\n"), "400 Content-Length is empty\n" },
		{ SLICE("POST /" H1 "Content-Length: +3\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("POST /" H1 "Content-Length: -3\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("POST /" H1 "Content-Length: 0x3\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("POST /" H1 "Content-Length: 3, 3\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("POST /" H1 "Content-Length: 3 3\r\n"), "400 Content-Length is not a number\n" },
		{ SLICE("POST /" H1 "Content-Length: 3\r\nContent-Length: 3\r\n"), "400 more than one Content-Length\n" },
		{ SLICE("POST /" H1 "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
		  "400 both Transfer-Encoding and Content-Length\n" },
		{ SLICE("POST /" H1 "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
		  "400 both Transfer-Encoding and Content-Length\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(no_other_transfer_encoding_than_chunked_is_understood)
{
	static const char *const others[] = {
		"gzip", "gzip, chunked", "chunked, chunked", "chunked,", ",chunked", "chunke", "xchunked", "identity", "\"chunked\"",
		"chunked;q=1", "",
	};

	for (size_t i = 0; i < countof(others); i++) {
		char bytes[100];

		snprintf(bytes, sizeof(bytes), "POST /" H1 "Transfer-Encoding: %s\r\n", others[i]);
		feed_expect(&http, slice_of(bytes), "400 no other Transfer-Encoding than chunked is understood\n");
	}
	feed_expect(&http, SLICE("POST /" H1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		    "400 more than one Transfer-Encoding\n");
	feed_expect(&http, SLICE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"), "400 HTTP/1.0 has no Transfer-Encoding\n");
	feed_expect(&http, SLICE("POST /" H1 "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"), "POST / 1.1 keep host=h body=\n");
}
END_TEST

START_TEST(a_chunked_body_is_put_together)
{
	static const struct row rows[] = {
		{ SLICE(POST_CHUNKED "0\r\n\r\n"), "POST / 1.1 keep host=h body=\n" },
		{ SLICE(POST_CHUNKED "5\r\nhello\r\n0\r\n\r\n"), "POST / 1.1 keep host=h body=hello\n" },
		{ SLICE(POST_CHUNKED "1\r\na\r\n2\r\nbc\r\n003\r\ndef\r\n000\r\n\r\n"), "POST / 1.1 keep host=h body=abcdef\n" },
		{ SLICE(POST_CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
		  "POST / 1.1 keep host=h body=01234567890123456789\n" },
		{ SLICE(POST_CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n"), "POST / 1.1 keep host=h body=\r\n\r\n\n" },
		{ SLICE("POST http://other/a?b" H1 "Transfer-Encoding: chunked\r\nLeat-Id: x\r\n\r\n"
			"10\r\n" A16 "\r\n10\r\n" A16 "\r\n0\r\n\r\n"),
		  "POST /a?b 1.1 keep host=other id=x body=" A16 A16 "\n" },
		{ SLICE(POST_CHUNKED "1;a=b\r\nx\r\n1 ;a\r\ny\r\n1\t; \"\xff\"\r\nz\r\n0;end\r\n\r\n"),
		  "POST / 1.1 keep host=h body=xyz\n" },
		{ SLICE(POST_CHUNKED "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\nHost: i\r\n\r\n"), "POST / 1.1 keep host=h body=x\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(malformed_chunks_are_refused)
{
	static const struct row rows[] = {
		{ SLICE(POST_CHUNKED "\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED ";a\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "g\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "+1\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "-1\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED " 1\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "0x1\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "1 \r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "1 1\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "1,a\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "10000000000000000\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "1\n"), BAD_LF },
		{ SLICE(POST_CHUNKED "1\rx"), BAD_CR },
		{ SLICE(POST_CHUNKED "1;\0"), BAD_CONTROL },
		{ SLICE(POST_CHUNKED "1\r\nx\n"), "400 a chunk has to be followed by CR LF\n" },
		{ SLICE(POST_CHUNKED "1\r\nxy\r\n"), "400 a chunk has to be followed by CR LF\n" },
		{ SLICE(POST_CHUNKED "1\r\nx0\r\n\r\n"), "400 a chunk has to be followed by CR LF\n" },
		{ SLICE(POST_CHUNKED "0\r\n\n"), BAD_LF },
		{ SLICE(POST_CHUNKED "0\r\nA b: c\r\n"), "400 a space in the name of a header\n" },
		{ SLICE(POST_CHUNKED "0\r\n A: c\r\n"), "400 a header that is folded over two lines\n" },
		{ SLICE(POST_CHUNKED "0\r\n: c\r\n"), "400 a header without a name\n" },
		{ SLICE(POST_CHUNKED "0\r\nA: \x01"), BAD_CONTROL },
	};
	static char room[1000];

	expect_rows(rows, countof(rows));
	feed_expect(&http, filled(room, POST_CHUNKED "1;", 'a', 254, "\r\nx\r\n0\r\n\r\n"), "POST / 1.1 keep host=h body=x\n");
	expect_certain(filled(room, POST_CHUNKED "1;", 'a', 255, ""), "400 the line before a chunk is too long\n");
}
END_TEST

START_TEST(trailers_over_16_kib_are_refused_as_soon_as_it_is_certain)
{
	static char room[HTTP_HEAD_MAX + 200];
	const char *before = POST_CHUNKED "0\r\nA: b\r\nX: ", *said = "431 the trailers are too long\n";
	const size_t fill = HTTP_HEAD_MAX - strlen("A: b\r\nX: ") - strlen("\r\n\r\n");

	feed_expect(&http, filled(room, before, 'x', fill, "\r\n\r\n"), "POST / 1.1 keep host=h body=\n");
	feed_expect(&http, filled(room, before, 'x', fill + 1, "\r\n\r"), said);
	feed_expect(&http, filled(room, before, 'x', fill + 2, "\r\n"), said);
	expect_certain(filled(room, before, 'x', fill + 3, ""), said);
}
END_TEST

START_TEST(a_body_over_its_limit_is_skipped_and_the_connection_goes_on)
{
	static const struct row rows[] = {
		{ SLICE("POST /a?b" H1 "Leat-Id: x\r\nContent-Length: 33\r\n\r\n" A16 A16 "aGET /" H1 "\r\n"),
		  "TOOBIG POST /a?b 1.1 keep host=h id=x\nGET / 1.1 keep host=h\n" },
		{ SLICE("POST /" H1 "Content-Length: 32\r\n\r\n" A16 A16), "POST / 1.1 keep host=h body=" A16 A16 "\n" },
		{ SLICE("POST /a?b" H1 "Transfer-Encoding: chunked\r\nLeat-Id: x\r\n\r\n"
			"10\r\n" A16 "\r\n10\r\n" A16 "\r\n1\r\na\r\n10\r\n" A16 "\r\n0;x=y\r\nA: b\r\n\r\nGET /" H1 "\r\n"),
		  "TOOBIG POST /a?b 1.1 keep host=h id=x\nGET / 1.1 keep host=h\n" },
		{ SLICE(POST_CHUNKED "30\r\n" A16 A16 A16 "\r\n0\r\n\r\nGET /" H1 "\r\n"),
		  "TOOBIG POST / 1.1 keep host=h\nGET / 1.1 keep host=h\n" },
		{ SLICE(POST_CHUNKED "30\r\n" A16 A16 A16 "\r\n0x\r\n"), BAD_CHUNK },
		{ SLICE(POST_CHUNKED "30\r\n" A16 A16 A16 "\r\n0\r\nx\r\n"), BAD_HEADER },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(a_body_that_would_take_forever_to_skip_is_refused)
{
	static const struct row rows[] = {
		{ SLICE("POST /" H1 "Content-Length: 67108864\r\n\r\n"), "" },
		{ SLICE("POST /" H1 "Content-Length: 67108865\r\n\r\n"), "413 the body is too long\n" },
		{ SLICE("POST /" H1 "Content-Length: 18446744073709551615\r\n\r\n"), "413 the body is too long\n" },
		{ SLICE("POST /" H1 "Content-Length: 18446744073709551616\r\n\r\n"), "413 the body is too long\n" },
		{ SLICE("POST /" H1 "Content-Length: 99999999999999999999999999999\r\n\r\n"), "413 the body is too long\n" },
		{ SLICE(POST_CHUNKED "4000000\r\n"), "" },
		{ SLICE(POST_CHUNKED "4000001\r\n"), "413 the body is too long\n" },
		{ SLICE(POST_CHUNKED "1\r\nx\r\n4000000\r\n"), "413 the body is too long\n" },
		{ SLICE(POST_CHUNKED "1\r\nx\r\nffffffffffffffff\r\n"), "413 the body is too long\n" },
		{ SLICE("POST /" H1 "Expect: 100-continue\r\nContent-Length: 33\r\n\r\n"), "413 the body is too long\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

/* Sends `n` times `piece` and returns the last result. */
static struct parse_result say_often(struct feed *f, struct slice piece, size_t n)
{
	struct parse_result result = { 0 };

	while (n-- > 0)
		result = feed_say(f, piece);
	return result;
}

START_TEST(what_is_skipped_does_not_stay_in_the_window)
{
	struct feed f = feed_open(&http);
	struct slice head = SLICE("POST /" H1 "Content-Length: 1000000\r\n\r\n"), chunked = SLICE(POST_CHUNKED "f4240\r\n");
	char some[1000] = { 0 };

	ck_assert_uint_eq(feed_say(&f, head).want, head.len + 65536);
	ck_assert_uint_eq(say_often(&f, (struct slice){ some, sizeof(some) }, 999).want, head.len + 1000);
	ck_assert_uint_eq(f.longest, head.len);
	feed_say(&f, (struct slice){ some, sizeof(some) });
	ck_assert(slice_is(buf_slice(&f.said), SLICE("TOOBIG POST / 1.1 keep host=h\n")));

	feed_say(&f, chunked);
	say_often(&f, (struct slice){ some, sizeof(some) }, 1000);
	feed_say(&f, SLICE("\r\n"));
	ck_assert_uint_le(f.longest, head.len + 7);
	feed_say(&f, SLICE("0\r\n\r\n"));
	ck_assert(slice_is(buf_slice(&f.said), SLICE("TOOBIG POST / 1.1 keep host=h\nTOOBIG POST / 1.1 keep host=h\n")));
	feed_close(&f);
}
END_TEST

/* Of 250 bytes one is payload here; without the gaps being closed all of them would pile up. */
START_TEST(what_comes_between_small_chunks_does_not_pile_up)
{
	struct feed f = feed_open(&http);
	struct slice head = SLICE(POST_CHUNKED);
	char chunk[250];

	memset(chunk, 'e', sizeof(chunk));
	memcpy(chunk, "1;", 2);
	memcpy(chunk + sizeof(chunk) - 5, "\r\nx\r\n", 5);
	feed_say(&f, head);
	say_often(&f, (struct slice){ chunk, sizeof(chunk) }, MAX_BODY);
	ck_assert_uint_lt(f.longest, 2 * (head.len + MAX_BODY) + sizeof(chunk));
	feed_say(&f, SLICE("0\r\n\r\n"));
	ck_assert(slice_is(buf_slice(&f.said), SLICE("POST / 1.1 keep host=h body=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n")));
	feed_close(&f);
}
END_TEST

START_TEST(a_large_chunked_body_is_put_together_from_all_sizes_of_chunks)
{
	static char sent[1200000], window[1300000], expected[500000];
	struct http_parser p;
	struct parse_result result;
	size_t len = (size_t)snprintf(sent, sizeof(sent), POST_CHUNKED), body = 0, have = 0, at = 0, begin = 0;
	uint64_t random = 1;

	while (body < 450000) {
		size_t n = 1 + feed_random(&random, feed_random(&random, 10) ? 5 : 40000);

		len += (size_t)snprintf(sent + len, sizeof(sent) - len, "%zx\r\n", n);
		for (size_t i = 0; i < n; i++)
			sent[len++] = expected[body++] = (char)feed_random(&random, 256);
		len += (size_t)snprintf(sent + len, sizeof(sent) - len, "\r\n");
	}
	len += (size_t)snprintf(sent + len, sizeof(sent) - len, "0\r\n\r\n");

	http_parser_init(&p);
	do {
		size_t n = 1 + feed_random(&random, 3000);

		n = n < len - at ? n : len - at;
		memcpy(window + begin + have, sent + at, n);
		at += n;
		have += n;
		result = http_parse(&p, window + begin, have, sizeof(expected));
		if (result.status == PARSE_MORE) {
			begin += result.used;
			have -= result.used;
		}
	} while (result.status == PARSE_MORE && at < len);
	ck_assert_uint_eq(result.status, PARSE_DONE);
	ck_assert_uint_eq(result.used, have);
	ck_assert_uint_eq(p.request.body.len, body);
	ck_assert_mem_eq(p.request.body.at, expected, body);
	ck_assert(slice_is(p.request.host, SLICE("h")));
}
END_TEST

START_TEST(it_wants_as_much_as_is_certain_to_come)
{
	struct feed f = feed_open(&http);
	struct slice head = SLICE("POST /" H1 "Content-Length: 20\r\n\r\n"), chunked = SLICE(POST_CHUNKED "14\r\n");

	ck_assert_uint_eq(feed_parse(&f).want, 1);
	ck_assert_uint_eq(feed_say(&f, SLICE("POST ")).want, 6);
	feed_drop(&f, 5);
	feed_close(&f);

	f = feed_open(&http);
	ck_assert_uint_eq(feed_say(&f, head).want, head.len + 20);
	ck_assert_uint_eq(feed_say(&f, SLICE("hello")).want, head.len + 20);
	feed_say(&f, SLICE(A16));
	ck_assert(slice_is(buf_slice(&f.said), SLICE("POST / 1.1 keep host=h body=helloaaaaaaaaaaaaaaa\n")));
	feed_close(&f);

	f = feed_open(&http);
	ck_assert_uint_eq(feed_say(&f, chunked).want, chunked.len + 20 + 2);
	ck_assert_uint_eq(feed_say(&f, SLICE(A16 "aaaa")).want, chunked.len + 20 + 2);
	ck_assert_uint_eq(feed_say(&f, SLICE("\r\n")).want, chunked.len + 20 + 2 + 1);
	feed_close(&f);
}
END_TEST

START_TEST(the_head_is_known_before_the_body_comes)
{
	struct feed f = feed_open(&http);
	struct http_parser *p = f.parser;
	struct buf head = { 0 };

	feed_say(&f, SLICE("POST /a" H1 "Expect: 100-continue\r\nContent-Length: 3\r\n\r"));
	ck_assert(!p->head_done);
	/* The head points into the window it was read from, so it is looked at before that is dropped. */
	feed_append(&f, "\n", 1);
	ck_assert_uint_eq(http_parse(p, f.window, f.len, MAX_BODY).status, PARSE_MORE);
	ck_assert(p->head_done);
	describe_request(&p->request, &head);
	ck_assert(slice_is(buf_slice(&head), SLICE("POST /a 1.1 keep expect host=h")));
	buf_free(&head);
	feed_say(&f, SLICE("ab"));
	ck_assert(p->head_done);
	feed_say(&f, SLICE("c"));
	ck_assert(!p->head_done);
	ck_assert(slice_is(buf_slice(&f.said), SLICE("POST /a 1.1 keep expect host=h body=abc\n")));

	feed_say(&f, SLICE("POST /" H1 "Transfer-Encoding: chunked\r\n\r\n0\r\n"));
	ck_assert(p->head_done);
	feed_say(&f, SLICE("\r\n"));
	ck_assert(!p->head_done);
	feed_close(&f);
}
END_TEST

START_TEST(requests_may_follow_each_other_at_once)
{
	static const struct {
		const char *bytes, *said;
	} kinds[] = {
		{ "POST /a" H1 "Content-Length: 5\r\n\r\nhello", "POST /a 1.1 keep host=h body=hello\n" },
		{ POST_CHUNKED "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "POST / 1.1 keep host=h body=abcd\n" },
		{ "GET /b?c" H1 "Leat-Id: x\r\n\r\n", "GET /b?c 1.1 keep host=h id=x\n" },
		{ "POST /" H1 "Expect: 100-continue\r\nContent-Length: 32\r\n\r\n" A16 A16,
		  "POST / 1.1 keep expect host=h body=" A16 A16 "\n" },
		{ "POST /" H1 "Content-Length: 34\r\n\r\n" A16 A16 "\r\n", "TOOBIG POST / 1.1 keep host=h\n" },
		{ "\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 1.0 keep\n" },
	};
	struct buf bytes = { 0 }, said = { 0 };

	for (size_t i = 0; i < 100; i++) {
		buf_add_slice(&bytes, slice_of(kinds[i * 7 % countof(kinds)].bytes));
		buf_add_slice(&said, slice_of(kinds[i * 7 % countof(kinds)].said));
	}
	buf_add_char(&said, '\0');
	feed_expect_cut(&http, buf_slice(&bytes), uncut, said.at);
	feed_expect_cut(&http, buf_slice(&bytes), every_byte, said.at);
	for (size_t step = 2; step < 300; step += 7)
		feed_expect_cut(&http, buf_slice(&bytes), (struct cuts){ step, step }, said.at);
	buf_free(&bytes);
	buf_free(&said);
}
END_TEST

START_TEST(a_window_of_nothing_wants_one_byte)
{
	struct http_parser p;
	struct parse_result result;

	http_parser_init(&p);
	result = http_parse(&p, NULL, 0, MAX_BODY);
	ck_assert_uint_eq(result.status, PARSE_MORE);
	ck_assert_uint_eq(result.used, 0);
	ck_assert_uint_eq(result.want, 1);
}
END_TEST

START_TEST(noise_does_no_harm)
{
	static const struct slice seeds[] = {
		SLICE("POST /v1/run/echo?a=b HTTP/1.1\r\nHost: 127.0.0.1:5328\r\nContent-Length: 5\r\n\r\nhello"
		      "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"),
		SLICE(POST_CHUNKED "5;x=y\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nA: b\r\n\r\nGET /" H1 "\r\n"),
		SLICE("\r\nPOST http://other:80/a" H1 "Expect: 100-continue\r\nConnection: a, close\r\nContent-Length: 40\r\n\r\n"
		      A16 A16 A16 "\r\n"),
		SLICE("OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\nLeat-Id: x\r\nOrigin: y\r\n\r\nDELETE /v1/ps/1 HTTP/1.1\r\n" H "\r\n"),
	};
	static const char spice[] = "\r\n\r\n \t:;,?*/0123456789abcdefF\x7f\xff";

	feed_noise(&http, seeds, countof(seeds), spice, sizeof(spice), 100000);
}
END_TEST

/* ---- The rest ---- */

START_TEST(http_begins_with_a_method_and_a_space)
{
	static const char *const yes[] = {
		"GET /", "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS *", "PATCH ", "CONNECT h", "TRACE ",
	};
	static const char *const no[] = {
		"GETS ", "get /", "PING\r\n", "*3\r\n", "POS ", "POSTER", "RUN echo", " GET", "\r\n", "GET\r\n", "D ", "PRI *", "HELLO ",
	};
	static const char *const maybe[] = { "", "G", "GE", "GET", "P", "PO", "POST", "PATC", "OPTIONS", "H" };
	bool undecided;

	for (size_t i = 0; i < countof(yes); i++)
		ck_assert(http_begins(yes[i], strlen(yes[i]), &undecided) && !undecided);
	for (size_t i = 0; i < countof(no); i++)
		ck_assert_msg(!http_begins(no[i], strlen(no[i]), &undecided) && !undecided, "%s", no[i]);
	for (size_t i = 0; i < countof(maybe); i++)
		ck_assert_msg(!http_begins(maybe[i], strlen(maybe[i]), &undecided) && undecided, "%s", maybe[i]);
	ck_assert(!http_begins(NULL, 0, &undecided) && undecided);
}
END_TEST

/* Cut at every byte: what has come is thrown away from there on, and what follows is understood. */
static void throw_away_from_any_byte_on(const char *text)
{
	for (size_t cut = 1; cut < strlen(text) - 18; cut++) {
		char window[1024];
		size_t len = cut, sent = cut;
		struct http_parser p;
		struct parse_result r;

		memcpy(window, text, cut);
		http_parser_init(&p);
		r = http_parse(&p, window, len, 1000);
		ck_assert_int_eq(r.status, PARSE_MORE);
		memmove(window, window + r.used, len -= r.used);
		if (!http_skip(&p, window)) {
			/* Of a head there is nothing to throw away yet. */
			ck_assert_uint_lt(cut, (size_t)(strstr(text, "\r\n\r\n") + 4 - text));
			continue;
		}
		ck_assert(slice_is(p.request.path, SLICE("/v1/run/echo")));
		do {
			r = http_parse(&p, window, len, 1000);
			memmove(window, window + r.used, len -= r.used);
			if (r.status == PARSE_MORE)
				window[len++] = text[sent++];
		} while (r.status == PARSE_MORE);
		ck_assert_int_eq(r.status, PARSE_TOOBIG);
		ck_assert_uint_eq(sent + 18, strlen(text));
		ck_assert_uint_eq(len, 0);
		memcpy(window, text + sent, len = 18);
		r = http_parse(&p, window, len, 1000);
		ck_assert_int_eq(r.status, PARSE_DONE);
	}
}

START_TEST(a_request_can_be_thrown_away_from_any_byte_of_its_body_on)
{
	static const char *const texts[] = {
		"POST /v1/run/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n01234567890123456789GET / HTTP/1.0\r\n\r\n",
		"POST /v1/run/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n5\r\n01234\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.0\r\n\r\n",
	};

	for (size_t i = 0; i < countof(texts); i++)
		throw_away_from_any_byte_on(texts[i]);
}
END_TEST

/* ---- Bodies in parts ---- */

/* What is handed out is written down; `fussy`: only half of each part is taken at a time. */
struct parts {
	struct http_parser p;
	struct buf said;
	bool fussy;
};

static struct parts *parts_open(bool fussy)
{
	struct parts *parts = malloc(sizeof(*parts));

	insist(parts);
	*parts = (struct parts){ .fussy = fussy };
	http_parser_init(&parts->p);
	parts->p.wants_head = true;
	return parts;
}

static void *parts_open_greedy(void)
{
	return parts_open(false);
}

static void *parts_open_fussy(void)
{
	return parts_open(true);
}

static void parts_close(void *parser)
{
	buf_free(&((struct parts *)parser)->said);
	free(parser);
}

/* Bytes of the part that come again. */
static size_t take_part(struct parts *parts)
{
	struct slice part = parts->p.request.body;
	size_t back = parts->fussy ? part.len / 2 : 0;

	insist(part.len > 0);
	buf_add(&parts->said, part.at, part.len - back);
	http_give_back(&parts->p, back);
	return back;
}

static struct parse_result parts_feed(void *parser, char *window, size_t len)
{
	struct parts *parts = parser;
	struct parse_result r;
	size_t used = 0;

	while ((r = http_parse(&parts->p, window + used, len - used, 0)).status == PARSE_HEAD || r.status == PARSE_PART) {
		used += r.used;
		if (r.status == PARSE_PART) {
			used -= take_part(parts);
			continue;
		}
		describe_request(&parts->p.request, &parts->said);
		buf_add_char(&parts->said, ' ');
		http_stream(&parts->p);
	}
	r.used += used;
	return r;
}

static void parts_describe(void *parser, const struct parse_result *r, struct buf *to)
{
	struct parts *parts = parser;

	buf_add_slice(to, buf_slice(&parts->said));
	parts->said.len = 0;
	if (r->status == PARSE_BAD)
		buf_addf(to, "%d %s", r->http_status, r->why);
	else if (!parts->p.request.has_body)
		describe_request(&parts->p.request, to);
	buf_add_char(to, '\n');
}

static const struct pieces greedy = { parts_open_greedy, parts_close, parts_feed, parts_describe };
static const struct pieces fussy = { parts_open_fussy, parts_close, parts_feed, parts_describe };

START_TEST(a_body_can_be_had_in_parts_as_it_comes)
{
	static const struct row rows[] = {
		{ SLICE("POST /a" H1 "Content-Length: 20\r\n\r\n01234567890123456789GET /b" H1 "\r\n"),
		  "POST /a 1.1 keep host=h 01234567890123456789\nGET /b 1.1 keep host=h\n" },
		{ SLICE("\r\n" POST_CHUNKED "a\r\n0123456789\r\n1;x=y\r\na\r\n0\r\nTrailer: x\r\n\r\nGET /b" H1 "\r\n"),
		  "POST / 1.1 keep host=h 0123456789a\nGET /b 1.1 keep host=h\n" },
		{ SLICE(POST_CHUNKED "0\r\n\r\n" POST_CHUNKED "1\r\na\r\n0\r\n\r\n"), "POST / 1.1 keep host=h \nPOST / 1.1 keep host=h a\n" },
		{ SLICE(POST_CHUNKED "3\r\nabc\r\nx\r\n"), "POST / 1.1 keep host=h abc" BAD_CHUNK },
		{ SLICE(POST_CHUNKED "3\r\nabcd"), "POST / 1.1 keep host=h abc400 a chunk has to be followed by CR LF\n" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		feed_expect(&greedy, rows[i].bytes, rows[i].said);
		feed_expect(&fussy, rows[i].bytes, rows[i].said);
	}
}
END_TEST

START_TEST(a_body_in_parts_has_no_limit)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\nExpect: 100-continue\r\n\r\n";
	char window[sizeof(head) - 1], part[] = "abc";
	struct http_parser p;
	struct parse_result r;

	memcpy(window, head, sizeof(window));
	http_parser_init(&p);
	p.wants_head = true;
	r = http_parse(&p, window, sizeof(window), 10);
	ck_assert_int_eq(r.status, PARSE_HEAD);
	ck_assert(p.request.expect_continue);
	http_stream(&p);
	r = http_parse(&p, window, sizeof(window), 10);
	ck_assert_int_eq(r.status, PARSE_MORE);
	ck_assert_uint_eq(r.used, sizeof(window));
	ck_assert_uint_eq(r.want, 1);
	for (int i = 0; i < 3; i++) {
		r = http_parse(&p, part, 3, 10);
		ck_assert_int_eq(r.status, PARSE_PART);
		ck_assert(slice_is(p.request.body, SLICE("abc")));
		ck_assert(!http_at_end(&p));
	}
	ck_assert(http_body_left(&p) == UINT64_MAX - 9);
}
END_TEST

START_TEST(who_has_seen_the_head_may_still_have_the_whole)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
	char window[sizeof(text) - 1];
	struct http_parser p;
	struct parse_result r;

	memcpy(window, text, sizeof(window));
	http_parser_init(&p);
	p.wants_head = true;
	r = http_parse(&p, window, sizeof(window) - 2, 10);
	ck_assert_int_eq(r.status, PARSE_HEAD);
	ck_assert_int_eq(http_parse(&p, window, sizeof(window) - 2, 10).status, PARSE_MORE);
	ck_assert_int_eq(http_parse(&p, window, sizeof(window), 10).status, PARSE_DONE);
	ck_assert(slice_is(p.request.body, SLICE("hello")));
	/* All of it is there: nobody need be asked. */
	ck_assert_int_eq(http_parse(&p, window, sizeof(window), 10).status, PARSE_DONE);
	ck_assert_int_eq(http_parse(&p, window, sizeof(window), 4).status, PARSE_HEAD);
	ck_assert_int_eq(http_parse(&p, window, sizeof(window), 4).status, PARSE_TOOBIG);
}
END_TEST

Suite *http_suite(void);

Suite *http_suite(void)
{
	const TTest *tests[] = {
		a_request_can_be_thrown_away_from_any_byte_of_its_body_on,
		a_body_can_be_had_in_parts_as_it_comes,
		a_body_in_parts_has_no_limit,
		who_has_seen_the_head_may_still_have_the_whole,
		a_request_is_taken_apart,
		each_method_is_known_and_others_are_left_to_the_router,
		one_empty_line_before_a_request_is_forgiven,
		a_malformed_request_line_is_refused,
		only_versions_1_0_and_1_1_are_spoken,
		a_target_is_a_path_or_an_absolute_address_or_the_star_of_options,
		white_space_around_a_value_is_not_part_of_it,
		a_host_is_a_name_or_an_address_and_perhaps_a_port,
		a_malformed_header_is_refused,
		every_control_character_but_tab_is_refused_wherever_it_stands,
		there_is_one_host_header_but_http_1_0_needs_none,
		headers_that_mean_something_may_not_be_repeated,
		a_connection_is_kept_or_closed_as_version_and_header_say,
		no_other_expectation_than_100_continue_is_understood,
		a_request_line_over_4_kib_is_refused_as_soon_as_it_is_certain,
		a_head_over_16_kib_is_refused_as_soon_as_it_is_certain,
		more_than_64_headers_are_refused_as_soon_as_it_is_certain,
		what_can_never_become_valid_is_refused_before_the_rest_has_come,
		the_length_of_a_body_leaves_no_doubt,
		no_other_transfer_encoding_than_chunked_is_understood,
		a_chunked_body_is_put_together,
		malformed_chunks_are_refused,
		trailers_over_16_kib_are_refused_as_soon_as_it_is_certain,
		a_body_over_its_limit_is_skipped_and_the_connection_goes_on,
		a_body_that_would_take_forever_to_skip_is_refused,
		what_is_skipped_does_not_stay_in_the_window,
		what_comes_between_small_chunks_does_not_pile_up,
		a_large_chunked_body_is_put_together_from_all_sizes_of_chunks,
		it_wants_as_much_as_is_certain_to_come,
		the_head_is_known_before_the_body_comes,
		requests_may_follow_each_other_at_once,
		a_window_of_nothing_wants_one_byte,
		noise_does_no_harm,
		http_begins_with_a_method_and_a_space,
	};
	return suite_of("http", tests, countof(tests));
}
