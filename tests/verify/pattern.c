/* The patterns that no order of the calls of a queue allows, for values that are sent once. After Henzinger, Sezgin, Vafeiadis
 * 2013, and with a capacity, a close and tries. Of each value is known when it was surely inside, from the return of its
 * send to the call of its receive, and when it was perhaps, from the call of its send to the return of its receive. */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>

struct item {
	uint32_t value;
	bool sent, received, swept;
	uint64_t send_call, send_ret, recv_call, recv_ret;
};

struct span {
	uint64_t from, to;
};

struct event {
	uint64_t at;
	int64_t change;
};

struct check {
	const struct history *h;
	uint8_t chan;
	size_t capacity;
	struct item *items;
	size_t count;
	struct event *events;
	struct span *spans;
	size_t span_count;
	struct span close;   /* of the close that did it; from UINT64_MAX: none */
	bool drained, wrong;
};

static _Thread_local char text[200];

static void say(struct check *check, const char *what, uint64_t a, uint64_t b)
{
	if (!check->wrong)
		snprintf(text, sizeof(text), "channel %d of capacity %zu: %s (%llu, %llu)", check->chan, check->capacity, what,
			(unsigned long long)a, (unsigned long long)b);
	check->wrong = true;
}

#define BY(name, type, key) \
	static int name(const void *a, const void *b) \
	{ \
		const type *left = a, *right = b; \
		return (left->key > right->key) - (left->key < right->key); \
	}
BY(by_value, struct item, value)
BY(by_send_call, struct item, send_call)
BY(by_from, struct span, from)
BY(by_time, struct event, at)

static bool is_item(const struct check *check, const struct op *op)
{
	return op->chan == check->chan && op->status == CHAN_OK && (op->kind == DID_SEND || op->kind == DID_RECV ||
		(op->kind == DID_SWEEP && op->value));
}

/* One item for each op, then those of a value become one. */
static void gather(struct check *check)
{
	size_t i, n = 0;

	for (i = 0; i < check->h->count; i++) {
		const struct op *op = &check->h->ops[i];
		if (!is_item(check, op))
			continue;
		check->items[n++] = op->kind == DID_SEND ?
			(struct item){ op->value, true, false, false, op->call, op->ret, UINT64_MAX, UINT64_MAX } :
			(struct item){ op->value, false, true, op->kind == DID_SWEEP, 0, 0, op->call, op->ret };
	}
	qsort(check->items, n, sizeof(*check->items), by_value);
	check->count = 0;
	for (i = 0; i < n; i++) {
		struct item *at = check->count ? &check->items[check->count - 1] : NULL, *new = &check->items[i];
		if (!at || at->value != new->value) {
			check->items[check->count++] = *new;
			continue;
		}
		if ((at->sent && new->sent) || (at->received && new->received))
			say(check, "a value came twice", at->value, new->recv_call);
		if (new->sent)
			at->sent = true, at->send_call = new->send_call, at->send_ret = new->send_ret;
		else
			at->received = true, at->swept = new->swept, at->recv_call = new->recv_call, at->recv_ret = new->recv_ret;
	}
}

static void check_items(struct check *check)
{
	size_t i;

	for (i = 0; i < check->count; i++) {
		const struct item *one = &check->items[i];
		if (!one->sent)
			say(check, "a value came from nowhere", one->value, one->recv_call);
		else if (one->received && one->recv_ret < one->send_call)
			say(check, "a value came before it was sent", one->value, one->recv_ret);
		else if (!one->received && check->drained)
			say(check, "a value was lost", one->value, one->send_ret);
		else if (check->capacity == 0 && one->send_ret < one->recv_call)
			say(check, "a sender did not meet its receiver", one->value, one->send_ret);
	}
}

static int64_t sooner(uint64_t when)
{
	return when < INT64_MAX ? (int64_t)when : INT64_MAX;
}

/* Sent before is received before. Of all that were surely sent before this one, the latest receive. A sweep takes
 * from the middle. */
static void check_order(struct check *check)
{
	struct event *sent = check->events;
	int64_t latest = 0;
	size_t i, k = 0;

	for (i = 0; i < check->count; i++)
		sent[i] = (struct event){ check->items[i].send_ret, sooner(check->items[i].recv_call) };
	qsort(sent, check->count, sizeof(*sent), by_time);
	qsort(check->items, check->count, sizeof(*check->items), by_send_call);
	for (i = 0; i < check->count; i++) {
		const struct item *one = &check->items[i];
		for (; k < check->count && sent[k].at < one->send_call; k++)
			if (sent[k].change > latest)
				latest = sent[k].change;
		if (one->received && !one->swept && latest > sooner(one->recv_ret))
			say(check, "a value overtook another", one->value, one->recv_ret);
	}
}

