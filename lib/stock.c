#include "stock.h"
#include "sanitized.h"

#include <stdlib.h>

enum { SHELVES = STOCK_BLOCK_MAX / CACHE_LINE };

struct block {
	struct block *next;
};

struct stock {
	size_t bytes;                           /* on all shelves */
	struct block *shelves[SHELVES];         /* each for one number of cache lines, from 1 */
};

static _Thread_local struct stock *own;

static size_t lines_of(size_t bytes)
{
	return bytes > 0 ? (bytes + CACHE_LINE - 1) / CACHE_LINE : 1;
}

void stock_open(void)
{
	/* What has been freed is what a sanitizer watches. */
	if (!own && !IS_SANITIZED)
		own = calloc(1, sizeof(*own));
}

void stock_empty(void)
{
	struct block *block;

	for (size_t i = 0; own && i < SHELVES; i++) {
		while ((block = own->shelves[i])) {
			own->shelves[i] = block->next;
			free(block);
		}
	}
	if (own)
		own->bytes = 0;
}

void stock_close(void)
{
	stock_empty();
	free(own);
	own = NULL;
}

void *stock_take(size_t bytes)
{
	size_t lines = lines_of(bytes);
	struct block *block = own && lines <= SHELVES ? own->shelves[lines - 1] : NULL;

	if (!block)
		return aligned_alloc(CACHE_LINE, lines * CACHE_LINE);
	own->shelves[lines - 1] = block->next;
	own->bytes -= lines * CACHE_LINE;
	return block;
}

void stock_give(void *given, size_t bytes)
{
	size_t lines = lines_of(bytes);
	struct block *block = given;

	if (!block || !own || lines > SHELVES || own->bytes + lines * CACHE_LINE > STOCK_BYTES_MAX) {
		free(block);
		return;
	}
	block->next = own->shelves[lines - 1];
	own->shelves[lines - 1] = block;
	own->bytes += lines * CACHE_LINE;
}
