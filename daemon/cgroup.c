#include "cgroup.h"

#include "controllers.h"
#include "../lib/chan.h"
#include "../lib/cleanup.h"
#include "../lib/moment.h"
#include "../lib/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* How long is waited for what an earlier leatd has left: for its keepers to be through, and for its jobs to die. */
#define LEFT_FOR (3 * SECONDS)

/* Of the cgroups that a job makes in its leaf: those deeper down are not removed, nor is the leaf then. */
enum { DEPTH_MAX = 32 };

/* Where leatd lives when nobody may live in the subtree itself. */
#define HOME "leatd"

struct cgroup {
	int subtree;            /* its folder */
	int jobs;               /* the folder of the leaves */
	char path[PATH_MAX];    /* of the subtree */
	unsigned controllers;   /* that the leaves have */
	unsigned switched_on;   /* those of them that were not on before */
	bool moved;             /* from the subtree to HOME */
	shim_u64 leaves_named;
};

/* --- Leaves --- */

void leaf_kill(const struct leaf *leaf)
{
	(void)!write(leaf->kill, "1", 1);
}

enum state { NEW, USED, POPULATED };

/* Used: a command has done something to it that the next one would feel. One that enters a frozen leaf would never be executed. */
static enum state look_at(const struct leaf *leaf)
{
	char events[128];
	ssize_t n = pread(leaf->events, events, sizeof(events) - 1, 0);

	events[n > 0 ? n : 0] = '\0';
	/* It was removed: nobody can live in it. */
	if (n < 0 && errno == ENODEV)
		return USED;
	if (!strstr(events, "populated 0"))
		return POPULATED;
	return strstr(events, "frozen 0") ? NEW : USED;
}

bool leaf_is_empty(const struct leaf *leaf)
{
	return look_at(leaf) != POPULATED;
}

static void free_leaf(struct leaf *leaf)
{
	cleanup_close(&leaf->procs);
	cleanup_close(&leaf->kill);
	cleanup_close(&leaf->events);
	free(leaf);
}

static struct leaf *open_leaf(int jobs, const char *name)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf));
	char path[128];

	if (!leaf)
		return NULL;
	snprintf(leaf->name, sizeof(leaf->name), "%s", name);
	snprintf(path, sizeof(path), "%s/cgroup.procs", leaf->name);
	leaf->procs = openat(jobs, path, O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/cgroup.kill", leaf->name);
	leaf->kill = openat(jobs, path, O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/cgroup.events", leaf->name);
	leaf->events = openat(jobs, path, O_RDONLY | O_CLOEXEC);
	if (leaf->procs >= 0 && leaf->kill >= 0 && leaf->events >= 0)
		return leaf;
	free_leaf(leaf);
	return NULL;
}

static struct leaf *new_leaf(struct cgroup *cgroup, const char *type)
{
	char name[64];
	struct leaf *leaf;
	int error;

	/* It may be there: one that was left when it was not empty. */
	do
		snprintf(name, sizeof(name), "%s-%llu", type, (unsigned long long)shim_add(&cgroup->leaves_named, 1, relaxed) + 1);
	while (mkdirat(cgroup->jobs, name, 0755) < 0 && errno == EEXIST);
	leaf = open_leaf(cgroup->jobs, name);
	error = errno;
	if (!leaf)
		unlinkat(cgroup->jobs, name, AT_REMOVEDIR);
	errno = error;
	return leaf;
}

/* With the cgroups that a job may have made in it: those within first. */
static void remove_below(int parent, const char *name, int depth)
{
	int fd = depth < DEPTH_MAX ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_below(fd, entry->d_name, depth + 1);
	}
	if (folder)
		closedir(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool has_cgroups(const struct cgroup *cgroup, const struct leaf *leaf)
{
	struct stat st;

	/* Itself, its name in its parent, and each folder within. */
	return fstatat(cgroup->jobs, leaf->name, &st, 0) < 0 || st.st_nlink > 2;
}

static int open_folder(const struct cgroup *cgroup, const struct leaf *leaf)
{
	return openat(cgroup->jobs, leaf->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* 0 or -errno; -EBUSY: what was left in it is in the way. Also of one that had the same limits: a command may have set others. */
static int limit_leaf(const struct cgroup *cgroup, const struct leaf *leaf, const struct leaf_limits *limits)
{
	autoclose int folder = cgroup->controllers ? open_folder(cgroup, leaf) : -1;

	if (!cgroup->controllers)
		return 0;
	if (folder < 0)
		return -errno;
	return controllers_left_something(folder, cgroup->controllers, limits) ? -EBUSY : controllers_limit(folder, cgroup->controllers, limits);
}

bool leaf_ran_out_of_memory(const struct cgroup *cgroup, const struct leaf *leaf)
{
	autoclose int folder = cgroup->controllers & CONTROLLER_MEMORY ? open_folder(cgroup, leaf) : -1;

	return folder >= 0 && controllers_ran_out_of_memory(folder);
}

static struct leaf *new_limited_leaf(struct cgroup *cgroup, const char *type, const struct leaf_limits *limits)
{
	struct leaf *leaf = new_leaf(cgroup, type);
	int r = leaf ? limit_leaf(cgroup, leaf, limits) : 0;

	if (r == 0)
		return leaf;
	leaf_remove(cgroup, leaf);
	errno = -r;
	return NULL;
}

struct leaf *leaf_take(struct cgroup *cgroup, struct chan *idle, const char *type, const struct leaf_limits *limits)
{
	struct leaf *leaf;

	/* Once around: those in which children were left go back to the end. */
	for (size_t n = chan_len(idle); n > 0 && chan_try_recv(idle, &leaf) == CHAN_OK; n--) {
		enum state state = look_at(leaf);

		if (state == POPULATED)
			leaf_give(cgroup, idle, leaf);
		else if (state == NEW && !has_cgroups(cgroup, leaf) && limit_leaf(cgroup, leaf, limits) == 0)
			return leaf;
		else
			leaf_remove(cgroup, leaf);
	}
	return new_limited_leaf(cgroup, type, limits);
}

void leaf_give(struct cgroup *cgroup, struct chan *idle, struct leaf *leaf)
{
	if (chan_try_send(idle, &leaf) != CHAN_OK)
		leaf_remove(cgroup, leaf);
}

void leaf_remove(struct cgroup *cgroup, struct leaf *leaf)
{
	remove_below(cgroup->jobs, leaf->name, 0);
	free_leaf(leaf);
}

/* --- Which subtree is ours --- */

/* The path of this process in the hierarchy of version 2. */
static bool read_own(char own[PATH_MAX])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;
	char line[PATH_MAX + 3];

	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, "0::/", 4) == 0;
		if (found)
			snprintf(own, PATH_MAX, "%s", line + 3);
	}
	if (file)
		fclose(file);
	return found;
}

/* If this line of mountinfo is a mount of version 2 under which `own` is: where. */
static bool find_under(const char *line, const char *own, char path[PATH_MAX])
{
	char root[PATH_MAX], mounted[PATH_MAX];
	size_t len;

	if (!strstr(line, " - cgroup2 ") || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mounted) != 2)
		return false;
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(own, root, len) != 0 || (own[len] != '/' && own[len] != '\0'))
		return false;
	return snprintf(path, PATH_MAX, "%s%s", mounted, strcmp(own, "/") == 0 ? "" : own + len) < PATH_MAX;
}

