/* Programs of what stands around the channels: watches, contexts, semaphores, wait groups, locks. */
#include "programs.h"

#include "../../lib/lock.h"

#define LATE (100 * MILLISECONDS)
#define LATE_AT .moments = { EXPLORE_START + LATE }
#define DRAINED .finish = world_end_drained

/* Watches: numbers[0] is how many were received, [1] how often it was armed. */

static void *watched(int capacity)
{
	struct world *w = world_new(capacities(capacity), 0);

	w->watch = chan_watch_new(w->c[0].chan, &w->fd);
	return w;
}

static void *watched_single(int capacity)
{
	struct world *w = world_new(capacities(capacity), CHAN_SINGLE_PRODUCER | CHAN_SINGLE_CONSUMER);

	w->watch = chan_watch_new(w->c[0].chan, &w->fd);
	return w;
}

/* True: closed. */
static bool drain(struct world *w, uint32_t enough)
{
	enum chan_status status = CHAN_OK;
	uint32_t value;

	while (status == CHAN_OK && w->numbers[0] < enough) {
		status = did_poll(&w->log, w->c[0], &value);
		w->numbers[0] += status == CHAN_OK;
	}
	return status == CHAN_CLOSED;
}

static void loop_until(struct world *w, uint32_t enough)
{
	while (!drain(w, enough) && w->numbers[0] < enough) {
		if (!chan_watch_arm(w->watch)) {
			explore_pause();
			continue;
		}
		w->numbers[1]++;
		explore_readable(w->fd, FOREVER);
	}
}

/* Keeps the watch, which is not freed before all have ended. */
static void loop_and_keep(void *world)
{
	loop_until(world, UINT32_MAX);
}

static void finish_kept(void *world)
{
	chan_watch_free(((struct world *)world)->watch);
	world_end_drained(world);
}

static void loop_three(void *world)
{
	struct world *w = world;

	loop_until(w, 3);
	chan_watch_free(w->watch);
}

static void loop_until_closed(void *world)
{
	struct world *w = world;

	loop_until(w, UINT32_MAX);
	chan_watch_free(w->watch);
}

static void arm_and_free(void *world)
{
	struct world *w = world;

	if (chan_watch_arm(w->watch))
		w->numbers[1]++;
	chan_watch_free(w->watch);
}

static void send_one(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[0], value_number(w->log.count), NULL, FOREVER) == CHAN_OK);
}

static void send_two(void *world)
{
	send_one(world);
	send_one(world);
}

static void send_three(void *world)
{
	send_two(world);
	send_one(world);
}

static void send_two_and_close(void *world)
{
	struct world *w = world;

	send_two(world);
	did_close(&w->log, w->c[0]);
}

static void close_it(void *world)
{
	struct world *w = world;

	must(did_close(&w->log, w->c[0]) == CHAN_OK);
}

static void recv_one(void *world)
{
	struct world *w = world;
	uint32_t value;

	must(did_recv(&w->log, w->c[0], &value, NULL, FOREVER) == CHAN_OK);
	w->numbers[2]++;
}

static void finish_watched(void *world)
{
	must(explore_writes() <= ((struct world *)world)->numbers[1]);
	world_end_drained(world);
}

static void finish_late(void *world)
{
	must(chan_len(((struct world *)world)->c[0].chan) == 0);
	world_judge(world);
}

/* One of two watches is freed while it may have been woken: the other must hear of what is left. */
static void loop_beside(void *world)
{
	struct world *w = world;
	enum chan_status status = CHAN_WOULD_BLOCK;
	struct chan_watch *mine;
	uint32_t value;
	int fd;

	mine = chan_watch_new(w->c[0].chan, &fd);
	while ((status = did_poll(&w->log, w->c[0], &value)) == CHAN_WOULD_BLOCK)
		if (chan_watch_arm(mine)) {
			w->numbers[1]++;
			explore_readable(fd, FOREVER);
		} else {
			explore_pause();
		}
	chan_watch_free(mine);
}

/* Not written down: a ticket would make visible what the send has stored, and here that is late. */
static void loop_one_unseen(void *world)
{
	struct world *w = world;
	uint32_t value;

	while (chan_try_recv(w->c[0].chan, &value) != CHAN_OK) {
		if (chan_watch_arm(w->watch))
			explore_readable(w->fd, FOREVER);
		else
			explore_pause();
	}
	chan_watch_free(w->watch);
}

static void send_one_unseen(void *world)
{
	struct world *w = world;
	uint32_t value = 1;

	must(chan_send(w->c[0].chan, &value, NULL, FOREVER) == CHAN_OK);
	(void)chan_len(w->c[0].chan);
}

