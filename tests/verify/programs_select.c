/* Programs of selects: deadlines, cancellation, meetings, timers. */
#include "programs.h"

#define LATE (100 * MILLISECONDS)
#define LATE_AT .moments = { EXPLORE_START + LATE }

static void *two_channels(int capacity)
{
	struct world *w = world_new(capacities(capacity, capacity), 0);

	w->ctx = ctx_with_cancel(NULL);
	return w;
}

static void *two_channels_mixed(int capacity)
{
	struct world *w = world_new(capacities(capacity, 1), 0);

	w->ctx = ctx_with_cancel(NULL);
	return w;
}

static int select_two(struct world *w, struct chan_case a, uint8_t an, struct chan_case b, uint8_t bn, moment deadline, enum chan_status *why)
{
	struct chan_case cases[] = { a, b };

	return did_select(&w->log, cases, (uint8_t[]){ an, bn }, 2, false, w->ctx, deadline, why);
}

static int recv_either(struct world *w, moment deadline, enum chan_status *why)
{
	uint32_t a, b;

	return select_two(w, (struct chan_case)CHAN_RECV_CASE(w->c[0].chan, &a), 0, (struct chan_case)CHAN_RECV_CASE(w->c[1].chan, &b), 1, deadline,
		why);
}

static int send_either(struct world *w, uint32_t nth, moment deadline, enum chan_status *why)
{
	uint32_t a = value_number(2 * nth), b = value_number(2 * nth + 1);

	return select_two(w, (struct chan_case)CHAN_SEND_CASE(w->c[0].chan, &a), 0, (struct chan_case)CHAN_SEND_CASE(w->c[1].chan, &b), 1, deadline,
		why);
}

static void select_recv(void *world)
{
	enum chan_status why;

	must(recv_either(world, FOREVER, &why) >= 0 && why == CHAN_OK);
}

static void select_recv_twice(void *world)
{
	select_recv(world);
	select_recv(world);
}

static void select_send(void *world)
{
	enum chan_status why;

	must(send_either(world, 0, FOREVER, &why) >= 0 && why == CHAN_OK);
}

static void select_send_twice(void *world)
{
	enum chan_status why;

	must(send_either(world, 0, FOREVER, &why) >= 0 && why == CHAN_OK);
	must(send_either(world, 1, FOREVER, &why) >= 0 && why == CHAN_OK);
}

static void select_recv_late(void *world)
{
	enum chan_status why;
	int index = recv_either(world, EXPLORE_START + LATE, &why);

	must(index >= 0 ? why == CHAN_OK || why == CHAN_CLOSED : why == CHAN_TIMED_OUT || why == CHAN_CANCELED);
}

static void select_send_late(void *world)
{
	enum chan_status why;
	int index = send_either(world, 0, EXPLORE_START + LATE, &why);

	must(index >= 0 ? why == CHAN_OK || why == CHAN_CLOSED : why == CHAN_TIMED_OUT || why == CHAN_CANCELED);
}

static void select_now(void *world)
{
	enum chan_status why;
	int index = recv_either(world, NOW, &why);

	must(index >= 0 || why == CHAN_WOULD_BLOCK);
}

static void send_first(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[0], value_number(7), NULL, FOREVER) == CHAN_OK);
}

static void send_first_late(void *world)
{
	struct world *w = world;

	did_send(&w->log, w->c[0], value_number(7), NULL, EXPLORE_START + LATE);
}

static void send_second(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[1], value_number(8), NULL, FOREVER) == CHAN_OK);
}

static void recv_first(void *world)
{
	struct world *w = world;
	uint32_t value;

	must(did_recv(&w->log, w->c[0], &value, NULL, FOREVER) == CHAN_OK);
}

static void recv_second(void *world)
{
	struct world *w = world;
	uint32_t value;

	must(did_recv(&w->log, w->c[1], &value, NULL, FOREVER) == CHAN_OK);
}

static void try_both(void *world)
{
	struct world *w = world;

	did_try_send(&w->log, w->c[0], value_number(1));
	did_try_send(&w->log, w->c[1], value_number(2));
}

static void cancel(void *world)
{
	struct world *w = world;

	ctx_cancel(w->ctx);
}

static void close_both(void *world)
{
	struct world *w = world;

	did_close(&w->log, w->c[0]);
	did_close(&w->log, w->c[1]);
}

