/* The heads of the answers of HTTP/1.1 (RFC 9110, RFC 9112). Pure functions, no I/O. */
#ifndef LEAT_HTTP_HEAD_H
#define LEAT_HTTP_HEAD_H

#include "buf.h"

#include <stdint.h>

/* "OK", "Bad Request", ...; "Unknown" for a status this daemon does not send. */
const char *http_reason(int status);

/* The line `Date: ...\r\n` for a time in seconds since 1970, into room[HTTP_DATE_LINE_LEN + 1]. */
enum { HTTP_DATE_LINE_LEN = 37 };
void http_date_line(char *room, int64_t unix_seconds);

/* Appends the status line, Date, Content-Type and Content-Length (but for 1xx and 204), or, if it is `chunked`,
 * `Transfer-Encoding: chunked`; and `Connection: close` or, for HTTP/1.0, `keep-alive`. The caller adds further header lines, then
 * "\r\n", then the body. `date_line` is as above. */
struct http_head {
	int status;
	bool minor, keep_alive;
	struct slice content_type;      /* empty: no Content-Type (204) */
	uint64_t content_length;
	bool chunked;                   /* its length is not known yet; of HTTP/1.0 the body ends with the connection instead */
	const char *date_line;
};
void http_add_head(struct buf *, const struct http_head *);

/* A chunk of a body: what comes before `len` bytes, more than 0, and what comes behind them. */
void http_begin_chunk(struct buf *, size_t len);
void http_end_chunk(struct buf *);
/* The last chunk. The caller adds the lines of the trailer, if any, and then "\r\n". */
void http_last_chunk(struct buf *);

#endif
