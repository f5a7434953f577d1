#include "forecast.h"

#include "semaphores.h"

/* Longer than any deadline: says no more, and fits. */
#define WAIT_MOST_NS (INT64_C(1000000) * SECONDS)

/* What `waiting` jobs and those that run have still to do, one after the other, in nanoseconds. */
static double work_of(const struct type *type, uint64_t waiting, struct books_running running)
{
	double mean = (double)estimate_mean(&type->estimate);
	double left = mean * (double)running.count - (double)running.elapsed_ns;

	return mean * (double)waiting + (left > 0 ? left : 0);
}

static int64_t shared_by(double work, uint64_t servers)
{
	double wait = work / (double)servers;

	return wait < (double)WAIT_MOST_NS ? (int64_t)wait : WAIT_MOST_NS;
}

static uint64_t waiting_of(uint64_t inside, struct books_running running)
{
	return inside > running.count ? inside - running.count : 0;
}

/* One that took over from it has the same books: it counts for both. */
static bool is_counted_later(const struct named_semaphore *semaphore, size_t i)
{
	for (size_t later = i + 1; later < semaphore->user_count; later++) {
		if (semaphore->users[later]->books == semaphore->users[i]->books)
			return true;
	}
	return false;
}

/* Those of other types get ahead of a job of ours only as fast as their runners and ours let them come to the semaphore. */
static int64_t wait_for_permit(const struct type *ours, uint64_t before, struct named_semaphore *semaphore, moment now)
{
	uint64_t rounds = before / ours->config->concurrency + 1, jobs = 0;
	double work = 0;

	lock_acquire(&semaphore->lock);
	for (size_t i = 0; i < semaphore->user_count; i++) {
		const struct type *type = semaphore->users[i];
		struct books_running running = books_running(type->books, now);
		uint64_t waiting = waiting_of(type->books == ours->books ? before : books_in_line(type->books), running);
		uint64_t in_time = rounds * type->config->concurrency;

		if (is_counted_later(semaphore, i))
			continue;
		if (type->books != ours->books && waiting > in_time)
			waiting = in_time;
		work += work_of(type, waiting, running);
		jobs += waiting + running.count;
	}
	lock_release(&semaphore->lock);
	return jobs < semaphore->config->permits ? 0 : shared_by(work, semaphore->config->permits);
}

int64_t forecast_wait(const struct type *type, uint64_t own, moment now)
{
	uint64_t inside = books_in_line(type->books);
	uint64_t before = inside > own ? inside - own : 0;
	int64_t wait = 0;

	if (before >= type->config->concurrency) {
		struct books_running running = books_running(type->books, now);

		wait = shared_by(work_of(type, waiting_of(before, running), running), type->config->concurrency);
	}
	for (size_t i = 0; i < type->uses_count; i++) {
		int64_t longer = wait_for_permit(type, before, type->uses[i], now);

		wait = longer > wait ? longer : wait;
	}
	return wait;
}

int64_t forecast_need(const struct type *type)
{
	int64_t median = estimate_median(&type->estimate);
	int64_t grace = type->config->grace;

	if (!config_runs_programs(type->config) && type->config->kind != KIND_PLUGIN)
		return median;
	/* It is told to end `grace` before the deadline, but at most a quarter of the time that is left at the start. */
	return median + (median / 3 < grace ? median / 3 : grace);
}
