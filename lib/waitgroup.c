#include "waitgroup.h"
#include "chan_impl.h"

#include <stdio.h>
#include <stdlib.h>

struct waitgroup {
	shim_u32 refs;
	struct lock lock;   /* guards the rest */
	shim_size count;    /* also read without it */
	struct waitlist waiters;
};

struct waitgroup *waitgroup_new(void)
{
	struct waitgroup *group = calloc(1, sizeof(*group));

	if (group)
		shim_init(&group->refs, 1);
	return group;
}

struct waitgroup *waitgroup_ref(struct waitgroup *group)
{
	shim_add(&group->refs, 1, relaxed);
	return group;
}

void waitgroup_unref(struct waitgroup *group)
{
	if (group && shim_sub(&group->refs, 1, acq_rel) == 1)
		free(group);
}

static void mistake(unused_arg const char *sentence)
{
#ifndef NDEBUG
	fprintf(stderr, "leat: %s\n", sentence);
	abort();
#endif
}

void waitgroup_add(struct waitgroup *group, size_t n)
{
	size_t count;
	bool fits;

	lock_acquire(&group->lock);
	fits = !__builtin_add_overflow(shim_load(&group->count, relaxed), n, &count);
	if (fits)
		shim_store(&group->count, count, relaxed);
	lock_release(&group->lock);
	if (!fits)
		mistake("a wait group was asked to wait for more things than can be counted");
}

/* The waiters may free the group as soon as they see a count of 0, and they look under the lock: the last thing done to it
 * here is to let go of that. */
void waitgroup_done(struct waitgroup *group)
{
	struct wakes wakes = { 0 };
	struct waiter *w;
	size_t count;

	lock_acquire(&group->lock);
	count = shim_load(&group->count, relaxed);
	if (count > 0)
		shim_store(&group->count, count - 1, relaxed);
	while (count == 1 && (w = waitlist_claim(&group->waiters)))
		wakes_add(&wakes, w, CHAN_OK);
	lock_release(&group->lock);
	wakes_deliver(&wakes);
	if (count == 0)
		mistake("a wait group was told of more things done than were added");
}

enum chan_status waitgroup_wait(struct waitgroup *group, struct ctx *ctx, moment deadline)
{
	enum chan_status status = ctx_error(ctx);
	struct waiter w;
	struct call call;
	bool done, late;

	if (status != CHAN_OK)
		return status;
	lock_acquire(&group->lock);
	done = shim_load(&group->count, relaxed) == 0;
	late = !done && moment_reached(deadline);
	if (!done && !late) {
		call_init(&call);
		waiter_init(&w, &call, 0);
		waitlist_add(&group->waiters, &w);
	}
	lock_release(&group->lock);
	if (done)
		return CHAN_OK;
	if (late)
		return deadline <= NOW ? CHAN_WOULD_BLOCK : CHAN_TIMED_OUT;
	status = ctx_wait(ctx, &call, deadline, NULL);
	if (status != CHAN_OK) {
		lock_acquire(&group->lock);
		waitlist_remove(&group->waiters, &w);
		lock_release(&group->lock);
	}
	return status;
}

size_t waitgroup_count(const struct waitgroup *group)
{
	return shim_load(&group->count, relaxed);
}
