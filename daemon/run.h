/* A runner's turn: takes a job out of the channel, runs it by its kind, ends it, and sends it home. On a runner thread. */
#ifndef LEAT_RUN_H
#define LEAT_RUN_H

/* The work of a type's pool; `elem` is a struct job **. */
void run_job(void *elem, void *unused);

#endif
