#include "batch.h"

#include "ids.h"
#include "leatd.h"
#include "log.h"
#include "resp.h"
#include "share.h"
#include "type.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	/* Of an error, for the bytes that it becomes. */
	ERROR_ROOM_BYTES = 512,
	/* Of the results of a batch this much may wait to be taken, be the outputs ever so small. */
	UNREAD_LEAST_BYTES = 1024 * 1024,
	/* But no more than such a part of the budget. */
	UNREAD_PART = 16,
};

/* --- Life --- */

size_t batch_size(size_t count, size_t payload_bytes, size_t hands)
{
	return sizeof(struct batch) + count * (sizeof(struct batch_item) + sizeof(shim_u32)) + payload_bytes + hands * sizeof(struct job);
}

/* Copies the payloads into the room behind the items and the order. */
static void set_items(struct batch *b, const struct slice *payloads)
{
	char *room = (char *)b + batch_size(b->count, 0, 0);

	for (size_t i = 0; i < b->count; i++) {
		b->items[i] = (struct batch_item){ .payload = { room, payloads[i].len } };
		shim_init(&b->items[i].state, JOB_WAITING);
		shim_init(&b->order[i], 0);
		if (payloads[i].len > 0)
			memcpy(room, payloads[i].at, payloads[i].len);
		room += payloads[i].len;
	}
}

/* As much as one run may put out. */
static uint64_t most_unread(const struct type *type)
{
	uint64_t output = type->config->max_output, part = shim_load(&type->leatd->max_memory, relaxed) / UNREAD_PART;
	uint64_t most = output > UNREAD_LEAST_BYTES ? output : UNREAD_LEAST_BYTES;

	return most < part ? most : part;
}

struct batch *batch_new(struct job *whole, const struct batch_order *order)
{
	struct batch *b = malloc(batch_size(order->count, order->bytes, 0));

	if (!b)
		return NULL;
	*b = (struct batch){ .whole = whole, .count = order->count, .quorum = order->quorum, .hands = order->hands, .http = order->http,
			     .most_unread = most_unread(whole->type), .order = (shim_u32 *)(b->items + order->count) };
	set_items(b, order->payloads);
	whole->batch = b;
	whole->charged += batch_size(order->count, order->bytes, order->hands);
	/* The loop's. */
	shim_init(&whole->references, 1);
	return b;
}

void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		batch_forget_output(b, &b->items[i]);
	ids_release(b->whole->claim);
	free(b);
}

struct job *batch_new_hand(struct batch *b)
{
	const struct job *whole = b->whole;
	struct job *hand = calloc(1, sizeof(*hand));

	if (!hand)
		return NULL;
	hand->in = hand->out = STREAM_CLOSED;
	hand->type = whole->type;
	hand->traceparent = whole->traceparent;
	hand->args = whole->args;
	hand->arrived = whole->arrived;
	hand->deadline = whole->deadline;
	hand->probe = whole->probe;
	hand->share = whole->share;
	hand->ctx = whole->ctx;
	hand->batch = b;
	shim_add(&b->whole->references, 1, relaxed);
	lock_acquire(&b->lock);
	b->hands_out++;
	lock_release(&b->lock);
	return hand;
}

void batch_free_hand(struct job *hand)
{
	struct batch *b = hand->batch;

	lock_acquire(&b->lock);
	b->hands_out--;
	if (b->given_up)
		shim_sub(&hand->type->buried, 1, relaxed);
	lock_release(&b->lock);
	free(hand);
	job_unref(b->whole);
}

bool batch_has_more(const struct batch *b)
{
	return shim_load(&b->next, relaxed) < b->count && shim_load(&b->succeeded, relaxed) < b->quorum;
}

void batch_item_id(const struct batch *b, const struct batch_item *item, char id[JOB_ID_MAX + 1])
{
	size_t len = strlen(b->whole->id);

	memcpy(id, b->whole->id, len);
	id[len] = '.';
	*format_uint(id + len + 1, (uint64_t)(item - b->items)) = '\0';
}

static bool claim(struct batch_item *item, enum job_state from, enum job_state to)
{
	uint32_t expected = (uint32_t)from;

	return shim_cas(&item->state, &expected, (uint32_t)to, acq_rel);
}

/* --- What comes out of it --- */

static void put_in_order(struct batch *b, const struct batch_item *item)
{
	uint64_t at = shim_add(&b->ended, 1, relaxed);

	shim_store(&b->order[at], (uint32_t)(item - b->items) + 1, release);
}

void batch_publish(struct job *hand)
{
	put_in_order(hand->batch, hand->item);
}

