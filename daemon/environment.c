#include "environment.h"

#include "config.h"
#include "job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_configured(const struct environment *env, const char *var)
{
	size_t name = strcspn(var, "=") + 1;

	for (size_t i = 0; i < env->configured_count; i++) {
		if (strncmp(env->configured[i], var, name) == 0)
			return true;
	}
	return false;
}

printf_like(2, 3) static void add_var(struct environment *env, const char *format, ...)
{
	size_t left = sizeof(env->room) - env->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(env->room + env->used, left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left || env->count == ENVIRONMENT_VARS_MAX || is_configured(env, env->room + env->used))
		return;
	env->vars[env->count++] = env->room + env->used;
	env->used += (size_t)n + 1;
}

static void add_job(struct environment *env, const struct job *job)
{
	add_var(env, "LEAT_ID=%s", job->id);
	add_var(env, "LEAT_DEADLINE_MS=%lld", (long long)((job->deadline - moment_now()) / MILLISECONDS));
	if (job->traceparent.len)
		add_var(env, "TRACEPARENT=%.*s", (int)job->traceparent.len, job->traceparent.at);
}

char **environment_make(struct environment *env, const struct job_config *config, const struct job *job)
{
	char **envp;

	*env = (struct environment){ .configured = config->env, .configured_count = config->env_count };
	add_var(env, "PATH=" COMMAND_PATH);
	add_var(env, "LANG=C.UTF-8");
	add_var(env, "HOME=%s", config->account.home ? config->account.home : "/");
	add_var(env, "LEAT_JOB=%s", config->name);
	if (job)
		add_job(env, job);
	envp = calloc(env->count + config->env_count + 1, sizeof(*envp));
	if (!envp)
		return NULL;
	if (config->env_count)
		memcpy(envp, config->env, config->env_count * sizeof(*envp));
	memcpy(envp + config->env_count, env->vars, env->count * sizeof(*envp));
	return envp;
}
