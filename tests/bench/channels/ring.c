/* The peer that C programs write: a ring under a mutex, and futexes to wait on, woken only when somebody waits. */
#define CAN_MEET
#define CAN_TRY
#include "scenarios.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A wake-up takes its waiter out of the count, so that the next one is not sent for the same waiter. */
struct gate {
	_Atomic uint32_t wakes;
	uint32_t waiting;
};

struct queue {
	pthread_mutex_t lock;
	struct gate not_empty, not_full, taken;
	bool meets, closed;
	size_t places;
	uint64_t sent, received;
	uint64_t elems[];
};

static void gate_wait(struct gate *g, pthread_mutex_t *lock)
{
	uint32_t seen = g->wakes;

	g->waiting++;
	pthread_mutex_unlock(lock);
	syscall(SYS_futex, &g->wakes, FUTEX_WAIT_PRIVATE, seen, NULL);
	pthread_mutex_lock(lock);
}

/* Under the lock. Whether gate_wake() is to be called after it. */
static bool gate_open(struct gate *g)
{
	if (!g->waiting)
		return false;
	g->waiting--;
	g->wakes++;
	return true;
}

static void gate_wake(struct gate *g, int n)
{
	syscall(SYS_futex, &g->wakes, FUTEX_WAKE_PRIVATE, n);
}

static struct queue *queue_new(size_t capacity, bool single)
{
	size_t places = capacity ? capacity : 1;
	struct queue *q = calloc(1, sizeof(*q) + places * sizeof(*q->elems));

	(void)single;
	must(q, "no memory");
	pthread_mutex_init(&q->lock, NULL);
	q->places = places;
	q->meets = !capacity;
	return q;
}

/* Under the lock, with a place free. */
static bool put(struct queue *q, uint64_t value)
{
	q->elems[q->sent++ % q->places] = value;
	return gate_open(&q->not_empty);
}

static void wait_until_taken(struct queue *q, uint64_t number)
{
	pthread_mutex_lock(&q->lock);
	while (q->received < number)
		gate_wait(&q->taken, &q->lock);
	pthread_mutex_unlock(&q->lock);
}

static void queue_send(struct queue *q, uint64_t value)
{
	uint64_t number;
	bool wake;

	pthread_mutex_lock(&q->lock);
	while (q->sent - q->received == q->places)
		gate_wait(&q->not_full, &q->lock);
	wake = put(q, value);
	number = q->sent;
	pthread_mutex_unlock(&q->lock);
	if (wake)
		gate_wake(&q->not_empty, 1);
	if (q->meets)
		wait_until_taken(q, number);
}

static bool queue_try_send(struct queue *q, uint64_t value)
{
	bool wake = false, full;

	pthread_mutex_lock(&q->lock);
	full = q->sent - q->received == q->places;
	if (!full)
		wake = put(q, value);
	pthread_mutex_unlock(&q->lock);
	if (wake)
		gate_wake(&q->not_empty, 1);
	return !full;
}

static bool queue_recv(struct queue *q, uint64_t *value)
{
	bool wake, wake_sender;

	pthread_mutex_lock(&q->lock);
	while (q->sent == q->received && !q->closed)
		gate_wait(&q->not_empty, &q->lock);
	if (q->sent == q->received) {
		pthread_mutex_unlock(&q->lock);
		return false;
	}
	*value = q->elems[q->received++ % q->places];
	wake = gate_open(&q->not_full);
	wake_sender = gate_open(&q->taken);
	pthread_mutex_unlock(&q->lock);
	if (wake_sender)
		gate_wake(&q->taken, 1);
	if (wake)
		gate_wake(&q->not_full, 1);
	return true;
}

static void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	q->not_empty.wakes++;
	pthread_mutex_unlock(&q->lock);
	gate_wake(&q->not_empty, INT_MAX);
}
