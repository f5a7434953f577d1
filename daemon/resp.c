#include "resp.h"

#include <stdlib.h>

enum {
	SLACK = 65536,                  /* what a command may hold beside its payload */
	ELEMENT_SLACK = 24,             /* ... and for each element of one that may have many */
	SKIP_WANT = 65536,              /* no use in a window larger than this for what is thrown away */
	NUMBER_MAX = 18,                /* digits: what never overflows */
};

/* Over its limit a command is read and thrown away, so that the connection can go on; but not one that takes forever. */
static const size_t SKIP_MAX = (size_t)64 << 20;

/* One call of resp_parse(). */
struct run {
	struct resp_parser *p;
	char *window;           /* moves up by what is used */
	size_t len;
	size_t used;
	size_t max_bulk;
	size_t need;            /* STEP_MORE: bytes from p->at on */
	const char *why;        /* STEP_BAD */
};

enum step { STEP_NEXT, STEP_MORE, STEP_BAD, STEP_END };
enum state { STATE_START, STATE_INLINE, STATE_ELEMENT, STATE_BULK, STATE_BULK_END };

bool resp_in_array(const struct resp_parser *p)
{
	return p->state != STATE_START && p->state != STATE_INLINE;
}

static enum step more(struct run *r, size_t need)
{
	r->need = need;
	return STEP_MORE;
}

static enum step bad(struct run *r, const char *why)
{
	r->why = why;
	return STEP_BAD;
}

/* All that has been looked at is done with. */
static void drop(struct run *r)
{
	struct resp_parser *p = r->p;

	if (p->at == 0)
		return;
	r->window += p->at;
	r->len -= p->at;
	r->used += p->at;
	p->at = 0;
}

/* ---- Arguments ---- */

static struct slice *args(struct resp_parser *p)
{
	return p->many ? p->many : p->few;
}

static bool more_room(struct resp_parser *p)
{
	size_t room = (p->many ? p->room : RESP_ARGS_INLINE) * 4;
	struct slice *many = reallocarray(p->many, room, sizeof(*many));

	if (!many)
		return false;
	if (!p->many)
		memcpy(many, p->few, sizeof(p->few));
	p->many = many;
	p->room = room;
	return true;
}

/* Until the command is whole the window may move, so that offsets stand for the pointers. */
static bool add_arg(struct resp_parser *p, size_t at, size_t len)
{
	if (unlikely(p->argc == (p->many ? p->room : RESP_ARGS_INLINE)) && !more_room(p))
		return false;
	args(p)[p->argc++] = (struct slice){ (const char *)(uintptr_t)at, len };
	return true;
}

static void free_many(struct resp_parser *p)
{
	free(p->many);
	p->many = NULL;
	p->room = 0;
}

/* ---- Inline commands ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The character that the escape after a backslash at `*from` stands for. */
static char unescape(const char **from, const char *end)
{
	static const char letters[128] = { ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['b'] = '\b', ['a'] = '\a' };
	const char *at = *from;
	int high, low;

	if (at[0] == 'x' && end - at >= 3 && (high = hex_digit(at[1])) >= 0 && (low = hex_digit(at[2])) >= 0) {
		*from = at + 3;
		return (char)(high << 4 | low);
	}
	*from = at + 1;
	return (unsigned char)*at < sizeof(letters) && letters[(unsigned char)*at] ? letters[(unsigned char)*at] : *at;
}

/* Copies what stands within quotes from `*from` to `*to`, which is never ahead of it, and leaves `*from` behind the closing
 * quote. That has to be there, and followed by a space. */
static bool unquote(const char **from, const char *end, char **to)
{
	char quote = *(*from)++;

	while (*from < end && **from != quote) {
		char c = *(*from)++;

		if (c == '\\' && *from < end && (quote == '"' || **from == '\''))
			c = unescape(from, end);
		*(*to)++ = c;
	}
	if (*from == end)
		return false;
	++*from;
	return *from == end || is_space(**from);
}

/* One argument from `*from` on, unquoted in place. */
static enum step split_one(struct run *r, const char **from, const char *end, char *to, bool *too_big)
{
	struct resp_parser *p = r->p;
	const char *first = to;
	size_t len;

