/* `leat run --stream` and `leat pipe --stream`: a conversation over HTTP in which the payload is sent while it is read, and the output is written while it comes. */
#ifndef LEAT_STREAM_H
#define LEAT_STREAM_H

#include "command.h"

#include <stdint.h>

/* `way` is run, or pipe, of the first `jobs` words. `deadline` in milliseconds; 0: the job's own. `patience`: how long it may take in all. Complains if it has to. */
enum status stream_run(const struct invocation *, const char *way, int jobs, int64_t deadline, int64_t patience) must_check;

#endif
