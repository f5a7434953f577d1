/* What a loop has taken from the memory budget and not spent yet, so that buffers which come and go with every read do not touch the
 * counter that all threads share: it is taken in slabs, and given back when more than two are left or when the loop goes to sleep.
 *
 * Over what is left of the budget there are three answers, from the one that gives in first to the one that gives in last:
 *   new work (a request that is being read) gets nothing any more when seven eighths are used: what was accepted needs the rest;
 *   payloads and outputs of jobs (leatd_charge()) get all of it;
 *   what has to be kept although it is not new, such as an answer that the client does not fetch, may go over it by so little that it
 *   does not count (purse_overdraw()).
 * One thread, that of the loop. */
#ifndef LEAT_PURSE_H
#define LEAT_PURSE_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct leatd;

struct purse {
	struct leatd *leatd;
	size_t slab_bytes;
	size_t left;            /* taken, and not spent */
	bool scarce;            /* new work was refused, and it has not been looked since whether there is more now */
};

void purse_init(struct purse *, struct leatd *);

/* Spends bytes on new work. False: there are none for it. */
must_check bool purse_spend(struct purse *, size_t bytes);
/* Spends bytes on what is there already, if need be over the budget. False: it is over it by too much already. */
must_check bool purse_overdraw(struct purse *, size_t bytes);
/* Takes back what was spent. */
void purse_return(struct purse *, size_t bytes);
/* Gives back what is left. */
void purse_empty(struct purse *);

/* Whether new work was refused lately and would still be. Cheap while it is false. */
bool purse_is_scarce(struct purse *);

#endif
