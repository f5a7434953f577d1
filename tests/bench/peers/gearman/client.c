/* client PORT TASKS SECONDS: so many tasks of `echo` in flight at gearmand; each that is done is followed by the next. Prints how
 * many were done a second. */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char payload[] = "hello";

struct load {
	gearman_client_st *client;
	double until;
	long done;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add(struct load *load)
{
	gearman_return_t r;

	if (!gearman_client_add_task(load->client, NULL, load, "echo", NULL, payload, strlen(payload), &r) || r != GEARMAN_SUCCESS) {
		fprintf(stderr, "client: %s\n", gearman_client_error(load->client));
		exit(1);
	}
}

static gearman_return_t complete(gearman_task_st *task)
{
	struct load *load = gearman_task_context(task);

	if (gearman_task_data_size(task) != strlen(payload) || memcmp(gearman_task_data(task), payload, strlen(payload)) != 0) {
		fprintf(stderr, "client: a wrong answer\n");
		exit(1);
	}
	load->done++;
	if (seconds() < load->until)
		add(load);
	return GEARMAN_SUCCESS;
}

int main(int argc, char **argv)
{
	struct load load = { .client = gearman_client_create(NULL) };
	double began;

	if (argc != 4 || !load.client || gearman_client_add_server(load.client, "127.0.0.1", (in_port_t)atoi(argv[1])) != GEARMAN_SUCCESS) {
		fprintf(stderr, "usage: client PORT TASKS SECONDS\n");
		return 64;
	}
	gearman_client_set_complete_fn(load.client, complete);
	/* Finished tasks are freed as they end, or they would be gone through again and again. */
	gearman_client_add_options(load.client, GEARMAN_CLIENT_FREE_TASKS);
	began = seconds();
	load.until = began + atof(argv[3]);
	for (int i = 0; i < atoi(argv[2]); i++)
		add(&load);
	if (gearman_client_run_tasks(load.client) != GEARMAN_SUCCESS) {
		fprintf(stderr, "client: %s\n", gearman_client_error(load.client));
		return 1;
	}
	printf("%.1f\n", (double)load.done / (seconds() - began));
	return 0;
}
