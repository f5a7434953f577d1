/* Jobs that a worker does: a long-lived process that takes one after another over its stdin and stdout (docs/worker-protocol.md).
 *
 * A runner's turn: takes a worker of the type (workers.h), gives it the job, hears what it says, and gives it back. A worker that is
 * late is told to end and killed as a command is (exec.h), and one that breaks the protocol, says more than it may or dies is killed at
 * once; it is replaced, and the answer is sent when nothing of its tree is left. On a runner thread. */
#ifndef LEAT_WORKER_H
#define LEAT_WORKER_H

struct job;

void worker_run(struct job *);

#endif
