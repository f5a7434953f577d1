/* Does what its payload says: `wait`, `crash`, ... */
#include <leat_plugin.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct state {
	const char *config;
};

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static const char *config_of(const struct leat_call *call)
{
	return ((const struct state *)call->state)->config;
}

static int act_config(struct leat_call *call)
{
	return leat_write(call, config_of(call), strlen(config_of(call))) ? 0 : 1;
}

static int act_id(struct leat_call *call)
{
	return leat_write(call, call->id, strlen(call->id)) && leat_write(call, "|", 1) &&
	       leat_write(call, call->traceparent, strlen(call->traceparent)) ? 0 : 1;
}

/* Until it is cancelled, as it should be; leaves with a failure of its own, which is nobody's business then. */
static int act_wait(struct leat_call *call)
{
	while (!leat_cancelled(call))
		nap();
	return 1;
}

/* Does not look, but for a file that its configuration names: until that is there. */
static int act_stubborn(struct leat_call *call)
{
	while (access(config_of(call), F_OK) != 0)
		nap();
	return 0;
}

/* Makes the file that its configuration names, to say that it has begun, and does not look after that. */
static int act_begin(struct leat_call *call)
{
	FILE *file = fopen(config_of(call), "w");

	if (!file)
		return 1;
	fclose(file);
	for (;;)
		nap();
}

/* What it has is good enough when the time is up. */
static int act_enough(struct leat_call *call)
{
	while (!leat_cancelled(call))
		nap();
	leat_write(call, "enough", 6);
	return 0;
}

static int act_left(struct leat_call *call)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)leat_time_left_ms(call));
	return leat_write(call, text, strlen(text)) ? 0 : 1;
}

/* Writes until it is told to stop. */
static int act_flood(struct leat_call *call)
{
	static const char block[10000];

	while (leat_write(call, block, sizeof(block)))
		;
	return 1;
}

/* Writes on when it was told to stop, and says that all is well. */
static int act_deluge(struct leat_call *call)
{
	static const char block[10000];

	for (int i = 0; i < 1000; i++)
		leat_write(call, block, sizeof(block));
	return 0;
}

static int act_million(struct leat_call *call)
{
	for (int i = 0; i < 100000; i++)
		leat_write(call, "0123456789", 10);
	return 0;
}

static int act_parts(struct leat_call *call)
{
	leat_write(call, "one ", 4);
	leat_flush(call);
	leat_write(call, "", 0);
	leat_write(call, "two", 3);
	return 0;
}

static int act_fail(struct leat_call *call)
{
	return leat_fail(call, "no such %s:\n%d", "thing", 42);
}

/* Has failed, whatever it returns. */
static int act_fail_and_return_0(struct leat_call *call)
{
	leat_write(call, "output", 6);
	leat_fail(call, "first");
	leat_fail(call, "second thoughts");
	return 0;
}

static int act_fail_silently(struct leat_call *call)
{
	leat_write(call, "output", 6);
	return 7;
}

static int act_fail_at_length(struct leat_call *call)
{
	return leat_fail(call, "%1000d", 1);
}

static int act_print(struct leat_call *call)
{
	printf("printed on stdout\n");
	fprintf(stderr, "printed on stderr\n");
	return leat_write(call, "ok", 2) ? 0 : 1;
}

static int act_read(struct leat_call *call)
{
	return leat_write(call, getchar() == EOF ? "empty" : "not", getchar() == EOF ? 5 : 3) ? 0 : 1;
}

static int act_crash(struct leat_call *call)
{
	(void)call;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int act_abort(struct leat_call *call)
{
	(void)call;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int act_exit_0(struct leat_call *call)
{
	(void)call;
	exit(0);
}

static int act_exit_3(struct leat_call *call)
{
	leat_write(call, "output", 6);
	exit(3);
}

/* Processes of its own, that do not care. */
static int act_fork(struct leat_call *call)
{
	if (fork() == 0) {
		signal(SIGTERM, SIG_IGN);
		setsid();
		for (;;)
			pause();
	}
	return act_wait(call);
}

static int act_size(struct leat_call *call)
{
	const char *is = call->size == sizeof(*call) ? "as built" : "another";

	return leat_write(call, is, strlen(is)) ? 0 : 1;
}

static const struct {
	const char *name;
	int (*act)(struct leat_call *);
} acts[] = {
	{ "config", act_config }, { "id", act_id }, { "wait", act_wait }, { "stubborn", act_stubborn }, { "begin", act_begin },
	{ "enough", act_enough },
	{ "left", act_left }, { "flood", act_flood }, { "deluge", act_deluge }, { "million", act_million }, { "parts", act_parts },
	{ "fail", act_fail }, { "fail_and_return_0", act_fail_and_return_0 }, { "fail_silently", act_fail_silently },
	{ "fail_at_length", act_fail_at_length }, { "print", act_print }, { "read", act_read }, { "crash", act_crash },
	{ "abort", act_abort }, { "exit_0", act_exit_0 }, { "exit_3", act_exit_3 }, { "fork", act_fork }, { "size", act_size },
};

static int run(struct leat_call *call)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strlen(acts[i].name) == call->payload_len && memcmp(acts[i].name, call->payload, call->payload_len) == 0)
			return acts[i].act(call);
	}
	return leat_fail(call, "does not know '%.*s'", (int)call->payload_len, call->payload);
}

static int open_state(const char *config, void **state, char *why, size_t why_size)
{
	struct state *made;

	if (strcmp(config, "refuse") == 0) {
		snprintf(why, why_size, "does not like '%s'", config);
		return -1;
	}
	if (strcmp(config, "refuse silently") == 0)
		return -1;
	made = malloc(sizeof(*made));
	made->config = config;
	*state = made;
	return 0;
}

static void close_state(void *state)
{
	fprintf(stderr, "closed: %s\n", ((const struct state *)state)->config);
	free(state);
}

LEAT_PLUGIN(.name = "act", .open = open_state, .run = run, .close = close_state);
