/* What is promised of leat's channels and has no peer, each a line `NAME FIGURE...`:
 *
 *	watch MESSAGES ARMS WRITES     a busy producer, and an event loop that watches: how often the descriptor was written
 *	memory BYTES                   of a channel of capacity 0
 *	cancel MS_OF_THE_CALL MS       from ctx_cancel() until it is back, and until the last of 1,000 waiters is */
#include "../../../lib/chan.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHANNELS = 1000, WAITERS = 1000, BATCH = 64 };

static const uint64_t messages = 2000000;

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "%s\n", what);
		exit(1);
	}
}

static void *send_messages(void *arg)
{
	struct chan *c = arg;
	uint64_t i;

	for (i = 0; i < messages; i++)
		must(chan_send(c, &i, NULL, FOREVER) == CHAN_OK, "not sent");
	chan_close(c);
	return NULL;
}

/* The kernel counts the calls of write() of all threads of the process. */
static uint64_t writes_so_far(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	uint64_t writes = 0;
	bool found = false;
	char line[128];

	must(f, "no /proc/self/io");
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "syscw: %" SCNu64, &writes) == 1;
	must(found, "no syscw in /proc/self/io");
	fclose(f);
	return writes;
}

static void watch(void)
{
	struct chan *c = chan_new(sizeof(uint64_t), 128);
	uint64_t got = 0, arms = 0, before, batch[BATCH];
	enum chan_status why = CHAN_WOULD_BLOCK;
	struct pollfd p = { .events = POLLIN };
	struct chan_watch *w;
	pthread_t producer;
	size_t n;

	must(c, "no memory");
	w = chan_watch_new(c, &p.fd);
	must(w, "no watch");
	before = writes_so_far();
	must(!pthread_create(&producer, NULL, send_messages, c), "no thread");
	while (why != CHAN_CLOSED) {
		if (chan_watch_arm(w)) {
			arms++;
			must(poll(&p, 1, -1) == 1, "not woken");
		}
		do {
			n = chan_try_recv_many(c, batch, BATCH, &why);
			got += n;
		} while (n == BATCH);
	}
	pthread_join(producer, NULL);
	must(got == messages, "void: what was sent was not received");
	printf("watch %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", messages, arms, writes_so_far() - before);
	chan_watch_free(w);
	chan_unref(c);
}

static void memory(void)
{
	struct chan *all[CHANNELS];
	size_t before = mallinfo2().uordblks;
	int i;

	for (i = 0; i < CHANNELS; i++) {
		all[i] = chan_new(sizeof(uint64_t), 0);
		must(all[i], "no memory");
	}
	printf("memory %zu\n", (mallinfo2().uordblks - before) / CHANNELS);
	for (i = 0; i < CHANNELS; i++)
		chan_unref(all[i]);
}

struct waiter {
	struct chan *chan;
	struct ctx *ctx;
	_Atomic int *entered;
	moment back;
	pthread_t thread;
};

static void *wait_for_cancel(void *arg)
{
	struct waiter *w = arg;
	uint64_t value;

	atomic_fetch_add(w->entered, 1);
	must(chan_recv(w->chan, &value, w->ctx, FOREVER) == CHAN_CANCELED, "not cancelled");
	w->back = moment_now();
	return NULL;
}

static bool is_asleep(const char *thread)
{
	char path[300], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/stat", thread);
	f = fopen(path, "r");
	must(f, "no /proc/self/task");
	must(fscanf(f, "%*d %*s %c", &state) == 1, "no state");
	fclose(f);
	return state == 'S';
}

static int asleep(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	must(dir, "no /proc/self/task");
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.' && is_asleep(e->d_name);
	closedir(dir);
	return n;
}

static void cancel(void)
{
	static struct waiter waiters[WAITERS];
	struct chan *c = chan_new(sizeof(uint64_t), 0);
	struct ctx *ctx = ctx_with_cancel(NULL);
	const struct timespec tick = { .tv_nsec = 10 * MILLISECONDS };
	moment began, called, last = 0;
	_Atomic int entered = 0;
	pthread_attr_t attr;
	int i;

	must(c && ctx, "no memory");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){ .chan = c, .ctx = ctx, .entered = &entered };
		must(!pthread_create(&waiters[i].thread, &attr, wait_for_cancel, &waiters[i]), "no thread");
	}
	while (atomic_load(&entered) < WAITERS || asleep() < WAITERS)
		nanosleep(&tick, NULL);
	began = moment_now();
	ctx_cancel(ctx);
	called = moment_now();
	for (i = 0; i < WAITERS; i++) {
		pthread_join(waiters[i].thread, NULL);
		if (waiters[i].back > last)
			last = waiters[i].back;
	}
	printf("cancel %.2f %.2f\n", (double)(called - began) / 1e6, (double)(last - began) / 1e6);
	ctx_unref(ctx);
	chan_unref(c);
}

int main(void)
{
	watch();
	memory();
	cancel();
	return 0;
}