static void *watched_ctx(int late)
{
	struct world *w = world_new(capacities(0), 0);

	w->ctx = late ? ctx_with_deadline(NULL, EXPLORE_START + LATE) : ctx_with_cancel(NULL);
	w->watch = chan_watch_new(ctx_done(w->ctx), &w->fd);
	return w;
}

static void loop_until_done(void *world)
{
	struct world *w = world;

	while (chan_try_recv(ctx_done(w->ctx), NULL) != CHAN_CLOSED)
		if (chan_watch_arm(w->watch))
			explore_readable(w->fd, FOREVER);
	chan_watch_free(w->watch);
}

static void cancel(void *world)
{
	struct world *w = world;

	ctx_cancel(w->ctx);
	must(ctx_error(w->ctx) != CHAN_OK);
}

static void nothing(void *world)
{
	(void)world;
}

/* Contexts. */

static void *family(int late)
{
	struct world *w = calloc(1, sizeof(*w));

	w->ctx = ctx_with_cancel(NULL);
	w->child = late ? ctx_with_deadline(w->ctx, EXPLORE_START + LATE) : ctx_with_cancel(w->ctx);
	return w;
}

static void wait_with_child(void *world)
{
	struct world *w = world;
	enum chan_status status = chan_recv(NULL, NULL, w->child, FOREVER);

	must(status == CHAN_CANCELED || status == CHAN_DEADLINE);
	must(ctx_error(w->child) == status);
}

static void wait_and_unref_child(void *world)
{
	struct world *w = world;

	wait_with_child(world);
	ctx_unref(w->child);
}

/* All below have ended when a cancel comes back, whoever did it. */
static void cancel_and_look(void *world)
{
	struct world *w = world;

	ctx_cancel(w->ctx);
	must(ctx_error(w->ctx) == CHAN_CANCELED);
	must(!w->child || ctx_error(w->child) != CHAN_OK);
}

static void cancel_child(void *world)
{
	struct world *w = world;

	ctx_cancel(w->child);
	must(ctx_error(w->child) != CHAN_OK);
}

static void unref_child(void *world)
{
	struct world *w = world;

	ctx_unref(w->child);
	w->child = NULL;
}

static void only_cancel(void *world)
{
	struct world *w = world;

	ctx_cancel(w->ctx);
}

/* Children come and go while the parent ends. */
static void born_and_gone(void *world)
{
	struct world *w = world;
	struct ctx *one = ctx_with_cancel(w->ctx), *below = ctx_with_cancel(one);

	ctx_unref(one);
	if (ctx_error(w->ctx) == CHAN_OK)
		ctx_cancel(below);
	must(ctx_error(below) != CHAN_OK || ctx_error(w->ctx) != CHAN_OK);
	ctx_unref(below);
}

/* The end of a context reaches the children of its children. */
static void wait_below_child(void *world)
{
	struct world *w = world;
	struct ctx *below = ctx_with_cancel(w->child);

	must(chan_recv(NULL, NULL, below, FOREVER) == CHAN_CANCELED);
	ctx_unref(below);
}

static void born_and_waits(void *world)
{
	struct world *w = world;
	struct ctx *one = ctx_with_cancel(w->ctx);

	must(chan_recv(NULL, NULL, one, FOREVER) == CHAN_CANCELED);
	ctx_unref(one);
}

static void finish_family(void *world)
{
	struct world *w = world;

	ctx_unref(w->ctx);
	free(w);
}

static void finish_family_whole(void *world)
{
	ctx_unref(((struct world *)world)->child);
	finish_family(world);
}

static void *ctx_and_channel(int capacity)
{
	struct world *w = world_new(capacities(capacity), 0);

	w->ctx = ctx_with_cancel(NULL);
	return w;
}

static void recv_or_cancel(void *world)
{
	struct world *w = world;
	uint32_t value;
	enum chan_status status = did_recv(&w->log, w->c[0], &value, w->ctx, FOREVER);

	must(status == CHAN_OK || status == CHAN_CANCELED);
}

static void send_or_cancel(void *world)
{
	struct world *w = world;
	enum chan_status status = did_send(&w->log, w->c[0], value_number(3), w->ctx, FOREVER);

	must(status == CHAN_OK || status == CHAN_CANCELED);
}

/* Semaphores: numbers[0] counts the permits that are taken. */

