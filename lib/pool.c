#include "pool.h"
#include "chan.h"
#include "lock.h"
#include "patience.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_NAME_BYTES = 16 };

/* Pieces that are over sooner than another runner could have been woken for them. */
#define BRIEF (5 * MICROSECONDS)
/* One piece says no more than that of the others. */
#define LONG_ENOUGH (10 * BRIEF)
/* How long a piece may lie behind a long one although all before were brief. */
#define SENTINEL_EVERY MILLISECONDS
/* A runner waits awake for so long whatever it has learned. */
#define LOOK_LEAST (20 * MICROSECONDS)

enum { MEAN_OF = 8 };

/* One runner looks for work, and it is the only one; the others that are idle wait to be called. Whoever brings work calls one, unless
 * one is looking or has been called and is on its way; and whoever was looking and finds more than it can carry calls the next. So little
 * work is done by few, while much work wakes all, one after the other. After the spinning threads of Go's scheduler (Vyukov,
 * "Scalable Go Scheduler Design Doc", 2012).
 *   While pieces are brief, nobody is called as long as a runner is busy, which will sooner be through with them. As that is only likely, one of
 * those who wait is the sentinel, who comes by himself every now and then; without one, calls are made. */
struct pool {
	struct pool_options options;   /* set once; without a name */
	char name[THREAD_NAME_BYTES];
	struct chan *work;             /* used under the lock */
	struct semaphore *calls;       /* each permit wakes one that waits; there are none at first */
	struct waitgroup *runners;
	shim_u32 callers;              /* references of the program: together they hold one of `refs` */
	shim_u32 refs;                 /* and each runner holds one */
	struct patience patience;      /* of the one that looks */

	struct lock lock;              /* guards the rest */
	shim_size threads;             /* these two are also read without it */
	shim_size outstanding;
	size_t waiting;                /* runners that wait to be called, and have not been */
	size_t taken;                  /* pieces, ever */
	int64_t mean;                  /* of what a piece has taken lately, in nanoseconds */
	bool looking, sentinel;        /* there is such a one */
	bool stopped;
};

struct runner {
	struct pool *pool;
	bool looking, sentinel;        /* it is me */
	bool by_itself;                /* it has not been called: then it does not look for more than there is */
	size_t seen;                   /* the sentinel: pieces that had been taken when it came last */
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
	pool->mean = LONG_ENOUGH;
	shim_init(&pool->callers, 1);
	shim_init(&pool->refs, 1);
	pool->work = chan_new(options->elem_size, options->max_threads + options->capacity);
	pool->calls = semaphore_new(options->max_threads);
	pool->runners = waitgroup_new();
	if (pool->work && pool->calls && pool->runners && semaphore_acquire(pool->calls, options->max_threads, NULL, NOW) == CHAN_OK)
		return pool;
	chan_unref(pool->work);
	semaphore_unref(pool->calls);
	waitgroup_unref(pool->runners);
	free(pool);
	return NULL;
}

static void release(struct pool *pool)
{
	if (shim_sub(&pool->refs, 1, acq_rel) != 1)
		return;
	chan_unref(pool->work);
	semaphore_unref(pool->calls);
	waitgroup_unref(pool->runners);
	free(pool);
}

/* ---- Runners ---- */

/* Whether one is to be called, and then by us. */
static bool call_one_locked(struct pool *pool)
{
	if (pool->looking || pool->waiting == 0)
		return false;
	if (pool->sentinel && pool->mean < BRIEF && pool->waiting < shim_load(&pool->threads, relaxed))
		return false;
	pool->looking = true;
	pool->waiting--;
	return true;
}

/* A sentinel that has seen nothing happen is no longer needed. */
static void begin_to_wait_locked(struct runner *r)
{
	struct pool *pool = r->pool;

	pool->waiting++;
	if (pool->sentinel || pool->mean >= BRIEF || r->seen == pool->taken)
		return;
	r->sentinel = pool->sentinel = true;
	r->seen = pool->taken;
}

static void end_locked(struct pool *pool, int64_t took)
{
	shim_sub(&pool->outstanding, 1, relaxed);
	pool->mean += ((took < LONG_ENOUGH ? took : LONG_ENOUGH) - pool->mean) / MEAN_OF;
}

/* The next piece, or CHAN_CLOSED; CHAN_WOULD_BLOCK: there is none, and with r->looking it is ours to look for one, otherwise to wait for a
 * call. `took`: how long the last one has taken, if not negative. */
static enum chan_status take(struct runner *r, int64_t took)
{
	struct pool *pool = r->pool;
	enum chan_status status;
	bool call = false;

