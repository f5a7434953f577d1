#include "ordered.h"
#include "shim.h"

#include <stdlib.h>

struct ordered {
	shim_u32 refs;
	struct chan_options result;   /* of a place */
	struct chan *line;            /* of struct chan *: the places, each with a reference */
	struct chan *head;            /* taken out of the line, but its result has not come; the receiver's */
};

static void drop_place(void *elem, unused_arg void *arg)
{
	chan_unref(*(struct chan **)elem);
}

struct ordered *ordered_new(const struct chan_options *result)
{
	struct chan_options line = { .elem_size = sizeof(struct chan *), .capacity = result->capacity, .drop = drop_place };
	struct ordered *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	shim_init(&o->refs, 1);
	o->result = *result;
	o->result.capacity = 1;
	o->line = chan_new_with(&line);
	if (o->line)
		return o;
	free(o);
	return NULL;
}

struct ordered *ordered_ref(struct ordered *o)
{
	shim_add(&o->refs, 1, relaxed);
	return o;
}

void ordered_unref(struct ordered *o)
{
	if (!o || shim_sub(&o->refs, 1, acq_rel) != 1)
		return;
	chan_unref(o->head);
	chan_unref(o->line);
	free(o);
}

struct chan *ordered_place(struct ordered *o, struct ctx *ctx, moment deadline, enum chan_status *why)
{
	struct chan *place = chan_new_with(&o->result);
	enum chan_status status = CHAN_NOMEM;

	if (place) {
		chan_ref(place);
		status = chan_send(o->line, &place, ctx, deadline);
		if (status != CHAN_OK)
			chan_unref(place);
	}
	if (why)
		*why = status;
	if (status == CHAN_OK)
		return place;
	chan_unref(place);
	return NULL;
}

enum chan_status ordered_recv(struct ordered *o, void *result, struct ctx *ctx, moment deadline)
{
	enum chan_status status;

	for (;;) {
		status = o->head ? CHAN_OK : chan_recv(o->line, &o->head, ctx, deadline);
		if (status != CHAN_OK)
			return status;
		status = chan_recv(o->head, result, ctx, deadline);
		if (status != CHAN_OK && status != CHAN_CLOSED)
			return status;
		chan_unref(o->head);
		o->head = NULL;
		if (status == CHAN_OK)
			return CHAN_OK;
	}
}

void ordered_close(struct ordered *o)
{
	chan_close(o->line);
}
