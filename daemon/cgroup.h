/* The cgroups in which commands are killed in one stroke, are proved to be gone, and are limited together: a leaf for each that runs.
 *
 * Only where a subtree of cgroup v2 is leatd's: systemd has delegated the one of its service (Delegate=yes leaves a mark on it), or the
 * configuration names one. There is a folder `jobs` in it, with a leaf TYPE-N for each command that runs at a time. A leaf is used
 * again for the next command of its type, if it is empty and as it was made: commands of leatd's own user can freeze it, or make cgroups
 * in it. What a leatd that was killed has left there is killed by the next one.
 *
 * Where the subtree has controllers for what a job limits (controllers.h), they are switched on for the leaves. Then no process may live
 * in the subtree itself, so a leatd that does moves to a cgroup `leatd` beside `jobs`, with its keepers. Where that fails, leatd is as it
 * was, and the limits are those of each process. */
#ifndef LEAT_CGROUP_H
#define LEAT_CGROUP_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct cgroup;
struct chan;
struct leaf_limits;

struct leaf {
	int procs;              /* cgroup.procs: a process that writes 0 there lives in it */
	int kill, events;       /* cgroup.kill, cgroup.events */
	char name[64];
};

/* `setting`: auto, off, or the path of a cgroup that is ours. NULL: there is none, and why says the reason; *error: and that is a
 * fault of the setting. Otherwise why says which controllers there are not, and is empty if there are all. Kills and removes what lives
 * in it. Moves this process, with all its threads, and none of its children. */
must_check struct cgroup *cgroup_open(const char *setting, bool *error, char *why, size_t why_len);
/* Removes what is empty, and leaves the rest as it was. */
void cgroup_close(struct cgroup *);
const char *cgroup_path(const struct cgroup *);
/* The controllers that its leaves have: bits of controllers.h. */
unsigned cgroup_controllers(const struct cgroup *);

/* An empty leaf, as good as new, out of `idle` (of struct leaf *), or a new one, for a command of this type, with these limits as far as
 * there are controllers. Removes those that are not. NULL: none can be made, errno says why. Any thread. */
must_check struct leaf *leaf_take(struct cgroup *, struct chan *idle, const char *type, const struct leaf_limits *);
/* Back to `idle`, empty or not. */
void leaf_give(struct cgroup *, struct chan *idle, struct leaf *);
/* Removes the leaf, if it is empty. */
void leaf_remove(struct cgroup *, struct leaf *);

/* cgroup.kill: SIGKILL to everybody in it and below, and whoever is being forked there. */
void leaf_kill(const struct leaf *);
/* The last command that took it was killed because there was no more memory within its limit. */
bool leaf_ran_out_of_memory(const struct cgroup *, const struct leaf *);
/* `populated 0`. When it is not, `events` is ready for POLLPRI at the next change. */
bool leaf_is_empty(const struct leaf *);

#endif