static void select_until_closed(void *world)
{
	struct world *w = world;
	struct chan *c[] = { w->c[0].chan, w->c[1].chan };
	enum chan_status why;
	uint32_t a, b;
	int index;

	while (c[0] || c[1]) {
		index = select_two(w, (struct chan_case)CHAN_RECV_CASE(c[0], &a), 0, (struct chan_case)CHAN_RECV_CASE(c[1], &b), 1, FOREVER, &why);
		must(index >= 0 && (why == CHAN_OK || why == CHAN_CLOSED));
		if (why == CHAN_CLOSED)
			c[index] = NULL;
	}
}

static void send_both_and_close(void *world)
{
	struct world *w = world;

	must(did_send(&w->log, w->c[0], value_number(0), NULL, FOREVER) == CHAN_OK);
	must(did_send(&w->log, w->c[1], value_number(1), NULL, FOREVER) == CHAN_OK);
	close_both(w);
}

/* At every instant one of the channels has something, until who looks takes it. */
static void *token(int capacity)
{
	struct world *w = two_channels(capacity);

	must(did_try_send(&w->log, w->c[0], 11) == CHAN_OK);
	must(did_try_send(&w->log, w->c[1], 12) == CHAN_OK);
	return w;
}

static void swap_tokens(void *world)
{
	struct world *w = world;
	uint32_t value;

	did_try_recv(&w->log, w->c[0], &value);
	did_try_send(&w->log, w->c[0], 13);
	did_try_recv(&w->log, w->c[1], &value);
	did_try_send(&w->log, w->c[1], 14);
	did_try_recv(&w->log, w->c[0], &value);
}

static void look_once(void *world)
{
	enum chan_status why;

	must(recv_either(world, NOW, &why) >= 0);
}

/* Both directions at once. */

static void offer_and_ask(struct world *w, uint8_t out, uint8_t in)
{
	uint32_t mine = value_number(5), theirs = 0;
	enum chan_status why;
	int index = select_two(w, (struct chan_case)CHAN_SEND_CASE(w->c[out].chan, &mine), out,
		(struct chan_case)CHAN_RECV_CASE(w->c[in].chan, &theirs), in, FOREVER, &why);

	must(index >= 0 && why == CHAN_OK);
	must(index == 0 || theirs != mine);
	w->numbers[index]++;
}

static void offer_first_ask_second(void *world)
{
	offer_and_ask(world, 0, 1);
}

static void offer_second_ask_first(void *world)
{
	offer_and_ask(world, 1, 0);
}

static void offer_and_ask_first(void *world)
{
	offer_and_ask(world, 0, 0);
}

static void finish_met(void *world)
{
	struct world *w = world;

	must(w->numbers[0] == w->numbers[1]);
	world_end_drained(w);
}

/* Time. */

static void *with_timer(int capacity)
{
	struct world *w = world_new(capacities(capacity), 0);

	w->c[1] = (struct named){ chan_after(EXPLORE_START + LATE), UNNAMED };
	return w;
}

static void recv_or_timer(void *world)
{
	struct world *w = world;
	moment when = 0;
	uint32_t value;
	enum chan_status why;
	int index = select_two(w, (struct chan_case)CHAN_RECV_CASE(w->c[0].chan, &value), 0, (struct chan_case)CHAN_RECV_CASE(w->c[1].chan, &when),
		UNNAMED, FOREVER, &why);

	must(index >= 0 && why == CHAN_OK);
	must(index == 0 || when == EXPLORE_START + LATE);
	w->numbers[index]++;
}

static void finish_timer(void *world)
{
	struct world *w = world;

	must(w->numbers[1] <= 1);
	chan_unref(w->c[1].chan);
	w->c[1].chan = NULL;
	world_end_drained(w);
}

static void recv_until_done(void *world)
{
	struct world *w = world;
	enum chan_status why = CHAN_OK;
	uint32_t value;

	while (why == CHAN_OK) {
		struct chan_case cases[] = { CHAN_RECV_CASE(ctx_done(w->ctx), NULL), CHAN_RECV_CASE(w->c[0].chan, &value) };
		must(did_select(&w->log, cases, (uint8_t[]){ UNNAMED, 0 }, 2, true, NULL, FOREVER, &why) >= 0);
	}
	must(why == CHAN_CLOSED);
}

