/* A program that jobs run, seen from its keeper: its pipes, its cgroup, its start, its being killed, and what its end means for a job.
 * What a command (exec.h) and a worker (worker_process.h) have in common. */
#ifndef LEAT_PROGRAM_H
#define LEAT_PROGRAM_H

#include "tree.h"

#include <stdint.h>

struct job;
struct type;

struct program {
	struct tree tree;
	int in, out, err;               /* our ends of its pipes, which do not block; -1: closed */
	int theirs[3];                  /* the other ends, from program_open() to program_start() */
	bool ran_out_of_memory;         /* of limit.memory; known when its leaf has been given back */
	int64_t look_in;                /* how long after the last kill a tree that is still there is looked for again */
};

void program_init(struct program *, const struct trees *);

/* An empty leaf to live in, where there are cgroups. 0 or -errno. */
must_check int program_take_leaf(struct program *, struct type *);
/* Back, or away with it if nothing could be started in it. */
void program_give_leaf(struct program *, struct type *);

/* Makes its pipes, but for a stdin and a stdout that have been given to it (theirs[0] and [1]). 0 or -errno. */
must_check int program_open(struct program *);

/* Starts the executable of the type, with these arguments and variables. In the keeper. 0, or -errno and then *what is the
 * step that failed. */
must_check int program_start(struct program *, const struct type *, char *const *argv, char *const *envp, const char **what);

/* Kills the tree, and says when to do it again if it is not gone by then. In the keeper. */
must_check moment program_kill(struct program *);

/* For a keeper whose leatd was killed: kills the tree, and ends when it is gone. Nothing of leatd may be used any more but the stack and
 * the program. Its sockets are let go first, so that the next leatd can have their addresses however long this takes. */
_Noreturn void program_die_with_leatd(struct program *);

/* After the keeper was killed: what is left of the tree has come to leatd. */
void program_kill_without_keeper(struct program *);

/* Closes our ends of the pipes. */
void program_close(struct program *);
void program_close_fd(int *fd);

/* `grace`, but at most a quarter of the time that was left when the job started. */
int64_t program_grace(const struct job *);

/* FAILED: it could not be started. */
void program_answer_not_started(struct job *, const char *what, int error);
/* FAILED with its exit status and job->last_error, or KILLED with its signal and the limit that it died of. */
void program_answer_end(struct job *, const struct program *);

#endif