void batch_ring(struct batch *b)
{
	/* Not looked at first: only an exchange stands behind what was put in order before it. */
	if (shim_xchg(&b->rung, 1, acq_rel))
		return;
	shim_add(&b->whole->references, 1, relaxed);
	chan_send(b->whole->home, &b->whole, NULL, FOREVER);
}

void batch_hush(struct batch *b)
{
	/* An exchange, so that all that was put in order by those who found it rung is seen now. */
	shim_xchg(&b->rung, 0, acq_rel);
}

bool batch_silence(struct batch *b)
{
	return !shim_xchg(&b->rung, 1, acq_rel);
}

struct batch_item *batch_next_over(struct batch *b)
{
	uint32_t number = b->seen < b->count ? shim_load(&b->order[b->seen], acquire) : 0;
	struct batch_item *item;

	if (number == 0)
		return NULL;
	b->seen++;
	item = &b->items[number - 1];
	item->over = true;
	if (shim_load(&item->state, relaxed) == JOB_ENDED && item->code == CODE_OK)
		b->succeeded_seen++;
	return item;
}

void batch_taken(struct batch *b, struct batch_item *item)
{
	if (item->charged)
		shim_sub(&b->unread, item->charged, relaxed);
	batch_forget_output(b, item);
}

void batch_forget_output(struct batch *b, struct batch_item *item)
{
	if (item->charged)
		leatd_discharge(b->whole->type->leatd, item->charged);
	free(item->owned);
	item->owned = NULL;
	item->charged = 0;
	item->output = (struct slice){ NULL, 0 };
}

/* --- Holding back --- */

/* Whoever comes now need not wait for what has not been begun: it is not on its way. */
static void hold_items_locked(struct batch *b)
{
	uint64_t begun = shim_load(&b->next, relaxed);

	if (b->held_items > 0 || begun >= b->count)
		return;
	b->held_items = b->count - begun;
	books_hold_back(b->whole->type->books, (int64_t)b->held_items);
}

static void hold_locked(struct job *hand)
{
	struct batch *b = hand->batch;

	hand->next = b->held;
	b->held = hand;
	hold_items_locked(b);
}

void batch_hold_on(struct job *hand)
{
	lock_acquire(&hand->batch->lock);
	hold_locked(hand);
	lock_release(&hand->batch->lock);
}

bool batch_hold(struct job *hand)
{
	struct batch *b = hand->batch;
	bool hold;

	if (!batch_is_full(b))
		return false;
	lock_acquire(&b->lock);
	/* Again: what has been taken since then has not found this hand here. */
	hold = !b->given_up && batch_is_full(b);
	if (hold)
		hold_locked(hand);
	lock_release(&b->lock);
	return hold;
}

static struct job *take_held_locked(struct batch *b)
{
	struct job *first = b->held;

	b->held = NULL;
	if (b->held_items > 0)
		books_hold_back(b->whole->type->books, -(int64_t)b->held_items);
	b->held_items = 0;
	return first;
}

struct job *batch_let_go(struct batch *b)
{
	struct job *first;

	if (shim_load(&b->unread, relaxed) > b->most_unread / 2)
		return NULL;
	lock_acquire(&b->lock);
	first = take_held_locked(b);
	lock_release(&b->lock);
	return first;
}

/* --- On a runner --- */

/* One of them, for the hand is the job of this item from here on. */
static void become(struct job *hand, struct batch_item *item)
{
	hand->item = item;
	hand->payload = item->payload;
	hand->last_error[0] = '\0';
	hand->started = hand->ended = 0;
	batch_item_id(hand->batch, item, hand->id);
}

bool batch_take(struct job *hand)
{
	struct batch *b = hand->batch;

	while (shim_load(&b->succeeded, relaxed) < b->quorum) {
		uint64_t i = shim_add(&b->next, 1, relaxed);

		if (i >= b->count)
			return false;
		if (!claim(&b->items[i], JOB_WAITING, JOB_STARTING))
			continue;
		become(hand, &b->items[i]);
		return true;
	}
	return false;
}

/* As a single job would. */
static void log_ended(const struct batch *b, const struct batch_item *item, enum outcome outcome)
{
	const struct job *whole = b->whole;
	struct job job = { .type = whole->type, .traceparent = whole->traceparent, .arrived = whole->arrived, .outcome = outcome };

	batch_item_id(b, item, job.id);
	job_log_ended(&job, item->ended);
}

