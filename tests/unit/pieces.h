/* A parser's bytes, cut in many ways: however they are cut, it has to say the same. */
#ifndef LEAT_PIECES_H
#define LEAT_PIECES_H

#include "testing.h"

#include <stdio.h>

/* As ck_assert(), which notes in a file that it was here: too slow for what happens millions of times. */
#define insist(condition) ((condition) ? (void)0 : ck_abort_msg("not true: %s", #condition))

#include "feed.h"

/* A first piece of `first` bytes and then pieces of `step` bytes. */
struct cuts {
	size_t first, step;
};

#define uncut ((struct cuts){ SIZE_MAX, SIZE_MAX })
#define every_byte ((struct cuts){ 1, 1 })

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
