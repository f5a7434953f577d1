#include "http.h"

#include <endian.h>

enum {
	CHUNK_LINE_MAX = 256,           /* with its extensions, which nobody uses */
	SKIP_WANT = 65536,              /* no use in a window larger than this for what is thrown away */
};

/* Over its limit a body is read and thrown away, so that the connection can go on; but not a body that takes forever. */
static const uint64_t SKIP_MAX = (uint64_t)64 << 20;

static const struct {
	struct slice name;
	enum http_method method;
} methods[] = {
	{ SLICE("POST"), HTTP_POST },
	{ SLICE("GET"), HTTP_GET },
	{ SLICE("HEAD"), HTTP_HEAD },
	{ SLICE("PUT"), HTTP_PUT },
	{ SLICE("DELETE"), HTTP_DELETE },
	{ SLICE("OPTIONS"), HTTP_OPTIONS },
	{ SLICE("PATCH"), HTTP_PATCH },
	{ SLICE("CONNECT"), HTTP_OTHER },
	{ SLICE("TRACE"), HTTP_OTHER },
};

bool http_begins(const char *bytes, size_t len, bool *undecided)
{
	*undecided = false;
	for (size_t i = 0; i < countof(methods); i++) {
		struct slice name = methods[i].name;

		if (len > name.len) {
			if (bytes[name.len] == ' ' && memcmp(bytes, name.at, name.len) == 0)
				return true;
		} else if (len == 0 || memcmp(bytes, name.at, len) == 0) {
			*undecided = true;
		}
	}
	return false;
}

/* ---- Bytes ---- */

