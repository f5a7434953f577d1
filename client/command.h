/* The commands of `leat`: a row of the table in main.c and a function each. */
#ifndef LEAT_COMMAND_H
#define LEAT_COMMAND_H

#include "exit.h"
#include "server.h"

enum {
	OPTION_SERVER, OPTION_TOKEN_FILE, OPTION_CA, OPTION_JSON, OPTION_DEADLINE, OPTION_ID, OPTION_ARG, OPTION_STREAM, OPTION_WIDTH, OPTION_QUORUM,
	OPTION_INTERVAL, OPTION_HOW_MANY, OPTION_HELP, OPTION_VERSION, OPTION_COUNT
};

/* What the command line says. */
struct invocation {
	const struct server *server;            /* --server and the like, the environment, or the defaults */
	const char *option[OPTION_COUNT];       /* the value, "" for one that takes none; NULL: not given */
	const char **args;                      /* the values of --arg */
	int arg_count;
	char **words;                           /* what follows the command */
	int count;                              /* of them; between the row's `least` and `most` */
};

/* Each does its work, complains if it has to, and returns the exit status. */
enum status command_run(const struct invocation *);
enum status command_map(const struct invocation *);
enum status command_pipe(const struct invocation *);
enum status command_jobs(const struct invocation *);
enum status command_stats(const struct invocation *);
enum status command_ps(const struct invocation *);
enum status command_cancel(const struct invocation *);
enum status command_pause(const struct invocation *);
enum status command_resume(const struct invocation *);
enum status command_drain(const struct invocation *);
enum status command_reload(const struct invocation *);
enum status command_ping(const struct invocation *);
enum status command_top(const struct invocation *);
enum status command_version(const struct invocation *);

#endif
