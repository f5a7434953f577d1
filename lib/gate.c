#include "gate.h"
#include "chan.h"
#include "lock.h"
#include "shim.h"

#include <stdlib.h>

struct gate {
	shim_u32 refs;
	shim_u32 shut;          /* written under the lock */
	struct lock lock;       /* guards the rest */
	struct chan *opened;    /* of elements of size 0, closed by the opening; NULL while the gate is open */
};

struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (gate)
		shim_init(&gate->refs, 1);
	return gate;
}

struct gate *gate_ref(struct gate *gate)
{
	shim_add(&gate->refs, 1, relaxed);
	return gate;
}

void gate_unref(struct gate *gate)
{
	if (!gate || shim_sub(&gate->refs, 1, acq_rel) != 1)
		return;
	chan_unref(gate->opened);
	free(gate);
}

enum chan_status gate_shut(struct gate *gate)
{
	enum chan_status status = CHAN_OK;

	lock_acquire(&gate->lock);
	if (!gate->opened) {
		gate->opened = chan_new(0, 0);
		if (gate->opened)
			shim_store(&gate->shut, 1, release);
		else
			status = CHAN_NOMEM;
	}
	lock_release(&gate->lock);
	return status;
}

void gate_open(struct gate *gate)
{
	struct chan *opened;

	lock_acquire(&gate->lock);
	opened = gate->opened;
	gate->opened = NULL;
	shim_store(&gate->shut, 0, release);
	lock_release(&gate->lock);
	if (!opened)
		return;
	/* After unlock: those it wakes may come right back to it. */
	chan_close(opened);
	chan_unref(opened);
}

bool gate_is_shut(const struct gate *gate)
{
	return shim_load(&gate->shut, acquire);
}

/* NULL: it is open. */
static struct chan *opening_of(struct gate *gate)
{
	struct chan *opened;

	lock_acquire(&gate->lock);
	opened = gate->opened ? chan_ref(gate->opened) : NULL;
	lock_release(&gate->lock);
	return opened;
}

enum chan_status gate_pass(struct gate *gate, struct ctx *ctx, moment deadline)
{
	/* More than once: it may have been shut again before we came to look. */
	while (gate_is_shut(gate)) {
		struct chan *opened = opening_of(gate);
		enum chan_status status = CHAN_CLOSED;

		if (opened)
			status = chan_recv(opened, NULL, ctx, deadline);
		chan_unref(opened);
		if (status != CHAN_CLOSED)
			return status;
	}
	return CHAN_OK;
}
