#include "drop.h"

bool drop_send(struct drop *d, struct chan *c, const void *elem)
{
	if (likely(chan_try_send(c, elem) == CHAN_OK))
		return true;
	shim_add(&d->dropped, 1, relaxed);
	return false;
}

uint64_t drop_count(const struct drop *d)
{
	return shim_load(&d->dropped, relaxed);
}

uint64_t drop_news(struct drop *d)
{
	uint64_t told = shim_load(&d->told, relaxed), dropped;

	do {
		dropped = shim_load(&d->dropped, relaxed);
		/* Somebody else has just told of these. */
		if (dropped <= told)
			return 0;
	} while (!shim_cas(&d->told, &told, dropped, relaxed));
	return dropped - told;
}