static bool find_own(char path[PATH_MAX])
{
	autofree char *line = NULL;
	char own[PATH_MAX];
	size_t room = 0;
	FILE *mounts = read_own(own) ? fopen("/proc/self/mountinfo", "re") : NULL;
	bool found = false;

	while (mounts && !found && getline(&line, &room, mounts) > 0)
		found = find_under(line, own, path);
	if (mounts)
		fclose(mounts);
	return found;
}

/* systemd marks what it delegates. Without the mark it is somebody else's, even if we could write there. */
static bool is_delegated(const char *path)
{
	char value[8];

	return getxattr(path, "user.delegate", value, sizeof(value)) == 1 || getxattr(path, "trusted.delegate", value, sizeof(value)) == 1;
}

/* A systemd that knows DelegateSubgroup= may have put leatd in its home below what it has delegated. */
static bool is_delegated_or_home_in(char *path)
{
	char *name = strrchr(path, '/');

	if (is_delegated(path))
		return true;
	if (!name || strcmp(name + 1, HOME) != 0)
		return false;
	*name = '\0';
	return is_delegated(path);
}

/* --- Controllers --- */

static bool enter(int cgroup)
{
	autoclose int fd = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1;
}

/* 0 or -errno. */
static int move_home(struct cgroup *cgroup)
{
	int r = mkdirat(cgroup->subtree, HOME, 0755) < 0 && errno != EEXIST ? -errno : 0;
	autoclose int home = r < 0 ? -1 : openat(cgroup->subtree, HOME, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (r < 0)
		return r;
	cgroup->moved = home >= 0 && enter(home);
	return cgroup->moved ? 0 : -errno;
}

static void move_back(struct cgroup *cgroup)
{
	if (cgroup->moved && enter(cgroup->subtree))
		unlinkat(cgroup->subtree, HOME, AT_REMOVEDIR);
	cgroup->moved = false;
}

/* For the leaves, and so for their parents. 0 or -errno, and then it is as it was. */
static int switch_on(struct cgroup *cgroup, const struct controller_row *row)
{
	bool was_on = controllers_on(cgroup->subtree) & row->bit;
	int r = controllers_switch(cgroup->subtree, row, true);

	if (r < 0)
		return r;
	r = controllers_switch(cgroup->jobs, row, true);
	if (r == 0)
		cgroup->controllers |= row->bit;
	if (r == 0 && !was_on)
		cgroup->switched_on |= row->bit;
	if (r < 0 && !was_on)
		(void)!controllers_switch(cgroup->subtree, row, false);
	return r;
}

static void switch_off(struct cgroup *cgroup)
{
	for (size_t i = 0; i < CONTROLLERS; i++) {
		if (cgroup->switched_on & controllers_row(i)->bit)
			(void)!controllers_switch(cgroup->subtree, controllers_row(i), false);
	}
}

/* All that there are; why says which there are not. */
static void switch_all_on(struct cgroup *cgroup, bool lives_there, char *why, size_t why_len)
{
	unsigned there = controllers_there(cgroup->subtree);
	int moved = there && lives_there ? move_home(cgroup) : 0;
	size_t said = 0;

	*why = '\0';
	for (size_t i = 0; i < CONTROLLERS && said < why_len; i++) {
		const struct controller_row *row = controllers_row(i);
		int r = !(there & row->bit) ? -ENOENT : moved < 0 ? moved : switch_on(cgroup, row);

		if (r < 0)
			said += (size_t)snprintf(why + said, why_len - said, "%s%s: %s", said > 0 ? "; " : "", row->name,
						 r == -ENOENT ? "not available" : strerror(-r));
	}
	if (!cgroup->controllers)
		move_back(cgroup);
}

/* --- Opening --- */

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Two leatd in one subtree would kill each other's jobs; the keepers of one that was killed are through soon. */
static bool lock(int jobs)
{
	moment until = moment_in(LEFT_FOR);

	while (flock(jobs, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || moment_reached(until))
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

static void clear_leaf(int jobs, const char *name)
{
	struct leaf *leaf = open_leaf(jobs, name);
	moment until = moment_in(LEFT_FOR);

	if (!leaf)
		return;
	leaf_kill(leaf);
	while (!leaf_is_empty(leaf) && !moment_reached(until))
		poll(&(struct pollfd){ leaf->events, POLLPRI, 0 }, 1, 100);
	free_leaf(leaf);
	remove_below(jobs, name, 0);
}

/* What an earlier leatd has left. */
static void clear(int jobs)
{
	DIR *folder = fdopendir(fcntl(jobs, F_DUPFD_CLOEXEC, 0));

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			clear_leaf(jobs, entry->d_name);
	}
	if (folder)
		closedir(folder);
}

static bool open_jobs(struct cgroup *cgroup, char *why, size_t why_len)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/jobs", cgroup->path);
	cgroup->subtree = open(cgroup->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->subtree >= 0 && (mkdir(path, 0755) == 0 || errno == EEXIST))
		cgroup->jobs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->jobs < 0) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		return false;
	}
	if (lock(cgroup->jobs)) {
		clear(cgroup->jobs);
		return true;
	}
	snprintf(why, why_len, "%s: another leatd has it", path);
	return false;
}

