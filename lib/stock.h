/* A thread's own stock of small blocks of memory, for what comes and goes by the thousand: those that it has freed, ready to be taken again.
 * malloc keeps such too, but only seven of a size, and none that are aligned.
 * Any thread may give back what any other has taken; one that has not opened a stock uses malloc alone. After the magazines of Bonwick and
 * Adams, "Magazines and Vmem" (2001), without the depot. */
#ifndef LEAT_STOCK_H
#define LEAT_STOCK_H

#include "compiler.h"

#include <stddef.h>

enum {
	STOCK_BLOCK_MAX = 1536,                 /* larger blocks are not kept */
	STOCK_BYTES_MAX = 2 * 1024 * 1024,      /* that a thread keeps at most */
};

/* From here on the calling thread keeps a stock, until it closes it; it must do so before it ends. Without memory for one it goes without. */
void stock_open(void);
void stock_close(void);
/* Gives all that the calling thread keeps to malloc. */
void stock_empty(void);

/* A block of at least so many bytes, aligned to a cache line, and not cleared. NULL: no memory. */
must_check void *stock_take(size_t bytes);
/* `bytes`: as when it was taken. NULL does nothing. */
void stock_give(void *block, size_t bytes);

#endif
