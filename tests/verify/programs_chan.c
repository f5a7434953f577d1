/* Programs of one channel: send, receive, try, batches, sweep, close, single producers and consumers. */
#include "programs.h"

#define LATE (100 * MILLISECONDS)

static void *one_channel(int capacity)
{
	return world_new(capacities(capacity), 0);
}

static void *one_single_channel(int capacity)
{
	return world_new(capacities(capacity), CHAN_SINGLE_PRODUCER | CHAN_SINGLE_CONSUMER);
}

static void *one_single_producer(int capacity)
{
	return world_new(capacities(capacity), CHAN_SINGLE_PRODUCER);
}

static void *one_single_consumer(int capacity)
{
	return world_new(capacities(capacity), CHAN_SINGLE_CONSUMER);
}

/* The nth element of this thread must go in, or come. */
static void send_one(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[0], value_number(w->log.count), NULL, FOREVER) == CHAN_OK);
}

static void recv_one(void *world)
{
	struct world *w = world;
	uint32_t value;

	must(did_recv(&w->log, w->c[0], &value, NULL, FOREVER) == CHAN_OK);
}

static void send_two(void *world)
{
	send_one(world);
	send_one(world);
}

static void recv_two(void *world)
{
	recv_one(world);
	recv_one(world);
}

static void send_three(void *world)
{
	send_two(world);
	send_one(world);
}

static void recv_three(void *world)
{
	recv_two(world);
	recv_one(world);
}

/* Whatever comes of it. */
static void try_send_twice(void *world)
{
	struct world *w = world;

	did_try_send(&w->log, w->c[0], value_number(1));
	did_try_send(&w->log, w->c[0], value_number(2));
}

static void try_recv_twice(void *world)
{
	struct world *w = world;
	uint32_t value;

	did_try_recv(&w->log, w->c[0], &value);
	did_try_recv(&w->log, w->c[0], &value);
}

/* Two are inside when it is asked: neither may say "empty". */
static void send_then_try_recv(void *world)
{
	struct world *w = world;
	uint32_t value;

	send_one(world);
	did_try_recv(&w->log, w->c[0], &value);
}

/* One send at a time: it is either inside or not. */
static void try_in_turn(void *world)
{
	struct world *w = world;
	uint32_t value;

	did_try_send(&w->log, w->c[0], value_number(1));
	did_try_recv(&w->log, w->c[0], &value);
	did_try_send(&w->log, w->c[0], value_number(2));
}

static void send_many(void *world)
{
	struct world *w = world;
	uint32_t values[] = { value_number(1), value_number(2), value_number(3) };
	enum chan_status why;
	size_t done = did_send_many(&w->log, w->c[0], values, 3, &why);

	must(done <= 3 && (done == 3) == (why == CHAN_OK));
	for (; done < 3; done++)
		must(did_send(&w->log, w->c[0], values[done], NULL, FOREVER) == CHAN_OK);
}

static void recv_many(void *world)
{
	struct world *w = world;
	enum chan_status why;
	uint32_t values[3];
	size_t done = did_recv_many(&w->log, w->c[0], values, 3, &why);

	must(done <= 3 && (done == 3) == (why == CHAN_OK));
	for (; done < 3; done++)
		must(did_recv(&w->log, w->c[0], values, NULL, FOREVER) == CHAN_OK);
}

static void send_many_only(void *world)
{
	struct world *w = world;
	uint32_t values[] = { value_number(1), value_number(2) };
	enum chan_status why;

	w->numbers[0] += (uint32_t)did_send_many(&w->log, w->c[0], values, 2, &why);
}

static void send_until_closed(void *world)
{
	struct world *w = world;
	uint32_t i;

	for (i = 0; i < 2; i++)
		if (did_send(&w->log, w->c[0], value_number(i), NULL, FOREVER) == CHAN_CLOSED)
			return;
}

static void recv_until_closed(void *world)
{
	struct world *w = world;
	uint32_t value;

	while (did_recv(&w->log, w->c[0], &value, NULL, FOREVER) == CHAN_OK)
		;
	must(value == 0);
}

static void close_it(void *world)
{
	struct world *w = world;

	did_close(&w->log, w->c[0]);
}

static void send_one_and_close(void *world)
{
	send_one(world);
	close_it(world);
}

static void send_two_and_close(void *world)
{
	send_two(world);
	close_it(world);
}

static void recv_one_and_close(void *world)
{
	recv_one(world);
	close_it(world);
}

static void recv_one_until_late(void *world)
{
	struct world *w = world;
	uint32_t value;
	enum chan_status status = did_recv(&w->log, w->c[0], &value, NULL, EXPLORE_START + LATE);

	must(status == CHAN_OK || status == CHAN_TIMED_OUT || status == CHAN_CLOSED);
}

