#include "map.h"

#include "admit.h"
#include "batch.h"
#include "conn_impl.h"
#include "element.h"
#include "ids.h"
#include "inquiry.h"
#include "leatd.h"
#include "run.h"
#include "text.h"

#include <stdlib.h>

/* How long a run may take after the deadline: as for a single job. */
#define ABANDON_AFTER (1 * SECONDS)

/* When no thread could be had for hands that are to go on: how long until it is tried again. */
#define RETRY_NS (50 * MILLISECONDS)

enum {
	/* About so large is a chunk. */
	CHUNK_BYTES = 16 * 1024,
};

struct map {
	struct unit unit;
	struct parts parts;
	struct batch *batch;            /* a reference on its whole */
	bool as_they_end;
	bool silent;                    /* the whole does not come home any more */

	/* The answer. */
	bool begun;
	size_t written;                 /* elements */
	struct batch_item *item;        /* of which the element is being written; NULL: none */
	struct element element;
};

_Static_assert((int)BATCH_ITEMS_MAX + 64 == (int)RESP_MAP_ARGS_MAX, "the line protocol takes as many payloads, and the options");

static struct map *of_unit(struct unit *unit)
{
	return container_of(unit, struct map, unit);
}

/* --- The request --- */

static bool set_number(uint64_t *to, struct slice text, const char *detail, struct answer *why)
{
	if (text_count(text, to) && *to > 0)
		return true;
	*why = answer_make(CODE_ERR, detail);
	return false;
}

bool map_set_width(struct map_request *r, struct slice text, struct answer *why)
{
	return set_number(&r->width, text, "the width is not a number over 0", why);
}

bool map_set_quorum(struct map_request *r, struct slice text, struct answer *why)
{
	return set_number(&r->quorum, text, "the quorum is not a number over 0", why);
}

static size_t bytes_of(const struct map_request *r)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->count; i++)
		bytes += r->payloads[i].len;
	return bytes;
}

static bool is_possible(const struct catalogue *c, const struct map_request *r, size_t bytes, struct answer *why)
{
	if (r->count == 0 || r->count > BATCH_ITEMS_MAX) {
		*why = answer_make(CODE_ERR, "a MAP takes 1 to 10000 payloads");
	} else if (r->quorum > r->count) {
		*why = answer_make(CODE_ERR, "the quorum is over the number of payloads");
	} else if (r->request.id.len > BATCH_ID_MAX) {
		*why = answer_make(CODE_ERR, "the id of a MAP is at most 59 characters, since its jobs are ID.0, ID.1 and so on");
	} else if (bytes > c->config->server.max_payload) {
		*why = answer_make(CODE_TOOBIG, "the payloads together are over max_payload");
		answer_fact(why, "max_payload", (int64_t)c->config->server.max_payload);
	} else {
		return true;
	}
	return false;
}

/* --- The answer --- */

/* Those that have ended stand in `order`; those before `seen` may be read again. */
static struct batch_item *next_item(struct map *m)
{
	struct batch *b = m->batch;
	struct batch_item *item;

	if (m->written == b->count)
		return NULL;
	if (m->as_they_end)
		return m->written < b->seen ? &b->items[shim_load(&b->order[m->written], relaxed) - 1] : NULL;
	item = &b->items[m->written];
	return item->over ? item : NULL;
}

static void begin_without_bytes(struct map *m, struct buf *to, size_t index)
{
	char detail[96], room[512], line[512];
	struct answer a = batch_item_answer(m->batch, m->item, detail, sizeof(detail));
	struct buf error = buf_on(room), words = buf_on(line);

	if (m->batch->http) {
		answer_add_object(&a, &error);
	} else {
		answer_add_line(&a, &words);
		resp_add_error(&error, buf_slice(&words));
	}
	element_begin_error(&m->element, to, m->batch->http, index, buf_slice(&error));
	/* It is short, and so goes in one piece, before what it is made of does. */
	(void)!element_write(&m->element, to);
	m->element = (struct element){ .add = buf_add_slice, .tail = SLICE("") };
	buf_free(&error);
	buf_free(&words);
}

