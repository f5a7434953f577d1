#include "late.h"
#include "crew.h"

#include <stdlib.h>
#include <string.h>

struct late {
	struct late_options options;
	struct chan *slot;
	struct ctx *ctx;
	void *input, *result;
};

static void run(unused_arg size_t index, void *arg)
{
	struct late *late = arg;

	late->options.run(late->input, late->result, late->ctx, late->options.arg);
	/* There is room, so this fails only if the caller has closed it, having walked away. */
	if (chan_try_send(late->slot, late->result) != CHAN_OK && late->options.result.drop)
		late->options.result.drop(late->result, late->options.result.drop_arg);
	chan_close(late->slot);
}

static void late_free(void *arg)
{
	struct late *late = arg;

	chan_unref(late->slot);
	ctx_unref(late->ctx);
	free(late->input);
	free(late->result);
	free(late);
}

static void *room_for(size_t size)
{
	return calloc(1, size ? size : 1);
}

static struct late *late_new(const struct late_options *options, const void *input, struct ctx *ctx)
{
	struct late *late = calloc(1, sizeof(*late));

	if (!late)
		return NULL;
	late->options = *options;
	late->options.name = NULL;
	late->options.result.capacity = 1;
	late->slot = chan_new_with(&late->options.result);
	late->ctx = ctx_ref(ctx);
	late->input = room_for(options->input_size);
	late->result = room_for(options->result.elem_size);
	if (!late->slot || !late->input || !late->result) {
		late_free(late);
		return NULL;
	}
	if (options->input_size)
		memcpy(late->input, input, options->input_size);
	return late;
}

struct chan *late_start(const struct late_options *options, const void *input, struct ctx *ctx)
{
	struct late *late = options->run ? late_new(options, input, ctx) : NULL;
	struct crew_order order = { .name = options->name, .count = 1, .run = run, .over = late_free, .arg = late };
	struct chan *slot;

	if (!late)
		return NULL;
	slot = chan_ref(late->slot);
	if (crew_start(&order))
		return slot;
	chan_unref(slot);
	late_free(late);
	return NULL;
}

enum chan_status late_call(const struct late_options *options, const void *input, void *result, struct ctx *ctx, moment deadline)
{
	/* Below the caller's, with the deadline of this call; cancelled in any case, which hurts nobody who is done. */
	struct ctx *ours = ctx_with_deadline(ctx, deadline);
	struct chan *slot = ours ? late_start(options, input, ours) : NULL;
	enum chan_status status = CHAN_NOMEM;

	if (slot)
		status = chan_recv(slot, result, ctx, deadline);
	chan_unref(slot);
	ctx_cancel(ours);
	ctx_unref(ours);
	return status;
}
