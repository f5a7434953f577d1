/* Bytes that grow: what a reply is written into before it goes to the socket.
 * A failed allocation is remembered, later additions are ignored, and the owner looks once, at the end.
 * One thread at a time. */
#ifndef LEAT_BUF_H
#define LEAT_BUF_H

#include "slice.h"
#include "../lib/compiler.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
	char *at;       /* owned */
	size_t len;
	size_t cap;
	bool failed;    /* an allocation failed: the content is not to be used */
	bool borrowed;  /* `at` is the room of buf_on() */
};

/* An empty buffer in this array, which it leaves for one of its own when it becomes too small. */
#define buf_on(room) (struct buf){ .at = (room), .cap = sizeof(room), .borrowed = true }

/* Frees the bytes and makes the buffer empty and usable again. */
void buf_free(struct buf *);

/* Room for `more` bytes after the present ones, or NULL. Follow with `len +=` what was written. */
char *buf_reserve(struct buf *, size_t more);

/* Gives it a capacity of exactly so much, which is not less than its length. False: no memory, and it is as before. */
must_check bool buf_resize(struct buf *, size_t cap);

void buf_add(struct buf *, const void *bytes, size_t len);
void buf_add_slice(struct buf *, struct slice);
void buf_add_char(struct buf *, char);
void buf_add_uint(struct buf *, uint64_t);
void buf_add_int(struct buf *, int64_t);
void buf_addf(struct buf *, const char *format, ...) printf_like(2, 3);

/* The text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *, struct slice text);

/* The length of the UTF-8 character at the front of `len` bytes, at least one, or 0 if there is none: no overlong forms, no surrogates, nothing
 * over U+10FFFF. */
size_t utf8_length(const unsigned char *at, size_t len);

/* Writes `n` in decimal, at most FORMAT_UINT_MAX bytes and no NUL; returns the end of it. */
enum { FORMAT_UINT_MAX = 20 };
char *format_uint(char *to, uint64_t n);

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->at, b->len };
}

#endif
