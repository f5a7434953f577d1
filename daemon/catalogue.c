#include "catalogue.h"

#include "config_compare.h"
#include "leatd.h"
#include "semaphores.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct type *catalogue_type(const struct catalogue *c, struct slice name)
{
	size_t low = 0, high = c->type_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct slice other = c->types[middle]->name;
		size_t shorter = name.len < other.len ? name.len : other.len;
		int order = shorter ? memcmp(name.at, other.at, shorter) : 0;

		if (order == 0 && name.len == other.len)
			return c->types[middle];
		if (order < 0 || (order == 0 && name.len < other.len))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const char *type_name(size_t i, const void *types)
{
	return ((struct type *const *)types)[i]->config->name;
}

const char *catalogue_nearest_type(const struct catalogue *c, struct slice name)
{
	return text_nearest(name, type_name, c->type_count, c->types);
}

/* --- Life --- */

struct catalogue *catalogue_ref(struct catalogue *c)
{
	shim_add(&c->references, 1, relaxed);
	return c;
}

void catalogue_unref(struct catalogue *c)
{
	if (!c || shim_sub(&c->references, 1, acq_rel) > 1)
		return;
	for (size_t i = 0; i < c->type_count; i++) {
		if (c->types[i])
			type_unref(c->types[i]);
	}
	if (c->pipes)
		type_unref(c->pipes);
	for (size_t i = 0; i < c->semaphore_count; i++)
		named_semaphore_unref(c->semaphores[i]);
	free(c->types);
	free(c->semaphores);
	access_unref(c->access);
	config_unref(c->config);
	free(c);
}

static void retire(struct leatd *leatd, struct type *type)
{
	type->next = leatd->retired;
	leatd->retired = type;
}

void catalogue_retire(const struct catalogue *old, const struct catalogue *new)
{
	for (size_t i = 0; i < old->type_count; i++) {
		struct type *type = old->types[i];

		if (type && !(new && catalogue_type(new, type->name) == type))
			retire(old->leatd, type);
	}
	if (old->pipes && !(new && new->pipes == old->pipes))
		retire(old->leatd, old->pipes);
}

/* --- Making --- */

static struct named_semaphore *same_semaphore(const struct catalogue *before, const struct semaphore_config *config)
{
	for (size_t i = 0; before && i < before->semaphore_count; i++) {
		struct named_semaphore *s = before->semaphores[i];

		if (strcmp(s->config->name, config->name) == 0 && s->config->permits == config->permits)
			return named_semaphore_ref(s);
	}
	return NULL;
}

static int make_semaphores(struct catalogue *c, const struct catalogue *before)
{
	const struct config *config = c->config;

	c->semaphores = calloc(config->semaphore_count + 1, sizeof(*c->semaphores));
	if (!c->semaphores)
		return -ENOMEM;
	for (; c->semaphore_count < config->semaphore_count; c->semaphore_count++) {
		struct named_semaphore *s = same_semaphore(before, config->semaphores[c->semaphore_count]);

		if (!s)
			s = named_semaphore_new(c->config, config->semaphores[c->semaphore_count]);
		if (!s)
			return -ENOMEM;
		c->semaphores[c->semaphore_count] = s;
	}
	return 0;
}

static bool uses_the_same(const struct catalogue *c, const struct type *type, const struct job_config *config)
{
	for (size_t i = 0; i < config->uses_count; i++) {
		if (c->semaphores[config->uses_index[i]] != type->uses[i])
			return false;
	}
	return true;
}

struct type *catalogue_type_of(const struct catalogue *c, const struct job_config *config)
{
	for (size_t i = 0; i < c->type_count; i++) {
		if (c->config->jobs[i] == config)
			return c->types[i];
	}
	return NULL;
}

static bool has_the_same_stages(const struct catalogue *c, const struct type *type, const struct job_config *config)
{
	for (size_t i = 0; i < config->stage_count; i++) {
		if (catalogue_type_of(c, config->stages[i]) != type->stages[i])
			return false;
	}
	return true;
}

/* The old one if it may stay, else one that is started. */
static int make_type(struct catalogue *c, const struct job_config *config, struct type *old, struct catalogue_change *change, struct type **to)
{
	int r = 0;

	if (old && config_job_is_same(old->config, config) && uses_the_same(c, old, config) && has_the_same_stages(c, old, config)) {
		*to = old;
	} else {
		change->added += !old;
		change->changed += old != NULL;
		r = type_start(c, config, old, to);
	}
	if (r == 0)
		type_ref(*to);
	return r;
}

static void tell_failure(const struct job_config *config, int r, struct buf *errors)
{
	if (r == -ELIBBAD)
		buf_addf(errors, "[job %s] plugin: '%s' cannot be used: see the log\n", config->name, config->plugin);
	else
		buf_addf(errors, "[job %s] cannot be started: %s\n", config->name, strerror(-r));
}

/* What a pipeline leads through comes before it. */
static bool is_next(const struct catalogue *c, size_t i)
{
	const struct job_config *config = c->config->jobs[i];

	for (size_t n = 0; n < config->stage_count; n++) {
		if (!catalogue_type_of(c, config->stages[n]))
			return false;
	}
	return !c->types[i];
}

/* Those that can be made now. 0 or -errno, and *config is the one that could not be. */
static int make_some(struct catalogue *c, const struct catalogue *before, struct catalogue_change *change, const struct job_config **config,
		     size_t *made)
{
	for (size_t i = 0; i < c->type_count; i++) {
		int r;

		if (!is_next(c, i))
			continue;
		*config = c->config->jobs[i];
		r = make_type(c, *config, before ? catalogue_type(before, slice_of((*config)->name)) : NULL, change, &c->types[i]);
		if (r < 0)
			return r;
		++*made;
	}
	return 0;
}

/* max_pipes is all that the configuration says of it. */
static int make_pipes(struct catalogue *c, const struct catalogue *before)
{
	const struct job_config *config = &c->config->pipes;
	int r = 0;

	if (before && before->pipes->config->concurrency == config->concurrency)
		c->pipes = before->pipes;
	else
		r = type_start(c, config, before ? before->pipes : NULL, &c->pipes);
	if (r == 0)
		type_ref(c->pipes);
	return r;
}

static bool make_types(struct catalogue *c, const struct catalogue *before, struct catalogue_change *change, struct buf *errors)
{
	const struct job_config *config = &c->config->pipes;
	size_t made = 0;
	int r;

	c->types = calloc(c->config->job_count + 1, sizeof(struct type *));
	if (!c->types) {
		buf_addf(errors, "%s\n", strerror(ENOMEM));
		return false;
	}
	c->type_count = c->config->job_count;
	r = make_pipes(c, before);
	while (r == 0 && made < c->type_count)
		r = make_some(c, before, change, &config, &made);
	if (r < 0)
		tell_failure(config, r, errors);
	return r == 0;
}

static void count_removed(const struct catalogue *c, const struct catalogue *before, struct catalogue_change *change)
{
	for (size_t i = 0; before && i < before->type_count; i++)
		change->removed += !catalogue_type(c, before->types[i]->name);
}

/* Types that were started for nothing. */
static void give_up(struct catalogue *c, const struct catalogue *before)
{
	catalogue_retire(c, before);
	catalogue_unref(c);
}

/* Rather not at all than with the rights of somebody else than the configuration says. */
static bool check_users(const struct config *config, struct buf *errors)
{
	size_t before = errors->len;

	for (size_t i = 0; i < config->job_count; i++) {
		const struct job_config *job = config->jobs[i];

		if (*job->user && !job->account.change && job->account.uid != geteuid())
			buf_addf(errors, "[job %s] user: '%s': only a leatd that was started as root can run commands as somebody else\n",
				 job->name, job->user);
	}
	return errors->len == before;
}

struct catalogue *catalogue_new(struct leatd *leatd, struct config *config, const struct catalogue *before, struct catalogue_change *change,
				struct buf *errors)
{
	struct catalogue *c = calloc(1, sizeof(*c));

	*change = (struct catalogue_change){ 0 };
	if (!c) {
		buf_addf(errors, "%s\n", strerror(ENOMEM));
		config_unref(config);
		return NULL;
	}
	shim_store(&c->references, 1, relaxed);
	c->leatd = leatd;
	c->config = config;
	/* A type may keep its configuration for long, and with it would be kept the keys and tokens of that time. */
	c->access = config->access;
	config->access = NULL;
	if (!check_users(config, errors)) {
		catalogue_unref(c);
		return NULL;
	}
	if (make_semaphores(c, before) < 0) {
		buf_addf(errors, "%s\n", strerror(ENOMEM));
	} else if (make_types(c, before, change, errors)) {
		count_removed(c, before, change);
		return c;
	}
	give_up(c, before);
	return NULL;
}
