#include "../../daemon/cgroup.h"

#include "../../daemon/controllers.h"
#include "../../lib/chan.h"
#include "testing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const struct leaf_limits none = { 0 };

/* A cgroup of our own, with what a leatd has of it. */
struct place {
	char path[128];
	struct cgroup *cgroup;
	struct chan *idle;
	char why[300];
};

static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

/* False, with a loud word: there is none to be had. */
static bool place_open(struct place *p)
{
	char mark[160];
	bool error;

	*p = (struct place){ .cgroup = NULL };
	for (size_t i = 0; i < countof(mounts) && !p->cgroup; i++) {
		snprintf(p->path, sizeof(p->path), "%s/leat-unit-%d", mounts[i], (int)getpid());
		snprintf(mark, sizeof(mark), "%s/cgroup.kill", p->path);
		if (mkdir(p->path, 0755) == 0 && access(mark, W_OK) == 0)
			p->cgroup = cgroup_open(p->path, &error, p->why, sizeof(p->why));
		if (!p->cgroup)
			rmdir(p->path);
	}
	if (!p->cgroup)
		fprintf(stderr, "SKIPPED: no cgroup of version 2 that we may write to: its leaves were not tested\n");
	p->idle = p->cgroup ? chan_new(sizeof(struct leaf *), 4) : NULL;
	return p->cgroup != NULL;
}

static bool is_there(const struct place *p, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/jobs/%s", p->path, name);
	return access(path, F_OK) == 0;
}

/* Nothing may be left in it. */
static void place_close(struct place *p)
{
	struct leaf *leaf;

	while (chan_try_recv(p->idle, &leaf) == CHAN_OK)
		leaf_remove(p->cgroup, leaf);
	chan_unref(p->idle);
	cgroup_close(p->cgroup);
	ck_assert_int_eq(rmdir(p->path), 0);
}

static void write_to(const struct place *p, const struct leaf *leaf, const char *file, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/jobs/%s/%s", p->path, leaf->name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) > 0, "cannot write to %s", path);
	close(fd);
}

/* "": it is not there. */
static const char *read_from(const char *cgroup, const char *file, char room[256])
{
	char path[300];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, room, 255) : 0;
	room[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return room;
}

static void leaf_holds(const struct place *p, const struct leaf *leaf, const char *file, const char *text)
{
	char path[256], room[256];

	snprintf(path, sizeof(path), "%s/jobs/%s", p->path, leaf->name);
	ck_assert_str_eq(read_from(path, file, room), text);
}

/* False, with a loud word. */
static bool has(const struct place *p, enum controller controller, const char *name)
{
	bool is = cgroup_controllers(p->cgroup) & controller;

	if (!is)
		fprintf(stderr, "SKIPPED: no %s controller for cgroups of version 2: what it limits was not tested\n", name);
	return is;
}

/* A process that lives in the leaf until it is killed. */
static pid_t settle(const struct place *p, const struct leaf *leaf)
{
	char number[16];
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	snprintf(number, sizeof(number), "%d", (int)pid);
	write_to(p, leaf, "cgroup.procs", number);
	return pid;
}

START_TEST(a_leaf_that_is_empty_serves_again)
{
	struct place p;
	struct leaf *first, *second;

	if (!place_open(&p))
		return;
	first = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_ptr_nonnull(first);
	ck_assert_str_eq(first->name, "t-1");
	second = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_str_eq(second->name, "t-2");
	leaf_give(p.cgroup, p.idle, first);
	ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t", &none), first);
	leaf_give(p.cgroup, p.idle, first);
	leaf_give(p.cgroup, p.idle, second);
	place_close(&p);
}
END_TEST

