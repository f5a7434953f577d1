#include "purse.h"

#include "leatd.h"

enum {
	SLAB_MAX = 64 * 1024,
	SLAB_MIN = 4 * 1024,
	/* A slab is at most such a part of the budget, or what loops have left would be missing elsewhere. */
	SLAB_PART = 1024,
	/* How far the budget may be overdrawn, all loops together. */
	OVERDRAFT_BYTES = 16 * 1024 * 1024,
};

void purse_init(struct purse *p, struct leatd *leatd)
{
	uint64_t part = shim_load(&leatd->max_memory, relaxed) / SLAB_PART;

	*p = (struct purse){ .leatd = leatd, .slab_bytes = part > SLAB_MAX ? SLAB_MAX : part < SLAB_MIN ? SLAB_MIN : (size_t)part };
}

/* Of the budget, for new work. */
static uint64_t new_work_limit(const struct purse *p)
{
	uint64_t budget = shim_load(&p->leatd->max_memory, relaxed);

	return budget - budget / 8;
}

/* Takes what is missing for `bytes`, with a slab more if there is one. */
static bool spend_within(struct purse *p, size_t bytes, uint64_t limit)
{
	size_t missing = bytes > p->left ? bytes - p->left : 0;

	if (missing > 0) {
		if (leatd_charge_within(p->leatd, missing + p->slab_bytes, limit))
			p->left += missing + p->slab_bytes;
		else if (leatd_charge_within(p->leatd, missing, limit))
			p->left += missing;
		else
			return false;
	}
	p->left -= bytes;
	return true;
}

bool purse_spend(struct purse *p, size_t bytes)
{
	if (spend_within(p, bytes, new_work_limit(p)))
		return true;
	p->scarce = true;
	return false;
}

bool purse_overdraw(struct purse *p, size_t bytes)
{
	return spend_within(p, bytes, shim_load(&p->leatd->max_memory, relaxed) + OVERDRAFT_BYTES);
}

void purse_return(struct purse *p, size_t bytes)
{
	p->left += bytes;
	if (p->left <= 2 * p->slab_bytes)
		return;
	leatd_discharge(p->leatd, p->left - p->slab_bytes);
	p->left = p->slab_bytes;
}

void purse_empty(struct purse *p)
{
	if (p->left > 0)
		leatd_discharge(p->leatd, p->left);
	p->left = 0;
}

bool purse_is_scarce(struct purse *p)
{
	uint64_t limit = new_work_limit(p);

	/* Some way below it, or it would change its mind with every buffer. */
	if (p->scarce && shim_load(&p->leatd->memory_bytes, relaxed) < limit - limit / 8)
		p->scarce = false;
	return p->scarce;
}
