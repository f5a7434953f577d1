/* Programs that are run to their end. */
#ifndef LEAT_SHELL_H
#define LEAT_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct server;

struct ran {
	int status;             /* its exit status; 128 and the number of the signal that killed it */
	char *out, *err;        /* what it wrote, ended by NUL */
	size_t out_len;
};

/* Starts a program; `argv` and `envp` end with NULL. Its stdin is /dev/null, its output goes to files; descriptor 3 is
 * `descriptor_3` unless that is -1. The process group stays ours: it dies with the test. */
pid_t start_program(char *const *argv, char *const *envp, const char *out_path, const char *err_path, int descriptor_3);

/* Waits until it has ended, and kills it and fails when it takes too long. Its status as in struct ran. */
int wait_for(pid_t pid);

/* Runs a program with these arguments. */
#define run(...) run_program((const char *const[]){ __VA_ARGS__, NULL })
struct ran run_program(const char *const *argv);

/* leatd and leat with these arguments, where LEATD and LEAT say that they are. */
#define leatd(...) run(leatd_path() __VA_OPT__(,) __VA_ARGS__)
const char *leatd_path(void);
const char *leat_path(void);

/* Runs a line of shell that finds the server in $HOST, $PORT and $LEAT_SERVER, and the client in $LEAT. */
struct ran shell(const struct server *, const char *line);
/* The same without waiting for it; wait_for() does. */
pid_t shell_start(const struct server *, const char *line);

/* The environment without what systemd says to this process, and with `more` (NULL: nothing), which ends with NULL. */
char **environment_with(const char *const *more);

bool text_matches(const char *text, const char *pattern);

#endif
