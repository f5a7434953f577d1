/* A keeper: a process of its own in which a runner goes on with its turn, so that what its command starts is a tree with a root.
 *
 * The kernel gives an orphan to the nearest ancestor that asked for orphans (a child subreaper), and to a process, never to a thread. If
 * that were leatd, nobody could say whose an orphan is. A keeper asks for them too, has one command in its life, and so everything
 * below it is that command's, however often it forked and whatever session it made; and when it has no child left, nothing is left.
 *
 * It is made like a thread: it shares the memory and the descriptors of leatd, and has a piece of the runner's stack, and its thread
 * local variables. So only one of the two may run: the runner sleeps until its keeper has ended. It costs as much as a fork that
 * copies nothing. A leatd that is killed does not take its keepers with it: they see it (trees.h) and kill their trees first. */
#ifndef LEAT_KEEPER_H
#define LEAT_KEEPER_H

#include "../lib/compiler.h"

/* Calls work(arg) in a keeper, and returns when that has ended; it must not end before its last child, but for those that it means to
 * leave to leatd. 0; -errno: there could be no keeper, and `work` was not called; -ECHILD: somebody has killed the keeper. On a thread
 * with every signal blocked. */
must_check int keeper_run(void (*work)(void *arg), void *arg);

#endif
