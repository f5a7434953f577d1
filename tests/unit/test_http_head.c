#include "../../daemon/http_head.h"
#include "testing.h"

START_TEST(every_status_has_its_reason)
{
	static const int sent[] = { 100, 200, 204, 400, 401, 403, 404, 405, 408, 411, 413, 414, 417, 421, 431, 499, 500, 501, 502, 503,
				    504, 505 };

	ck_assert_str_eq(http_reason(200), "OK");
	ck_assert_str_eq(http_reason(400), "Bad Request");
	ck_assert_str_eq(http_reason(299), "Unknown");
	for (size_t i = 0; i < countof(sent); i++)
		ck_assert_str_ne(http_reason(sent[i]), "Unknown");
}
END_TEST

START_TEST(the_date_is_written_as_rfc_9110_wants_it)
{
	static const struct {
		int64_t seconds;
		const char *line;
	} rows[] = {
		{ 784111777, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" },
		{ 0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" },
		{ 1709251199, "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n" },
		{ 253402300799, "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n" },
		{ INT64_MAX, "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n" },
		{ INT64_MIN, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		char room[HTTP_DATE_LINE_LEN + 1];

		http_date_line(room, rows[i].seconds);
		ck_assert_str_eq(room, rows[i].line);
	}
}
END_TEST

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

START_TEST(the_head_of_an_answer_is_written)
{
	static const struct {
		struct http_head head;
		const char *text;
	} rows[] = {
		{ { 200, true, true, SLICE("text/plain"), 5, false, DATE },
		  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 5\r\n" },
		{ { 200, true, false, SLICE("a/b"), 0, false, DATE },
		  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: a/b\r\nContent-Length: 0\r\nConnection: close\r\n" },
		{ { 503, false, true, SLICE("a/b"), UINT64_MAX - 1, false, DATE },
		  "HTTP/1.1 503 Service Unavailable\r\n" DATE
		  "Content-Type: a/b\r\nContent-Length: 18446744073709551614\r\nConnection: keep-alive\r\n" },
		{ { 404, false, false, { NULL, 0 }, 0, false, DATE },
		  "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n" },
		{ { 204, true, true, { NULL, 0 }, 0, false, DATE }, "HTTP/1.1 204 No Content\r\n" DATE },
		{ { 299, true, true, { NULL, 0 }, 1, false, DATE }, "HTTP/1.1 299 Unknown\r\n" DATE "Content-Length: 1\r\n" },
		{ { 200, true, true, SLICE("a/b"), 0, true, DATE },
		  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct buf b = { 0 };

		buf_add_char(&b, '>');
		http_add_head(&b, &rows[i].head);
		ck_assert(!b.failed);
		buf_add_char(&b, '\0');
		ck_assert_str_eq(b.at + 1, rows[i].text);
		buf_free(&b);
	}
}
END_TEST

START_TEST(the_longest_head_of_an_answer_fits)
{
	struct buf b = { 0 };
	char type[3000];

	memset(type, 't', sizeof(type));
	for (int i = 0; i < 200; i++)
		http_add_head(&b, &(struct http_head){ 431, false, true, { type, sizeof(type) }, UINT64_MAX - 1, false, DATE });
	ck_assert(!b.failed);
	ck_assert_uint_le(b.len, b.cap);
	ck_assert_uint_eq(b.len % 200, 0);
	buf_free(&b);
}
END_TEST

Suite *http_head_suite(void);

Suite *http_head_suite(void)
{
	const TTest *tests[] = {
		every_status_has_its_reason,
		the_date_is_written_as_rfc_9110_wants_it,
		the_head_of_an_answer_is_written,
		the_longest_head_of_an_answer_fits,
	};
	return suite_of("http_head", tests, countof(tests));
}
