/* The cgroups in which commands are killed in one stroke and are proved to be gone: a leaf for each that runs.
 *
 * Only where a subtree of cgroup v2 is leatd's: systemd has delegated the one of its service (Delegate=yes leaves a mark on it), or the
 * configuration names one. There is a folder `jobs` in it, with a leaf TYPE-N for each command that runs at a time. A leaf is used
 * again for the next command of its type, if it is empty and as it was made: commands of leatd's own user can freeze it, or make cgroups
 * in it. What a leatd that was killed has left there is killed by the next one. leatd itself stays where it is: no controller is
 * switched on here. */
#ifndef LEAT_CGROUP_H
#define LEAT_CGROUP_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct cgroup;
struct chan;

struct leaf {
	int procs;              /* cgroup.procs: a process that writes 0 there lives in it */
	int kill, events;       /* cgroup.kill, cgroup.events */
	char name[64];
};

/* `setting`: auto, off, or the path of a cgroup that is ours. NULL: there is none, and why says the reason; *error: and that is a
 * fault of the setting. Kills and removes what lives in it. */
must_check struct cgroup *cgroup_open(const char *setting, bool *error, char *why, size_t why_len);
/* Removes what is empty. */
void cgroup_close(struct cgroup *);
const char *cgroup_path(const struct cgroup *);

/* An empty leaf, as good as new, out of `idle` (of struct leaf *), or a new one, for a command of this type. Removes
 * those that are not. NULL: none can be made, errno says why. Any thread. */
must_check struct leaf *leaf_take(struct cgroup *, struct chan *idle, const char *type);
/* Back to `idle`, empty or not. */
void leaf_give(struct cgroup *, struct chan *idle, struct leaf *);
/* Removes the leaf, if it is empty. */
void leaf_remove(struct cgroup *, struct leaf *);

/* cgroup.kill: SIGKILL to everybody in it and below, and whoever is being forked there. */
void leaf_kill(const struct leaf *);
/* `populated 0`. When it is not, `events` is ready for POLLPRI at the next change. */
bool leaf_is_empty(const struct leaf *);

#endif