static void end_waiting(struct batch *b, struct batch_item *item, enum code code, moment now)
{
	struct type *type = b->whole->type;
	enum outcome outcome = job_outcome_of(code);

	item->code = code;
	item->ended = now;
	books_end_waiting(type->books, outcome);
	/* There may be thousands. */
	if (log_wants(type->leatd->log, LOG_LEVEL_JOBS))
		log_ended(b, item, outcome);
}

void batch_end_waiting(struct job *hand, enum code code, moment now)
{
	if (hand->share)
		share_give_back(hand->type->share, hand->share, 1, false);
	end_waiting(hand->batch, hand->item, code, now);
	shim_store(&hand->item->state, JOB_ENDED, release);
}

/* Without one it can be cancelled only with all the others. */
static void open_ctx(struct job *hand)
{
	struct batch *b = hand->batch;
	struct ctx *ctx = ctx_with_cancel(b->whole->ctx);
	bool cancelled;

	if (!ctx)
		return;
	lock_acquire(&b->lock);
	hand->item->ctx = ctx;
	cancelled = hand->item->cancelled;
	lock_release(&b->lock);
	hand->ctx = ctx;
	if (cancelled)
		ctx_cancel(ctx);
}

static void close_ctx(struct job *hand)
{
	struct batch *b = hand->batch;

	if (hand->ctx == b->whole->ctx)
		return;
	lock_acquire(&b->lock);
	hand->item->ctx = NULL;
	lock_release(&b->lock);
	ctx_unref(hand->ctx);
	hand->ctx = b->whole->ctx;
}

void batch_start(struct job *hand, bool with_ctx, moment now)
{
	hand->started = hand->item->started = now;
	if (hand->share)
		share_started(hand->type->share, hand->share);
	if (with_ctx)
		open_ctx(hand);
	books_start(hand->type->books, hand->arrived, now);
	/* From here on its loop may look at `started`. */
	shim_store(&hand->item->state, JOB_RUNNING, release);
}

/* An output had room to grow, and there may be thousands that wait. */
static void shrink_output(struct job *hand)
{
	size_t len = hand->answer.output.len;
	char *smaller;

	if (!hand->output || hand->charged < len + len / 4 + 64 || len == 0 || hand->answer.output.at != hand->output)
		return;
	smaller = realloc(hand->output, len);
	if (!smaller)
		return;
	hand->output = smaller;
	hand->answer.output.at = smaller;
	leatd_discharge(hand->type->leatd, hand->charged - len);
	hand->charged = len;
}

static void drop_output(struct job *hand)
{
	if (hand->charged)
		leatd_discharge(hand->type->leatd, hand->charged);
	free(hand->output);
	hand->output = NULL;
	hand->charged = 0;
}

/* The error as the bytes that the client gets, here, where it is done for many at a time. Without memory for it only its code is left. */
static void put_error(struct job *hand)
{
	char room[ERROR_ROOM_BYTES], line[ERROR_ROOM_BYTES];
	struct buf text = buf_on(room), words = buf_on(line);

	drop_output(hand);
	if (hand->batch->http) {
		answer_add_object(&hand->answer, &text);
	} else {
		answer_add_line(&hand->answer, &words);
		resp_add_error(&text, buf_slice(&words));
	}
	if (!text.failed && !words.failed && job_charge(hand, text.len)) {
		hand->output = malloc(text.len);
		if (hand->output)
			memcpy(hand->output, text.at, text.len);
		else
			drop_output(hand);
	}
	hand->answer.output = (struct slice){ hand->output, hand->output ? text.len : 0 };
	buf_free(&text);
	buf_free(&words);
}

/* From the hand to its item. */
static void move_result(struct job *hand)
{
	struct batch_item *item = hand->item;

	if (hand->answer.code == CODE_OK)
		shrink_output(hand);
	else
		put_error(hand);
	item->code = hand->answer.code;
	item->output = hand->answer.output;
	item->owned = hand->output;
	item->charged = hand->charged;
	hand->output = NULL;
	hand->charged = 0;
}

bool batch_end_running(struct job *hand, moment now)
{
	struct batch_item *item = hand->item;
	struct type *type = hand->type;

	close_ctx(hand);
	job_learn(hand, now);
	if (hand->share)
		share_give_back(type->share, hand->share, 1, true);
	move_result(hand);
	hand->ended = item->ended = now;
	if (!claim(item, JOB_RUNNING, JOB_ENDED)) {
		books_end_abandoned(type->books, hand->started, now);
		batch_forget_output(hand->batch, item);
		return false;
	}
	books_end_running(type->books, hand->outcome, hand->started, now);
	/* Before it can be taken. */
	if (item->charged)
		shim_add(&hand->batch->unread, item->charged, relaxed);
	if (item->code == CODE_OK)
		shim_add(&hand->batch->succeeded, 1, relaxed);
	return true;
}

