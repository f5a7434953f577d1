/* HTTP/1.1: bytes to requests (RFC 9110, RFC 9112). Pure functions, no I/O.
 *
 * Strict where leniency lets requests be smuggled. Answered with 400 and closed: both Transfer-Encoding and
 * Content-Length, a repeated or non-digit Content-Length, a Transfer-Encoding other than `chunked`, bare CR or LF,
 * a space before the colon, a folded header, an empty or invalid name, control characters, none or two Host headers
 * (HTTP/1.0 needs none), one that is no `NAME[:PORT]`, another header of those in http_request twice, Transfer-Encoding in HTTP/1.0, a target that
 * is neither `/path` nor `http://authority/path` (its authority then stands for the Host header) nor, of OPTIONS, `*`. */
#ifndef LEAT_HTTP_H
#define LEAT_HTTP_H

#include "buf.h"
#include "parse.h"

#include <stdint.h>

enum {
	HTTP_LINE_MAX = 4096,           /* bytes of the request line: 414 over it */
	HTTP_HEAD_MAX = 16384,          /* bytes of request line and headers: 431 over it */
	HTTP_HEADERS_MAX = 64,          /* header lines: 431 over it */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_PATCH, HTTP_OTHER };

struct http_request {
	enum http_method method;
	bool minor;                     /* false: HTTP/1.0, true: HTTP/1.1 */
	bool keep_alive;                /* what the version and the Connection header say */
	bool expect_continue;
	struct slice path;              /* up to the '?', as sent */
	struct slice query;             /* after the '?', as sent, may be empty */
	/* Without the white space around them. Where the header is not there: empty, and `at` is NULL. */
	struct slice host, origin, content_type, authorization, traceparent, leat_deadline, leat_id;
	bool has_body;                  /* a Content-Length or Transfer-Encoding was given */
	bool streamed;                  /* the body comes in parts */
	struct slice body;              /* decoded; of PARSE_DONE, and of PARSE_PART */
};

enum http_span_id {
	HTTP_SPAN_PATH, HTTP_SPAN_QUERY, HTTP_SPAN_HOST, HTTP_SPAN_ORIGIN, HTTP_SPAN_CONTENT_TYPE, HTTP_SPAN_AUTHORIZATION,
	HTTP_SPAN_TRACEPARENT, HTTP_SPAN_LEAT_DEADLINE, HTTP_SPAN_LEAT_ID, HTTP_SPANS
};

struct http_parser {
	struct http_request request;    /* after PARSE_DONE and PARSE_TOOBIG; the head's part of it also once head_done */
	bool head_done;                 /* the head has been read, the body has not: time to answer Expect: 100-continue */
	bool wants_head;                /* the caller's, set after http_parser_init(): say PARSE_HEAD */

	/* What follows is private to http.c. Offsets count from the start of the window. */
	uint8_t state;
	bool blank_dropped;             /* an empty line before the request, of which one is forgiven */
	bool authority;                 /* the target named the host */
	bool connection_close, connection_keep_alive;
	bool skipping;                  /* the body is over its limit */
	bool chunked, head_told;
	uint8_t headers;                /* lines so far */
	uint16_t seen;                  /* which of the known headers, a bit each */
	size_t at;                      /* what lies before it has been looked at */
	size_t line;                    /* where the present line begins; within a body where what is not used yet begins */
	size_t head_len;
	size_t body_len;                /* decoded bytes, right after the head */
	uint64_t left;                  /* bytes to come: of the body, of the chunk, or allowed for trailers */
	uint64_t chunked_total;         /* of the chunks announced so far */
	struct { uint16_t at, len; } spans[HTTP_SPANS];
};

/* Before the first request of a connection. */
void http_parser_init(struct http_parser *);

/* Looks at the window; see parse.h. A body of more than `max_body` bytes is skipped as it comes (PARSE_TOOBIG at its end).
 * PARSE_BAD with 413 when it is over 64 MiB as well, or when the client waits for 100 Continue before it sends it.
 * After PARSE_DONE and PARSE_TOOBIG the next call begins the next request.
 * The window is written to: a chunked body is decoded in place, and the head is moved up behind what is dropped. */
struct parse_result http_parse(struct http_parser *, char *window, size_t len, size_t max_body);

/* After PARSE_HEAD: the body is handed out as it comes, however long it is: PARSE_PART for each part, at its end PARSE_DONE, whose body is
 * empty. The slices of the head are valid until the next call. */
void http_stream(struct http_parser *);
/* After PARSE_PART: the last `bytes` of it could not be taken. The caller drops so many fewer, and they come again. */
void http_give_back(struct http_parser *, size_t bytes);
/* No further byte is needed to say PARSE_DONE of a body in parts. */
bool http_at_end(const struct http_parser *);
/* How many bytes of a body in parts are still to come at least. */
uint64_t http_body_left(const struct http_parser *);

/* The rest of the body of the request that has begun is thrown away as it comes, and at its end stands PARSE_TOOBIG; call http_parse()
 * again with the window as it is. The slices of its head are valid until then. False: the head has not come whole. */
must_check bool http_skip(struct http_parser *, char *window);

/* True if the first bytes of a connection are an HTTP method followed by a space; `*undecided` if more are needed. */
bool http_begins(const char *bytes, size_t len, bool *undecided);

#endif
