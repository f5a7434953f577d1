/* What the tests of the patterns share: elements that own memory and are counted, and whether threads have ended. */
#ifndef LEAT_TRACKED_H
#define LEAT_TRACKED_H

#include "testing.h"

#include "../../lib/chan.h"
#include "../../lib/sanitized.h"
#include "../../lib/shim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every number made is either freed by who received it or dropped: AddressSanitizer sees one that is neither, or both. */
struct ledger {
	shim_u32 made, dropped;
};

static inline int *number_new(struct ledger *ledger, int value)
{
	int *number = malloc(sizeof(*number));

	if (!number)
		abort();
	*number = value;
	shim_add(&ledger->made, 1, relaxed);
	return number;
}

/* What a received number was. */
static inline int number_take(int *number)
{
	int value = *number;

	free(number);
	return value;
}

static inline void number_drop(void *elem, void *arg)
{
	struct ledger *ledger = arg;

	free(*(int **)elem);
	shim_add(&ledger->dropped, 1, release);
}

static inline uint32_t made_of(struct ledger *ledger)
{
	return shim_load(&ledger->made, acquire);
}

static inline uint32_t dropped_of(struct ledger *ledger)
{
	return shim_load(&ledger->dropped, acquire);
}

/* Options of a channel of numbers. */
static inline struct chan_options numbers_of(struct ledger *ledger, size_t capacity)
{
	return (struct chan_options){ .elem_size = sizeof(int *), .capacity = capacity, .drop = number_drop, .drop_arg = ledger };
}

/* The threads of this process. Those of the patterns are detached, so this is how one sees that they have ended. Not by counting
 * /proc/self/task: one that ends while it is being read hides others. */
static inline size_t threads_now(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	size_t n = 0;

	ck_assert_ptr_nonnull(status);
	while (n == 0 && fgets(line, sizeof(line), status))
		n = strncmp(line, "Threads:", 8) == 0 ? strtoul(line + 8, NULL, 10) : 0;
	fclose(status);
	ck_assert_uint_gt(n, 0);
	return n;
}

static inline void *tell_id(void *id)
{
	*(pid_t *)id = gettid();
	return NULL;
}

/* The same before a test starts any, when those of the test before it, in the same process if that does not fork, have ended. The thread
 * sanitizer starts one of its own together with the first, so there is a first. */
static inline size_t threads_before(void)
{
	pid_t id;

	thread_join(thread_start(tell_id, &id));
	wait_until(threads_now() <= 1 + IS_THREAD_SANITIZED, SOON);
	return threads_now();
}

#define ck_assert_no_thread_is_left(before) wait_until(threads_now() <= (before), SOON)

#endif