static bool choose(const char *setting, char path[PATH_MAX], bool *error, char *why, size_t why_len)
{
	if (strcmp(setting, "off") == 0) {
		snprintf(why, why_len, "switched off");
		return false;
	}
	if (strcmp(setting, "auto") != 0) {
		snprintf(path, PATH_MAX, "%s", setting);
		*error = !is_cgroup2(path);
		snprintf(why, why_len, "%.200s is not a cgroup of version 2", path);
		return !*error;
	}
	if (!find_own(path))
		snprintf(why, why_len, "leatd is in no cgroup of version 2");
	else if (!is_delegated_or_home_in(path))
		snprintf(why, why_len, "the cgroup of leatd is not delegated to it");
	else
		return true;
	return false;
}

struct cgroup *cgroup_open(const char *setting, bool *error, char *why, size_t why_len)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup));

	*error = !cgroup;
	snprintf(why, why_len, "%s", strerror(ENOMEM));
	if (!cgroup)
		return NULL;
	cgroup->subtree = cgroup->jobs = -1;
	if (choose(setting, cgroup->path, error, why, why_len)) {
		bool is_own = strcmp(setting, "auto") == 0;

		if (open_jobs(cgroup, why, why_len)) {
			switch_all_on(cgroup, is_own, why, why_len);
			return cgroup;
		}
		*error = !is_own;
	}
	cleanup_close(&cgroup->subtree);
	cleanup_close(&cgroup->jobs);
	free(cgroup);
	return NULL;
}

void cgroup_close(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	close(cgroup->jobs);
	unlinkat(cgroup->subtree, "jobs", AT_REMOVEDIR);
	switch_off(cgroup);
	move_back(cgroup);
	close(cgroup->subtree);
	free(cgroup);
}

const char *cgroup_path(const struct cgroup *cgroup)
{
	return cgroup->path;
}

unsigned cgroup_controllers(const struct cgroup *cgroup)
{
	return cgroup->controllers;
}