#define DRAINED .finish = world_end_drained

const struct program select_programs[] = {
	{ "select-recv-1", "a select on two channels that two senders fill", two_channels, 1, { select_recv_twice, send_first, send_second },
		DRAINED, .bound = 3 },
	{ "select-recv-0", "the same, rendezvous", two_channels, 0, { select_recv_twice, send_first, send_second }, DRAINED, .bound = 3 },
	{ "select-send-0", "a select that sends to whoever comes", two_channels, 0, { select_send_twice, recv_first, recv_second }, DRAINED,
		.bound = 3 },
	{ "select-send-1", "a select that sends where there is room", two_channels, 1, { select_send_twice, select_send, select_recv_twice, select_recv },
		DRAINED, .bound = 2 },
	{ "select-mixed", "one channel with and one without a buffer", two_channels_mixed, 0, { select_recv_twice, send_first, send_second }, DRAINED,
		.bound = 3 },
	{ "select-race-0", "two channels, a deadline and a cancellation race, rendezvous", two_channels, 0,
		{ select_recv_late, send_first_late, try_both, cancel }, DRAINED, LATE_AT, .bound = 2 },
	{ "select-race-1", "the same, capacity 1", two_channels, 1, { select_recv_late, send_first_late, try_both, cancel }, DRAINED, LATE_AT,
		.bound = 2 },
	{ "select-race-send", "a select that sends, a deadline, a cancellation, a close", two_channels, 0,
		{ select_send_late, select_recv_late, cancel, close_both }, DRAINED, LATE_AT, .bound = 2 },
	{ "select-two-0", "two selects that receive, two senders, rendezvous", two_channels, 0, { select_recv, select_recv, send_first, send_second },
		DRAINED, .bound = 2 },
	{ "select-two-1", "the same, capacity 1", two_channels, 1, { select_recv, select_recv, send_first, send_second }, DRAINED, .bound = 2 },
	{ "select-select-0", "selects that send meet selects that receive", two_channels, 0, { select_send, select_recv, select_send, select_recv },
		DRAINED, .bound = 2 },
	{ "select-select-1", "the same, capacity 1", two_channels, 1, { select_send, select_recv, select_send_twice, select_recv_twice }, DRAINED,
		.bound = 2 },
	{ "select-meets", "two selects meet crosswise", two_channels, 0, { offer_first_ask_second, offer_second_ask_first },
		.finish = finish_met, .bound = 3 },
	{ "select-meets-itself", "two selects with both directions of one channel", two_channels, 0, { offer_and_ask_first, offer_and_ask_first },
		.finish = finish_met, .bound = 3 },
	{ "select-meets-four", "four of them", two_channels, 0,
		{ offer_and_ask_first, offer_and_ask_first, offer_and_ask_first, offer_and_ask_first }, .finish = finish_met, .bound = 1 },
	{ "select-close-1", "a select that ranges over two channels until both are closed", two_channels, 1,
		{ select_until_closed, send_both_and_close }, DRAINED, .bound = 3 },
	{ "select-close-0", "the same, rendezvous", two_channels, 0, { select_until_closed, send_both_and_close }, DRAINED, .bound = 3 },
	{ "select-close-two", "two of them", two_channels, 1, { select_until_closed, select_until_closed, send_both_and_close }, DRAINED,
		.bound = 2 },
	{ "select-now", "a look at one instant, while others come and go", two_channels, 1, { select_now, try_both, select_now }, DRAINED,
		.bound = 3 },
	{ "select-instant", "something is ready at every instant: a look must find it", token, 2, { look_once, swap_tokens }, DRAINED,
		.bound = 3 },
	{ "select-timer", "a select on a timer and a channel", with_timer, 1, { recv_or_timer, send_first_late }, .finish = finish_timer, LATE_AT,
		.bound = 3 },
	{ "select-timer-two", "two selects on one timer: one gets it", with_timer, 0, { recv_or_timer, recv_or_timer, send_first }, .finish = finish_timer,
		LATE_AT, .bound = 2 },
	{ "select-done", "the done channel beside another", two_channels, 1, { recv_until_done, send_first, cancel }, DRAINED, .bound = 3 },
	{ 0 },
};
