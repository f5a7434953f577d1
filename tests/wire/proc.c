#include "proc.h"

#include "scratch.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static size_t entries_of(pid_t pid, const char *what)
{
	char path[64];
	DIR *folder;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	folder = opendir(path);
	ck_assert_msg(folder != NULL, "there is no %s", path);
	for (struct dirent *entry; (entry = readdir(folder));)
		n += isdigit((unsigned char)entry->d_name[0]) != 0;
	closedir(folder);
	return n;
}

size_t descriptors_of(pid_t pid)
{
	return entries_of(pid, "fd");
}

size_t threads_of(pid_t pid)
{
	return entries_of(pid, "task");
}

/* The number of processes of which `is_one` is true. */
static size_t count_processes(bool (*is_one)(const char *pid, const void *arg), const void *arg)
{
	DIR *folder = opendir("/proc");
	size_t n = 0;

	ck_assert(folder != NULL);
	for (struct dirent *entry; (entry = readdir(folder));)
		n += isdigit((unsigned char)entry->d_name[0]) && is_one(entry->d_name, arg);
	closedir(folder);
	return n;
}

/* What /proc/PID/`what` holds, as far as it fits; 0 bytes if the process has gone. */
static size_t read_of(const char *pid, const char *what, char *room, size_t room_len)
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, room, room_len);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* Its parent and its state, a letter. 0: it has gone, or has none. */
static pid_t parent_and_state_of(const char *pid, char *state)
{
	char stat[512], *after_name;
	size_t len = read_of(pid, "stat", stat, sizeof(stat) - 1);
	int parent;

	stat[len] = '\0';
	after_name = strrchr(stat, ')');
	return after_name && sscanf(after_name, ") %c %d", state, &parent) == 2 ? parent : 0;
}

static pid_t parent_of(const char *pid)
{
	char state;

	return parent_and_state_of(pid, &state);
}

static bool is_child(const char *pid, const void *parent)
{
	return parent_of(pid) == *(const pid_t *)parent;
}

size_t children_of(pid_t pid)
{
	return count_processes(is_child, &pid);
}

static bool is_below(const char *pid, pid_t root)
{
	char number[16];
	pid_t ancestor = parent_of(pid);

	while (ancestor > 1 && ancestor != root) {
		snprintf(number, sizeof(number), "%d", (int)ancestor);
		ancestor = parent_of(number);
	}
	return ancestor == root;
}

/* Not those of somebody else who runs these tests at the same time. */
static bool is_descendant(const char *pid)
{
	return is_below(pid, getpid());
}

static bool is_living_below(const char *pid, const void *root)
{
	char state = 'Z';

	return parent_and_state_of(pid, &state) > 0 && state != 'Z' && is_below(pid, *(const pid_t *)root);
}

size_t living_below(pid_t pid)
{
	return count_processes(is_living_below, &pid);
}

static bool has_variable(const char *pid, const void *variable)
{
	char environment[16384];
	size_t len = read_of(pid, "environ", environment, sizeof(environment));

	/* With the NUL at its end: `ID=a` is not `ID=ab`. */
	return memmem(environment, len, variable, strlen(variable) + 1) != NULL && is_descendant(pid);
}

size_t processes_with(const char *variable)
{
	return count_processes(has_variable, variable);
}

void adopt_orphans(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

size_t commands_of(const char *id)
{
	char variable[128];

	snprintf(variable, sizeof(variable), "LEAT_ID=%s", id);
	return processes_with(variable);
}

size_t memory_of(pid_t pid, const char *field)
{
	char *status = read_file(scratchf("/proc/%d/status", (int)pid), NULL), *at = strstr(status, scratchf("\n%s:", field));

	ck_assert_msg(at != NULL, "no %s in %s", field, status);
	return strtoull(strchr(at, ':') + 1, NULL, 10) * 1024;
}