START_TEST(one_in_which_somebody_lives_waits_for_its_turn_and_whoever_is_killed_leaves_it_empty)
{
	struct place p;
	struct leaf *lived_in, *other;
	int status;
	pid_t pid;

	if (!place_open(&p))
		return;
	lived_in = leaf_take(p.cgroup, p.idle, "t", &none);
	pid = settle(&p, lived_in);
	ck_assert(!leaf_is_empty(lived_in));
	leaf_give(p.cgroup, p.idle, lived_in);
	other = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_ptr_ne(other, lived_in);
	leaf_kill(lived_in);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wait_until(leaf_is_empty(lived_in), SOON);
	ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t", &none), lived_in);
	leaf_give(p.cgroup, p.idle, other);
	leaf_give(p.cgroup, p.idle, lived_in);
	place_close(&p);
}
END_TEST

START_TEST(one_that_was_frozen_is_removed_and_another_is_made)
{
	struct place p;
	struct leaf *leaf;

	if (!place_open(&p))
		return;
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	write_to(&p, leaf, "cgroup.freeze", "1");
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_str_eq(leaf->name, "t-2");
	ck_assert(!is_there(&p, "t-1"));
	leaf_give(p.cgroup, p.idle, leaf);
	place_close(&p);
}
END_TEST

START_TEST(one_in_which_cgroups_were_made_is_removed_with_them)
{
	struct place p;
	struct leaf *leaf;
	char path[300];

	if (!place_open(&p))
		return;
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	snprintf(path, sizeof(path), "%s/jobs/t-1/a", p.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/jobs/t-1/a/b", p.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_str_eq(leaf->name, "t-2");
	ck_assert(!is_there(&p, "t-1"));
	leaf_give(p.cgroup, p.idle, leaf);
	place_close(&p);
}
END_TEST

START_TEST(one_that_a_command_has_removed_is_empty_and_another_is_made)
{
	struct place p;
	struct leaf *leaf;
	char path[300];

	if (!place_open(&p))
		return;
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	snprintf(path, sizeof(path), "%s/jobs/t-1", p.path);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert(leaf_is_empty(leaf));
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t", &none);
	ck_assert_ptr_nonnull(leaf);
	ck_assert_str_eq(leaf->name, "t-2");
	leaf_give(p.cgroup, p.idle, leaf);
	place_close(&p);
}
END_TEST

START_TEST(more_than_can_wait_are_removed)
{
	struct place p;
	struct leaf *leaves[6];
	size_t there = 0;

	if (!place_open(&p))
		return;
	for (size_t i = 0; i < countof(leaves); i++)
		leaves[i] = leaf_take(p.cgroup, p.idle, "t", &none);
	for (size_t i = 0; i < countof(leaves); i++)
		leaf_give(p.cgroup, p.idle, leaves[i]);
	for (int i = 1; i <= (int)countof(leaves); i++) {
		char name[32];

		snprintf(name, sizeof(name), "t-%d", i);
		there += is_there(&p, name);
	}
	ck_assert_uint_eq(there, chan_cap(p.idle));
	place_close(&p);
}
END_TEST

START_TEST(a_setting_that_is_no_cgroup_is_an_error_and_off_is_none)
{
	char why[300];
	bool error;

	ck_assert_ptr_null(cgroup_open("/tmp", &error, why, sizeof(why)));
	ck_assert(error);
	ck_assert_str_eq(why, "/tmp is not a cgroup of version 2");
	ck_assert_ptr_null(cgroup_open("off", &error, why, sizeof(why)));
	ck_assert(!error);
	ck_assert_str_eq(why, "switched off");
}
END_TEST

START_TEST(a_second_leatd_does_not_get_it)
{
	struct place p;
	char why[300];
	bool error;

	if (!place_open(&p))
		return;
	ck_assert_ptr_null(cgroup_open(p.path, &error, why, sizeof(why)));
	ck_assert(error);
	ck_assert_ptr_nonnull(strstr(why, "another leatd has it"));
	place_close(&p);
}
END_TEST

START_TEST(a_leaf_limits_processes_and_the_next_command_has_limits_of_its_own)
{
	const struct leaf_limits five = { .processes = 5 };
	struct place p;
	struct leaf *leaf;

	if (!place_open(&p))
		return;
	if (has(&p, CONTROLLER_PIDS, "pids")) {
		leaf = leaf_take(p.cgroup, p.idle, "t", &five);
		leaf_holds(&p, leaf, "pids.max", "5\n");
		write_to(&p, leaf, "pids.max", "1");
		leaf_give(p.cgroup, p.idle, leaf);
		ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t", &five), leaf);
		leaf_holds(&p, leaf, "pids.max", "5\n");
		leaf_give(p.cgroup, p.idle, leaf);
		ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t", &none), leaf);
		leaf_holds(&p, leaf, "pids.max", "max\n");
		leaf_give(p.cgroup, p.idle, leaf);
	}
	place_close(&p);
}
END_TEST

START_TEST(a_leaf_limits_memory_without_swap_and_is_killed_as_a_whole)
{
	const struct leaf_limits some = { .memory_bytes = 64 << 20 };
	struct place p;
	struct leaf *leaf;

	if (!place_open(&p))
		return;
	if (has(&p, CONTROLLER_MEMORY, "memory")) {
		leaf = leaf_take(p.cgroup, p.idle, "t", &some);
		leaf_holds(&p, leaf, "memory.max", "67108864\n");
		leaf_holds(&p, leaf, "memory.oom.group", "1\n");
		write_to(&p, leaf, "memory.high", "4096");
		leaf_give(p.cgroup, p.idle, leaf);
		ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t", &none), leaf);
		leaf_holds(&p, leaf, "memory.max", "max\n");
		leaf_holds(&p, leaf, "memory.high", "max\n");
		leaf_holds(&p, leaf, "memory.oom.group", "0\n");
		ck_assert(!leaf_ran_out_of_memory(p.cgroup, leaf));
		leaf_give(p.cgroup, p.idle, leaf);
	}
	place_close(&p);
}
END_TEST

/* Two of them, so that the whole is seen to go. */
static pid_t take_memory_in(const struct place *p, const struct leaf *leaf)
{
	char number[16];
	int go[2];
	pid_t pid;

	ck_assert_int_eq(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		(void)!read(go[0], &byte, 1);
		if (fork() == 0)
			for (;;)
				pause();
		for (;;)
			memset(malloc(1 << 20), 1, 1 << 20);
	}
	snprintf(number, sizeof(number), "%d", (int)pid);
	write_to(p, leaf, "cgroup.procs", number);
	ck_assert_int_eq(write(go[1], "", 1), 1);
	close(go[0]);
	close(go[1]);
	return pid;
}

START_TEST(one_that_ran_out_of_memory_says_so_and_does_not_serve_again)
{
	const struct leaf_limits some = { .memory_bytes = 16 << 20 };
	struct place p;
	struct leaf *leaf;
	int status;

	if (!place_open(&p))
		return;
	if (has(&p, CONTROLLER_MEMORY, "memory")) {
		leaf = leaf_take(p.cgroup, p.idle, "t", &some);
		ck_assert_int_gt(waitpid(take_memory_in(&p, leaf), &status, 0), 0);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		wait_until(leaf_is_empty(leaf), SOON);
		ck_assert(leaf_ran_out_of_memory(p.cgroup, leaf));
		leaf_give(p.cgroup, p.idle, leaf);
		leaf = leaf_take(p.cgroup, p.idle, "t", &some);
		ck_assert_str_eq(leaf->name, "t-2");
		ck_assert(!leaf_ran_out_of_memory(p.cgroup, leaf));
		leaf_give(p.cgroup, p.idle, leaf);
	}
	place_close(&p);
}
END_TEST

/* A cgroup that says it is delegated, like one of systemd, and whether it has any of the controllers. */
struct delegated {
	char path[128];
	bool has_controllers;
};

static bool delegate(struct delegated *d)
{
	char mark[160], room[256];

	for (size_t i = 0; i < countof(mounts); i++) {
		snprintf(d->path, sizeof(d->path), "%s/leat-unit-%d", mounts[i], (int)getpid());
		snprintf(mark, sizeof(mark), "%s/cgroup.kill", d->path);
		if (mkdir(d->path, 0755) == 0 && access(mark, W_OK) == 0 &&
		    (setxattr(d->path, "user.delegate", "1", 1, 0) == 0 || setxattr(d->path, "trusted.delegate", "1", 1, 0) == 0)) {
			read_from(d->path, "cgroup.controllers", room);
			d->has_controllers = strstr(room, "memory") || strstr(room, "pids");
			return true;
		}
		rmdir(d->path);
	}
	fprintf(stderr, "SKIPPED: no cgroup of version 2 that we may write to: the one of leatd was not tested\n");
	return false;
}

static bool enter(const char *cgroup)
{
	char path[200];
	int fd;
	bool entered;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	entered = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return entered;
}

/* Whether it is us, alone. */
static bool lives_only_this_in(const char *cgroup)
{
	char room[256], us[16];

	snprintf(us, sizeof(us), "%d\n", (int)getpid());
	return strcmp(read_from(cgroup, "cgroup.procs", room), us) == 0;
}

/* In a process of its own, which may not judge: 0, or the number of what was not so. */
static int be_a_leatd(const struct delegated *d)
{
	char why[300], home[160];
	bool error;
	struct cgroup *cgroup;

	snprintf(home, sizeof(home), "%s/leatd", d->path);
	cgroup = cgroup_open("auto", &error, why, sizeof(why));
	if (!cgroup || strcmp(cgroup_path(cgroup), d->path) != 0)
		return 2;
	if (d->has_controllers != (cgroup_controllers(cgroup) != 0))
		return 3;
	if (!d->has_controllers && strcmp(why, "memory: not available; pids: not available") != 0)
		return 4;
	if (d->has_controllers && !lives_only_this_in(home))
		return 5;
	cgroup_close(cgroup);
	return 0;
}

static int live_in(const struct delegated *d, const char *cgroup)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!enter(cgroup))
			_exit(1);
		_exit(be_a_leatd(d));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(a_leatd_makes_room_for_controllers_where_it_has_some_and_leaves_everything_as_it_was)
{
	struct delegated d;

	if (!delegate(&d))
		return;
	if (!d.has_controllers)
		fprintf(stderr, "SKIPPED: no controllers for cgroups of version 2: leatd was not moved\n");
	ck_assert_int_eq(live_in(&d, d.path), 0);
	/* Where it has moved to itself is gone. */
	ck_assert_int_eq(rmdir(d.path), 0);
}
END_TEST

