/* Starts a command: no shell, own session, and nothing of leatd's in it but the three descriptors it is given.
 *
 * The child shares the memory of leatd until it executes (like posix_spawn), so starting one costs the same however large leatd is. */
#ifndef LEAT_SPAWN_H
#define LEAT_SPAWN_H

#include "config.h"
#include "limits.h"

#include <sys/types.h>

struct spawn_order {
	const char *path;
	char *const *argv;
	char *const *envp;
	const char *cwd;
	const struct account *account;
	const struct limits *limits;
	int in, out, err;       /* become 0, 1 and 2; the caller closes its own */
	int cgroup;             /* the cgroup.procs of where it is to live; -1: where leatd lives */
};

/* Returns the pid, which is also the session and the process group; or -errno, and then `what` names the step that failed (static)
 * and no process is left. It dies with its parent, which is the keeper. */
must_check pid_t spawn(const struct spawn_order *, const char **what);

#endif