static void send_one_until_late(void *world)
{
	struct world *w = world;
	enum chan_status status = did_send(&w->log, w->c[0], value_number(0), NULL, EXPLORE_START + LATE);

	must(status == CHAN_OK || status == CHAN_TIMED_OUT || status == CHAN_CLOSED);
}

static void recv_twice_until_late(void *world)
{
	recv_one_until_late(world);
	recv_one_until_late(world);
}

static void recv_then_try_send(void *world)
{
	struct world *w = world;

	recv_one(world);
	did_try_send(&w->log, w->c[0], value_number(1));
}

static void *two_stored(int capacity)
{
	struct world *w = world_new(capacities(capacity), 0);

	must(did_try_send(&w->log, w->c[0], 11) == CHAN_OK);
	must(did_try_send(&w->log, w->c[0], 12) == CHAN_OK);
	return w;
}

static void sweep(void *world)
{
	struct world *w = world;

	did_sweep_odd(&w->log, w->c[0]);
}

static void send_one_odd(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[0], 21, NULL, FOREVER) == CHAN_OK);
}

/* Closed in the middle: each element is dropped or received, once. */
static void drop_one(void *elem, void *arg)
{
	(void)elem;
	++*(uint32_t *)arg;
}

static void *with_drop(int capacity)
{
	struct world *w = calloc(1, sizeof(*w));

	w->log = (struct log){ .clock = &w->clock, .ops = w->ops, .room = WORLD_OPS };
	w->history.capacity[0] = (size_t)capacity;
	w->c[0] = (struct named){ chan_new_with(&(struct chan_options){ .elem_size = sizeof(uint32_t), .capacity = (size_t)capacity,
		.drop = drop_one, .drop_arg = &w->numbers[0] }), 0 };
	chan_ref(w->c[0].chan);
	chan_ref(w->c[0].chan);
	return w;
}

static void send_two_and_unref(void *world)
{
	struct world *w = world;

	did_try_send(&w->log, w->c[0], value_number(1));
	did_try_send(&w->log, w->c[0], value_number(2));
	chan_unref(w->c[0].chan);
}

static void recv_one_and_unref(void *world)
{
	struct world *w = world;
	uint32_t value;

	did_try_recv(&w->log, w->c[0], &value);
	chan_unref(w->c[0].chan);
}

static void finish_dropped(void *world)
{
	struct world *w = world;
	uint32_t inside = 0;
	size_t i;

	for (i = 0; i < w->log.count; i++)
		if (w->ops[i].status == CHAN_OK)
			inside += w->ops[i].kind == DID_SEND ? 1u : -1u;
	chan_unref(w->c[0].chan);
	w->c[0].chan = NULL;
	must(w->numbers[0] == inside);
	world_judge(w);
}

#define DRAINED .finish = world_end_drained
#define LATE_AT .moments = { EXPLORE_START + LATE }

