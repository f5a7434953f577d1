/* Numbers, sizes, durations and names as people write them: in the configuration, on the command line, in requests. */
#ifndef LEAT_TEXT_H
#define LEAT_TEXT_H

#include "slice.h"
#include "../lib/compiler.h"

#include <stdint.h>

/* Each returns false, and leaves *out alone, when the text is not of its form or does not fit. */

must_check bool text_count(struct slice text, uint64_t *out);           /* digits only */
must_check bool text_size(struct slice text, uint64_t *out);            /* bytes: digits, then K, M or G (1024) or nothing */
must_check bool text_duration(struct slice text, int64_t *out_ns);      /* digits, then ms, s, m or h; a bare number is milliseconds */

/* The shortest exact form that the functions above read, into `room`. */
enum { TEXT_NUMBER_MAX = 32 };
void text_from_size(uint64_t bytes, char room[TEXT_NUMBER_MAX]);
void text_from_duration(int64_t ns, char room[TEXT_NUMBER_MAX]);

/* 1 to max characters of A-Za-z0-9._- */
bool text_is_name(struct slice text, size_t max);

/* How many single-character edits lie between the two (Levenshtein), counting no further than 64 characters of each. */
size_t text_distance(struct slice a, struct slice b);

/* The candidate nearest to `text`, or NULL if none is near enough to be what was meant. `name_of(i, arg)` for i < n. */
const char *text_nearest(struct slice text, const char *(*name_of)(size_t i, const void *arg), size_t n, const void *arg);

/* Copies `text` into `room` for a person to read: control characters and quotes escaped as \xHH, cut with "..." when it is longer than
 * the room. Always terminated. For anything that came from outside and goes into a message or the log. */
void text_printable(struct slice text, char *room, size_t room_len);

#endif
