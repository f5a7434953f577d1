#include "reply.h"

#include "exit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number, all of the `len` bytes. */
static bool parse_int(const char *text, size_t len, int64_t *number)
{
	bool negative = len > 0 && text[0] == '-';
	uint64_t value = 0;

	if (len == negative || len - negative > 18)
		return false;
	for (size_t i = negative; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*number = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* The length of the line at `at` without its CR LF, or SIZE_MAX while it is incomplete. */
static size_t line_length(struct reply_reader *r, const char *bytes, size_t len)
{
	size_t from = r->scanned > r->at ? r->scanned : r->at;

	while (from < len) {
		const char *cr = memchr(bytes + from, '\r', len - from);

		if (!cr || (size_t)(cr - bytes) + 1 == len) {
			r->scanned = cr ? (size_t)(cr - bytes) : len;
			return SIZE_MAX;
		}
		if (cr[1] == '\n')
			return (size_t)(cr - bytes) - r->at;
		from = (size_t)(cr - bytes) + 1;
	}
	return SIZE_MAX;
}

static enum reply_status bad(const char **why, const char *what)
{
	*why = what;
	return REPLY_BAD;
}

/* A bulk string whose length line has `line` bytes; `announced` is -1 for null. */
static enum reply_status read_bulk(struct reply_reader *r, const char *bytes, size_t len, size_t line, int64_t announced,
                                   const char **why)
{
	if (announced < -1 || announced > REPLY_BYTES_MAX)
		return bad(why, "the length of a bulk string is out of range");
	if (announced < 0) {
		r->at += line + 2;
		return REPLY_DONE;
	}

	size_t end = r->at + line + 2 + (size_t)announced;

	if (len < end + 2)
		return REPLY_MORE;
	if (memcmp(bytes + end, "\r\n", 2) != 0)
		return bad(why, "a bulk string does not end where it should");
	r->at = end + 2;
	return REPLY_DONE;
}

/* An array opens as many elements as it has. */
static enum reply_status read_array(struct reply_reader *r, size_t line, int64_t announced, const char **why)
{
	if (announced < -1 || announced > REPLY_ITEMS_MAX)
		return bad(why, "the length of an array is out of range");
	if (announced > 0) {
		r->open += (size_t)announced;
		r->items += (size_t)announced;
	}
	if (r->items > REPLY_ITEMS_MAX)
		return bad(why, "it has too many elements");
	r->at += line + 2;
	return REPLY_DONE;
}

/* One element; of an array only its head. */
static enum reply_status read_element(struct reply_reader *r, const char *bytes, size_t len, const char **why)
{
	if (len == r->at)
		return REPLY_MORE;

	char type = bytes[r->at];

	if (!strchr("+-:$*", type) || !type)
		return bad(why, "it is not in the protocol of leat");

	size_t line = line_length(r, bytes, len);

	if ((line == SIZE_MAX ? len - r->at : line) > REPLY_LINE_MAX)
		return bad(why, "a line is too long");
	if (line == SIZE_MAX)
		return REPLY_MORE;
	if (type == '+' || type == '-') {
		r->at += line + 2;
		return REPLY_DONE;
	}

	int64_t number;

	if (!parse_int(bytes + r->at + 1, line - 1, &number))
		return bad(why, "a number is malformed");
	if (type == '$')
		return read_bulk(r, bytes, len, line, number, why);
	if (type == '*')
		return read_array(r, line, number, why);
	r->at += line + 2;
	return REPLY_DONE;
}

enum reply_status reply_read(struct reply_reader *r, const char *bytes, size_t len, const char **why)
{
	if (r->items == 0)
		r->open = r->items = 1;
	while (r->open > 0) {
		/* Cleared before, since an array opens more. */
		r->open--;

		enum reply_status status = read_element(r, bytes, len, why);

		if (status != REPLY_DONE) {
			r->open++;
			return len > REPLY_BYTES_MAX ? bad(why, "it is longer than 1 GiB") : status;
		}
	}
	return REPLY_DONE;
}

static const char *build(struct reply *reply, const char *at, const char *stop, int depth);

static const char *build_array(struct reply *reply, const char *at, const char *stop, int depth)
{
	reply->items = calloc(reply->count, sizeof(*reply->items));
	if (!reply->items && reply->count > 0)
		out_of_memory();
	for (size_t i = 0; at && i < reply->count; i++)
		at = build(&reply->items[i], at, stop, depth + 1);
	return at;
}

/* The element at `at`, which reply_read() has seen to be sound: where the next one begins, or NULL if it is too deep. */
static const char *build(struct reply *reply, const char *at, const char *stop, int depth)
{
	/* Not strstr(): a line may hold a NUL. */
	const char *end = memmem(at, (size_t)(stop - at), "\r\n", 2);

	if (depth >= REPLY_DEPTH_MAX)
		return NULL;
	*reply = (struct reply){ .text = at + 1, .len = (size_t)(end - at - 1) };
	if (*at == '+' || *at == '-') {
		reply->kind = *at == '+' ? REPLY_SIMPLE : REPLY_ERROR;
		return end + 2;
	}
	parse_int(reply->text, reply->len, &reply->integer);
	if (*at == ':') {
		reply->kind = REPLY_INT;
		return end + 2;
	}
	if (reply->integer < 0) {
		reply->kind = REPLY_NULL;
		return end + 2;
	}
	if (*at == '$') {
		reply->kind = REPLY_BULK;
		reply->text = end + 2;
		reply->len = (size_t)reply->integer;
		return reply->text + reply->len + 2;
	}
	reply->kind = REPLY_ARRAY;
	reply->count = (size_t)reply->integer;
	return build_array(reply, end + 2, stop, depth);
}

enum reply_status reply_build(struct reply *reply, const char *bytes, size_t len, const char **why)
{
	if (build(reply, bytes, bytes + len, 0))
		return REPLY_DONE;
	reply_free(reply);
	return bad(why, "it is nested too deeply");
}

void reply_free(struct reply *reply)
{
	for (size_t i = 0; reply->items && i < reply->count; i++)
		reply_free(&reply->items[i]);
	free(reply->items);
	*reply = (struct reply){ 0 };
}
