#include "pool.h"
#include "chan.h"
#include "lock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_NAME_BYTES = 16 };

struct pool {
	struct pool_options options;   /* set once; without a name */
	char name[THREAD_NAME_BYTES];
	struct chan *work;
	struct waitgroup *runners;
	shim_u32 callers;              /* references of the program: together they hold one of `refs` */
	shim_u32 refs;                 /* and each runner holds one */

	struct lock lock;              /* guards the rest */
	shim_size threads;             /* these two are also read without it */
	shim_size outstanding;
	bool stopped;
};

struct runner {
	struct pool *pool;
	_Alignas(max_align_t) unsigned char elem[];
};

static bool is_possible(const struct pool_options *options)
{
	size_t places, bytes;

	return options->run && options->max_threads > 0 &&
		!__builtin_add_overflow(options->max_threads, options->capacity, &places) &&
		!__builtin_add_overflow(options->elem_size, sizeof(struct runner), &bytes);
}

struct pool *pool_start(const struct pool_options *options)
{
	struct pool *pool;

	if (!is_possible(options))
		return NULL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->options = *options;
	pool->options.name = NULL;
	if (options->name)
		strncpy(pool->name, options->name, sizeof(pool->name) - 1);
	shim_init(&pool->callers, 1);
	shim_init(&pool->refs, 1);
	pool->work = chan_new(options->elem_size, options->max_threads + options->capacity);
	pool->runners = waitgroup_new();
	if (pool->work && pool->runners)
		return pool;
	chan_unref(pool->work);
	waitgroup_unref(pool->runners);
	free(pool);
	return NULL;
}

static void release(struct pool *pool)
{
	if (shim_sub(&pool->refs, 1, acq_rel) != 1)
		return;
	chan_unref(pool->work);
	waitgroup_unref(pool->runners);
	free(pool);
}

static void settle(struct pool *pool, size_t pieces)
{
	lock_acquire(&pool->lock);
	shim_sub(&pool->outstanding, pieces, relaxed);
	lock_release(&pool->lock);
}

/* A runner may go if the others are enough for what there is. Submitting counts its piece under the same lock before it
 * puts it into the channel, so no piece is left alone. */
static bool leave(struct pool *pool, bool closed)
{
	bool may;

	lock_acquire(&pool->lock);
	may = closed || shim_load(&pool->outstanding, relaxed) < shim_load(&pool->threads, relaxed);
	if (may)
		shim_sub(&pool->threads, 1, relaxed);
	lock_release(&pool->lock);
	return may;
}

static void range(struct runner *r)
{
	struct pool *pool = r->pool;
	const struct pool_options *o = &pool->options;
	enum chan_status status;

	do {
		status = chan_recv(pool->work, r->elem, NULL, o->idle_ns > 0 ? moment_in(o->idle_ns) : FOREVER);
		if (status == CHAN_OK) {
			o->run(r->elem, o->arg);
			settle(pool, 1);
		}
	} while (status == CHAN_OK || !leave(pool, status == CHAN_CLOSED));
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct pool *pool = r->pool;

	if (pool->name[0])
		pthread_setname_np(pthread_self(), pool->name);
	range(r);
	free(r);
	waitgroup_done(pool->runners);
	release(pool);
	return NULL;
}

static int create_thread(struct pool *pool, struct runner *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	error = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!error && pool->options.stack_bytes)
		error = pthread_attr_setstacksize(&attr, pool->options.stack_bytes);
	if (!error)
		error = pthread_create(&thread, &attr, runner_main, r);
	pthread_attr_destroy(&attr);
	return error;
}

/* A thread inherits the mask: blocked before it exists, no signal can find a runner. */
static bool start_thread(struct pool *pool, struct runner *r)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return false;
	error = create_thread(pool, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

static void start_runner_locked(struct pool *pool)
{
	struct runner *r = malloc(sizeof(*r) + pool->options.elem_size);

	if (!r)
		return;
	r->pool = pool;
	waitgroup_add(pool->runners, 1);
	shim_add(&pool->refs, 1, relaxed);
	shim_add(&pool->threads, 1, relaxed);
	if (start_thread(pool, r))
		return;
	shim_sub(&pool->threads, 1, relaxed);
	shim_sub(&pool->refs, 1, relaxed);
	waitgroup_done(pool->runners);
	free(r);
}

/* Counts one piece more, and starts a runner if those that are there have their hands full. */
static enum chan_status admit_locked(struct pool *pool)
{
	const struct pool_options *o = &pool->options;
	size_t pieces = shim_load(&pool->outstanding, relaxed);
	size_t threads = shim_load(&pool->threads, relaxed);

	if (pool->stopped)
		return CHAN_CLOSED;
	if (pieces >= o->max_threads + o->capacity)
		return CHAN_WOULD_BLOCK;
	if (pieces >= threads && threads < o->max_threads)
		start_runner_locked(pool);
	if (shim_load(&pool->threads, relaxed) <= (o->thread_each ? pieces : 0))
		return CHAN_NOMEM;
	shim_add(&pool->outstanding, 1, relaxed);
	return CHAN_OK;
}

enum chan_status pool_try_submit(struct pool *pool, const void *elem)
{
	enum chan_status status;

	lock_acquire(&pool->lock);
	status = admit_locked(pool);
	lock_release(&pool->lock);
	if (status != CHAN_OK)
		return status;
	/* There is a place for every piece that is counted; only stopping can come between. */
	status = chan_try_send(pool->work, elem);
	if (status != CHAN_OK)
		settle(pool, 1);
	return status;
}

size_t pool_sweep(struct pool *pool, bool (*keep)(void *elem, void *arg), void *arg)
{
	size_t taken = chan_sweep(pool->work, keep, arg);

	settle(pool, taken);
	return taken;
}

size_t pool_threads(const struct pool *pool)
{
	return shim_load(&pool->threads, relaxed);
}

size_t pool_outstanding(const struct pool *pool)
{
	return shim_load(&pool->outstanding, relaxed);
}

struct chan *pool_chan(struct pool *pool)
{
	return pool->work;
}

static void stop(struct pool *pool)
{
	lock_acquire(&pool->lock);
	pool->stopped = true;
	lock_release(&pool->lock);
	chan_close(pool->work);
}

enum chan_status pool_stop(struct pool *pool, struct ctx *ctx, moment deadline)
{
	stop(pool);
	return waitgroup_wait(pool->runners, ctx, deadline);
}

struct pool *pool_ref(struct pool *pool)
{
	shim_add(&pool->callers, 1, relaxed);
	return pool;
}

void pool_unref(struct pool *pool)
{
	if (!pool || shim_sub(&pool->callers, 1, acq_rel) != 1)
		return;
	stop(pool);
	release(pool);
}
