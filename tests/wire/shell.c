#include "shell.h"

#include "scratch.h"
#include "server.h"
#include "../../lib/moment.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *program(const char *variable, const char *normal)
{
	const char *path = getenv(variable);

	return path && *path ? path : normal;
}

const char *leatd_path(void)
{
	return program("LEATD", "build/leatd");
}

const char *leat_path(void)
{
	return program("LEAT", "build/leat");
}

static bool is_systemds(const char *variable)
{
	static const char *const names[] = { "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET=", "JOURNAL_STREAM=" };

	for (size_t i = 0; i < countof(names); i++) {
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static size_t count_of(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

char **environment_with(const char *const *more)
{
	size_t more_count = count_of((char *const *)(const void *)more), n = 0;
	char **envp = scratch((count_of(environ) + more_count + 1) * sizeof(*envp));

	for (size_t i = 0; i < more_count; i++)
		envp[n++] = scratchf("%s", more[i]);
	for (char **variable = environ; *variable; variable++) {
		if (!is_systemds(*variable))
			envp[n++] = *variable;
	}
	return envp;
}

pid_t start_program(char *const *argv, char *const *envp, const char *out_path, const char *err_path, int descriptor_3)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t normal;
	pid_t pid;
	int error;

	sigemptyset(&normal);
	sigaddset(&normal, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &normal);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, out_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	posix_spawn_file_actions_addopen(&actions, 2, err_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (descriptor_3 >= 0)
		posix_spawn_file_actions_adddup2(&actions, descriptor_3, 3);
	error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	ck_assert_msg(error == 0, "cannot start %s: %s", argv[0], strerror(error));
	return pid;
}

int wait_for(pid_t pid)
{
	moment until = moment_in(90 * SECONDS);
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (moment_reached(until)) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			ck_abort_msg("process %d did not end", (int)pid);
		}
		poll(NULL, 0, 1);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct ran run_with(char *const *argv, char *const *envp)
{
	const char *folder = new_folder();
	const char *out = scratchf("%s/out", folder), *err = scratchf("%s/err", folder);
	struct ran ran = { .status = wait_for(start_program(argv, envp, out, err, -1)) };

	ran.out = read_file(out, &ran.out_len);
	ran.err = read_file(err, NULL);
	return ran;
}

struct ran run_program(const char *const *argv)
{
	return run_with((char *const *)(const void *)argv, environment_with(NULL));
}

static char **shell_environment(const struct server *server)
{
	const char *const more[] = {
		scratchf("HOST=%s", server->host), scratchf("PORT=%s", server->port), scratchf("LEAT_SERVER=%s:%s", server->host, server->port),
		scratchf("SOCKET=%s", server->unix_path), scratchf("LEAT=%s", leat_path()), NULL,
	};

	return environment_with(more);
}

struct ran shell(const struct server *server, const char *line)
{
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return run_with((char *const *)(const void *)argv, shell_environment(server));
}

pid_t shell_start(const struct server *server, const char *line)
{
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return start_program((char *const *)(const void *)argv, shell_environment(server), "/dev/null", "/dev/null", -1);
}

bool text_matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool matches;

	ck_assert_msg(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0, "'%s' is no regular expression", pattern);
	matches = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}
