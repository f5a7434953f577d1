/* Feeds bytes to a parser, in pieces, and writes down what it says. Each call sees its window in a block of memory of its own, of just
 * that size, so that a sanitizer finds whoever looks beyond it or keeps a pointer into the last one. Shared with tests/fuzz; whoever
 * includes it has defined insist(condition), which ends the test when the condition is false. */
#ifndef LEAT_FEED_H
#define LEAT_FEED_H

#include "../../daemon/buf.h"
#include "../../daemon/parse.h"

#include <stdlib.h>

struct pieces {
	/* A parser before its first request. */
	void *(*open)(void);
	void (*close)(void *parser);
	struct parse_result (*parse)(void *parser, char *window, size_t len);
	/* Appends a line on a result other than PARSE_MORE. */
	void (*describe)(void *parser, const struct parse_result *, struct buf *);
};

struct feed {
	const struct pieces *pieces;
	void *parser;
	char *window;
	size_t len;
	struct buf said;
	size_t longest;         /* that the window has been after a call */
	bool over;              /* after PARSE_BAD */
};

static inline void feed_append(struct feed *f, const char *bytes, size_t n)
{
	char *window = malloc(f->len + n);

	insist(window);
	if (f->len > 0)
		memcpy(window, f->window, f->len);
	if (n > 0)
		memcpy(window + f->len, bytes, n);
	free(f->window);
	f->window = window;
	f->len += n;
}

static inline void feed_drop(struct feed *f, size_t n)
{
	char *rest = malloc(f->len - n);

	insist(rest);
	if (f->len > n)
		memcpy(rest, f->window + n, f->len - n);
	free(f->window);
	f->window = rest;
	f->len -= n;
	if (f->longest < f->len)
		f->longest = f->len;
}

/* All that the parser has to say to the window as it is. */
static inline struct parse_result feed_parse(struct feed *f)
{
	struct parse_result result;

	do {
		result = f->pieces->parse(f->parser, f->window, f->len);
		insist(result.used <= f->len);
		if (result.status == PARSE_MORE)
			insist(result.want > f->len - result.used);
		else
			f->pieces->describe(f->parser, &result, &f->said);
		f->over = result.status == PARSE_BAD;
		insist(f->over || result.status == PARSE_MORE || result.used > 0);
		feed_drop(f, result.used);
	} while (result.status != PARSE_MORE && !f->over);
	return result;
}

static inline struct feed feed_open(const struct pieces *pieces)
{
	struct feed f = { .pieces = pieces, .parser = pieces->open() };

	feed_append(&f, "", 0);
	return f;
}

static inline struct parse_result feed_say(struct feed *f, struct slice piece)
{
	feed_append(f, piece.at, piece.len);
	return feed_parse(f);
}

static inline void feed_close(struct feed *f)
{
	f->pieces->close(f->parser);
	free(f->window);
	buf_free(&f->said);
}

#endif
