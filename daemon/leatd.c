#include "leatd.h"


#include <signal.h>
#include <unistd.h>

bool leatd_charge_within(struct leatd *leatd, size_t bytes, uint64_t limit)
{
	uint64_t before = shim_add(&leatd->memory_bytes, bytes, relaxed);

	if (likely(before + bytes <= limit))
		return true;
	leatd_discharge(leatd, bytes);
	return false;
}

bool leatd_charge(struct leatd *leatd, size_t bytes)
{
	return leatd_charge_within(leatd, bytes, shim_load(&leatd->max_memory, relaxed));
}

void leatd_discharge(struct leatd *leatd, size_t bytes)
{
	shim_sub(&leatd->memory_bytes, bytes, relaxed);
}

void leatd_drain(struct leatd *leatd)
{
	if (shim_add(&leatd->drain_asked, 1, relaxed) == 0 && !shim_load(&leatd->draining, relaxed))
		kill(getpid(), SIGTERM);
}
