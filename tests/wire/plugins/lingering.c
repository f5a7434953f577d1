/* Starts, when it is loaded, a process that stays, in a session of its own and with all of the descriptors. */
#include <leat_plugin.h>

#include <unistd.h>

__attribute__((constructor)) static void linger(void)
{
	if (fork() != 0)
		return;
	setsid();
	for (;;)
		pause();
}

static int run(struct leat_call *call)
{
	(void)call;
	return 0;
}

LEAT_PLUGIN(.name = "lingering", .run = run);
