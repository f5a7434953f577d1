#include "http_head.h"

#include <time.h>

#define STATUS(code, reason) { code, reason, SLICE("HTTP/1.1 " #code " " reason "\r\n") }

static const struct status {
	int code;
	const char *reason;
	struct slice line;
} statuses[] = {
	STATUS(200, "OK"),
	STATUS(503, "Service Unavailable"),
	STATUS(504, "Gateway Timeout"),
	STATUS(502, "Bad Gateway"),
	STATUS(204, "No Content"),
	STATUS(100, "Continue"),
	STATUS(400, "Bad Request"),
	STATUS(401, "Unauthorized"),
	STATUS(403, "Forbidden"),
	STATUS(404, "Not Found"),
	STATUS(405, "Method Not Allowed"),
	STATUS(408, "Request Timeout"),
	STATUS(409, "Conflict"),
	STATUS(411, "Length Required"),
	STATUS(413, "Content Too Large"),
	STATUS(414, "URI Too Long"),
	STATUS(415, "Unsupported Media Type"),
	STATUS(417, "Expectation Failed"),
	STATUS(421, "Misdirected Request"),
	STATUS(431, "Request Header Fields Too Large"),
	STATUS(499, "Client Closed Request"),
	STATUS(500, "Internal Server Error"),
	STATUS(501, "Not Implemented"),
	STATUS(505, "HTTP Version Not Supported"),
};

static const struct status *find_status(int code)
{
	for (size_t i = 0; i < countof(statuses); i++) {
		if (statuses[i].code == code)
			return &statuses[i];
	}
	return NULL;
}

const char *http_reason(int code)
{
	const struct status *status = find_status(code);

	return status ? status->reason : "Unknown";
}

static char *put(char *to, struct slice s)
{
	memcpy(to, s.at, s.len);
	return to + s.len;
}

static char *put_two(char *to, int n)
{
	to[0] = (char)('0' + n / 10 % 10);
	to[1] = (char)('0' + n % 10);
	return to + 2;
}

/* By hand, since strftime() asks the locale for the names. */
void http_date_line(char *room, int64_t unix_seconds)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int64_t end_of_9999 = 253402300799;
	time_t seconds = unix_seconds < 0 ? 0 : unix_seconds > end_of_9999 ? end_of_9999 : unix_seconds;
	struct tm tm;
	char *to = put(room, SLICE("Date: "));

	gmtime_r(&seconds, &tm);
	to = put(to, (struct slice){ days + 3 * tm.tm_wday, 3 });
	to = put(to, SLICE(", "));
	to = put_two(to, tm.tm_mday);
	*to++ = ' ';
	to = put(to, (struct slice){ months + 3 * tm.tm_mon, 3 });
	*to++ = ' ';
	to = put_two(to, (tm.tm_year + 1900) / 100);
	to = put_two(to, tm.tm_year % 100);
	*to++ = ' ';
	to = put_two(to, tm.tm_hour);
	*to++ = ':';
	to = put_two(to, tm.tm_min);
	*to++ = ':';
	to = put_two(to, tm.tm_sec);
	memcpy(to, " GMT\r\n", sizeof(" GMT\r\n"));
}

static char *put_status_line(char *to, int code)
{
	const struct status *status = find_status(code);

	if (likely(status))
		return put(to, status->line);
	to = put(to, SLICE("HTTP/1.1 "));
	to = format_uint(to, (unsigned)code);
	return put(to, SLICE(" Unknown\r\n"));
}

void http_add_head(struct buf *b, const struct http_head *head)
{
	/* Over the sum of all the fixed text below. */
	char *from = buf_reserve(b, head->content_type.len + 256), *to = from;

	if (!from)
		return;
	to = put_status_line(to, head->status);
	to = put(to, (struct slice){ head->date_line, HTTP_DATE_LINE_LEN });
	if (head->content_type.len > 0) {
		to = put(to, SLICE("Content-Type: "));
		to = put(to, head->content_type);
		to = put(to, SLICE("\r\n"));
	}
	/* RFC 9110 8.6: not with these. */
	if (head->chunked && head->minor) {
		to = put(to, SLICE("Transfer-Encoding: chunked\r\n"));
	} else if (!head->chunked && head->status >= 200 && head->status != 204) {
		to = put(to, SLICE("Content-Length: "));
		to = format_uint(to, head->content_length);
		to = put(to, SLICE("\r\n"));
	}
	if (!head->keep_alive)
		to = put(to, SLICE("Connection: close\r\n"));
	else if (!head->minor)
		to = put(to, SLICE("Connection: keep-alive\r\n"));
	b->len += (size_t)(to - from);
}

void http_begin_chunk(struct buf *b, size_t len)
{
	buf_addf(b, "%zx\r\n", len);
}

void http_end_chunk(struct buf *b)
{
	buf_add_slice(b, SLICE("\r\n"));
}

void http_last_chunk(struct buf *b)
{
	buf_add_slice(b, SLICE("0\r\n"));
}
