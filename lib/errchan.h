/* The non-blocking error channel: a buffer of notes, so that reporting an error neither blocks nor leaks a thread. When it
 * is full the note is dropped and counted; the first one is kept for good. Notes are copied whole and own nothing.
 * Refcounted. Any thread. */
#ifndef LEAT_ERRCHAN_H
#define LEAT_ERRCHAN_H

#include "compiler.h"
#include "moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ERROR_TEXT_BYTES 112   /* with the final 0; what is longer is cut off */

struct error_note {
	moment when;
	int64_t code;   /* the reporter's: an errno, a status, a job id */
	char text[ERROR_TEXT_BYTES];
};

struct chan;
struct errchan;

/* `capacity` notes fit. The caller owns one reference. NULL: no memory. */
struct errchan *errchan_new(size_t capacity) must_check;
struct errchan *errchan_ref(struct errchan *);
void errchan_unref(struct errchan *);

/* false: full or closed, and counted as dropped. Never blocks, never allocates. */
bool errchan_report(struct errchan *, int64_t code, const char *format, ...) printf_like(3, 4);

/* No more reports; those who range over the channel get what is left, then CHAN_CLOSED. */
void errchan_close(struct errchan *);

/* The channel of struct error_note, borrowed: to receive from, to select on, to watch. */
struct chan *errchan_chan(struct errchan *);

/* The first note ever reported, also one that was dropped. false: there was none. */
bool errchan_first(struct errchan *, struct error_note *);

/* How many notes were dropped so far. */
uint64_t errchan_dropped(const struct errchan *);

#endif
