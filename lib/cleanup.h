/* Locals that clean up after themselves: `autofree char *line = ...;`, `autoclose int fd = ...;`.
 * Declare and assign in one statement; hand over with take(). Never together with goto in a function. */
#ifndef LEAT_CLEANUP_H
#define LEAT_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define autofree __attribute__((cleanup(cleanup_free)))
#define autoclose __attribute__((cleanup(cleanup_close)))

/* The value of a local that was to be cleaned up; the caller owns it now. */
#define take(pointer) __extension__({ __typeof__(pointer) taken_ = (pointer); (pointer) = NULL; taken_; })
#define take_fd(fd) __extension__({ int taken_ = (fd); (fd) = -1; taken_; })

#endif