static void *semaphore_of(int permits)
{
	struct world *w = calloc(1, sizeof(*w));

	w->semaphore = semaphore_new((size_t)permits);
	w->ctx = ctx_with_cancel(NULL);
	return w;
}

/* One of two is taken before. */
static void *semaphore_one_taken(int permits)
{
	struct world *w = semaphore_of(permits);

	must(semaphore_acquire(w->semaphore, 1, NULL, NOW) == CHAN_OK);
	w->numbers[0] = 1;
	return w;
}

static void use(struct world *w, uint32_t n, uint32_t most, struct ctx *ctx, moment deadline)
{
	enum chan_status status = semaphore_acquire(w->semaphore, n, ctx, deadline);

	must(status == CHAN_OK || status == CHAN_CANCELED || status == CHAN_TIMED_OUT);
	must(status == CHAN_OK || ctx || deadline != FOREVER);
	if (status != CHAN_OK)
		return;
	w->numbers[0] += n;
	must(w->numbers[0] <= most);
	explore_pause();
	w->numbers[0] -= n;
	must(semaphore_release(w->semaphore, n) == CHAN_OK);
}

static void use_one(void *world)
{
	use(world, 1, 2, NULL, FOREVER);
}

static void use_two(void *world)
{
	use(world, 2, 2, NULL, FOREVER);
}

static void use_two_until_late(void *world)
{
	use(world, 2, 2, NULL, EXPLORE_START + LATE);
}

static void use_two_or_cancel(void *world)
{
	use(world, 2, 2, ((struct world *)world)->ctx, FOREVER);
}

/* What was taken before is given back only when all others are done, which they can only be if they do not wait for it. */
static void finish_semaphore(void *world)
{
	struct world *w = world;

	if (w->numbers[0])
		must(semaphore_release(w->semaphore, w->numbers[0]) == CHAN_OK);
	must(semaphore_available(w->semaphore) == 2);
	must(semaphore_release(w->semaphore, 1) == CHAN_INVALID);
	semaphore_unref(w->semaphore);
	ctx_unref(w->ctx);
	free(w);
}

/* Wait groups. */

static void *group_of(int n)
{
	struct world *w = calloc(1, sizeof(*w));

	w->group = waitgroup_new();
	waitgroup_add(w->group, (size_t)n);
	return w;
}

static void finish_one(void *world)
{
	struct world *w = world;

	w->numbers[0]++;
	waitgroup_done(w->group);
}

static void wait_for_group(void *world)
{
	struct world *w = world;

	must(waitgroup_wait(w->group, NULL, FOREVER) == CHAN_OK);
	must(w->numbers[0] == 2);
}

/* Drops the last reference at once. */
static void wait_and_unref_group(void *world)
{
	struct world *w = world;

	wait_for_group(world);
	waitgroup_unref(w->group);
	w->group = NULL;
}

static void wait_for_group_until_late(void *world)
{
	struct world *w = world;
	enum chan_status status = waitgroup_wait(w->group, NULL, EXPLORE_START + LATE);

	must(status == CHAN_OK ? w->numbers[0] == 2 : status == CHAN_TIMED_OUT);
}

static void finish_group(void *world)
{
	struct world *w = world;

	waitgroup_unref(w->group);
	free(w);
}

/* Locks. */

static struct lock *lock_of(struct world *w)
{
	return (struct lock *)(void *)w->ops;
}

static void *a_lock(int unused)
{
	(void)unused;
	return calloc(1, sizeof(struct world));
}

static void lock_once(void *world)
{
	struct world *w = world;

	lock_acquire(lock_of(w));
	must(w->numbers[0] == 0);
	w->numbers[0] = 1;
	explore_pause();
	w->numbers[0] = 0;
	lock_release(lock_of(w));
}

static void lock_twice(void *world)
{
	lock_once(world);
	lock_once(world);
}

