#include "http_query.h"

/* The next byte of percent-encoded text, or -1. */
static int decode(const char **at, const char *end)
{
	const char *from = *at;
	int high, low;

	++*at;
	if (*from == '+')
		return ' ';
	if (*from != '%')
		return (unsigned char)*from;
	if (end - from < 3 || (high = hex_digit(from[1])) < 0 || (low = hex_digit(from[2])) < 0)
		return -1;
	*at += 2;
	return high << 4 | low;
}

static bool decodes_to(const char *at, const char *end, struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (at == end || decode(&at, end) != (unsigned char)name.at[i])
			return false;
	}
	return at == end;
}

static int decode_value(const char *at, const char *end, char *room, size_t room_len)
{
	size_t n = 0;

	while (at < end) {
		int c = decode(&at, end);

		if (c < 0 || n == room_len)
			return -2;
		room[n++] = (char)c;
	}
	return (int)n;
}

int http_query_value(struct slice query, struct slice name, char *room, size_t room_len)
{
	const char *at = query.at, *end = query.len > 0 ? at + query.len : at;

	while (at < end) {
		const char *stop = memchr(at, '&', (size_t)(end - at));
		const char *equals;

		if (!stop)
			stop = end;
		equals = memchr(at, '=', (size_t)(stop - at));
		if (decodes_to(at, equals ? equals : stop, name))
			return decode_value(equals ? equals + 1 : stop, stop, room, room_len);
		at = stop + (stop < end);
	}
	return -1;
}

/* Decodes to the front of *room. */
static bool take_decoded(const char *at, const char *end, char **room, struct slice *to)
{
	/* It does not become longer. */
	int n = decode_value(at, end, *room, (size_t)(end - at));

	if (n < 0)
		return false;
	*to = (struct slice){ *room, (size_t)n };
	*room += n;
	return true;
}

int http_query_next(struct slice *query, struct http_pair *pair, char **room)
{
	const char *at = query->at, *end = query->len > 0 ? at + query->len : at, *stop, *equals;

	while (at < end && *at == '&')
		at++;
	if (at == end)
		return 0;
	stop = memchr(at, '&', (size_t)(end - at));
	if (!stop)
		stop = end;
	equals = memchr(at, '=', (size_t)(stop - at));
	*query = (struct slice){ stop, (size_t)(end - stop) };
	if (!take_decoded(at, equals ? equals : stop, room, &pair->name) || !take_decoded(equals ? equals + 1 : stop, stop, room, &pair->value))
		return -2;
	return 1;
}
