#include "type.h"

#include "cgroup.h"
#include "leatd.h"
#include "plugin.h"
#include "run.h"
#include "semaphores.h"
#include "share.h"
#include "workers.h"
#include "../lib/chan.h"

#include <errno.h>

/* What a plugin is promised is more than our own code needs. */
enum { RUNNER_STACK_BYTES = 256 * 1024, PLUGIN_STACK_BYTES = 1024 * 1024 };

int type_start(struct type *type, const struct job_config *config, struct leatd *leatd)
{
	struct pool_options options = {
		.elem_size = sizeof(struct job *),
		/* As many again as there are places: see admit_enter(). */
		.capacity = 2 * config->queue + config->concurrency,
		.max_threads = config->concurrency,
		.idle_ns = 60 * SECONDS,
		.stack_bytes = config->kind == KIND_PLUGIN ? PLUGIN_STACK_BYTES : RUNNER_STACK_BYTES,
		.run = run_job,
		.name = config->name,
	};

	type->config = config;
	type->name = slice_of(config->name);
	type->leatd = leatd;
	if (config->client_share > 0) {
		type->share = share_new(config->concurrency + config->queue, (unsigned)config->client_share);
		if (!type->share)
			return -ENOMEM;
	}
	if (leatd->trees.cgroup && config_runs_programs(config)) {
		/* As many again may hold children that were left. */
		type->leaves = chan_new(sizeof(struct leaf *), 2 * config->concurrency);
		if (!type->leaves)
			return -ENOMEM;
	}
	if (config->kind == KIND_PLUGIN) {
		type->plugin = plugin_start(config, leatd->log);
		if (!type->plugin)
			return -ELIBBAD;
	}
	type->gate = gate_new();
	type->pool = type->gate ? pool_start(&options) : NULL;
	if (!type->pool)
		return -ENOMEM;
	semaphores_join(leatd, type);
	return config_has_workers(config) ? workers_start(type, &type->workers) : 0;
}

bool type_pause(struct type *type)
{
	return gate_shut(type->gate) == CHAN_OK;
}

void type_resume(struct type *type)
{
	gate_open(type->gate);
}

void type_retire(struct type *type)
{
	workers_retire(type->workers);
}

void type_stop(struct type *type)
{
	struct leaf *leaf;

	if (type->pool) {
		(void)pool_stop(type->pool, NULL, FOREVER);
		pool_unref(type->pool);
	}
	workers_stop(type->workers);
	type->workers = NULL;
	while (type->leaves && chan_try_recv(type->leaves, &leaf) == CHAN_OK)
		leaf_remove(type->leatd->trees.cgroup, leaf);
	chan_unref(type->leaves);
	type->pool = NULL;
	type->leaves = NULL;
	gate_unref(type->gate);
	type->gate = NULL;
	plugin_stop(type->plugin);
	type->plugin = NULL;
	share_free(type->share);
	type->share = NULL;
}
