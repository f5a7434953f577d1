/* Feeds bytes to a parser, cut into pieces, and writes down what it says. However they are cut, it has to say the same.
 * Each call sees its window in a block of memory of its own, of just that size, so that a sanitizer finds whoever looks
 * beyond it or keeps a pointer into the last one. */
#ifndef LEAT_PIECES_H
#define LEAT_PIECES_H

#include "../../daemon/buf.h"
#include "../../daemon/parse.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

/* As ck_assert(), which notes in a file that it was here: too slow for what happens millions of times. */
#define insist(condition) ((condition) ? (void)0 : ck_abort_msg("not true: %s", #condition))

struct pieces {
	/* A parser before its first request. */
	void *(*open)(void);
	void (*close)(void *parser);
	struct parse_result (*parse)(void *parser, char *window, size_t len);
	/* Appends a line on a result other than PARSE_MORE. */
	void (*describe)(void *parser, const struct parse_result *, struct buf *);
};

/* A first piece of `first` bytes and then pieces of `step` bytes. */
struct cuts {
	size_t first, step;
};

#define uncut ((struct cuts){ SIZE_MAX, SIZE_MAX })
#define every_byte ((struct cuts){ 1, 1 })

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

/* What the parser says to these bytes, cut so, with '@' for NUL; the caller frees it. */
static inline char *feed_cut(const struct pieces *pieces, struct slice bytes, struct cuts cuts)
{
	struct feed f = feed_open(pieces);
	size_t n = cuts.first;
	char *said;

	for (size_t at = 0; at < bytes.len && !f.over; at += n, n = cuts.step) {
		if (n > bytes.len - at)
			n = bytes.len - at;
		feed_say(&f, (struct slice){ bytes.at + at, n });
	}
	/* As text it can be compared and shown. */
	for (size_t i = 0; i < f.said.len; i++) {
		if (f.said.at[i] == '\0')
			f.said.at[i] = '@';
	}
	buf_add_char(&f.said, '\0');
	insist(!f.said.failed);
	said = f.said.at;
	f.said = (struct buf){ 0 };
	feed_close(&f);
	return said;
}

static inline void feed_expect_cut(const struct pieces *pieces, struct slice bytes, struct cuts cuts, const char *expected)
{
	char *said = feed_cut(pieces, bytes, cuts);

	if (strcmp(said, expected) != 0)
		ck_abort_msg("of %.*s\n(%zu bytes, cut at %zu, then every %zu) the parser said\n%s\nand not\n%s",
			     (int)(bytes.len < 300 ? bytes.len : 300), bytes.at, bytes.len, cuts.first, cuts.step, said, expected);
	free(said);
}

/* Whole, byte by byte, and cut in two at every byte; what is very long in pieces of a few bytes and at some of its bytes. */
static inline void feed_expect(const struct pieces *pieces, struct slice bytes, const char *expected)
{
	feed_expect_cut(pieces, bytes, uncut, expected);
	feed_expect_cut(pieces, bytes, (struct cuts){ 1, 1 + bytes.len / 8192 }, expected);
	for (size_t at = 1; at < bytes.len; at += 1 + bytes.len / 2048)
		feed_expect_cut(pieces, bytes, (struct cuts){ at, SIZE_MAX }, expected);
}

/* The same numbers in every run (xorshift64*). */
static inline uint64_t feed_random(uint64_t *state, uint64_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1du >> 32) % below;
}

/* Changes, inserts, removes or repeats some bytes of what is in `room`; returns its new length. */
static inline size_t feed_mutate(char *room, size_t len, size_t room_len, const char *spice, size_t spices, uint64_t *random)
{
	for (uint64_t n = 1 + feed_random(random, 3); n > 0 && len > 0; n--) {
		size_t at = feed_random(random, len), some = 1 + feed_random(random, 8);
		char c = feed_random(random, 4) ? spice[feed_random(random, spices)] : (char)feed_random(random, 256);

		if (some > len - at)
			some = len - at;
		switch (feed_random(random, 4)) {
		case 0:
			room[at] = c;
			break;
		case 1:
			memmove(room + at, room + at + some, len - at - some);
			len -= some;
			break;
		case 2:
			if (len == room_len)
				break;
			memmove(room + at + 1, room + at, len - at);
			room[at] = c;
			len++;
			break;
		case 3:
			if (some > room_len - len)
				break;
			memmove(room + at + some, room + at, len - at);
			len += some;
			break;
		}
	}
	return len;
}

/* Whatever the bytes are: nothing is read that is not there, something comes of every call, and it does not matter how
 * they are cut. */
static inline void feed_noise(const struct pieces *pieces, const struct slice *seeds, size_t n, const char *spice, size_t spices,
			      int rounds)
{
	uint64_t random = 5328;
	char room[4096];

	for (int i = 0; i < rounds; i++) {
		struct slice seed = seeds[feed_random(&random, n)];
		size_t len;
		char *whole;

		memcpy(room, seed.at, seed.len);
		len = feed_mutate(room, seed.len, sizeof(room), spice, spices, &random);
		whole = feed_cut(pieces, (struct slice){ room, len }, uncut);
		feed_expect_cut(pieces, (struct slice){ room, len },
				(struct cuts){ 1 + feed_random(&random, len + 1), 1 + feed_random(&random, 40) }, whole);
		free(whole);
	}
}

#endif
