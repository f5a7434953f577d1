/* Crashes when it is loaded. */
#include <leat_plugin.h>

#include <signal.h>

__attribute__((constructor)) static void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static int run(struct leat_call *call)
{
	(void)call;
	return 0;
}

LEAT_PLUGIN(.name = "constructor", .run = run);
