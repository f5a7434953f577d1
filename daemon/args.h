/* The arguments that a client may give to a command: what the configuration allows (`{name}` in `exec` and `arg.name = PATTERN`), what a
 * request says, whether that is allowed, and the command line that comes of it.
 *
 * A value is matched whole against its pattern (pattern.h). It holds no NUL, and begins with `-` only if its pattern says so by beginning
 * with `-`, `\-` or `[-` itself (`^` and `(` before that do not count), so that it is not taken for an option. Whatever is in it, it stays within the argument in which its placeholder stands. */
#ifndef LEAT_ARGS_H
#define LEAT_ARGS_H

#include "answer.h"
#include "pattern.h"

struct job_config;

enum {
	ARGS_MAX = 16,                  /* of a job */
	ARG_VALUE_MAX = 1024,           /* bytes */
	ARG_PATTERN_MAX = 150,          /* characters: a line of the configuration */
	ARGS_PACKED_MAX = ARGS_MAX * (ARG_VALUE_MAX + 1),
};

/* --- The configuration --- */

struct arg_rule {
	char *name, *pattern;           /* owned */
	struct pattern *compiled;       /* owned; NULL before arg_rule_compile() */
	bool may_begin_with_dash;
	int line;                       /* where it was set; for messages */
};

/* NULL: no memory. */
must_check struct arg_rule *arg_rule_new(const char *name, const char *pattern);
/* NULL does nothing. */
void arg_rule_free(struct arg_rule *);

/* Once. False: it is none, and `why` says so: see pattern_new(). */
must_check bool arg_rule_compile(struct arg_rule *, char *why, size_t why_len);

/* Any thread. */
bool arg_rule_allows(const struct arg_rule *, struct slice value);

/* --- A request --- */

struct arg_value {
	struct slice name, value;       /* borrowed */
};

struct arg_values {
	size_t count;
	struct arg_value list[ARGS_MAX];
};

/* Adds what a client says. False: too many, too long, a NUL in it, or said before; *why is the answer. */
must_check bool arg_values_add(struct arg_values *, struct slice name, struct slice value, struct answer *why);

/* Whether the job takes these values (NULL: none), and has all it needs. True: *packed are the values in the order of the rules, each
 * ended by a NUL, in `room`. False: *why is the answer, which names the argument and its pattern but does not repeat the
 * value. Any thread. */
must_check bool args_pack(const struct job_config *, const struct arg_values *, char room[ARGS_PACKED_MAX], struct slice *packed,
			  struct answer *why);

/* The arguments of a run, ended by NULL, in one allocation that the caller frees. NULL: no memory. Any thread. */
must_check char **args_fill(const struct job_config *, struct slice packed);

#endif