static void begin_element(struct map *m, struct buf *to)
{
	const struct batch_item *item = m->item;
	const struct batch *b = m->batch;
	size_t index = (size_t)(item - b->items);

	if (shim_load(&item->state, relaxed) == JOB_ABANDONED || (item->code != CODE_OK && item->output.len == 0))
		begin_without_bytes(m, to, index);
	else if (item->code != CODE_OK)
		element_begin_error(&m->element, to, b->http, index, item->output);
	else
		element_begin_output(&m->element, to, b->http, index, item->output);
}

static void end_element(struct map *m)
{
	/* Of an abandoned one the output is nobody's but its runner's. */
	if (shim_load(&m->item->state, relaxed) == JOB_ENDED)
		batch_taken(m->batch, m->item);
	m->item = NULL;
	m->written++;
}

/* Elements whose turn has come, until `to` is `most` long or there are none. */
static void write_elements(struct map *m, struct buf *to, size_t most)
{
	while (to->len < most && !to->failed) {
		if (!m->item) {
			m->item = next_item(m);
			if (!m->item)
				return;
			begin_element(m, to);
		}
		if (element_write(&m->element, to))
			end_element(m);
	}
}

/* False: there was nothing. */
static bool write_chunk(struct map *m, struct buf *to)
{
	char room[CHUNK_BYTES + 4096];
	struct buf chunk = buf_on(room);
	bool any;

	write_elements(m, &chunk, CHUNK_BYTES);
	any = chunk.len > 0;
	if (any) {
		http_begin_chunk(to, chunk.len);
		buf_add_slice(to, buf_slice(&chunk));
		http_end_chunk(to);
	}
	to->failed |= chunk.failed;
	buf_free(&chunk);
	return any;
}

static void write_what_is_there(struct map *m, struct conn *conn, bool chunked)
{
	struct buf *to = &conn->out.bytes;
	/* Behind that, results wait in their items. */
	size_t step = purse_is_scarce(&conn->loop->purse) ? PARTS_SCARCE_BYTES : PARTS_WAITING_BYTES;
	size_t waiting = out_waiting(&conn->out);

	if (!chunked && waiting < step)
		write_elements(m, to, to->len + step - waiting);
	while (chunked && out_waiting(&conn->out) < step && write_chunk(m, to))
		;
}

static void add_head(struct buf *to, const struct wire *wire, struct slice id)
{
	char room[sizeof("Leat-Id: \r\n") + JOB_ID_MAX];
	struct buf headers = buf_on(room);

	buf_add_slice(&headers, SLICE("Leat-Id: "));
	buf_add_slice(&headers, id);
	buf_add_slice(&headers, SLICE("\r\n"));
	reply_chunked(to, wire, SLICE("application/x-ndjson"), buf_slice(&headers));
}

static void begin_answer(struct map *m, const struct exchange *ex, struct buf *to)
{
	m->begun = true;
	if (ex->wire.http)
		add_head(to, &ex->wire, slice_of(m->batch->whole->id));
	else
		resp_add_array(to, m->batch->count);
}

static void end_answer(const struct exchange *ex, struct buf *to)
{
	if (!ex->wire.http || !ex->wire.minor)
		return;
	http_last_chunk(to);
	buf_add_slice(to, SLICE("\r\n"));
}

/* Enough has been taken: the hands that were held go on. */
static void let_go(struct map *m)
{
	struct job *whole = m->batch->whole, *next;
	bool all = true;

	for (struct job *hand = batch_let_go(m->batch); hand; hand = next) {
		next = hand->next;
		if (admit_again(hand))
			continue;
		batch_hold_on(hand);
		all = false;
	}
	if (!all)
		wheel_set(&whole->loop->wheel, &whole->timer, moment_min(whole->deadline, moment_add(whole->loop->now, RETRY_NS)));
}