/* The times when something was surely inside, as spans that do not touch. */
static void merge_spans(struct check *check)
{
	size_t i, n = 0;

	for (i = 0; i < check->count; i++)
		if (check->items[i].send_ret < check->items[i].recv_call)
			check->spans[n++] = (struct span){ check->items[i].send_ret, check->items[i].recv_call };
	qsort(check->spans, n, sizeof(*check->spans), by_from);
	check->span_count = 0;
	for (i = 0; i < n; i++) {
		struct span *last = check->span_count ? &check->spans[check->span_count - 1] : NULL;
		if (last && check->spans[i].from < last->to)
			last->to = check->spans[i].to > last->to ? check->spans[i].to : last->to;
		else
			check->spans[check->span_count++] = check->spans[i];
	}
}

static bool surely_inside(const struct check *check, const struct op *op)
{
	size_t low = 0, high = check->span_count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (check->spans[mid].from < op->call)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && op->ret < check->spans[low - 1].to;
}

static void check_empty(struct check *check)
{
	size_t i;

	merge_spans(check);
	for (i = 0; i < check->h->count; i++) {
		const struct op *op = &check->h->ops[i];
		if (op->chan == check->chan && op->kind == DID_RECV && (op->status == CHAN_WOULD_BLOCK || op->status == CHAN_CLOSED) &&
		    surely_inside(check, op))
			say(check, "it was said to be empty while something was inside", op->call, op->ret);
	}
}

/* After this `events` are the counts of what is inside at most, or at least. */
static size_t count_inside(struct check *check, bool surely)
{
	int64_t inside = 0;
	size_t i, n = 0;

	for (i = 0; i < check->count; i++) {
		const struct item *one = &check->items[i];
		uint64_t from = surely ? one->send_ret : one->send_call, to = surely ? one->recv_call : one->recv_ret;
		if (from >= to)
			continue;
		check->events[n++] = (struct event){ from, 1 };
		check->events[n++] = (struct event){ to, -1 };
	}
	qsort(check->events, n, sizeof(*check->events), by_time);
	for (i = 0; i < n; i++)
		check->events[i].change = inside += check->events[i].change;
	return n;
}

static void check_capacity(struct check *check)
{
	size_t i, n = count_inside(check, true);

	for (i = 0; i < n; i++)
		if (check->events[i].change > (int64_t)check->capacity)
			say(check, "there was more inside than fits", check->events[i].at, 0);
}

static bool perhaps_full(const struct check *check, size_t n, const struct op *op)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (check->events[mid].at <= op->call)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0 && check->events[low - 1].change >= (int64_t)check->capacity)
		return true;
	for (; low < n && check->events[low].at <= op->ret; low++)
		if (check->events[low].change >= (int64_t)check->capacity)
			return true;
	return false;
}

static void check_full(struct check *check)
{
	size_t i, n = count_inside(check, false);

	for (i = 0; i < check->h->count; i++) {
		const struct op *op = &check->h->ops[i];
		if (op->chan == check->chan && op->kind == DID_SEND && op->status == CHAN_WOULD_BLOCK && !perhaps_full(check, n, op))
			say(check, "it was said to be full while there was room", op->call, op->ret);
	}
}

static void check_close(struct check *check)
{
	size_t i;

	check->close = (struct span){ UINT64_MAX, UINT64_MAX };
	for (i = 0; i < check->h->count; i++) {
		const struct op *op = &check->h->ops[i];
		if (op->chan != check->chan || op->kind != DID_CLOSE || op->status != CHAN_OK)
			continue;
		if (check->close.from != UINT64_MAX)
			say(check, "it was closed twice", check->close.from, op->call);
		check->close = (struct span){ op->call, op->ret };
	}
	for (i = 0; i < check->h->count; i++) {
		const struct op *op = &check->h->ops[i];
		if (op->chan != check->chan || op->kind == DID_SWEEP)
			continue;
		if (op->status == CHAN_CLOSED && op->ret < check->close.from)
			say(check, "it was said to be closed before it was", op->call, op->ret);
		if (op->kind == DID_SEND && (op->status == CHAN_OK || op->status == CHAN_WOULD_BLOCK) && op->call > check->close.to)
			say(check, "a send did not notice the close", op->call, op->value);
		if (op->kind == DID_RECV && op->status == CHAN_WOULD_BLOCK && op->call > check->close.to)
			say(check, "a receive did not notice the close", op->call, op->ret);
	}
}

static bool check_channel(struct check *check)
{
	gather(check);
	check_items(check);
	if (!check->wrong)
		check_order(check);
	if (!check->wrong && check->capacity > 0) {
		check_empty(check);
		check_capacity(check);
		check_full(check);
	}
	check_close(check);
	return !check->wrong;
}

const char *history_patterns(const struct history *h, bool drained)
{
	struct check check = { .h = h, .drained = drained };
	bool right = true;

	check.items = malloc((h->count + 1) * sizeof(*check.items));
	check.events = malloc((2 * h->count + 1) * sizeof(*check.events));
	check.spans = malloc((h->count + 1) * sizeof(*check.spans));
	if (!check.items || !check.events || !check.spans)
		abort();
	for (check.chan = 0; check.chan < HISTORY_CHANNELS && right; check.chan++) {
		check.capacity = h->capacity[check.chan];
		right = check_channel(&check);
	}
	free(check.items);
	free(check.events);
	free(check.spans);
	return right ? NULL : text;
}