	if (p->argc == p->max_args)
		return bad(r, "too many arguments");
	while (*from < end && !is_space(**from)) {
		if (**from != '"' && **from != '\'')
			*to++ = *(*from)++;
		else if (!unquote(from, end, &to))
			return bad(r, "unbalanced quotes");
	}
	len = (size_t)(to - first);
	*too_big |= len > r->max_bulk;
	if (!add_arg(p, (size_t)(first - r->window), len))
		return bad(r, "out of memory");
	return STEP_NEXT;
}

static enum step split_line(struct run *r, char *at, const char *end)
{
	const char *from = at;
	bool too_big = false;

	for (;;) {
		enum step step;

		while (from < end && is_space(*from))
			from++;
		if (from == end)
			break;
		step = split_one(r, &from, end, at + (from - at), &too_big);
		if (step != STEP_NEXT)
			return step;
	}
	r->p->skipping = too_big;
	return STEP_END;
}

static enum step step_inline(struct run *r)
{
	struct resp_parser *p = r->p;
	size_t most = p->max_bytes && p->max_bytes < RESP_INLINE_MAX ? p->max_bytes : RESP_INLINE_MAX;
	size_t end = r->len < most + 1 ? r->len : most + 1;
	char *at = r->window + p->at;
	const char *lf = memchr(at, '\n', end - p->at);
	size_t looked_at = lf ? (size_t)(lf - r->window) : end;
	enum step step;

	/* Nobody types that. It is a client of TLS, say, which would wait for an answer without ever sending a LF. */
	if (memchr(at, '\0', looked_at - p->at))
		return bad(r, "a NUL in an inline command");
	p->at = looked_at;
	if (!lf)
		return p->at > most ? bad(r, "the inline command is too long") : more(r, 1);
	step = split_line(r, r->window, lf);
	p->at++;
	if (step == STEP_END && p->argc == 0) {
		drop(r);
		p->state = STATE_START;
		return STEP_NEXT;
	}
	return step;
}

/* ---- Arrays ---- */

/* The number that follows the byte at p->at, and its CR LF. STEP_NEXT leaves p->at behind it. Written as Redis wants it: no
 * zeros or plus in front. */
static enum step read_number(struct run *r, int64_t *number, const char *why)
{
	const char *window = r->window;
	size_t at = r->p->at + 1, first, len = r->len;
	bool negative = at < len && window[at] == '-';
	int64_t n = 0;

	at += negative;
	for (first = at; at < len && window[at] >= '0' && window[at] <= '9'; at++) {
		if (at - first == NUMBER_MAX || (at > first && n == 0))
			return bad(r, why);
		n = n * 10 + (window[at] - '0');
	}
	if (at < len && (window[at] != '\r' || at == first || (negative && n == 0)))
		return bad(r, why);
	if (at + 1 < len && window[at + 1] != '\n')
		return bad(r, why);
	if (at + 1 >= len)
		return more(r, len - r->p->at + 1);
	r->p->at = at + 2;
	*number = negative ? -n : n;
	return STEP_NEXT;
}

static enum step step_start(struct run *r)
{
	struct resp_parser *p = r->p;
	int64_t n;
	enum step step;

	p->argc = 0;
	p->dropped = 0;
	p->skipping = false;
	if (p->many)
		free_many(p);
	if (r->len == 0)
		return more(r, 1);
	if (r->window[0] != '*') {
		p->state = STATE_INLINE;
		return STEP_NEXT;
	}
	step = read_number(r, &n, "the length of the array is not a number");
	if (step != STEP_NEXT)
		return step;
	p->long_array = n > 0 && (uint64_t)n > p->max_args;
	if (p->long_array && ((uint64_t)n > RESP_MAP_ARGS_MAX || p->max_args < RESP_ARGS_MAX))
		return bad(r, "too many arguments");
	if (n <= 0) {
		drop(r);
		return STEP_NEXT;
	}
	p->elements = (size_t)n;
	p->slack = SLACK + (p->long_array ? p->elements * ELEMENT_SLACK : 0);
	p->state = STATE_ELEMENT;
	return STEP_NEXT;
}

