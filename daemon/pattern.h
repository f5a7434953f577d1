/* A POSIX extended regular expression that a text matches whole, in which every byte is a character. The C library's, within bounds that it does
 * not have itself, since those who write the texts are not those who wrote the pattern: back-references, with which it tries for minutes, are
 * refused; so is what becomes too large when its repetitions are written out; and what it remembers of the texts that it has met, three KiB and
 * more for each byte of some, is forgotten in time. */
#ifndef LEAT_PATTERN_H
#define LEAT_PATTERN_H

#include "../lib/compiler.h"
#include "slice.h"

enum {
	PATTERN_PIECES_MAX = 1024,      /* characters, brackets and groups, with all repetitions written out */
	PATTERN_MEMORY = 64 << 20,      /* bytes that it may remember, about; thrice that where there are dozens of alternatives */
};

struct pattern;

/* NULL: the text is none, or there is no memory, and `why` says so, as regerror() does. */
must_check struct pattern *pattern_new(const char *text, char *why, size_t why_len);
/* NULL does nothing. */
void pattern_free(struct pattern *);

/* False also when there is no memory for it. Takes time in proportion to the text: microseconds, and at worst, for PATTERN_PIECES_MAX pieces that may
 * all be left out, about a second for a KiB. Any thread; one at a time is served. */
must_check bool pattern_matches(struct pattern *, struct slice text);

#endif
