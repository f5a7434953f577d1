#include "crew.h"
#include "chan.h"
#include "shim.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_NAME_BYTES = 16 };

struct crew {
	struct crew_order order;   /* set once; without a name */
	char name[THREAD_NAME_BYTES];
	struct chan *gate;         /* closed when it is known whether they run */
	bool go;                   /* set before that */
	shim_size next;            /* the index of the next who comes */
	shim_size left;            /* how many have not left; set before the gate is opened */
};

static void crew_free(struct crew *crew)
{
	chan_unref(crew->gate);
	free(crew);
}

static void *member_main(void *arg)
{
	struct crew *crew = arg;
	const struct crew_order *o = &crew->order;

	if (crew->name[0])
		pthread_setname_np(pthread_self(), crew->name);
	chan_recv(crew->gate, NULL, NULL, FOREVER);
	if (crew->go)
		o->run(shim_add(&crew->next, 1, relaxed), o->arg);
	if (shim_sub(&crew->left, 1, acq_rel) != 1)
		return NULL;
	if (crew->go && o->over)
		o->over(o->arg);
	crew_free(crew);
	return NULL;
}

/* How many could be started. */
static size_t start_members(struct crew *crew)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t n = 0;

	if (pthread_attr_init(&attr))
		return 0;
	if (pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0) {
		while (n < crew->order.count && pthread_create(&thread, &attr, member_main, crew) == 0)
			n++;
	}
	pthread_attr_destroy(&attr);
	return n;
}

/* A thread inherits the mask: blocked before it exists, no signal can find it. */
static size_t start_deaf_members(struct crew *crew)
{
	sigset_t all, before;
	size_t n;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return 0;
	n = start_members(crew);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n;
}

static struct crew *crew_new(const struct crew_order *order)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return NULL;
	crew->order = *order;
	crew->order.name = NULL;
	if (order->name)
		strncpy(crew->name, order->name, sizeof(crew->name) - 1);
	crew->gate = chan_new(0, 0);
	if (crew->gate)
		return crew;
	free(crew);
	return NULL;
}

bool crew_start(const struct crew_order *order)
{
	struct crew *crew;
	struct chan *gate;
	size_t started;
	bool go;

	if (order->count == 0) {
		if (order->over)
			order->over(order->arg);
		return true;
	}
	crew = crew_new(order);
	if (!crew)
		return false;
	started = start_deaf_members(crew);
	go = started == order->count;
	crew->go = go;
	shim_store(&crew->left, started, relaxed);
	if (started == 0) {
		crew_free(crew);
		return false;
	}
	/* With the gate open the crew may be gone; the gate is not, before we have let go of it. */
	gate = chan_ref(crew->gate);
	chan_close(gate);
	chan_unref(gate);
	return go;
}