static bool write_parts(struct parts *parts, struct exchange *ex)
{
	struct map *m = container_of(parts, struct map, parts);
	struct buf *to = &ex->conn->out.bytes;

	if (!m->begun)
		begin_answer(m, ex, to);
	write_what_is_there(m, ex->conn, ex->wire.http && ex->wire.minor);
	let_go(m);
	if (m->written == m->batch->count)
		end_answer(ex, to);
	parts->more = m->item != NULL || next_item(m) != NULL;
	return m->written == m->batch->count;
}

/* It is the same as the unit's, which ends when it is over. */
static void end_parts(struct parts *parts unused_arg, struct exchange *ex unused_arg)
{
}

/* --- The course of it --- */

/* All of it has ended. The hands that are left may wait for what they will not need. */
static void finish(struct map *m)
{
	struct job *whole = m->batch->whole;

	m->unit.over = true;
	wheel_remove(&whole->timer);
	batch_close(m->batch);
	ctx_cancel(whole->ctx);
	if (m->batch->abandoned == 0) {
		ids_release(whole->claim);
		whole->claim = NULL;
	}
	m->silent = batch_silence(m->batch);
	if (m->silent)
		whole->loop->jobs_out--;
	exchange_unit_over(&m->unit);
}

/* Takes note of what has ended. The map may be gone when this returns. */
static void look(struct map *m)
{
	struct batch *b = m->batch;

	if (m->unit.over)
		return;
	while (batch_next_over(b))
		;
	if (b->seen < b->count && b->succeeded_seen >= b->quorum) {
		ctx_cancel(b->whole->ctx);
		batch_give_up(b, CODE_CANCELED, b->whole->loop->now);
		while (batch_next_over(b))
			;
	}
	if (b->seen == b->count)
		finish(m);
	else if (m->unit.exchange)
		exchange_touch(m->unit.exchange);
}

void map_home(struct job *whole)
{
	struct unit *unit = whole->unit;

	/* For the last time. */
	if (!unit || unit->over) {
		whole->loop->jobs_out--;
	} else {
		batch_hush(whole->batch);
		look(of_unit(unit));
	}
	job_unref(whole);
}

static void on_deadline(struct map *m)
{
	struct job *whole = m->batch->whole;
	moment now = whole->loop->now;

	if (!whole->late)
		batch_give_up(m->batch, CODE_TIMEOUT, now);
	if (whole->late || !run_can_be_ended(whole))
		batch_abandon(m->batch, now);
	whole->late = true;
	wheel_set(&whole->loop->wheel, &whole->timer, moment_add(now, ABANDON_AFTER));
	look(m);
}

static void on_timer(struct wheel_timer *timer)
{
	struct job *whole = container_of(timer, struct job, timer);
	struct map *m = of_unit(whole->unit);

	if (whole->loop->now >= whole->deadline) {
		on_deadline(m);
		return;
	}
	/* Hands could not be sent on their way. */
	wheel_set(&whole->loop->wheel, timer, whole->deadline);
	look(m);
}

/* --- The unit --- */

static void list(struct unit *unit, struct inquiry_job *like, void (*add)(void *, const struct inquiry_job *), void *arg)
{
	const struct batch *b = of_unit(unit)->batch;

	memcpy(like->job, b->whole->type->name.at, b->whole->type->name.len);
	like->arrived = b->whole->arrived;
	like->deadline = b->whole->deadline;
	for (size_t i = 0; i < b->count; i++) {
		uint32_t state = shim_load(&b->items[i].state, relaxed);

		if (state == JOB_ENDED || state == JOB_ABANDONED)
			continue;
		like->running = state == JOB_RUNNING;
		batch_item_id(b, &b->items[i], like->id);
		add(arg, like);
	}
}