const struct program chan_programs[] = {
	{ "lone-1", "one sender, one receiver, capacity 1", one_channel, 1, { send_two, recv_two }, DRAINED, .bound = 3 },
	{ "lone-0", "the same without a buffer", one_channel, 0, { send_two, recv_two }, DRAINED, .bound = 3 },
	{ "pairs-0", "two senders, two receivers, rendezvous", one_channel, 0, { send_two, send_one, recv_two, recv_one }, DRAINED,
		.bound = 2 },
	{ "pairs-1", "two senders, two receivers, capacity 1", one_channel, 1, { send_two, send_one, recv_two, recv_one }, DRAINED,
		.bound = 2 },
	{ "pairs-2", "the same, capacity 2", one_channel, 2, { send_two, send_two, recv_two, recv_two }, DRAINED, .bound = 2 },
	{ "crowd-1", "three senders, three receivers, capacity 1", one_channel, 1,
		{ send_one, send_one, send_one, recv_one, recv_one, recv_one }, DRAINED, .bound = 2 },
	{ "fan-out-2", "a batch for two sleepers: the wake-up is passed on", one_channel, 2, { recv_one, recv_one, send_two }, DRAINED,
		.bound = 3 },
	{ "fan-in-2", "room for two sleeping senders", one_channel, 1, { send_one, send_one, send_one, recv_three }, DRAINED, .bound = 2 },
	{ "single-1", "single producer and consumer, capacity 1", one_single_channel, 1, { send_three, recv_three }, DRAINED, .bound = 3 },
	{ "single-2", "single producer and consumer, capacity 2", one_single_channel, 2, { send_three, recv_three }, DRAINED, .bound = 3 },
	{ "single-0", "single producer and consumer, rendezvous", one_single_channel, 0, { send_two, recv_two }, DRAINED, .bound = 2 },
	{ "single-producer", "a single producer, two consumers", one_single_producer, 1, { send_three, recv_two, recv_one }, DRAINED,
		.bound = 2 },
	{ "single-consumer", "two producers, a single consumer", one_single_consumer, 1, { send_two, send_one, recv_three }, DRAINED,
		.bound = 2 },
	{ "single-try", "single producer that tries, a consumer that waits", one_single_channel, 2, { send_many, recv_many }, DRAINED,
		.bound = 3 },
	{ "single-close", "single producer closes, consumer ranges", one_single_channel, 1, { send_two_and_close, recv_until_closed }, DRAINED,
		.bound = 3 },
	{ "try-1", "tries of both sides, capacity 1", one_channel, 1, { try_send_twice, try_recv_twice, try_recv_twice }, DRAINED,
		.bound = 3 },
	{ "try-2", "two senders that look for what is surely there", one_channel, 2, { send_then_try_recv, send_then_try_recv }, DRAINED,
		.bound = 3 },
	{ "try-room", "two receivers that look for room that is surely there", two_stored, 2, { recv_then_try_send, recv_then_try_send }, DRAINED,
		.bound = 3 },
	{ "single-close-other", "another one closes on a single producer", one_single_channel, 1, { send_until_closed, recv_until_closed, close_it },
		DRAINED, .bound = 3 },
	{ "try-in-turn", "full or empty, but not both at once", one_channel, 1, { try_in_turn, try_send_twice, try_recv_twice }, DRAINED,
		.bound = 3 },
	{ "try-0", "tries and a waiting receiver, rendezvous", one_channel, 0, { try_send_twice, recv_one_until_late }, DRAINED, LATE_AT,
		.bound = 3 },
	{ "many-2", "batches on both sides, capacity 2", one_channel, 2, { send_many, recv_many }, DRAINED, .bound = 3 },
	{ "many-0", "batches on both sides, rendezvous", one_channel, 0, { send_many, recv_many }, DRAINED, .bound = 3 },
	{ "many-wakes", "one batch wakes two receivers", one_channel, 2, { recv_one, recv_one, send_many_only }, DRAINED, .bound = 3 },
	{ "many-many", "two batches and two receivers", one_channel, 3, { send_many, send_many, recv_three, recv_three }, DRAINED, .bound = 2 },
	{ "close-1", "close against blocked senders and a receiver", one_channel, 1,
		{ send_until_closed, send_until_closed, recv_one_until_late, close_it }, DRAINED, LATE_AT, .bound = 2 },
	{ "close-senders-0", "close against blocked senders, rendezvous", one_channel, 0, { send_until_closed, send_until_closed, close_it },
		DRAINED, .bound = 3 },
	{ "close-receivers-1", "close against receivers that range", one_channel, 1,
		{ recv_until_closed, recv_until_closed, send_one_and_close }, DRAINED, .bound = 3 },
	{ "close-receivers-0", "the same, rendezvous", one_channel, 0, { recv_until_closed, recv_until_closed, send_one_and_close }, DRAINED,
		.bound = 3 },
	{ "close-after-recv", "a receiver closes on its senders", one_channel, 1, { send_until_closed, send_until_closed, recv_one_and_close },
		DRAINED, .bound = 2 },
	{ "close-close", "two who close, and a receiver", one_channel, 1, { close_it, close_it, recv_until_closed }, DRAINED, .bound = 3 },
	{ "close-try", "tries against a close", one_channel, 1, { try_send_twice, try_recv_twice, close_it }, DRAINED, .bound = 3 },
	{ "late-recv-1", "a receiver gives up just when it is served", one_channel, 1,
		{ recv_one_until_late, recv_until_closed, send_one_and_close }, DRAINED, LATE_AT, .bound = 3 },
	{ "late-recv-0", "the same, rendezvous", one_channel, 0, { recv_one_until_late, recv_until_closed, send_one_and_close }, DRAINED, LATE_AT,
		.bound = 3 },
	{ "late-send-1", "a sender gives up just when there is room", one_channel, 1,
		{ send_two, send_one_until_late, recv_two }, DRAINED, LATE_AT, .bound = 2 },
	{ "late-send-0", "the same, rendezvous", one_channel, 0, { send_one_until_late, send_one_until_late, recv_twice_until_late }, DRAINED, LATE_AT,
		.bound = 3 },
	{ "sweep-2", "a sweep makes room for a blocked sender", two_stored, 2, { send_one_odd, sweep, try_recv_twice }, DRAINED, .bound = 3 },
	{ "sweep-alone", "nobody but the sweep can let a blocked sender in", two_stored, 2, { send_one_odd, sweep }, DRAINED, .bound = 4 },
	{ "close-drain", "tries that drain, against a close", two_stored, 2, { try_recv_twice, try_recv_twice, close_it }, DRAINED, .bound = 3 },
	{ "sweep-send", "a sweep among senders and receivers", two_stored, 3, { send_two, sweep, recv_one }, DRAINED, .bound = 3 },
	{ "drop-2", "what is left at the last unref is dropped once", with_drop, 2, { send_two_and_unref, recv_one_and_unref },
		.finish = finish_dropped, .bound = 3 },
	{ 0 },
};
