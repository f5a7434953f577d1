#include "pipe_check.h"

size_t pipe_group_end(const struct job_config *const *stages, size_t count, size_t first)
{
	size_t end = first + 1;

	while (end < count && stages[end - 1]->kind == KIND_EXEC && stages[end]->kind == KIND_EXEC)
		end++;
	return end;
}

/* Of the stages from `first` to `end`: how often this one is there. */
static size_t times(const struct job_config *const *stages, size_t first, size_t end, const struct job_config *job)
{
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		n += stages[i] == job;
	return n;
}

static bool has_runners(const struct job_config *const *stages, size_t first, size_t end, struct pipe_fault *fault)
{
	for (size_t i = first; i < end; i++) {
		size_t needed = times(stages, first, end, stages[i]);

		if (needed <= stages[i]->concurrency)
			continue;
		*fault = (struct pipe_fault){ "a job is needed more often at once than its concurrency", stages[i]->name, needed, stages[i]->concurrency };
		return false;
	}
	return true;
}

static size_t users_of(const struct job_config *const *stages, size_t first, size_t end, size_t semaphore)
{
	size_t n = 0;

	for (size_t i = first; i < end; i++) {
		for (size_t u = 0; u < stages[i]->uses_count; u++)
			n += stages[i]->uses_index[u] == semaphore;
	}
	return n;
}

static bool has_permits(const struct config *config, const struct job_config *const *stages, size_t first, size_t end, struct pipe_fault *fault)
{
	for (size_t i = 0; i < config->semaphore_count; i++) {
		const struct semaphore_config *s = config->semaphores[i];
		size_t needed = users_of(stages, first, end, i);

		if (needed <= s->permits)
			continue;
		*fault = (struct pipe_fault){ "more permits of a semaphore are needed at once than it has", s->name, needed, s->permits };
		return false;
	}
	return true;
}

bool pipe_check(const struct config *config, const struct job_config *const *stages, size_t count, struct pipe_fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		if (stages[i]->arg_count == 0)
			continue;
		*fault = (struct pipe_fault){ .detail = "a job takes arguments of a client, and a pipe has none", .name = stages[i]->name };
		return false;
	}
	for (size_t first = 0, end; first < count; first = end) {
		end = pipe_group_end(stages, count, first);
		if (!has_runners(stages, first, end, fault) || !has_permits(config, stages, first, end, fault))
			return false;
	}
	return true;
}
