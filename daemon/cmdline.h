/* A command line, split into arguments like a shell would, and run without one: single and double quotes, backslash. What a shell
 * would do more (pipes, redirections, variables, ...) is an error, so that nobody believes that it happens.
 *
 * `{name}` is a placeholder, also within quotes, and also as a part of an argument: a hole, which args.h fills with what a client says. It
 * never makes more than that argument. `{{` and `}}` stand for a brace. The program itself is without holes. */
#ifndef LEAT_CMDLINE_H
#define LEAT_CMDLINE_H

#include "slice.h"
#include "../lib/compiler.h"

enum { CMDLINE_ARGS_MAX = 256, CMDLINE_HOLES_MAX = 64, CMDLINE_NAME_MAX = 32 };

struct cmdline_hole {
	size_t arg, at;         /* before the byte `at` of argument `arg` */
	struct slice name;      /* points into the line */
};

struct cmdline {
	size_t argc;            /* at least 1 */
	char *argv[CMDLINE_ARGS_MAX + 1];       /* without what goes into the holes; ended by NULL */
	size_t hole_count;
	struct cmdline_hole holes[CMDLINE_HOLES_MAX];   /* in the order in which they were written */
};

/* One allocation, which the caller frees; NULL on failure, and then `why` is a sentence. */
must_check struct cmdline *cmdline_split(const char *line, char *why, size_t why_len);

/* The same of words that are not to be split any more. NULL: too many, or no memory. */
must_check struct cmdline *cmdline_of(const char *const *words, size_t count);

/* What may stand between the braces: 1 to CMDLINE_NAME_MAX of A-Za-z0-9_- */
bool cmdline_is_name(struct slice);

#endif
