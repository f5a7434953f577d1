#include "history.h"

#include "../../lib/shim.h"

#include <stdio.h>
#include <stdlib.h>

/* A read-modify-write: what the thread has stored before is visible. In the explorer this is no step. */
static uint64_t ticket(struct log *log)
{
#ifdef SHIM_OWN_ATOMICS
	explore_drain();
#endif
	return atomic_fetch_add(log->clock, 1);
}

static struct op *begin(struct log *log, enum op_kind kind, uint8_t number)
{
	struct op *op;

	if (log->count == log->room)
		abort();
	op = &log->ops[log->count++];
	*op = (struct op){ .kind = kind, .chan = number, .ret = UINT64_MAX };
	op->call = ticket(log);
	return op;
}

static enum chan_status end(struct log *log, struct op *op, uint32_t value, enum chan_status status)
{
	op->ret = ticket(log);
	op->value = value;
	op->status = (uint8_t)status;
	return status;
}

enum chan_status did_send(struct log *log, struct named c, uint32_t value, struct ctx *ctx, moment deadline)
{
	struct op *op = begin(log, DID_SEND, c.number);

	return end(log, op, value, chan_send(c.chan, &value, ctx, deadline));
}

enum chan_status did_recv(struct log *log, struct named c, uint32_t *value, struct ctx *ctx, moment deadline)
{
	struct op *op = begin(log, DID_RECV, c.number);
	enum chan_status status = chan_recv(c.chan, value, ctx, deadline);

	return end(log, op, *value, status);
}

enum chan_status did_try_send(struct log *log, struct named c, uint32_t value)
{
	struct op *op = begin(log, DID_SEND, c.number);

	return end(log, op, value, chan_try_send(c.chan, &value));
}

enum chan_status did_try_recv(struct log *log, struct named c, uint32_t *value)
{
	struct op *op = begin(log, DID_RECV, c.number);
	enum chan_status status = chan_try_recv(c.chan, value);

	return end(log, op, *value, status);
}

enum chan_status did_poll(struct log *log, struct named c, uint32_t *value)
{
	uint64_t call = ticket(log);
	enum chan_status status = chan_try_recv(c.chan, value);
	struct op *op;

	if (status == CHAN_WOULD_BLOCK)
		return status;
	op = begin(log, DID_RECV, c.number);
	op->call = call;
	return end(log, op, *value, status);
}

enum chan_status did_close(struct log *log, struct named c)
{
	struct op *op = begin(log, DID_CLOSE, c.number);

	return end(log, op, 0, chan_close(c.chan));
}

/* One call that did several things, in order. Not at one instant: those who wait may be served in between. They are written
 * down when it is over, so that they stand together. */
static void end_many(struct log *log, uint64_t call, struct op like, const uint32_t *values, size_t done)
{
	uint64_t ret = ticket(log);
	size_t i;

	for (i = 0; i == 0 || i < done; i++) {
		struct op *op = begin(log, like.kind, like.chan);
		*op = like;
		op->call = call;
		op->ret = ret;
		op->value = done ? values[i] : 0;
		op->after = i > 0;
		if (done)
			op->status = CHAN_OK;
	}
}

size_t did_send_many(struct log *log, struct named c, const uint32_t *values, size_t n, enum chan_status *why)
{
	uint64_t call = ticket(log);
	size_t done = chan_try_send_many(c.chan, values, n, why);

	end_many(log, call, (struct op){ .kind = DID_SEND, .chan = c.number, .status = (uint8_t)*why }, values, done);
	return done;
}

size_t did_recv_many(struct log *log, struct named c, uint32_t *values, size_t n, enum chan_status *why)
{
	uint64_t call = ticket(log);
	size_t done = chan_try_recv_many(c.chan, values, n, why);

	end_many(log, call, (struct op){ .kind = DID_RECV, .chan = c.number, .status = (uint8_t)*why }, values, done);
	return done;
}

struct swept {
	uint32_t values[64];
	size_t count;
};

static bool keep_even(void *elem, void *arg)
{
	struct swept *swept = arg;
	uint32_t value = *(uint32_t *)elem;

	if (value % 2 == 0)
		return true;
	swept->values[swept->count++ % 64] = value;
	return false;
}

size_t did_sweep_odd(struct log *log, struct named c)
{
	uint64_t call = ticket(log);
	struct swept swept = { .count = 0 };
	size_t said = chan_sweep(c.chan, keep_even, &swept);

	if (said != swept.count)
		abort();
	end_many(log, call, (struct op){ .kind = DID_SWEEP, .chan = c.number }, swept.values, said);
	return said;
}

static uint32_t value_of(const struct chan_case *one)
{
	return one->elem ? *(uint32_t *)one->elem : 0;
}

static enum op_kind kind_of(const struct chan_case *one)
{
	return one->op == CHAN_OP_SEND ? DID_SEND : DID_RECV;
}

/* None was ready: all of this was so at one instant. */
static void end_none(struct log *log, uint64_t call, const struct chan_case *cases, const uint8_t *numbers, int n,
	enum chan_status why)
{
	uint64_t ret = ticket(log);
	bool joined = false;
	int i;

	for (i = 0; i < n; i++) {
		struct op *op;
		if (numbers[i] == UNNAMED || !cases[i].chan)
			continue;
		op = begin(log, kind_of(&cases[i]), numbers[i]);
		*op = (struct op){ call, ret, value_of(&cases[i]), op->kind, op->chan, (uint8_t)why, joined, false };
		joined = true;
	}
}

int did_select(struct log *log, struct chan_case *cases, const uint8_t *numbers, int n, bool ordered, struct ctx *ctx,
	moment deadline, enum chan_status *why)
{
	uint64_t call = ticket(log);
	int index = (ordered ? chan_select_ordered : chan_select)(cases, n, ctx, deadline, why);
	struct op *op;

	if (index < 0) {
		end_none(log, call, cases, numbers, n, *why);
	} else if (numbers[index] != UNNAMED) {
		op = begin(log, kind_of(&cases[index]), numbers[index]);
		op->call = call;
		end(log, op, value_of(&cases[index]), cases[index].status);
	}
	return index;
}

void history_print(const struct history *h)
{
	static const char *const names[] = { "send", "recv", "close", "sweep" };
	size_t i;

	for (i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];
		printf("    %llu-%llu %s %d value %u %s%s\n", (unsigned long long)op->call, (unsigned long long)op->ret, names[op->kind],
			op->chan, op->value, chan_status_name(op->status), op->joined ? ", at the same instant" : "");
	}
}
