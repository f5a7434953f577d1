/* GLib's queue in the benchmark. It has no capacity: nobody waits for a place, senders run ahead, and each element is a list node
 * that it allocates. What needs a bound, a meeting or a choice it cannot do. */
#include "scenarios.h"

#include <glib.h>

/* Elements are pointers and never NULL. The last one says that the queue is closed. */
static gpointer elem_of(uint64_t value)
{
	return GSIZE_TO_POINTER(value + 1);
}

#define CLOSED elem_of(UINT64_MAX - 1)

static struct queue *queue_new(size_t capacity, bool single)
{
	(void)capacity;
	(void)single;
	return (struct queue *)g_async_queue_new();
}

static void queue_send(struct queue *q, uint64_t value)
{
	g_async_queue_push((GAsyncQueue *)q, elem_of(value));
}

static bool queue_recv(struct queue *q, uint64_t *value)
{
	gpointer elem = g_async_queue_pop((GAsyncQueue *)q);

	/* For the next one who receives. */
	if (elem == CLOSED)
		g_async_queue_push((GAsyncQueue *)q, elem);
	*value = GPOINTER_TO_SIZE(elem) - 1;
	return elem != CLOSED;
}

static void queue_close(struct queue *q)
{
	g_async_queue_push((GAsyncQueue *)q, CLOSED);
}
