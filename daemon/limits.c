#include "limits.h"

#include "config.h"
#include "controllers.h"
#include "../lib/moment.h"

#include <signal.h>

static void add(struct limits *limits, int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit is = { RLIM_INFINITY, RLIM_INFINITY };

	/* A limit takes away and does not give. */
	getrlimit(resource, &is);
	limits->each[limits->count].resource = resource;
	limits->each[limits->count].is = (struct rlimit){ soft < is.rlim_max ? soft : is.rlim_max, hard < is.rlim_max ? hard : is.rlim_max };
	limits->count++;
}

static rlim_t cpu_seconds(const struct job_config *config)
{
	return (rlim_t)((config->limit_cpu + SECONDS - 1) / SECONDS);
}

void limits_make(struct limits *limits, const struct job_config *config, const struct rlimit *descriptors, unsigned by_leaf)
{
	limits->count = 0;
	if (config->limit_files > 0)
		add(limits, RLIMIT_NOFILE, config->limit_files, config->limit_files);
	else
		add(limits, RLIMIT_NOFILE, descriptors->rlim_cur, descriptors->rlim_max);
	/* At the first it is told, so that it is known why; at the second it is killed, whatever it has done about that. */
	if (config->limit_cpu > 0)
		add(limits, RLIMIT_CPU, cpu_seconds(config), cpu_seconds(config) + 1);
	if (config->limit_memory > 0 && !(by_leaf & CONTROLLER_MEMORY))
		add(limits, RLIMIT_AS, config->limit_memory, config->limit_memory);
	if (config->limit_processes > 0 && !(by_leaf & CONTROLLER_PIDS))
		add(limits, RLIMIT_NPROC, config->limit_processes, config->limit_processes);
}

void limits_of_leaf(struct leaf_limits *limits, const struct job_config *config)
{
	*limits = (struct leaf_limits){ .memory_bytes = config->limit_memory, .processes = config->limit_processes };
}

static int64_t used_ns(const struct rusage *used)
{
	return (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * SECONDS + (used->ru_utime.tv_usec + used->ru_stime.tv_usec) * MICROSECONDS;
}

bool limits_ended_by_cpu(const struct job_config *config, int signal, const struct rusage *used)
{
	if (config->limit_cpu == 0)
		return false;
	return signal == SIGXCPU || (signal == SIGKILL && used_ns(used) >= (int64_t)cpu_seconds(config) * SECONDS);
}