static const bool is_token[256] = {
	['!'] = true, ['#' ... '\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['^' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

/* What may stand in a target before the '?'. A fragment is not sent, so no '#'. */
static const bool is_path[256] = {
	['!' ... '"'] = true, ['$' ... '>'] = true, ['@' ... '~'] = true,
};

static const bool is_authority[256] = {
	['-' ... '.'] = true, ['0' ... ':'] = true, ['A' ... '['] = true, [']'] = true, ['_'] = true, ['a' ... 'z'] = true,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The text at `at` against a lower-case literal of letters and '-'. Only for what holds no control characters: of these,
 * some become '-' here. */
static bool same_nocase(const char *at, struct slice lower)
{
	for (size_t i = 0; i < lower.len; i++) {
		if ((at[i] | 0x20) != lower.at[i])
			return false;
	}
	return true;
}

/* Sixteen bytes at a time, and all bits of a byte set or none: what the compiler makes SSE2 or NEON of. */
typedef unsigned char block __attribute__((vector_size(16)));
typedef signed char truth __attribute__((vector_size(16)));

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The offset of the first control character (but HTAB) of a block, or its size. */
static size_t find_control(const char *at)
{
	block bytes;
	truth control;
	uint64_t found[2];

	memcpy(&bytes, at, sizeof(bytes));
	control = (truth)(((bytes < 0x20) & (bytes != '\t')) | (bytes == 0x7f));
	memcpy(found, &control, sizeof(found));
	if (found[0])
		return (size_t)__builtin_ctzll(le64toh(found[0])) / 8;
	if (found[1])
		return 8 + (size_t)__builtin_ctzll(le64toh(found[1])) / 8;
	return sizeof(bytes);
}

/* The first control character (but HTAB) from `at` on, or `end`. Nearly all of a request goes through here. */
static size_t skip_text(const char *window, size_t at, size_t end)
{
	while (end - at >= sizeof(block)) {
		size_t n = find_control(window + at);

		at += n;
		if (n < sizeof(block))
			return at;
	}
	while (at < end && !is_control(window[at]))
		at++;
	return at;
}

/* ---- One call of http_parse() ---- */

struct run {
	struct http_parser *p;
	char *window;           /* moves up by what is used */
	size_t len;
	size_t used;
	size_t max_body;
	uint64_t need;          /* STEP_MORE: bytes from p->at on */
	int http_status;        /* STEP_BAD */
	const char *why;
};

enum step { STEP_NEXT, STEP_MORE, STEP_BAD, STEP_HEAD, STEP_PART, STEP_END };

static enum step more(struct run *r, uint64_t need)
{
	r->need = need;
	return STEP_MORE;
}

static enum step bad(struct run *r, int http_status, const char *why)
{
	r->http_status = http_status;
	r->why = why;
	return STEP_BAD;
}

static void drop(struct run *r, size_t n)
{
	r->window += n;
	r->len -= n;
	r->used += n;
}

/* Finds the end of the present line: STEP_NEXT leaves p->at at its CR, which is followed by LF. No text of the line may
 * lie at `limit` or after it. */
static enum step find_line(struct run *r, size_t limit)
{
	struct http_parser *p = r->p;
	size_t end = r->len < limit + 1 ? r->len : limit + 1;

	if (p->at > limit)
		return STEP_END;
	p->at = skip_text(r->window, p->at, end);
	if (p->at == end)
		return p->at > limit ? STEP_END : more(r, 1);
	if (r->window[p->at] == '\n')
		return bad(r, 400, "a line has to end with CR LF, not with LF alone");
	if (r->window[p->at] != '\r')
		return bad(r, 400, "a control character in the request");
	if (p->at + 1 == r->len)
		return more(r, 2);
	if (r->window[p->at + 1] != '\n')
		return bad(r, 400, "a CR that is not followed by LF");
	return STEP_NEXT;
}

static void next_line(struct http_parser *p)
{
	p->at += 2;
	p->line = p->at;
}

/* ---- Request line ---- */

enum state { STATE_START, STATE_REQUEST_LINE, STATE_HEADERS, STATE_HEAD_READ, STATE_BODY, STATE_CHUNK_SIZE, STATE_CHUNK, STATE_CHUNK_END,
	     STATE_TRAILERS };

static void set_span(struct http_parser *p, enum http_span_id id, size_t at, size_t end)
{
	p->spans[id].at = (uint16_t)at;
	p->spans[id].len = (uint16_t)(end - at);
}

/* Forgets the place of the last request. Its slices are not wiped, for they are all written again at the end. */
static void begin_request(struct http_parser *p)
{
	const size_t private = offsetof(struct http_parser, state);
	bool blank = p->blank_dropped;

	memset((char *)p + private, 0, sizeof(*p) - private);
	p->blank_dropped = blank;
	p->request = (struct http_request){ .method = HTTP_OTHER, .minor = true };
}

static enum step step_start(struct run *r)
{
	struct http_parser *p = r->p;
	bool blank = p->blank_dropped;

	begin_request(p);
	/* RFC 9112 2.2: old clients send an empty line after a body. */
	if (!blank && r->len > 0 && r->window[0] == '\r') {
		if (r->len == 1)
			return more(r, 2);
		if (r->window[1] != '\n')
			return bad(r, 400, "a CR that is not followed by LF");
		drop(r, 2);
		p->blank_dropped = true;
	}
	if (r->len == 0)
		return more(r, 1);
	p->state = STATE_REQUEST_LINE;
	return STEP_NEXT;
}

static enum http_method find_method(const char *at, size_t len)
{
	for (size_t i = 0; i < countof(methods); i++) {
		if (methods[i].name.len == len && memcmp(methods[i].name.at, at, len) == 0)
			return methods[i].method;
	}
	return HTTP_OTHER;
}

/* A name or an address, and perhaps a port. Empty: there is nothing to name. The line ends with CR. */
static bool is_host(const char *window, size_t at, size_t end)
{
	const char stop = window[at] == '[' ? ']' : ':';

	while (at < end && window[at] != stop && is_authority[(unsigned char)window[at]])
		at++;
	if (stop == ']' && at++ == end)
		return false;
	if (at < end && window[at++] != ':')
		return false;
	while (at < end && window[at] >= '0' && window[at] <= '9')
		at++;
	return at == end;
}

/* http://authority/path, as clients send it to a proxy. Leaves `*path` at the slash. */
static bool read_absolute(struct run *r, size_t *path, size_t end)
{
	static const struct slice scheme = SLICE("http:");
	const char *window = r->window;
	size_t authority = *path + scheme.len + 2;
	size_t at = authority;

	if (end < authority || !same_nocase(window + *path, scheme) || memcmp(window + authority - 2, "//", 2) != 0)
		return false;
	while (at < end && is_authority[(unsigned char)window[at]])
		at++;
	if (at == authority || at == end || window[at] != '/' || !is_host(window, authority, at))
		return false;
	set_span(r->p, HTTP_SPAN_HOST, authority, at);
	r->p->authority = true;
	*path = at;
	return true;
}

/* Leaves `*at` at the end of the target. The line ends with CR, so that the searches end there at the latest. */
static enum step read_target(struct run *r, size_t *at)
{
	const char *window = r->window;
	size_t path = *at, end = path;

	while (is_path[(unsigned char)window[end]])
		end++;
	*at = end;
	if (window[*at] == '?') {
		while (is_path[(unsigned char)window[*at]] || window[*at] == '?')
			++*at;
		set_span(r->p, HTTP_SPAN_QUERY, end + 1, *at);
	}
	if (window[*at] != ' ')
		return bad(r, 400, "the request line has to be `METHOD TARGET HTTP/1.1`");
	if (window[path] == '/' ||
	    (window[path] == '*' && *at == path + 1 && r->p->request.method == HTTP_OPTIONS) ||
	    read_absolute(r, &path, end)) {
		set_span(r->p, HTTP_SPAN_PATH, path, end);
		return STEP_NEXT;
	}
	return bad(r, 400, "the target has to begin with '/'");
}

static enum step read_version(struct run *r, const char *at, size_t len)
{
	static const struct slice name = SLICE("HTTP/1.1");

	if (len != name.len || memcmp(at, name.at, 5) != 0 || at[5] < '0' || at[5] > '9' || at[6] != '.' || at[7] < '0' ||
	    at[7] > '9')
		return bad(r, 400, "the request line has to end with HTTP/1.1");
	if (at[5] != '1' || at[7] > '1')
		return bad(r, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	r->p->request.minor = at[7] == '1';
	return STEP_NEXT;
}

static enum step step_request_line(struct run *r)
{
	struct http_parser *p = r->p;
	const char *window = r->window;
	enum step step = find_line(r, HTTP_LINE_MAX);
	size_t at = 0;

	if (step == STEP_END)
		return bad(r, 414, "the request line is too long");
	if (step != STEP_NEXT)
		return step;
	while (is_token[(unsigned char)window[at]])
		at++;
	if (at == 0 || window[at] != ' ')
		return bad(r, 400, "the request has to begin with a method and a space");
	p->request.method = find_method(window, at);
	at++;
	step = read_target(r, &at);
	if (step == STEP_NEXT)
		step = read_version(r, window + at + 1, p->at - (at + 1));
	next_line(p);
	p->state = STATE_HEADERS;
	return step;
}

/* ---- Headers ---- */

/* Sorted by how often they come. */
enum header_id { HEADER_HOST, HEADER_CONTENT_LENGTH, HEADER_CONTENT_TYPE, HEADER_CONNECTION, HEADER_AUTHORIZATION,
		 HEADER_LEAT_DEADLINE, HEADER_LEAT_ID, HEADER_EXPECT, HEADER_ORIGIN, HEADER_TRACEPARENT,
		 HEADER_TRANSFER_ENCODING };

struct header {
	struct slice name;
	enum step (*read)(struct run *, const struct header *, size_t at, size_t end);
	enum http_span_id span;         /* of read_text */
	const char *twice;              /* why it may not be repeated; NULL: it may */
};

static enum step read_text(struct run *r, const struct header *header, size_t at, size_t end)
{
	set_span(r->p, header->span, at, end);
	return STEP_NEXT;
}

/* RFC 9112 3.2.2: an authority in the target goes before the header. */
static enum step read_host(struct run *r, const struct header *header, size_t at, size_t end)
{
	if (!is_host(r->window, at, end))
		return bad(r, 400, "the Host header has to be a name or an address, and perhaps a port");
	if (!r->p->authority)
		set_span(r->p, header->span, at, end);
	return STEP_NEXT;
}

static enum step body_framing(struct run *r)
{
	const uint16_t both = 1 << HEADER_CONTENT_LENGTH | 1 << HEADER_TRANSFER_ENCODING;

	if ((r->p->seen & both) == both)
		return bad(r, 400, "both Transfer-Encoding and Content-Length");
	r->p->request.has_body = true;
	return STEP_NEXT;
}

/* A number too large for us stays the largest there is, so that it is found to be over every limit. */
static enum step read_content_length(struct run *r, unused_arg const struct header *header, size_t at, size_t end)
{
	uint64_t n = 0;

	if (at == end)
		return bad(r, 400, "Content-Length is empty");
	for (; at < end; at++) {
		unsigned digit = (unsigned)(r->window[at] - '0');

		if (digit > 9)
			return bad(r, 400, "Content-Length is not a number");
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			n = UINT64_MAX;
	}
	r->p->left = n;
	return body_framing(r);
}

static enum step read_transfer_encoding(struct run *r, unused_arg const struct header *header, size_t at, size_t end)
{
	static const struct slice chunked = SLICE("chunked");

	if (end - at != chunked.len || !same_nocase(r->window + at, chunked))
		return bad(r, 400, "no other Transfer-Encoding than chunked is understood");
	if (!r->p->request.minor)
		return bad(r, 400, "HTTP/1.0 has no Transfer-Encoding");
	return body_framing(r);
}

static enum step read_expect(struct run *r, unused_arg const struct header *header, size_t at, size_t end)
{
	if (!slice_is_nocase((struct slice){ r->window + at, end - at }, SLICE("100-continue")))
		return bad(r, 417, "no other Expect than 100-continue is understood");
	/* RFC 9110 10.1.1: a client of HTTP/1.0 would not understand the interim answer. */
	r->p->request.expect_continue = r->p->request.minor;
	return STEP_NEXT;
}

static enum step read_connection(struct run *r, unused_arg const struct header *header, size_t at, size_t end)
{
	const char *window = r->window;

	while (at < end) {
		size_t first = at, last;

		while (at < end && window[at] != ',')
			at++;
		last = at++;
		while (first < last && is_blank(window[first]))
			first++;
		while (first < last && is_blank(window[last - 1]))
			last--;
		if (last - first == 5 && same_nocase(window + first, SLICE("close")))
			r->p->connection_close = true;
		else if (last - first == 10 && same_nocase(window + first, SLICE("keep-alive")))
			r->p->connection_keep_alive = true;
	}
	return STEP_NEXT;
}

static const struct header headers[] = {
	[HEADER_HOST] = { SLICE("host"), read_host, HTTP_SPAN_HOST, "more than one Host header" },
	[HEADER_CONTENT_LENGTH] = { SLICE("content-length"), read_content_length, 0, "more than one Content-Length" },
	[HEADER_CONTENT_TYPE] = { SLICE("content-type"), read_text, HTTP_SPAN_CONTENT_TYPE, "more than one Content-Type" },
	[HEADER_CONNECTION] = { SLICE("connection"), read_connection, 0, NULL },
	[HEADER_AUTHORIZATION] = { SLICE("authorization"), read_text, HTTP_SPAN_AUTHORIZATION, "more than one Authorization" },
	[HEADER_LEAT_DEADLINE] = { SLICE("leat-deadline"), read_text, HTTP_SPAN_LEAT_DEADLINE, "more than one Leat-Deadline" },
	[HEADER_LEAT_ID] = { SLICE("leat-id"), read_text, HTTP_SPAN_LEAT_ID, "more than one Leat-Id" },
	[HEADER_EXPECT] = { SLICE("expect"), read_expect, 0, NULL },
	[HEADER_ORIGIN] = { SLICE("origin"), read_text, HTTP_SPAN_ORIGIN, "more than one Origin" },
	[HEADER_TRACEPARENT] = { SLICE("traceparent"), read_text, HTTP_SPAN_TRACEPARENT, "more than one traceparent" },
	[HEADER_TRANSFER_ENCODING] = { SLICE("transfer-encoding"), read_transfer_encoding, 0, "more than one Transfer-Encoding" },
};

static const struct header *find_header(const char *name, size_t len)
{
	for (size_t i = 0; i < countof(headers); i++) {
		if (headers[i].name.len == len && same_nocase(name, headers[i].name))
			return &headers[i];
	}
	return NULL;
}

/* Leaves `*colon` at the end of the name. */
static enum step read_name(struct run *r, size_t *colon)
{
	size_t first = r->p->line, at = first;

	while (is_token[(unsigned char)r->window[at]])
		at++;
	*colon = at;
	if (r->window[at] == ':' && at > first)
		return STEP_NEXT;
	if (r->window[at] == ':')
		return bad(r, 400, "a header without a name");
	if (!is_blank(r->window[at]))
		return bad(r, 400, "a header has to be `Name: value`");
	return bad(r, 400, at > first ? "a space in the name of a header" : "a header that is folded over two lines");
}

static enum step read_header(struct run *r)
{
	struct http_parser *p = r->p;
	const struct header *header;
	size_t colon, at, end = p->at;
	uint16_t bit;

	if (read_name(r, &colon) != STEP_NEXT)
		return STEP_BAD;
	header = find_header(r->window + p->line, colon - p->line);
	if (!header)
		return STEP_NEXT;
	at = colon + 1;
	while (at < end && is_blank(r->window[at]))
		at++;
	while (at < end && is_blank(r->window[end - 1]))
		end--;
	bit = (uint16_t)(1 << (header - headers));
	if ((p->seen & bit) && header->twice)
		return bad(r, 400, header->twice);
	p->seen |= bit;
	return header->read(r, header, at, end);
}

/* Decides from the head what follows it. */
static enum step finish_head(struct run *r)
{
	struct http_parser *p = r->p;
	struct http_request *request = &p->request;

	p->head_len = p->at;
	if (request->minor && !(p->seen & 1 << HEADER_HOST))
		return bad(r, 400, "no Host header");
	request->keep_alive = !p->connection_close && (request->minor || p->connection_keep_alive);
	p->chunked = p->seen & 1 << HEADER_TRANSFER_ENCODING;
	p->state = STATE_HEAD_READ;
	return STEP_NEXT;
}

static bool body_is_here(const struct run *r)
{
	return !r->p->chunked && r->p->left <= r->len - r->p->at && r->p->left <= r->max_body;
}

static enum step step_head_read(struct run *r)
{
	struct http_parser *p = r->p;

	if (p->wants_head && !p->head_told && !body_is_here(r)) {
		p->head_told = true;
		return STEP_HEAD;
	}
	p->state = p->chunked ? STATE_CHUNK_SIZE : STATE_BODY;
	if (!p->chunked && !p->request.streamed) {
		p->skipping = p->left > r->max_body;
		if (p->skipping && (p->left > SKIP_MAX || p->request.expect_continue))
			return bad(r, 413, "the body is too long");
	}
	return STEP_NEXT;
}

static enum step step_headers(struct run *r)
{
	struct http_parser *p = r->p;

	for (;;) {
		enum step step;

		if (p->headers == HTTP_HEADERS_MAX && p->at < r->len && r->window[p->line] != '\r')
			return bad(r, 431, "too many headers");
		step = find_line(r, HTTP_HEAD_MAX - 2);
		if (step == STEP_END)
			return bad(r, 431, "the headers are too long");
		if (step != STEP_NEXT)
			return step;
		if (p->at == p->line) {
			next_line(p);
			return finish_head(r);
		}
		step = read_header(r);
		if (step != STEP_NEXT)
			return step;
		p->headers++;
		next_line(p);
	}
}

/* ---- Body ----
 *
 * The window holds the head, what is decoded of the body, a gap of bytes that are done with, and from p->line on what is
 * not. The gap is closed by moving the head and the body up, and dropping as much from the front. */

static size_t gap(const struct http_parser *p)
{
	return p->line - p->head_len - p->body_len;
}

static void close_gap(struct run *r)
{
	struct http_parser *p = r->p;
	size_t n = gap(p);

	memmove(r->window + n, r->window, p->head_len + p->body_len);
	drop(r, n);
	p->at -= n;
	p->line -= n;
}

/* Some of what is left, of the body or of the chunk. Nothing is kept in front of it. */
static enum step hand_out(struct run *r)
{
	struct http_parser *p = r->p;
	size_t n = r->len - p->at;

	if (n > p->left)
		n = (size_t)p->left;
	if (n == 0)
		return more(r, 1);
	p->request.body = (struct slice){ r->window + p->at, n };
	p->left -= n;
	drop(r, p->at + n);
	p->at = p->line = 0;
	return STEP_PART;
}

static enum step step_body(struct run *r)
{
	struct http_parser *p = r->p;
	size_t n = r->len - p->at;

	if (p->request.streamed)
		return p->left > 0 ? hand_out(r) : STEP_END;

	if (n > p->left)
		n = (size_t)p->left;
	p->at += n;
	p->line = p->at;
	p->left -= n;
	if (!p->skipping)
		p->body_len += n;
	return p->left > 0 ? more(r, p->left) : STEP_END;
}

/* `1f` or `1f;anything`, up to the CR. */
static bool read_chunk_size(const char *at, uint64_t *size)
{
	const char *first = at;
	int digit;

	*size = 0;
	for (; (digit = hex_digit(*at)) >= 0; at++) {
		if (*size >> 60)
			return false;
		*size = *size << 4 | (unsigned)digit;
	}
	if (at == first || *at == '\r')
		return at > first;
	while (is_blank(*at))
		at++;
	return *at == ';';
}

/* Whatever is moved here is paid for: by the bytes of a chunk that then need not be moved, or by those of the gap. */
static void make_way_for_chunk(struct run *r)
{
	struct http_parser *p = r->p;
	size_t kept = p->head_len + p->body_len;

	if (kept <= p->left || kept <= gap(p))
		close_gap(r);
}

static enum step step_chunk_size(struct run *r)
{
	struct http_parser *p = r->p;
	enum step step = find_line(r, p->line + CHUNK_LINE_MAX);

	if (step == STEP_END)
		return bad(r, 400, "the line before a chunk is too long");
	if (step != STEP_NEXT)
		return step;
	if (!read_chunk_size(r->window + p->line, &p->left))
		return bad(r, 400, "the size of a chunk is not a hexadecimal number");
	next_line(p);
	if (p->left == 0) {
		p->left = HTTP_HEAD_MAX;
		p->state = STATE_TRAILERS;
		return STEP_NEXT;
	}
	if (__builtin_add_overflow(p->chunked_total, p->left, &p->chunked_total))
		p->chunked_total = UINT64_MAX;
	if (p->chunked_total > r->max_body && !p->request.streamed) {
		if (p->chunked_total > SKIP_MAX)
			return bad(r, 413, "the body is too long");
		p->skipping = true;
		p->body_len = 0;
	}
	p->state = STATE_CHUNK;
	make_way_for_chunk(r);
	return STEP_NEXT;
}

static enum step step_chunk(struct run *r)
{
	struct http_parser *p = r->p;
	size_t n = r->len - p->at;

	if (p->request.streamed && p->left > 0)
		return hand_out(r);
	if (n > p->left)
		n = (size_t)p->left;
	if (!p->skipping) {
		if (gap(p) > 0)
			memmove(r->window + p->head_len + p->body_len, r->window + p->at, n);
		p->body_len += n;
	}
	p->at += n;
	p->line = p->at;
	p->left -= n;
	if (p->left > 0)
		return more(r, p->left + 2);
	p->state = STATE_CHUNK_END;
	return STEP_NEXT;
}

static enum step step_chunk_end(struct run *r)
{
	struct http_parser *p = r->p;
	size_t n = r->len - p->at;

	if ((n > 0 && r->window[p->at] != '\r') || (n > 1 && r->window[p->at + 1] != '\n'))
		return bad(r, 400, "a chunk has to be followed by CR LF");
	if (n < 2)
		return more(r, 2);
	next_line(p);
	p->state = STATE_CHUNK_SIZE;
	return STEP_NEXT;
}

/* They have to be well-formed, but nothing here wants to know them. */
static enum step step_trailers(struct run *r)
{
	struct http_parser *p = r->p;

	for (;;) {
		enum step step = find_line(r, p->line + p->left - 2);
		bool last = p->at == p->line;
		size_t colon;

		if (step == STEP_END)
			return bad(r, 431, "the trailers are too long");
		if (step != STEP_NEXT)
			return step;
		if (!last && read_name(r, &colon) != STEP_NEXT)
			return STEP_BAD;
		p->left -= p->at + 2 - p->line;
		next_line(p);
		if (last)
			return STEP_END;
	}
}

/* ---- The whole ---- */

void http_parser_init(struct http_parser *p)
{
	memset(p, 0, sizeof(*p));
}

static struct slice span(const struct run *r, enum http_span_id id)
{
	size_t at = r->p->spans[id].at;

	/* Nothing that has a span stands at the very beginning. */
	return (struct slice){ at > 0 ? r->window + at : NULL, r->p->spans[id].len };
}

static void set_slices(struct run *r)
{
	struct http_request *request = &r->p->request;

	request->path = span(r, HTTP_SPAN_PATH);
	request->query = span(r, HTTP_SPAN_QUERY);
	request->host = span(r, HTTP_SPAN_HOST);
	request->origin = span(r, HTTP_SPAN_ORIGIN);
	request->content_type = span(r, HTTP_SPAN_CONTENT_TYPE);
	request->authorization = span(r, HTTP_SPAN_AUTHORIZATION);
	request->traceparent = span(r, HTTP_SPAN_TRACEPARENT);
	request->leat_deadline = span(r, HTTP_SPAN_LEAT_DEADLINE);
	request->leat_id = span(r, HTTP_SPAN_LEAT_ID);
}

static struct parse_result end_request(struct run *r)
{
	struct http_parser *p = r->p;

	if (!p->request.streamed)
		set_slices(r);
	p->request.body = (struct slice){ r->window + p->head_len, p->body_len };
	p->request.streamed = false;
	p->state = STATE_START;
	p->head_done = false;
	p->blank_dropped = false;
	return (struct parse_result){ .status = p->skipping ? PARSE_TOOBIG : PARSE_DONE, .used = r->used + p->at };
}

static struct parse_result want_more(struct run *r)
{
	struct http_parser *p = r->p;
	size_t want;

	p->head_done = p->state >= STATE_BODY;
	if (p->head_done) {
		if (p->skipping || p->request.streamed)
			close_gap(r);
		if (!p->request.streamed)
			set_slices(r);
	}
	if (p->skipping && r->need > SKIP_WANT)
		r->need = SKIP_WANT;
	if (__builtin_add_overflow(p->at, r->need, &want))
		want = SIZE_MAX;
	return (struct parse_result){ .status = PARSE_MORE, .used = r->used, .want = want };
}

static struct parse_result tell_head(struct run *r)
{
	r->p->head_done = true;
	set_slices(r);
	return (struct parse_result){ .status = PARSE_HEAD, .used = r->used };
}

void http_stream(struct http_parser *p)
{
	p->request.streamed = true;
	/* The head is now a gap in front of the body. */
	p->head_len = 0;
}

void http_give_back(struct http_parser *p, size_t bytes)
{
	p->left += bytes;
}

bool http_at_end(const struct http_parser *p)
{
	return p->request.streamed && p->state == STATE_BODY && p->left == 0;
}

uint64_t http_body_left(const struct http_parser *p)
{
	return p->left;
}

bool http_skip(struct http_parser *p, char *window)
{
	if (p->state < STATE_BODY)
		return false;
	set_slices(&(struct run){ .p = p, .window = window });
	p->skipping = true;
	p->body_len = 0;
	return true;
}

struct parse_result http_parse(struct http_parser *p, char *window, size_t len, size_t max_body)
{
	static enum step (*const steps[])(struct run *) = {
		[STATE_START] = step_start,
		[STATE_REQUEST_LINE] = step_request_line,
		[STATE_HEADERS] = step_headers,
		[STATE_HEAD_READ] = step_head_read,
		[STATE_BODY] = step_body,
		[STATE_CHUNK_SIZE] = step_chunk_size,
		[STATE_CHUNK] = step_chunk,
		[STATE_CHUNK_END] = step_chunk_end,
		[STATE_TRAILERS] = step_trailers,
	};
	struct run r = { .p = p, .window = window, .len = len, .max_body = max_body };
	enum step step;

	do
		step = steps[p->state](&r);
	while (step == STEP_NEXT);

	if (step == STEP_END)
		return end_request(&r);
	if (step == STEP_HEAD)
		return tell_head(&r);
	if (step == STEP_PART)
		return (struct parse_result){ .status = PARSE_PART, .used = r.used };
	if (step == STEP_MORE)
		return want_more(&r);
	return (struct parse_result){ .status = PARSE_BAD, .http_status = r.http_status, .why = r.why };
}
