/* The process tree of one command: how it is told to end, how it is killed, and how it is known to be gone.
 *
 * All of it happens in the command's keeper (keeper.h), whose children and their children are the tree: it is gone when the keeper has
 * no child left. Where leatd has a cgroup of its own (cgroup.h), the tree is in a leaf of it besides: then it is killed in one
 * stroke, and gone when the leaf is empty too.
 *
 * What is killed without a leaf is looked for in /proc, from the keeper down, until a pass finds nobody new: a process that has been
 * sent SIGKILL makes no child any more, so those that fork on meanwhile are found by the next pass, the orphans among them under the
 * keeper. */
#ifndef LEAT_TREE_H
#define LEAT_TREE_H

#include "../lib/compiler.h"
#include "../lib/moment.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct cgroup;
struct leaf;
struct log;

/* What all trees share. Made before the first thread; then only read. */
struct trees {
	int child_ended;        /* signalfd: in a keeper, readable when a child of that keeper has ended */
	int leatd;              /* pidfd: readable when leatd has been killed */
	struct cgroup *cgroup;  /* NULL: none is ours, and the proof is the weaker one */
};

/* 0 or -errno. */
must_check int trees_init(struct trees *);
void trees_free(struct trees *);

enum { TREE_KILLED_MAX = 512 };

struct tree {
	const struct trees *trees;
	struct leaf *leaf;              /* or NULL */
	pid_t first;                    /* of the command, and its process group; 0: it was never started */
	bool spares;                    /* set by the caller: the end of the first process is not the end of its group */
	bool first_ended;
	bool childless;                 /* and yet the leaf may not be empty */
	siginfo_t end;                  /* how the first process ended */
	struct rusage used;             /* by it, and by those of its children that it has waited for */
	pid_t killed[TREE_KILLED_MAX];  /* by their numbers: some of those that have been sent SIGKILL */
};

/* Looks who has ended, and reaps them. True: the tree is gone. */
bool tree_is_gone(struct tree *);

/* SIGTERM to everybody in it. */
void tree_terminate(struct tree *);

/* SIGKILL to everybody in it. Whom the kernel does not let die, or who came while we looked, is left: to be called again, at once
 * when a child has ended, and otherwise now and then, until the tree is gone. */
void tree_kill(struct tree *);

#endif
