/* The channels of leat in the benchmark, through their typed face. */
#define CAN_MEET
#define CAN_TRY
#define CAN_SELECT
#include "scenarios.h"

#include "../../../lib/chan.h"

CHAN_DEFINE(word_chan, uint64_t)

/* A struct queue is a channel by another name. */
static word_chan chan_of(struct queue *q)
{
	return (word_chan)q;
}

static struct queue *queue_new(size_t capacity, bool single)
{
	struct chan_options options = {
		.elem_size = sizeof(uint64_t),
		.capacity = capacity,
		.flags = single ? CHAN_SINGLE_PRODUCER | CHAN_SINGLE_CONSUMER : 0,
	};
	struct chan *c = chan_new_with(&options);

	must(c, "no memory");
	return (struct queue *)c;
}

static void queue_send(struct queue *q, uint64_t value)
{
	must(word_chan_send(chan_of(q), value, NULL, FOREVER) == CHAN_OK, "not sent");
}

static bool queue_recv(struct queue *q, uint64_t *value)
{
	return word_chan_recv(chan_of(q), value, NULL, FOREVER) == CHAN_OK;
}

static void queue_close(struct queue *q)
{
	must(word_chan_close(chan_of(q)) == CHAN_OK, "not closed");
}

static bool queue_try_send(struct queue *q, uint64_t value)
{
	return word_chan_try_send(chan_of(q), value) == CHAN_OK;
}

static bool queue_select(struct queue *q[2], uint64_t *value)
{
	struct chan_case cases[] = { CHAN_RECV_CASE(chan_of(q[0]), value), CHAN_RECV_CASE(chan_of(q[1]), value) };
	enum chan_status why;
	int i;

	while (q[0] || q[1]) {
		i = chan_select(cases, 2, NULL, FOREVER, &why);
		if (why == CHAN_OK)
			return true;
		must(why == CHAN_CLOSED, "not received");
		q[i] = NULL;
		cases[i].chan = NULL;
	}
	return false;
}
