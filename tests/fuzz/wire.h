/* A parser's bytes, cut as the first line of the input says: it has to say the same as to all of them at once, and to have used as many bytes
 * for it. A digit of that line is a piece of so many bytes, another character one of some more, and at a `!` the rest of the request that is
 * under way is thrown away, which must change nothing but that it is. */
#ifndef LEAT_FUZZ_WIRE_H
#define LEAT_FUZZ_WIRE_H

#include "fuzz.h"

#include "../unit/feed.h"

struct subject {
	void *(*open)(bool strict);
	void (*close)(void *parser);
	struct parse_result (*parse)(void *parser, char *window, size_t len);
	/* Appends what a request says, its head first. */
	void (*describe)(void *parser, const struct parse_result *, struct buf *);
	/* Throws the rest of the request away and appends of its head what is known; false: it cannot. */
	bool (*skip)(void *parser, char *window, struct buf *head);
};

struct fuzzed {
	const struct subject *subject;
	void *parser;
	size_t used;                    /* bytes, of all requests */
	size_t requests;
	size_t skipped;                 /* the request that was thrown away; SIZE_MAX: none */
	struct buf head;                /* what was known of it by then */
};

static inline struct parse_result fuzzed_parse(void *arg, char *window, size_t len)
{
	struct fuzzed *f = arg;
	struct parse_result r = f->subject->parse(f->parser, window, len);

	f->used += r.used;
	return r;
}

static inline void describe_skipped(const struct fuzzed *f, struct slice text, struct buf *to)
{
	insist(text.len == 0 || (text.len >= f->head.len && memcmp(text.at, f->head.at ? f->head.at : "", f->head.len) == 0));
	buf_addf(to, "%zu: too big\n", f->used);
}

static inline void fuzzed_describe(void *arg, const struct parse_result *r, struct buf *to)
{
	struct fuzzed *f = arg;
	struct buf text = { 0 };

	if (r->status == PARSE_BAD) {
		insist(r->why);
		buf_addf(to, "%d %s\n", r->http_status, r->why);
		return;
	}
	f->subject->describe(f->parser, r, &text);
	insist(!text.failed);
	if (f->requests++ == f->skipped) {
		describe_skipped(f, buf_slice(&text), to);
	} else {
		buf_addf(to, "%zu: %s", f->used, r->status == PARSE_TOOBIG ? "too big " : "");
		buf_add_slice(to, buf_slice(&text));
		buf_add_char(to, '\n');
	}
	buf_free(&text);
}

/* All of `bytes` at once if `cuts` is NULL, then what it says to that: in *said, which the caller frees. */
static inline void fuzzed_run(struct fuzzed *f, bool strict, struct slice bytes, const struct slice *cuts, struct buf *said)
{
	static const struct pieces pieces = { .parse = fuzzed_parse, .describe = fuzzed_describe };
	struct feed feed = { .pieces = &pieces, .parser = f };

	f->parser = f->subject->open(strict);
	f->used = f->requests = 0;
	feed_append(&feed, "", 0);
	for (size_t i = 0; cuts && i < cuts->len && !feed.over; i++) {
		char c = cuts->at[i];
		size_t n = c >= '0' && c <= '9' ? (size_t)(c - '0') : (size_t)(c & 63) + 1;

		if (c == '!') {
			if (f->skipped == SIZE_MAX && f->subject->skip(f->parser, feed.window, &f->head)) {
				f->skipped = f->requests;
				feed_parse(&feed);
			}
			continue;
		}
		n = n < bytes.len ? n : bytes.len;
		feed_say(&feed, (struct slice){ bytes.at, n });
		bytes.at += n;
		bytes.len -= n;
	}
	if (!feed.over)
		feed_say(&feed, bytes);
	insist(!feed.said.failed);
	*said = feed.said;
	free(feed.window);
	f->subject->close(f->parser);
}

/* A `?` in front of the cuts: a client that may say less. */
static inline void fuzz_wire(const struct subject *subject, struct slice input)
{
	struct slice cuts = fuzz_line(&input);
	bool strict = cuts.len > 0 && *cuts.at == '?';
	struct fuzzed f = { .subject = subject, .skipped = SIZE_MAX };
	struct buf in_pieces, whole;

	cuts.at += strict;
	cuts.len -= strict;
	fuzzed_run(&f, strict, input, &cuts, &in_pieces);
	fuzzed_run(&f, strict, input, NULL, &whole);
	insist_same("in pieces it said", buf_slice(&in_pieces), buf_slice(&whole));
	buf_free(&in_pieces);
	buf_free(&whole);
	buf_free(&f.head);
}

#endif
