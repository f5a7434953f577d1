/* The status page (GET /): one document without any outside resource, put together at the start from what is built into leatd from
 * daemon/status/. It holds no data: it asks /v1/events for that, with a token if there have to be any, so strangers may have it.
 *
 * Its Content-Security-Policy names the hashes of its one style and its one script: a browser runs nothing else, and lets them speak with
 * nobody but this leatd. */
#ifndef LEAT_PAGE_H
#define LEAT_PAGE_H

#include "../lib/compiler.h"

struct exchange;
struct page;

/* NULL: no memory. Does not change until it is freed, so any thread may answer with it. */
must_check struct page *page_new(void);
void page_free(struct page *);

void page_answer(struct exchange *, const struct page *);

#endif
