#include "plugin_check.h"

#include "spawn.h"
#include "../lib/cleanup.h"
#include "../lib/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define HOST_NAME "leat-plugin-host"

static const int64_t load_time = 10 * SECONDS;

char *plugin_host_path(void)
{
	char path[PATH_MAX + sizeof(HOST_NAME)];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash + 1, HOST_NAME);
		if (access(path, X_OK) == 0)
			return strdup(path);
	}
	return access(LEAT_LIBEXECDIR "/" HOST_NAME, X_OK) == 0 ? strdup(LEAT_LIBEXECDIR "/" HOST_NAME) : NULL;
}

char *plugin_file_path(const char *name)
{
	char *path = NULL;

	if (*name == '/')
		return strdup(name);
	if (strchr(name, '/') || asprintf(&path, LEAT_PLUGINDIR "/%s", name) < 0)
		return NULL;
	return path;
}

static pid_t start(const char *host, const char *file, const struct account *account, int out, const char **what)
{
	const char *const argv[] = { host, "--check", file, NULL };
	const char *const envp[] = { "PATH=" COMMAND_PATH, "LANG=C.UTF-8", NULL };
	autoclose int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct limits limits = { 0 };
	struct spawn_order order = { .path = host, .argv = (char *const *)(const void *)argv,
				     .envp = (char *const *)(const void *)envp, .cwd = "/", .account = account, .limits = &limits,
				     .in = nothing, .out = out, .err = nothing, .cgroup = -1 };

	*what = "opening /dev/null";
	return nothing < 0 ? -errno : spawn(&order, what);
}

/* Waits until it has ended. False: the time was up. */
static bool await_end(pid_t pid)
{
	autoclose int fd = pidfd_open(pid, 0);
	moment until = moment_in(load_time);
	int64_t left_ms;

	while ((left_ms = (until - moment_now()) / MILLISECONDS) > 0) {
		if (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, (int)left_ms) > 0)
			return true;
	}
	return false;
}

static int reap(pid_t pid)
{
	int status = -1;

	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The line that it has left in the pipe; "" if there is none. */
static void read_line(int fd, char *why, size_t size)
{
	ssize_t n = read(fd, why, size - 1);

	why[n > 0 ? n : 0] = '\0';
	why[strcspn(why, "\n")] = '\0';
}

/* As the status of the host tells. */
static bool judge(int status, char *why, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(why, size, "cannot be loaded: that dies of SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (status != 0 && !*why)
		snprintf(why, size, "cannot be loaded: that ends the process with status %d", WEXITSTATUS(status));
	return status == 0;
}

bool plugin_check(const char *host, const char *file, const struct account *account, char *why, size_t size)
{
	const char *what = "making a pipe";
	int ends[2];
	pid_t pid;
	bool ended;
	int status;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		snprintf(why, size, "cannot be checked: %s: %s", what, strerror(errno));
		return false;
	}
	autoclose int said = ends[0];
	pid = start(host, file, account, ends[1], &what);
	close(ends[1]);
	if (pid < 0) {
		snprintf(why, size, "cannot be checked by %s: %s: %s", host, what, strerror(-pid));
		return false;
	}
	ended = await_end(pid);
	status = reap(pid);
	if (!ended) {
		snprintf(why, size, "is not loaded within %d s", (int)(load_time / SECONDS));
		return false;
	}
	read_line(said, why, size);
	return judge(status, why, size);
}
