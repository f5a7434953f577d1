#include "signals.h"

#include "../lib/chan.h"

#include <pthread.h>
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

static void *signals_thread(void *arg)
{
	struct chan *out = arg;
	sigset_t set = wanted();
	int signal;

	pthread_setname_np(pthread_self(), "signals");
	for (;;) {
		sigwait(&set, &signal);
		chan_send(out, &signal, NULL, FOREVER);
	}
	return NULL;
}

struct chan *signals_start(void)
{
	struct chan *signals = chan_new(sizeof(int), 4);
	pthread_t thread;

	if (!signals)
		return NULL;
	chan_ref(signals);
	if (pthread_create(&thread, NULL, signals_thread, signals) == 0) {
		pthread_detach(thread);
		return signals;
	}
	chan_unref(signals);
	chan_unref(signals);
	return NULL;
}