/* --- On its loop --- */

/* Its hands may lie in the channel for long, with all its payloads, and are worth to be looked for when memory is short. */
static void bury(struct batch *b)
{
	struct job *held, *next;

	lock_acquire(&b->lock);
	if (!b->given_up)
		shim_add(&b->whole->type->buried, b->hands_out, relaxed);
	b->given_up = true;
	held = take_held_locked(b);
	lock_release(&b->lock);
	for (; held; held = next) {
		next = held->next;
		batch_free_hand(held);
	}
}

void batch_close(struct batch *b)
{
	shim_store(&b->next, b->count, relaxed);
	bury(b);
}

void batch_give_up(struct batch *b, enum code code, moment now)
{
	struct job *whole = b->whole;
	uint32_t n = 0;

	shim_store(&b->next, b->count, relaxed);
	for (size_t i = 0; i < b->count; i++) {
		if (shim_load(&b->items[i].state, relaxed) != JOB_WAITING || !claim(&b->items[i], JOB_WAITING, JOB_ENDED))
			continue;
		end_waiting(b, &b->items[i], code, now);
		put_in_order(b, &b->items[i]);
		n++;
	}
	if (whole->share && n > 0)
		share_give_back(whole->type->share, whole->share, n, false);
	bury(b);
}

/* NULL: it has not come to have one. */
static struct ctx *cancelled_ctx(struct batch *b, struct batch_item *item)
{
	struct ctx *ctx;

	lock_acquire(&b->lock);
	item->cancelled = true;
	ctx = item->ctx ? ctx_ref(item->ctx) : NULL;
	lock_release(&b->lock);
	return ctx;
}

bool batch_cancel_item(struct batch *b, struct batch_item *item, moment now)
{
	struct job *whole = b->whole;
	uint32_t state;
	struct ctx *ctx;

	if (claim(item, JOB_WAITING, JOB_ENDED)) {
		end_waiting(b, item, CODE_CANCELED, now);
		if (whole->share)
			share_give_back(whole->type->share, whole->share, 1, false);
		put_in_order(b, item);
		return true;
	}
	state = shim_load(&item->state, relaxed);
	if (state == JOB_ENDED || state == JOB_ABANDONED)
		return false;
	ctx = cancelled_ctx(b, item);
	ctx_cancel(ctx);
	ctx_unref(ctx);
	return true;
}

static bool abandon_item(struct batch *b, struct batch_item *item)
{
	struct books *books = b->whole->type->books;

	/* Counted before the runner can take it back. */
	books_abandon(books, 1);
	if (!claim(item, JOB_RUNNING, JOB_ABANDONED)) {
		books_abandon(books, -1);
		return false;
	}
	b->abandoned++;
	put_in_order(b, item);
	return true;
}

bool batch_abandon(struct batch *b, moment now)
{
	bool all = true;

	b->abandoned_at = now;
	for (size_t i = 0; i < b->count; i++) {
		uint32_t state = shim_load(&b->items[i].state, acquire);

		if (state == JOB_STARTING || (state == JOB_RUNNING && !abandon_item(b, &b->items[i])))
			all = false;
	}
	return all;
}

static struct answer abandoned_answer(const struct batch *b, const struct batch_item *item)
{
	struct answer a = answer_make(CODE_TIMEOUT, "out of time while running, and not over yet");

	answer_fact_text(&a, "state", SLICE("running"));
	answer_fact(&a, "after_ms", (b->abandoned_at - item->started) / MILLISECONDS);
	answer_fact(&a, "abandoned", 1);
	return a;
}

static struct answer waiting_answer(const struct batch *b, const struct batch_item *item, char *detail, size_t detail_len)
{
	int64_t waited_ms = (item->ended - b->whole->arrived) / MILLISECONDS;
	struct answer a;

	if (item->code == CODE_TIMEOUT)
		snprintf(detail, detail_len, "out of time while waiting, after %lld ms", (long long)waited_ms);
	else
		snprintf(detail, detail_len, "cancelled while waiting");
	a = answer_make(item->code, detail);
	answer_fact_text(&a, "state", SLICE("waiting"));
	answer_fact(&a, "after_ms", waited_ms);
	return a;
}

struct answer batch_item_answer(const struct batch *b, const struct batch_item *item, char *detail, size_t detail_len)
{
	if (shim_load(&item->state, relaxed) == JOB_ABANDONED)
		return abandoned_answer(b, item);
	if (item->started == 0)
		return waiting_answer(b, item, detail, detail_len);
	return answer_make(item->code, "no memory left for its words");
}
