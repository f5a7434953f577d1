/* Commands that do not want to die, for the tests of the proof of death:
 *
 *   escape tree        ignores SIGTERM, forks twice, makes sessions, and stays
 *   escape lock FILE   the same, with a lock on FILE that all of it holds; exit 3 if somebody else has it. What comes on stdin says
 *                      whether the first process stays ("hang") or ends at once
 *   escape bomb        forks without end, each time into a new session
 *   escape brood N     leaves N children that end at once, and ends */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

static void stay(void)
{
	for (;;)
		pause();
}

/* Twice away from its parent, and twice again from there. */
static void escape(int depth)
{
	if (fork() != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	if (depth > 0)
		escape(depth - 1);
	stay();
}

static int lock(const char *path)
{
	char how[8] = "";
	int fd = open(path, O_RDWR);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 3;
	escape(0);
	if (read(0, how, sizeof(how) - 1) > 0 && strcmp(how, "hang") == 0)
		stay();
	return 0;
}

static void bomb(void)
{
	/* Of the whole account. */
	setrlimit(RLIMIT_NPROC, &(struct rlimit){ 100, 100 });
	for (;;) {
		if (fork() == 0)
			setsid();
		else if (fork() == 0)
			_exit(0);
	}
}

static int brood(int n)
{
	while (n-- > 0)
		if (fork() == 0)
			_exit(0);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (strcmp(what, "lock") == 0)
		return lock(argc > 2 ? argv[2] : "");
	if (strcmp(what, "brood") == 0)
		return brood(argc > 2 ? atoi(argv[2]) : 1);
	if (strcmp(what, "bomb") == 0)
		bomb();
	escape(1);
	stay();
}
