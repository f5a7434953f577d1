#include "args.h"

#include "cmdline.h"
#include "config.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

/* --- The configuration --- */

/* An operator who lets a value begin with a dash has written one where a value begins. */
static bool begins_with_dash(const char *pattern)
{
	pattern += strspn(pattern, "^(");
	if (*pattern == '[' || *pattern == '\\')
		pattern++;
	return *pattern == '-';
}

struct arg_rule *arg_rule_new(const char *name, const char *pattern)
{
	struct arg_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->name = strdup(name);
	rule->pattern = strdup(pattern);
	rule->may_begin_with_dash = begins_with_dash(pattern);
	if (rule->name && rule->pattern)
		return rule;
	arg_rule_free(rule);
	return NULL;
}

void arg_rule_free(struct arg_rule *rule)
{
	if (!rule)
		return;
	pattern_free(rule->compiled);
	free(rule->name);
	free(rule->pattern);
	free(rule);
}

bool arg_rule_compile(struct arg_rule *rule, char *why, size_t why_len)
{
	rule->compiled = pattern_new(rule->pattern, why, why_len);
	return rule->compiled != NULL;
}

static bool begins_like_option(const struct arg_rule *rule, struct slice value)
{
	return value.len > 0 && value.at[0] == '-' && !rule->may_begin_with_dash;
}

bool arg_rule_allows(const struct arg_rule *rule, struct slice value)
{
	return !begins_like_option(rule, value) && pattern_matches(rule->compiled, value);
}

/* --- A request --- */

static struct slice shortened(struct slice name)
{
	return (struct slice){ name.at, name.len < CMDLINE_NAME_MAX ? name.len : CMDLINE_NAME_MAX };
}

static bool refuse(struct answer *why, const char *detail, struct slice name)
{
	*why = answer_make(CODE_ERR, detail);
	answer_fact_text(why, "arg", shortened(name));
	return false;
}

bool arg_values_add(struct arg_values *values, struct slice name, struct slice value, struct answer *why)
{
	if (value.len > ARG_VALUE_MAX) {
		refuse(why, "the value of an argument is too long", name);
		answer_fact(why, "max", ARG_VALUE_MAX);
		return false;
	}
	if (value.len > 0 && memchr(value.at, '\0', value.len))
		return refuse(why, "the value of an argument holds a NUL", name);
	for (size_t i = 0; i < values->count; i++) {
		if (slice_is(values->list[i].name, name))
			return refuse(why, "an argument is given twice", name);
	}
	if (values->count == ARGS_MAX) {
		*why = answer_make(CODE_ERR, "too many arguments");
		answer_fact(why, "max", ARGS_MAX);
		return false;
	}
	values->list[values->count++] = (struct arg_value){ name, value };
	return true;
}

static const char *rule_name(size_t i, const void *job)
{
	return ((const struct job_config *)job)->args[i]->name;
}

static bool is_known(const struct job_config *job, struct slice name)
{
	for (size_t i = 0; i < job->arg_count; i++) {
		if (slice_is(name, slice_of(job->args[i]->name)))
			return true;
	}
	return false;
}

static bool refuse_unknown(const struct job_config *job, struct slice name, struct answer *why)
{
	const char *nearest = text_nearest(name, rule_name, job->arg_count, job);

	refuse(why, job->arg_count > 0 ? "the job has no such argument" : "the job takes no arguments", name);
	if (nearest)
		answer_fact_text(why, "nearest", slice_of(nearest));
	return false;
}

static const struct slice *value_of(const struct arg_values *values, const char *name)
{
	for (size_t i = 0; values && i < values->count; i++) {
		if (slice_is(values->list[i].name, slice_of(name)))
			return &values->list[i].value;
	}
	return NULL;
}

/* `value` is NULL when it was not said. */
static bool check_value(const struct arg_rule *rule, const struct slice *value, struct answer *why)
{
	if (value && arg_rule_allows(rule, *value))
		return true;
	refuse(why, !value ? "an argument is missing" :
		    begins_like_option(rule, *value) ? "the value of an argument may not begin with -" :
		    "the value of an argument does not match its pattern", slice_of(rule->name));
	answer_fact_text(why, "pattern", slice_of(rule->pattern));
	return false;
}

bool args_pack(const struct job_config *job, const struct arg_values *values, char room[ARGS_PACKED_MAX], struct slice *packed, struct answer *why)
{
	char *to = room;

	for (size_t i = 0; values && i < values->count; i++) {
		if (!is_known(job, values->list[i].name))
			return refuse_unknown(job, values->list[i].name, why);
	}
	for (size_t i = 0; i < job->arg_count; i++) {
		const struct slice *value = value_of(values, job->args[i]->name);

		if (!check_value(job->args[i], value, why))
			return false;
		if (value->len > 0)
			memcpy(to, value->at, value->len);
		to += value->len;
		*to++ = '\0';
	}
	*packed = (struct slice){ room, (size_t)(to - room) };
	return true;
}

/* --- A run --- */

/* The values by the rules' order. */
static void unpack(const struct job_config *job, struct slice packed, struct slice values[ARGS_MAX])
{
	const char *at = packed.at;

	for (size_t i = 0; i < job->arg_count; i++) {
		values[i] = slice_of(at);
		at += values[i].len + 1;
	}
}

static size_t rule_of(const struct job_config *job, struct slice name)
{
	size_t i = 0;

	while (!slice_is(name, slice_of(job->args[i]->name)))
		i++;
	return i;
}

static char *add(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	return to + len;
}

/* The values for the holes of a command line, in their order. */
struct filling {
	const struct cmdline_hole *hole, *end;
	struct slice values[CMDLINE_HOLES_MAX], *value;
};

/* Writes the argument with its holes filled, and a NUL; returns the end of it. */
static char *fill_arg(char *to, const struct cmdline *line, size_t arg, struct filling *f)
{
	const char *text = line->argv[arg];
	size_t at = 0;

	for (; f->hole < f->end && f->hole->arg == arg; f->hole++, f->value++) {
		to = add(to, text + at, f->hole->at - at);
		at = f->hole->at;
		if (f->value->len > 0)
			to = add(to, f->value->at, f->value->len);
	}
	return add(to, text + at, strlen(text + at) + 1);
}

char **args_fill(const struct job_config *job, struct slice packed)
{
	const struct cmdline *line = job->cmdline;
	struct filling f = { .hole = line->holes, .end = line->holes + line->hole_count, .value = f.values };
	size_t vector = (line->argc + 1) * sizeof(char *), bytes = 0;
	struct slice values[ARGS_MAX];
	char **argv, *to;

	unpack(job, packed, values);
	for (size_t i = 0; i < line->hole_count; i++) {
		f.values[i] = values[rule_of(job, line->holes[i].name)];
		bytes += f.values[i].len;
	}
	for (size_t i = 0; i < line->argc; i++)
		bytes += strlen(line->argv[i]) + 1;
	argv = malloc(vector + bytes);
	if (!argv)
		return NULL;
	to = (char *)argv + vector;
	for (size_t i = 0; i < line->argc; i++) {
		argv[i] = to;
		to = fill_arg(to, line, i, &f);
	}
	argv[line->argc] = NULL;
	return argv;
}
