#include "semaphores.h"

#include "catalogue.h"
#include "job.h"
#include "type.h"

#include <errno.h>
#include <stdlib.h>

struct named_semaphore *named_semaphore_new(struct config *owner, const struct semaphore_config *config)
{
	struct named_semaphore *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->semaphore = semaphore_new(config->permits);
	if (!s->semaphore) {
		free(s);
		return NULL;
	}
	shim_store(&s->references, 1, relaxed);
	s->config = config;
	s->owner = config_ref(owner);
	return s;
}

struct named_semaphore *named_semaphore_ref(struct named_semaphore *s)
{
	shim_add(&s->references, 1, relaxed);
	return s;
}

void named_semaphore_unref(struct named_semaphore *s)
{
	if (shim_sub(&s->references, 1, acq_rel) > 1)
		return;
	semaphore_unref(s->semaphore);
	free(s->users);
	config_unref(s->owner);
	free(s);
}

static bool join(struct named_semaphore *s, const struct type *type)
{
	const struct type **more = calloc(s->user_count + 1, sizeof(*more)), **old = s->users;

	if (!more)
		return false;
	for (size_t i = 0; i < s->user_count; i++)
		more[i] = old[i];
	more[s->user_count] = type;
	lock_acquire(&s->lock);
	s->users = more;
	s->user_count++;
	lock_release(&s->lock);
	free(old);
	return true;
}

static void leave(struct named_semaphore *s, const struct type *type)
{
	size_t kept = 0;

	lock_acquire(&s->lock);
	for (size_t i = 0; i < s->user_count; i++) {
		if (s->users[i] != type)
			s->users[kept++] = s->users[i];
	}
	s->user_count = kept;
	lock_release(&s->lock);
}

int semaphores_join(const struct catalogue *c, struct type *type)
{
	for (size_t i = 0; i < type->config->uses_count; i++) {
		struct named_semaphore *s = c->semaphores[type->config->uses_index[i]];

		if (!join(s, type))
			return -ENOMEM;
		type->uses[type->uses_count++] = named_semaphore_ref(s);
	}
	return 0;
}

void semaphores_leave(struct type *type)
{
	while (type->uses_count > 0) {
		struct named_semaphore *s = type->uses[--type->uses_count];

		leave(s, type);
		named_semaphore_unref(s);
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
