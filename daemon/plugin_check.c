#include "plugin_check.h"

#include "keeper.h"
#include "spawn.h"
#include "tree.h"
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
#include <unistd.h>

#define HOST_NAME "leat-plugin-host"

static const int64_t load_time = 10 * SECONDS, clear_time = 1 * SECONDS;

char *plugin_host_path(void)
{
	char path[PATH_MAX + sizeof(HOST_NAME)];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, HOST_NAME, sizeof(HOST_NAME));
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

/* The host while it loads the file, in a keeper, so that nothing is left of what the file may start. */
struct loading {
	const char *host, *file;
	const struct account *account;
	int out;                        /* where it is to write its line */
	struct tree tree;
	bool in_time;
	const char *what;               /* the step that failed */
	int error;                      /* and why; 0: none did */
};

static pid_t start(struct loading *l)
{
	const char *const argv[] = { l->host, "--check", l->file, NULL };
	const char *const envp[] = { "PATH=" COMMAND_PATH, "LANG=C.UTF-8", NULL };
	autoclose int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct limits limits = { 0 };
	struct spawn_order order = { .path = l->host, .argv = (char *const *)(const void *)argv,
				     .envp = (char *const *)(const void *)envp, .cwd = "/", .account = l->account, .limits = &limits,
				     .in = nothing, .out = l->out, .err = nothing, .cgroup = -1 };

	l->what = "opening /dev/null";
	return nothing < 0 ? -errno : spawn(&order, &l->what);
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

/* Whom the kernel does not let die is left to leatd. */
static void clear_away(struct tree *tree)
{
	moment until = moment_in(clear_time);

	for (tree_kill(tree); !tree_is_gone(tree) && !moment_reached(until); tree_kill(tree))
		poll(NULL, 0, 1);
}

static void load(void *arg)
{
	struct loading *l = arg;
	pid_t pid = start(l);

	if (pid < 0) {
		l->error = -pid;
		return;
	}
	l->tree.first = pid;
	l->in_time = await_end(pid);
	clear_away(&l->tree);
}

static void load_in_keeper(struct loading *l)
{
	sigset_t all, before;
	int r;

	l->what = "making a process";
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = keeper_run(load, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		l->error = -r;
}

/* The line that it has left in the pipe; "" if there is none. */
static void read_line(int fd, char *why, size_t size)
{
	ssize_t n = read(fd, why, size - 1);

	why[n > 0 ? n : 0] = '\0';
	why[strcspn(why, "\n")] = '\0';
}

/* As the end of the host tells. */
static bool judge(const siginfo_t *end, char *why, size_t size)
{
	const char *signal = end->si_code == CLD_EXITED ? NULL : sigabbrev_np(end->si_status);

	if (end->si_code != CLD_EXITED)
		snprintf(why, size, "cannot be loaded: that dies of SIG%s", signal ? signal : "?");
	else if (end->si_status != 0 && !*why)
		snprintf(why, size, "cannot be loaded: that ends the process with status %d", end->si_status);
	return end->si_code == CLD_EXITED && end->si_status == 0;
}

/* A file that is loaded can leave its end of the pipe to others, and fill it: neither may keep us. */
static bool make_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

bool plugin_check(const char *host, const char *file, const struct account *account, char *why, size_t size)
{
	struct loading l = { .host = host, .file = file, .account = account };
	int ends[2] = { -1, -1 };
	bool made = make_pipe(ends);
	autoclose int said = ends[0], out = ends[1];

	/* Its constructors would run as leatd itself. */
	if (!account->known || !made) {
		snprintf(why, size, "cannot be checked: %s", made ? "it is not known as whom" : strerror(errno));
		return false;
	}
	l.out = out;
	load_in_keeper(&l);
	if (l.error) {
		snprintf(why, size, "cannot be checked by %s: %s: %s", host, l.what, strerror(l.error));
		return false;
	}
	if (!l.in_time) {
		snprintf(why, size, "is not loaded within %d s", (int)(load_time / SECONDS));
		return false;
	}
	read_line(said, why, size);
	return judge(&l.tree.end, why, size);
}