const struct program rest_programs[] = {
	{ "watch-2", "a loop drains what two senders send", watched, 2, { loop_three, send_two, send_one }, .finish = finish_watched, .bound = 2 },
	{ "watch-1", "a loop and one sender", watched, 1, { loop_three, send_two, send_one }, .finish = finish_watched, .bound = 2 },
	{ "watch-0", "the same, rendezvous", watched, 0, { loop_three, send_two, send_one }, .finish = finish_watched, .bound = 2 },
	{ "watch-close", "a loop until the channel is closed", watched, 2, { loop_until_closed, send_two_and_close }, .finish = finish_watched,
		.bound = 3 },
	{ "watch-close-two", "two loops hear of the close", watched, 2, { loop_and_keep, loop_beside, close_it }, .finish = finish_kept,
		.bound = 2 },
	{ "watch-single", "a loop and a single producer", watched_single, 2, { loop_three, send_three }, .finish = finish_watched, .bound = 3 },
	{ "watch-late", "a loop and a sender whose stores are late", watched, 2, { loop_one_unseen, send_one_unseen }, .finish = finish_late,
		.bound = 3 },
	{ "watch-late-single", "the same with a single producer", watched_single, 2, { loop_one_unseen, send_one_unseen }, .finish = finish_late,
		.bound = 3 },
	{ "watch-free", "a watch is freed among senders", watched, 2, { arm_and_free, send_one, send_one }, .finish = finish_watched, .bound = 3 },
	{ "watch-free-beside", "a freed watch passes its wake-up on", watched, 2, { arm_and_free, loop_beside, send_one }, .finish = finish_watched,
		.bound = 2 },
	{ "watch-and-receiver", "a watch and a blocked receiver", watched, 2, { loop_three, recv_one, send_two, send_two }, .finish = finish_watched,
		.bound = 2 },
	{ "watch-done", "a watch on the end of a context", watched_ctx, 0, { loop_until_done, cancel }, DRAINED, .bound = 3 },
	{ "watch-deadline", "a watch on its deadline", watched_ctx, 1, { loop_until_done, nothing }, DRAINED, LATE_AT, .bound = 3 },
	{ "ctx-family", "cancel, a waiter below, and a second cancel", family, 0, { wait_with_child, cancel_and_look, cancel_child },
		.finish = finish_family_whole, .bound = 3 },
	{ "ctx-below", "two waiters below a child, and a cancel", family, 0, { wait_below_child, wait_below_child, cancel_and_look },
		.finish = finish_family_whole, .bound = 3 },
	{ "ctx-unref", "cancel against the unref of a child", family, 0, { unref_child, only_cancel }, .finish = finish_family, .bound = 3 },
	{ "ctx-wait-unref", "a waiter below lets go at once", family, 0, { wait_and_unref_child, only_cancel, born_and_gone },
		.finish = finish_family, .bound = 2 },
	{ "ctx-born", "children come and go while the parent ends", family, 0, { born_and_gone, only_cancel, born_and_waits },
		.finish = finish_family_whole, .bound = 2 },
	{ "ctx-cancels", "two cancels of parent and child", family, 0, { cancel_and_look, cancel_and_look, cancel_child },
		.finish = finish_family_whole, .bound = 2 },
	{ "ctx-deadline", "a deadline races a cancel", family, 1, { wait_with_child, wait_with_child, cancel_and_look },
		.finish = finish_family_whole, LATE_AT, .bound = 2 },
	{ "ctx-recv-1", "a receive races its cancellation", ctx_and_channel, 1, { recv_or_cancel, send_or_cancel, cancel }, DRAINED, .bound = 3 },
	{ "ctx-recv-0", "the same, rendezvous", ctx_and_channel, 0, { recv_or_cancel, send_or_cancel, cancel }, DRAINED, .bound = 3 },
	{ "ctx-recv-two", "two receivers, one element, a cancellation", ctx_and_channel, 1,
		{ recv_or_cancel, recv_or_cancel, send_one, cancel }, DRAINED, .bound = 2 },
	{ "semaphore", "two, one and one of two permits", semaphore_of, 2, { use_two, use_one, use_one }, .finish = finish_semaphore, .bound = 2 },
	{ "semaphore-gives-up", "who gives up lets those behind it pass", semaphore_one_taken, 2, { use_two_until_late, use_one },
		.finish = finish_semaphore, LATE_AT, .bound = 3 },
	{ "semaphore-cancel", "the same by cancellation", semaphore_one_taken, 2, { use_two_or_cancel, use_one, only_cancel },
		.finish = finish_semaphore, .bound = 3 },
	{ "waitgroup", "two done, two who wait", group_of, 2, { finish_one, finish_one, wait_for_group, wait_for_group_until_late },
		.finish = finish_group, LATE_AT, .bound = 2 },
	{ "waitgroup-two", "two who wait for ever", group_of, 2, { finish_one, finish_one, wait_for_group, wait_for_group }, .finish = finish_group,
		.bound = 2 },
	{ "waitgroup-unref", "who waited frees the group", group_of, 2, { finish_one, finish_one, wait_and_unref_group }, .finish = finish_group,
		.bound = 3 },
	{ "lock", "three threads at a lock", a_lock, 0, { lock_twice, lock_once, lock_once }, .finish = free, .bound = 3 },
	{ 0 },
};
