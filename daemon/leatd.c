#include "leatd.h"

#include "text.h"

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
	return leatd_charge_within(leatd, bytes, leatd->config->server.max_memory);
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

struct type *leatd_type(const struct leatd *leatd, struct slice name)
{
	size_t low = 0, high = leatd->type_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct slice other = leatd->types[middle].name;
		size_t shorter = name.len < other.len ? name.len : other.len;
		int order = shorter ? memcmp(name.at, other.at, shorter) : 0;

		if (order == 0 && name.len == other.len)
			return &leatd->types[middle];
		if (order < 0 || (order == 0 && name.len < other.len))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const char *type_name(size_t i, const void *types)
{
	return ((const struct type *)types)[i].config->name;
}

const char *leatd_nearest_type(const struct leatd *leatd, struct slice name)
{
	return text_nearest(name, type_name, leatd->type_count, leatd->types);
}
