#include "signals.h"

#include "../lib/generator.h"

#include <signal.h>

static sigset_t wanted(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	return set;
}

void signals_block(void)
{
	sigset_t set = wanted();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A client that has gone is an error of write(), not the end of leatd. */
	signal(SIGPIPE, SIG_IGN);
}

static bool next_signal(void *elem, unused_arg struct ctx *ctx, unused_arg void *arg)
{
	sigset_t set = wanted();

	return sigwait(&set, elem) == 0;
}

struct chan *signals_start(void)
{
	struct generator_options options = {
		.out = { .elem_size = sizeof(int), .capacity = 4 }, .next = next_signal, .name = "signals",
	};

	return generator_start(&options, NULL);
}
