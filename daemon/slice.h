/* Bytes that somebody else owns. Not terminated by a NUL; `at` may be NULL when `len` is 0. */
#ifndef LEAT_SLICE_H
#define LEAT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *at;
	size_t len;
};

/* The slice of a string literal. */
#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static inline bool slice_is(struct slice s, struct slice other)
{
	return s.len == other.len && (s.len == 0 || memcmp(s.at, other.at, s.len) == 0);
}

/* Like slice_is(), but ASCII letters of either case are the same. */
static inline bool slice_is_nocase(struct slice s, struct slice other)
{
	return s.len == other.len && (s.len == 0 || strncasecmp(s.at, other.at, s.len) == 0);
}

/* The value of a digit of either case, or -1. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

#endif
