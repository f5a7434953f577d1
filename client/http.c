#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 16 * 1024 };

static enum http_status bad(const char **why, const char *what)
{
	*why = what;
	return HTTP_BAD;
}

/* --- Lines --- */

/* Adds to the present line up to its LF. True: it is whole, without its end, and a NUL follows it. */
static bool take_line(struct http_reader *r, const char *bytes, size_t len, size_t *used)
{
	const char *from = bytes + *used, *lf = memchr(from, '\n', len - *used);
	size_t n = lf ? (size_t)(lf + 1 - from) : len - *used;

	bytes_add(&r->line, from, n);
	*used += n;
	if (!lf)
		return false;
	r->line.len--;
	if (r->line.len > 0 && r->line.at[r->line.len - 1] == '\r')
		r->line.len--;
	r->line.at[r->line.len] = '\0';
	return true;
}

static const char *value_of(const struct http_reader *r, const char *name)
{
	size_t len = strlen(name);

	if (r->line.len <= len || r->line.at[len] != ':' || strncasecmp(r->line.at, name, len) != 0)
		return NULL;
	return r->line.at + len + 1 + strspn(r->line.at + len + 1, " \t");
}

static void keep(struct bytes *to, const char *value)
{
	to->len = 0;
	bytes_add(to, value, strlen(value));
}

static void take_field(struct http_reader *r)
{
	const char *value;

	if ((value = value_of(r, "Leat-Outcome")))
		keep(&r->outcome, value);
	else if ((value = value_of(r, "Leat-Error")))
		keep(&r->error, value);
	else if (r->state == HTTP_HEADERS && (value = value_of(r, "Transfer-Encoding")))
		r->chunked = strcasecmp(value, "chunked") == 0;
	else if (r->state == HTTP_HEADERS && (value = value_of(r, "Content-Length")))
		r->left = strtoull(value, NULL, 10);
}

static enum http_status take_status(struct http_reader *r, const char **why)
{
	if (r->line.len < 12 || memcmp(r->line.at, "HTTP/1.", 7) != 0)
		return bad(why, "it is not HTTP/1.1");
	r->status = atoi(r->line.at + 9);
	r->left = UINT64_MAX;
	r->state = HTTP_HEADERS;
	return HTTP_MORE;
}

static enum http_status end_head(struct http_reader *r)
{
	if (r->status < 200)
		r->state = HTTP_STATUS_LINE;
	else if (r->chunked)
		r->state = HTTP_CHUNK_SIZE;
	else
		r->state = r->left == UINT64_MAX ? HTTP_UNTIL_CLOSE : HTTP_LENGTH;
	return r->state == HTTP_LENGTH && r->left == 0 ? HTTP_DONE : HTTP_MORE;
}

static enum http_status take_chunk_size(struct http_reader *r, const char **why)
{
	char *end;

	r->left = strtoull(r->line.at, &end, 16);
	if (end == r->line.at || (*end && *end != ';'))
		return bad(why, "the size of a chunk is malformed");
	r->state = r->left > 0 ? HTTP_CHUNK : HTTP_TRAILERS;
	return HTTP_MORE;
}

static enum http_status use_line(struct http_reader *r, const char **why)
{
	switch (r->state) {
	case HTTP_STATUS_LINE:
		return take_status(r, why);
	case HTTP_CHUNK_SIZE:
		return take_chunk_size(r, why);
	case HTTP_CHUNK_END:
		r->state = HTTP_CHUNK_SIZE;
		return r->line.len == 0 ? HTTP_MORE : bad(why, "a chunk does not end where it should");
	case HTTP_HEADERS:
		if (r->line.len == 0)
			return end_head(r);
		break;
	case HTTP_TRAILERS:
		if (r->line.len == 0)
			return HTTP_DONE;
		break;
	case HTTP_LENGTH:
	case HTTP_UNTIL_CLOSE:
	case HTTP_CHUNK:
		break;
	}
	take_field(r);
	return HTTP_MORE;
}

/* --- Body --- */

static bool in_body(const struct http_reader *r)
{
	return r->state == HTTP_LENGTH || r->state == HTTP_UNTIL_CLOSE || r->state == HTTP_CHUNK;
}

static enum http_status take_body(struct http_reader *r, size_t len, size_t *used, size_t *body)
{
	size_t n = len - *used;

	if (r->state == HTTP_LENGTH && r->left == 0)
		return HTTP_DONE;
	if (n == 0)
		return HTTP_MORE;
	if (n > r->left)
		n = (size_t)r->left;
	if (r->state != HTTP_UNTIL_CLOSE)
		r->left -= n;
	if (r->state == HTTP_CHUNK && r->left == 0)
		r->state = HTTP_CHUNK_END;
	*used += n;
	*body = n;
	return HTTP_BODY;
}

enum http_status http_read(struct http_reader *r, const char *bytes, size_t len, size_t *used, size_t *body, const char **why)
{
	enum http_status status = HTTP_MORE;

	*used = *body = 0;
	while (status == HTTP_MORE) {
		if (in_body(r))
			return take_body(r, len, used, body);
		if (!take_line(r, bytes, len, used))
			return r->line.len > LINE_MAX_BYTES ? bad(why, "a line is too long") : HTTP_MORE;
		status = use_line(r, why);
		r->line.len = 0;
	}
	return status;
}

bool http_is_whole(const struct http_reader *r)
{
	return r->state == HTTP_LENGTH && r->left == 0;
}

bool http_ends_with_close(const struct http_reader *r)
{
	return r->state == HTTP_UNTIL_CLOSE;
}

void http_reader_free(struct http_reader *r)
{
	bytes_free(&r->outcome);
	bytes_free(&r->error);
	bytes_free(&r->line);
}
