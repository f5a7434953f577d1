#include "type.h"

#include "leatd.h"
#include "run.h"
#include "semaphores.h"
#include "share.h"

#include <errno.h>

enum { RUNNER_STACK_BYTES = 256 * 1024 };

int type_start(struct type *type, const struct job_config *config, struct leatd *leatd)
{
	struct pool_options options = {
		.elem_size = sizeof(struct job *),
		/* As many again as there are places: see admit_enter(). */
		.capacity = 2 * config->queue + config->concurrency,
		.max_threads = config->concurrency,
		.idle_ns = 60 * SECONDS,
		.stack_bytes = RUNNER_STACK_BYTES,
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
	type->gate = gate_new();
	type->pool = type->gate ? pool_start(&options) : NULL;
	if (!type->pool) {
		type_stop(type);
		return -ENOMEM;
	}
	semaphores_join(leatd, type);
	return 0;
}

bool type_pause(struct type *type)
{
	return gate_shut(type->gate) == CHAN_OK;
}

void type_resume(struct type *type)
{
	gate_open(type->gate);
}

void type_stop(struct type *type)
{
	if (type->pool) {
		(void)pool_stop(type->pool, NULL, FOREVER);
		pool_unref(type->pool);
		type->pool = NULL;
	}
	gate_unref(type->gate);
	type->gate = NULL;
	share_free(type->share);
	type->share = NULL;
}
