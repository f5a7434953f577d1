#include "../../daemon/cgroup.h"

#include "../../lib/chan.h"
#include "testing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A cgroup of our own, with what a leatd has of it. */
struct place {
	char path[128];
	struct cgroup *cgroup;
	struct chan *idle;
};

/* False, with a loud word: there is none to be had. */
static bool place_open(struct place *p)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	char why[300], mark[160];
	bool error;

	*p = (struct place){ .cgroup = NULL };
	for (size_t i = 0; i < countof(mounts) && !p->cgroup; i++) {
		snprintf(p->path, sizeof(p->path), "%s/leat-unit-%d", mounts[i], (int)getpid());
		snprintf(mark, sizeof(mark), "%s/cgroup.kill", p->path);
		if (mkdir(p->path, 0755) == 0 && access(mark, W_OK) == 0)
			p->cgroup = cgroup_open(p->path, &error, why, sizeof(why));
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
	first = leaf_take(p.cgroup, p.idle, "t");
	ck_assert_ptr_nonnull(first);
	ck_assert_str_eq(first->name, "t-1");
	second = leaf_take(p.cgroup, p.idle, "t");
	ck_assert_str_eq(second->name, "t-2");
	leaf_give(p.cgroup, p.idle, first);
	ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t"), first);
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
	lived_in = leaf_take(p.cgroup, p.idle, "t");
	pid = settle(&p, lived_in);
	ck_assert(!leaf_is_empty(lived_in));
	leaf_give(p.cgroup, p.idle, lived_in);
	other = leaf_take(p.cgroup, p.idle, "t");
	ck_assert_ptr_ne(other, lived_in);
	leaf_kill(lived_in);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wait_until(leaf_is_empty(lived_in), SOON);
	ck_assert_ptr_eq(leaf_take(p.cgroup, p.idle, "t"), lived_in);
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
	leaf = leaf_take(p.cgroup, p.idle, "t");
	write_to(&p, leaf, "cgroup.freeze", "1");
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t");
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
	leaf = leaf_take(p.cgroup, p.idle, "t");
	snprintf(path, sizeof(path), "%s/jobs/t-1/a", p.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/jobs/t-1/a/b", p.path);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t");
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
	leaf = leaf_take(p.cgroup, p.idle, "t");
	snprintf(path, sizeof(path), "%s/jobs/t-1", p.path);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert(leaf_is_empty(leaf));
	leaf_give(p.cgroup, p.idle, leaf);
	leaf = leaf_take(p.cgroup, p.idle, "t");
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
		leaves[i] = leaf_take(p.cgroup, p.idle, "t");
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
	};
	return suite_of("cgroup", tests, countof(tests));
}
