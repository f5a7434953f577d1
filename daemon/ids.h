/* The ids that clients have chosen and that are in flight: each may be there once. Ids that leatd makes up are unique by themselves and
 * cost nothing here.
 *
 * One table for all loops, under a few locks: not a hand-over between threads, which would be a channel's, but a fact that every loop
 * has to see at once. Any thread; a lock is held for a short walk only. */
#ifndef LEAT_IDS_H
#define LEAT_IDS_H

#include "slice.h"
#include "../lib/compiler.h"

#include <stddef.h>

struct ids;
struct id_claim;

must_check struct ids *ids_new(void);
void ids_free(struct ids *);

/* Takes an id of 1 to 64 characters. NULL: it is in flight already, or there is no memory (*memory is true then). */
must_check struct id_claim *ids_claim(struct ids *, struct slice id, bool *memory);

/* Gives it back. NULL does nothing. */
void ids_release(struct id_claim *);

#endif