static void cancel_waiting(struct unit *unit)
{
	struct map *m = of_unit(unit);

	if (unit->over)
		return;
	batch_give_up(m->batch, CODE_CANCELED, m->batch->whole->loop->now);
	look(m);
}

static void cancel_running(struct unit *unit)
{
	ctx_cancel(of_unit(unit)->batch->whole->ctx);
}

/* `id` behind that of the batch and a dot. NULL: it is none of ours. */
static struct batch_item *find_item(struct batch *b, const char *id)
{
	size_t len = strlen(b->whole->id);
	uint64_t index;
	char own[JOB_ID_MAX + 1];

	if (strncmp(id, b->whole->id, len) != 0 || id[len] != '.' || !text_count(slice_of(id + len + 1), &index) || index >= b->count)
		return NULL;
	/* Written in one way only. */
	batch_item_id(b, &b->items[index], own);
	return strcmp(id, own) == 0 ? &b->items[index] : NULL;
}

static bool cancel(struct unit *unit, const char *id)
{
	struct map *m = of_unit(unit);
	struct batch *b = m->batch;
	struct batch_item *item;
	bool cancelled;

	if (unit->over)
		return false;
	if (strcmp(id, b->whole->id) == 0) {
		cancel_running(unit);
		cancel_waiting(unit);
		return true;
	}
	item = find_item(b, id);
	cancelled = item && batch_cancel_item(b, item, b->whole->loop->now);
	if (cancelled)
		look(m);
	return cancelled;
}

static void end_unit(struct unit *unit)
{
	struct map *m = of_unit(unit);
	struct job *whole = m->batch->whole;

	whole->unit = NULL;
	job_unref(whole);
	free(m);
}

static const struct unit_class map_class = {
	.list = list, .cancel = cancel, .cancel_waiting = cancel_waiting, .cancel_running = cancel_running, .end = end_unit,
};

/* --- Begin --- */

static void await(struct map *m, struct exchange *ex)
{
	struct loop *loop = ex->conn->loop;
	struct job *whole = m->batch->whole;

	/* Of HTTP/1.0 it ends with the connection. */
	if (ex->wire.http && !ex->wire.minor) {
		ex->wire.keep_alive = false;
		ex->close_after = true;
	}
	loop->jobs_out++;
	/* Only this thread looks at these, when the whole has come home, so it is in time. */
	whole->unit = &m->unit;
	whole->loop = loop;
	whole->timer.fire = on_timer;
	wheel_set(&loop->wheel, &whole->timer, whole->deadline);
	if (!exchange_await_unit(ex, &m->unit, &m->parts))
		cancel(&m->unit, whole->id);
}

static void submit(struct exchange *ex, const struct map_request *r, struct map *m)
{
	struct conn *conn = ex->conn;
	struct requester requester = { .ctx = exchange_ctx(ex), .home = conn->loop->done, .peer = &conn->peer };
	struct batch_order order = { .payloads = r->payloads, .count = r->count, .bytes = bytes_of(r), .width = r->width,
				     .quorum = r->quorum ? r->quorum : r->count, .http = ex->wire.http };
	struct answer refusal;

	if (!requester.ctx) {
		free(m);
		return;
	}
	if (is_possible(conn->loop->catalogue, r, order.bytes, &refusal))
		m->batch = request_submit_batch(conn->loop->catalogue, &r->request, &order, &requester, conn->loop->now, &refusal);
	if (m->batch) {
		await(m, ex);
		return;
	}
	free(m);
	exchange_refuse(ex, &refusal);
}

void map_run(struct exchange *ex, const struct map_request *r)
{
	struct map *m;

	if (!exchange_may_run(ex, r->request.job))
		return;
	m = malloc(sizeof(*m));
	if (!m) {
		ex->conn->broken = true;
		return;
	}
	*m = (struct map){ .unit.class = &map_class, .parts = { .write = write_parts, .end = end_parts },
			   .as_they_end = r->as_they_end };
	submit(ex, r, m);
}
