/* A command line, split into arguments like a shell would, and run without one: single and double quotes, backslash. What a shell
 * would do more (pipes, redirections, variables, ...) is an error, so that nobody believes that it happens. */
#ifndef LEAT_CMDLINE_H
#define LEAT_CMDLINE_H

#include "../lib/compiler.h"

#include <stddef.h>

enum { CMDLINE_ARGS_MAX = 256 };

/* The arguments, ended by NULL, in one allocation that the caller frees; NULL on failure, and then `why` is a sentence. `{{` and
 * `}}` stand for a brace; `{name}` is a placeholder, for which this version has no values: an error. */
must_check char **cmdline_split(const char *line, char *why, size_t why_len);

#endif
