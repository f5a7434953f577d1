#include "type.h"

#include "catalogue.h"
#include "cgroup.h"
#include "leatd.h"
#include "plugin.h"
#include "run.h"
#include "semaphores.h"
#include "share.h"
#include "workers.h"
#include "../lib/chan.h"

#include <errno.h>
#include <stdlib.h>

/* What a plugin is promised is more than our own code needs. */
enum { RUNNER_STACK_BYTES = 256 * 1024, PLUGIN_STACK_BYTES = 1024 * 1024 };

/* What goes on when a type takes over from another of its name. */
static bool take_over(struct type *type, const struct type *before)
{
	type->books = before ? books_ref(before->books) : books_new();
	type->gate = before ? gate_ref(before->gate) : gate_new();
	return type->books && type->gate;
}

static int start(struct type *type)
{
	const struct job_config *config = type->config;
	struct leatd *leatd = type->leatd;
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
	type->pool = pool_start(&options);
	if (!type->pool)
		return -ENOMEM;
	return config_has_workers(config) ? workers_start(type, &type->workers) : 0;
}

static struct type *type_new(const struct catalogue *c, const struct job_config *config)
{
	struct type *type = aligned_alloc(CACHE_LINE, sizeof(*type));

	if (!type)
		return NULL;
	memset(type, 0, sizeof(*type));
	shim_store(&type->references, 1, relaxed);
	type->config = config;
	type->owner = config_ref(c->config);
	type->name = slice_of(config->name);
	type->leatd = c->leatd;
	return type;
}

static void join_stages(const struct catalogue *c, struct type *type)
{
	for (size_t i = 0; i < type->config->stage_count; i++)
		type->stages[i] = type_ref(catalogue_type_of(c, type->config->stages[i]));
}

int type_start(const struct catalogue *c, const struct job_config *config, const struct type *before, struct type **to)
{
	struct type *type = type_new(c, config);
	int r = -ENOMEM;

	if (type) {
		join_stages(c, type);
		r = take_over(type, before) ? start(type) : -ENOMEM;
	}
	if (r == 0)
		r = semaphores_join(c, type);
	if (r == 0) {
		*to = type;
		return 0;
	}
	if (type) {
		type_stop(type);
		type_free(type);
	}
	return r;
}

struct type *type_ref(struct type *type)
{
	shim_add(&type->references, 1, relaxed);
	return type;
}

/* Main's is the last, and main looks. */
void type_unref(struct type *type)
{
	shim_sub(&type->references, 1, release);
}

bool type_pause(struct type *type)
{
	return gate_shut(type->gate) == CHAN_OK;
}

void type_resume(struct type *type)
{
	gate_open(type->gate);
}

/* Nobody runs it any more. */
static void leave_stages(struct type *type)
{
	for (size_t i = 0; i < type->config->stage_count; i++) {
		if (type->stages[i])
			type_unref(type->stages[i]);
		type->stages[i] = NULL;
	}
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
	plugin_stop(type->plugin);
	type->plugin = NULL;
	leave_stages(type);
}

bool type_look(struct type *type)
{
	if (shim_load(&type->references, acquire) > 1)
		return false;
	if (type->pool && pool_stop(type->pool, NULL, NOW) != CHAN_OK)
		return false;
	workers_retire(type->workers);
	if (!workers_are_over(type->workers))
		return false;
	type_stop(type);
	type_free(type);
	return true;
}

void type_free(struct type *type)
{
	semaphores_leave(type);
	share_free(type->share);
	gate_unref(type->gate);
	books_unref(type->books);
	config_unref(type->owner);
	free(type);
}