/* An element goes through three steps, of which each tries the next at once: the table is for coming back. */

/* Known as soon as its name is there. */
static bool is_map(const struct run *r)
{
	const struct slice *name = args(r->p);

	return slice_is_nocase((struct slice){ r->window + (uintptr_t)name->at, name->len }, SLICE("MAP"));
}

static enum step step_bulk_end(struct run *r)
{
	struct resp_parser *p = r->p;
	size_t n = r->len - p->at;

	if ((n > 0 && r->window[p->at] != '\r') || (n > 1 && r->window[p->at + 1] != '\n'))
		return bad(r, "an element of the array does not end with CR LF");
	if (n < 2)
		return more(r, 2);
	p->at += 2;
	if (p->long_array && p->argc == 1 && !is_map(r))
		return bad(r, "too many arguments");
	p->state = STATE_ELEMENT;
	return --p->elements > 0 ? STEP_NEXT : STEP_END;
}

static enum step step_bulk(struct run *r)
{
	struct resp_parser *p = r->p;
	size_t n = r->len - p->at;

	if (n > p->bulk)
		n = p->bulk;
	p->at += n;
	p->bulk -= n;
	if (p->bulk > 0)
		return more(r, p->bulk + 2);
	p->state = STATE_BULK_END;
	return step_bulk_end(r);
}

/* `total`: bytes of the command up to the end of the present element. */
static bool over_limit(const struct run *r, size_t total)
{
	return r->p->bulk > r->max_bulk || (total > r->p->slack && total - r->p->slack > r->max_bulk);
}

static enum step step_element(struct run *r)
{
	struct resp_parser *p = r->p;
	size_t total;
	int64_t n;
	enum step step;

	if (p->at == r->len)
		return more(r, 1);
	if (r->window[p->at] != '$')
		return bad(r, "an element of the array does not begin with '$'");
	step = read_number(r, &n, "the length of an element is not a number");
	if (step != STEP_NEXT)
		return step;
	if (n < 0)
		return bad(r, "the length of an element is negative");
	if (p->long_array && p->argc == 0 && !p->skipping && n != 3)
		return bad(r, "too many arguments");
	p->bulk = (size_t)n;
	total = p->dropped + p->at + p->bulk + 2;
	if (p->max_bytes && total > p->max_bytes)
		return bad(r, "the command is too long for a client that has not said AUTH");
	if (p->skipping || over_limit(r, total)) {
		if (total > SKIP_MAX)
			return bad(r, "the command is too long");
		p->skipping = true;
		p->argc = 0;
	} else if (!add_arg(p, p->at, p->bulk)) {
		return bad(r, "out of memory");
	}
	p->state = STATE_BULK;
	return step_bulk(r);
}

/* ---- The whole ---- */

void resp_parser_init(struct resp_parser *p)
{
	memset(p, 0, sizeof(*p));
	p->max_args = RESP_ARGS_MAX;
}

void resp_parser_free(struct resp_parser *p)
{
	size_t max_args = p->max_args, max_bytes = p->max_bytes;

	free_many(p);
	resp_parser_init(p);
	p->max_args = max_args;
	p->max_bytes = max_bytes;
}

static struct parse_result end_command(struct run *r)
{
	struct resp_parser *p = r->p;
	size_t used = r->used + p->at;

	p->argv = args(p);
	for (size_t i = 0; i < p->argc; i++)
		p->argv[i].at = r->window + (uintptr_t)p->argv[i].at;
	p->state = STATE_START;
	p->at = 0;
	return (struct parse_result){ .status = p->skipping ? PARSE_TOOBIG : PARSE_DONE, .used = used };
}

static struct parse_result want_more(struct run *r)
{
	struct resp_parser *p = r->p;

	if (p->skipping) {
		p->dropped += p->at;
		drop(r);
		if (r->need > SKIP_WANT)
			r->need = SKIP_WANT;
	}
	return (struct parse_result){ .status = PARSE_MORE, .used = r->used, .want = p->at + r->need };
}

