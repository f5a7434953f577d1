/* worker PORT: a worker of gearmand that answers `echo` with its payload, as the manual of libgearman has it. */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *echo(gearman_job_st *job, void *context, size_t *size, gearman_return_t *result)
{
	void *answer;

	(void)context;
	*size = gearman_job_workload_size(job);
	answer = malloc(*size);
	*result = answer ? GEARMAN_SUCCESS : GEARMAN_WORK_FAIL;
	if (answer)
		memcpy(answer, gearman_job_workload(job), *size);
	return answer;
}

int main(int argc, char **argv)
{
	gearman_worker_st *worker = gearman_worker_create(NULL);

	if (argc != 2 || !worker || gearman_worker_add_server(worker, "127.0.0.1", (in_port_t)atoi(argv[1])) != GEARMAN_SUCCESS ||
	    gearman_worker_add_function(worker, "echo", 0, echo, NULL) != GEARMAN_SUCCESS) {
		fprintf(stderr, "worker: cannot work for gearmand at port %s\n", argc > 1 ? argv[1] : "?");
		return 71;
	}
	while (gearman_worker_work(worker) == GEARMAN_SUCCESS)
		;
	fprintf(stderr, "worker: %s\n", gearman_worker_error(worker));
	return 1;
}