START_TEST(a_leatd_that_was_put_below_what_is_delegated_finds_it)
{
	struct delegated d;
	char home[160];

	if (!delegate(&d))
		return;
	snprintf(home, sizeof(home), "%s/leatd", d.path);
	ck_assert_int_eq(mkdir(home, 0755), 0);
	ck_assert_int_eq(live_in(&d, home), 0);
	rmdir(home);
	ck_assert_int_eq(rmdir(d.path), 0);
}
END_TEST

Suite *cgroup_suite(void);

Suite *cgroup_suite(void)
{
	const TTest *tests[] = {
		a_leaf_that_is_empty_serves_again,
		one_in_which_somebody_lives_waits_for_its_turn_and_whoever_is_killed_leaves_it_empty,
		one_that_was_frozen_is_removed_and_another_is_made,
		one_in_which_cgroups_were_made_is_removed_with_them,
		one_that_a_command_has_removed_is_empty_and_another_is_made,
		more_than_can_wait_are_removed,
		a_setting_that_is_no_cgroup_is_an_error_and_off_is_none,
		a_second_leatd_does_not_get_it,
		a_leaf_limits_processes_and_the_next_command_has_limits_of_its_own,
		a_leaf_limits_memory_without_swap_and_is_killed_as_a_whole,
		one_that_ran_out_of_memory_says_so_and_does_not_serve_again,
		a_leatd_makes_room_for_controllers_where_it_has_some_and_leaves_everything_as_it_was,
		a_leatd_that_was_put_below_what_is_delegated_finds_it,
	};
	return suite_of("cgroup", tests, countof(tests));
}