bool resp_skip(struct resp_parser *p, const char *window, struct slice head[2])
{
	/* Of the last one, only the length has come. */
	size_t whole = p->argc - (p->argc > 0 && p->state == STATE_BULK);
	size_t ended = p->argc - (p->argc > 0 && p->state != STATE_ELEMENT);

	if (!resp_in_array(p) || (p->long_array && ended == 0 && !p->skipping))
		return false;
	for (size_t i = 0; i < 2; i++) {
		const struct slice *arg = &args(p)[i];

		head[i] = i < whole ? (struct slice){ window + (uintptr_t)arg->at, arg->len } : (struct slice){ NULL, 0 };
	}
	p->skipping = true;
	p->argc = 0;
	return true;
}

struct parse_result resp_parse(struct resp_parser *p, char *window, size_t len, size_t max_bulk)
{
	static enum step (*const steps[])(struct run *) = {
		[STATE_START] = step_start,
		[STATE_INLINE] = step_inline,
		[STATE_ELEMENT] = step_element,
		[STATE_BULK] = step_bulk,
		[STATE_BULK_END] = step_bulk_end,
	};
	struct run r = { .p = p, .window = window, .len = len, .max_bulk = max_bulk };
	enum step step;

	do
		step = steps[p->state](&r);
	while (step == STEP_NEXT);

	if (step == STEP_END)
		return end_command(&r);
	if (step == STEP_MORE)
		return want_more(&r);
	return (struct parse_result){ .status = PARSE_BAD, .why = r.why };
}

/* ---- Answers ---- */

static char *put_crlf(char *to)
{
	to[0] = '\r';
	to[1] = '\n';
	return to + 2;
}

/* Room for a type, a number with its sign and CR LF. */
enum { HEADER_MAX = FORMAT_UINT_MAX + 4 };

static char *put_header(char *to, char type, uint64_t n)
{
	*to++ = type;
	return put_crlf(format_uint(to, n));
}

static void add_header(struct buf *b, char type, uint64_t n)
{
	char *to = buf_reserve(b, HEADER_MAX);

	if (to)
		b->len += (size_t)(put_header(to, type, n) - to);
}

static void add_line(struct buf *b, char type, struct slice line)
{
	char *from = buf_reserve(b, line.len + 3), *to = from;

	if (!from)
		return;
	*to++ = type;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		*to++ = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	b->len += (size_t)(put_crlf(to) - from);
}

void resp_add_simple(struct buf *b, const char *text)
{
	add_line(b, '+', slice_of(text));
}

void resp_add_error(struct buf *b, struct slice line)
{
	add_line(b, '-', line);
}

void resp_add_int(struct buf *b, int64_t n)
{
	char *from = buf_reserve(b, HEADER_MAX), *to = from;

	if (!from)
		return;
	*to++ = ':';
	if (n < 0)
		*to++ = '-';
	to = format_uint(to, n < 0 ? -(uint64_t)n : (uint64_t)n);
	b->len += (size_t)(put_crlf(to) - from);
}

void resp_add_bulk_head(struct buf *b, size_t len)
{
	add_header(b, '$', len);
}

void resp_add_bulk(struct buf *b, struct slice s)
{
	char *from = buf_reserve(b, HEADER_MAX + s.len + 2), *to = from;

	if (!from)
		return;
	to = put_header(to, '$', s.len);
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	b->len += (size_t)(put_crlf(to + s.len) - from);
}

void resp_add_null(struct buf *b, int version)
{
	buf_add_slice(b, version >= 3 ? SLICE("_\r\n") : SLICE("$-1\r\n"));
}

void resp_add_null_array(struct buf *b, int version)
{
	buf_add_slice(b, version >= 3 ? SLICE("_\r\n") : SLICE("*-1\r\n"));
}

void resp_add_array(struct buf *b, size_t n)
{
	add_header(b, '*', n);
}

void resp_add_map(struct buf *b, size_t n, int version)
{
	if (version >= 3)
		add_header(b, '%', n);
	else
		add_header(b, '*', 2 * n);
}

void resp_add_set(struct buf *b, size_t n, int version)
{
	add_header(b, version >= 3 ? '~' : '*', n);
}
