#include "semaphores.h"

#include "job.h"
#include "leatd.h"
#include "type.h"

#include <errno.h>
#include <stdlib.h>

int semaphores_start(struct leatd *leatd)
{
	const struct config *config = leatd->config;

	leatd->semaphores = calloc(config->semaphore_count, sizeof(*leatd->semaphores));
	if (!leatd->semaphores && config->semaphore_count > 0)
		return -ENOMEM;
	for (; leatd->semaphore_count < config->semaphore_count; leatd->semaphore_count++) {
		struct named_semaphore *s = &leatd->semaphores[leatd->semaphore_count];

		s->config = config->semaphores[leatd->semaphore_count];
		s->semaphore = semaphore_new(s->config->permits);
		s->users = calloc(config->job_count, sizeof(struct type *));
		if (s->semaphore && s->users)
			continue;
		semaphore_unref(s->semaphore);
		free(s->users);
		return -ENOMEM;
	}
	return 0;
}

void semaphores_stop(struct leatd *leatd)
{
	for (size_t i = 0; i < leatd->semaphore_count; i++) {
		semaphore_unref(leatd->semaphores[i].semaphore);
		free(leatd->semaphores[i].users);
	}
	free(leatd->semaphores);
	leatd->semaphores = NULL;
	leatd->semaphore_count = 0;
}

void semaphores_join(struct leatd *leatd, struct type *type)
{
	for (size_t i = 0; i < type->config->uses_count; i++) {
		struct named_semaphore *s = &leatd->semaphores[type->config->uses_index[i]];

		type->uses[type->uses_count++] = s;
		s->users[s->user_count++] = type;
	}
}

static void give_back(struct type *type, size_t n)
{
	while (n > 0)
		(void)semaphore_release(type->uses[--n]->semaphore, 1);
}

bool semaphores_take(struct job *job)
{
	struct type *type = job->type;

	for (size_t i = 0; i < type->uses_count; i++) {
		if (semaphore_acquire(type->uses[i]->semaphore, 1, job->ctx, FOREVER) == CHAN_OK)
			continue;
		give_back(type, i);
		return false;
	}
	return true;
}

void semaphores_give_back(struct type *type)
{
	give_back(type, type->uses_count);
}

uint64_t semaphores_free(const struct named_semaphore *s)
{
	return semaphore_available(s->semaphore);
}
