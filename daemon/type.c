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
	type->pool = pool_start(&options);
	if (!type->pool) {
		share_free(type->share);
		type->share = NULL;
		return -ENOMEM;
	}
	semaphores_join(leatd, type);
	return 0;
}

void type_stop(struct type *type)
{
	if (!type->pool)
		return;
	(void)pool_stop(type->pool, NULL, FOREVER);
	pool_unref(type->pool);
	type->pool = NULL;
	share_free(type->share);
	type->share = NULL;
}
