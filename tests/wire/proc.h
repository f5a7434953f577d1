/* Looking at processes through /proc. */
#ifndef LEAT_PROC_H
#define LEAT_PROC_H

#include <stddef.h>
#include <sys/types.h>

size_t descriptors_of(pid_t pid);
size_t threads_of(pid_t pid);

/* Bytes of its memory: `VmRSS`, what is resident, or `VmHWM`, the most that ever was. */
size_t memory_of(pid_t pid, const char *field);

/* Its children, the dead that it has not reaped among them. */
size_t children_of(pid_t pid);

/* Its descendants, without the dead. Who is about to end has no environment any more, so that he is no longer in what follows, but still has his
 * descriptors. */
size_t living_below(pid_t pid);

/* Our descendants that have `NAME=value` in their environment: those of the job with that LEAT_ID, say. */
size_t processes_with(const char *variable);
/* From now on those whose parents have ended are still our descendants. */
void adopt_orphans(void);

/* Those of a job whose id the client has chosen. */
size_t commands_of(const char *id);

#endif
