/* spawn THREADS SECONDS PROGRAM: starts the program and waits for its end, over and over, on so many threads, and prints how often
 * a second: what any server that starts commands could reach at best. */
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

struct turn {
	char *program;
	double until;
	long count;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *run(void *arg)
{
	struct turn *turn = arg;
	char *argv[] = { turn->program, NULL };
	int status;
	pid_t pid;

	while (seconds() < turn->until) {
		if (posix_spawn(&pid, turn->program, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
			fprintf(stderr, "spawn: %s could not be run\n", turn->program);
			exit(1);
		}
		turn->count++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	enum { THREADS_MAX = 64 };
	struct turn turns[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	int n = argc == 4 ? atoi(argv[1]) : 0;
	double began = seconds();
	long total = 0;

	if (n < 1 || n > THREADS_MAX) {
		fprintf(stderr, "usage: spawn THREADS SECONDS PROGRAM\n");
		return 64;
	}
	for (int i = 0; i < n; i++) {
		turns[i] = (struct turn){ argv[3], began + atof(argv[2]), 0 };
		if (pthread_create(&threads[i], NULL, run, &turns[i]) != 0)
			return 71;
	}
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		total += turns[i].count;
	}
	printf("%.1f\n", (double)total / (seconds() - began));
	return 0;
}