	lock_acquire(&pool->lock);
	if (took >= 0)
		end_locked(pool, took);
	status = chan_try_recv(pool->work, r->elem);
	if (status == CHAN_WOULD_BLOCK && !r->looking && !pool->looking && !r->by_itself) {
		r->looking = pool->looking = true;
	} else {
		pool->looking &= !r->looking;
		r->looking = r->by_itself = false;
		if (status == CHAN_WOULD_BLOCK)
			begin_to_wait_locked(r);
		else
			call = chan_len(pool->work) > 0 && call_one_locked(pool);
	}
	pool->taken += status == CHAN_OK;
	lock_release(&pool->lock);
	if (call)
		semaphore_release(pool->calls, 1);
	return status;
}

static bool has_work(const struct pool *pool)
{
	return chan_len(pool->work) > 0 || chan_is_closed(pool->work);
}

/* Awake: a little in any case, since in the middle of a batch the next piece comes soon, and longer if that has been worth it. */
static void look(struct pool *pool)
{
	moment began = moment_now(), now = began;

	while (!has_work(pool) && now - began < LOOK_LEAST) {
		cpu_yield();
		now = moment_now();
	}
	now = began;
	while (!has_work(pool) && patience_wait(&pool->patience, began, &now))
		;
}

/* Until it is called or, the sentinel, comes by itself. False: nobody called for so long that it might end. */
static bool await_call(struct runner *r, moment idle_until)
{
	struct pool *pool = r->pool;
	moment until = r->sentinel ? moment_in(SENTINEL_EVERY) : idle_until;
	bool called = semaphore_acquire(pool->calls, 1, NULL, until) == CHAN_OK;
	bool late;

	lock_acquire(&pool->lock);
	/* Have all that wait been called, then so have we. */
	late = !called && pool->waiting == 0;
	r->looking = called || late;
	r->by_itself = r->sentinel && !r->looking;
	pool->waiting -= !r->looking;
	pool->sentinel &= !r->sentinel;
	r->sentinel = false;
	lock_release(&pool->lock);
	if (late)
		semaphore_acquire(pool->calls, 1, NULL, FOREVER);
	return r->looking || r->by_itself;
}

/* As take(), but it waits for it. CHAN_TIMED_OUT: nothing came for so long that it might end. */
static enum chan_status next_piece(struct runner *r, int64_t took)
{
	struct pool *pool = r->pool;
	enum chan_status status = take(r, took);
	moment since, idle_until = FOREVER;

	if (status != CHAN_WOULD_BLOCK)
		return status;
	since = moment_now();
	if (pool->options.idle_ns > 0)
		idle_until = moment_add(since, pool->options.idle_ns);
	do {
		if (r->looking)
			look(pool);
		else if (!await_call(r, idle_until))
			return CHAN_TIMED_OUT;
		status = take(r, -1);
	} while (status == CHAN_WOULD_BLOCK);
	patience_learn(&pool->patience, moment_now() - since);
	return status;
}

/* A runner may go if the others are enough for what there is. */
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
	const struct pool_options *o = &r->pool->options;
	enum chan_status status;
	int64_t took = -1;

	do {
		while ((status = next_piece(r, took)) == CHAN_OK) {
			moment began = moment_now();

			o->run(r->elem, o->arg);
			took = moment_now() - began;
		}
		took = -1;
	} while (!leave(r->pool, status == CHAN_CLOSED));
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
	r->looking = r->sentinel = r->by_itself = false;
	r->seen = 0;
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

/* Starts a runner for one piece more if those that are there have their hands full. */
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
	return CHAN_OK;
}

enum chan_status pool_try_submit(struct pool *pool, const void *elem)
{
	enum chan_status status;
	bool call = false;

	lock_acquire(&pool->lock);
	status = admit_locked(pool);
	if (status == CHAN_OK) {
		shim_add(&pool->outstanding, 1, relaxed);
		/* There is a place for every piece that is counted. */
		(void)chan_try_send(pool->work, elem);
		call = call_one_locked(pool);
	}
	lock_release(&pool->lock);
	if (call)
		semaphore_release(pool->calls, 1);
	return status;
}

size_t pool_sweep(struct pool *pool, bool (*keep)(void *elem, void *arg), void *arg)
{
	size_t taken;

	lock_acquire(&pool->lock);
	taken = chan_sweep(pool->work, keep, arg);
	shim_sub(&pool->outstanding, taken, relaxed);
	lock_release(&pool->lock);
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
	size_t waiting;

	lock_acquire(&pool->lock);
	pool->stopped = true;
	chan_close(pool->work);
	waiting = pool->waiting;
	pool->waiting = 0;
	lock_release(&pool->lock);
	semaphore_release(pool->calls, waiting);
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
