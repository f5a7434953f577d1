#include "config_table.h"

#include "args.h"
#include "cmdline.h"
#include "text.h"
#include "../lib/cleanup.h"
#include "../lib/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define HOURS (3600 * SECONDS)

enum {
	FILE_MAX = 1 << 20,
	/* inih keeps no more of a section's name. */
	SECTION_MAX = 49,
	FAULTY_LINES_MAX = 64,
};

#define SECTION_server OPTION_SERVER
#define SECTION_job OPTION_JOB
#define SECTION_semaphore OPTION_SEMAPHORE
#define OPTION(section, key, type, normal, min, max, help) \
	{ SECTION_##section, #key, OPTION_##type, offsetof(struct section##_config, key), normal, min, max, help },
#define LIMIT(key, type, normal, min, max, help) \
	{ OPTION_JOB, "limit." #key, OPTION_##type, offsetof(struct job_config, limit_##key), normal, min, max, help },
const struct option_row option_rows[] = {
#include "options.def"
};
#undef OPTION
#undef LIMIT
const size_t option_row_count = countof(option_rows);

/* What is being read. */
struct loader {
	struct config *config;
	struct faults faults;
	struct slice text;              /* what is left of the file */
	int line;                       /* of the file, from 1; ORIGIN_OVERRIDE after it */
	bool continued;                 /* the line began with a blank */
	bool dry;                       /* looking for faulty lines only */
	int faulty[FAULTY_LINES_MAX];   /* lines that are no INI */
	size_t faulty_count;
};

void fault_readable(struct buf *to, size_t from)
{
	for (size_t i = from; i < to->len; i++) {
		if (to->at[i] != '\n' && ((unsigned char)to->at[i] < 0x20 || to->at[i] == 0x7f))
			to->at[i] = '?';
	}
}

void fault(struct faults *faults, int line, const char *section, const char *key, const char *format, ...)
{
	char sentence[512];
	size_t from = faults->to->len;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (line > 0)
		buf_addf(faults->to, "%s:%d: ", faults->file, line);
	else
		buf_addf(faults->to, "%s: ", line == ORIGIN_OVERRIDE ? "-o" : faults->file);
	if (section)
		buf_addf(faults->to, "[%s] ", section);
	if (key)
		buf_addf(faults->to, "%s: ", key);
	buf_addf(faults->to, "%s\n", sentence);
	fault_readable(faults->to, from);
	faults->count++;
}

const struct option_row *option_find(enum option_section section, struct slice key)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].section == section && slice_is(key, slice_of(option_rows[i].key)))
			return &option_rows[i];
	}
	return NULL;
}

void option_text(const struct option_row *row, const void *base, struct buf *to)
{
	const char *field = (const char *)base + row->offset;
	char number[TEXT_NUMBER_MAX];

	switch (row->type) {
	case OPTION_COUNT:
		buf_add_uint(to, *(const config_COUNT *)(const void *)field);
		return;
	case OPTION_SIZE:
		text_from_size(*(const config_SIZE *)(const void *)field, number);
		break;
	case OPTION_DURATION:
		text_from_duration(*(const config_DURATION *)(const void *)field, number);
		break;
	case OPTION_YESNO:
		buf_add_slice(to, slice_of(*(const config_YESNO *)(const void *)field ? "yes" : "no"));
		return;
	case OPTION_TEXT:
		buf_add_slice(to, slice_of(*(const config_TEXT *)(const void *)field));
		return;
	}
	buf_add_slice(to, slice_of(number));
}

/* The sentence for a value that its row does not allow. */
static void fault_value(struct loader *l, const char *section, const struct option_row *row, struct slice value)
{
	char shown[128], least[TEXT_NUMBER_MAX], most[TEXT_NUMBER_MAX];
	const char *what = NULL;

	text_printable(value, shown, sizeof(shown));
	switch (row->type) {
	case OPTION_COUNT:
		what = "a whole number";
		snprintf(least, sizeof(least), "%llu", (unsigned long long)row->min);
		snprintf(most, sizeof(most), "%llu", (unsigned long long)row->max);
		break;
	case OPTION_SIZE:
		what = "a size (bytes, or with K, M, G)";
		text_from_size(row->min, least);
		text_from_size(row->max, most);
		break;
	case OPTION_DURATION:
		what = "a duration (with ms, s, m, h)";
		text_from_duration((int64_t)row->min, least);
		text_from_duration((int64_t)row->max, most);
		break;
	case OPTION_YESNO:
		fault(&l->faults, l->line, section, row->key, "'%s' is not yes or no", shown);
		return;
	case OPTION_TEXT:
		fault(&l->faults, l->line, section, row->key, "'%s' is not a text of %llu to %llu characters", shown,
		      (unsigned long long)row->min, (unsigned long long)row->max);
		return;
	}
	fault(&l->faults, l->line, section, row->key, "'%s' is not %s from %s to %s", shown, what, least, most);
}

static bool set_text(char **field, struct slice value)
{
	char *copy = strndup(value.len ? value.at : "", value.len);

	if (!copy)
		return false;
	free(*field);
	*field = copy;
	return true;
}

/* Reads `value` into the row's field; false if the row does not allow it. */
static bool set_field(const struct option_row *row, void *base, struct slice value)
{
	void *field = (char *)base + row->offset;
	uint64_t number = 0;
	int64_t ns = 0;

	switch (row->type) {
	case OPTION_COUNT:
	case OPTION_SIZE:
		if (!(row->type == OPTION_COUNT ? text_count(value, &number) : text_size(value, &number)))
			return false;
		if (number >= row->min && number <= row->max)
			*(uint64_t *)field = number;
		return number >= row->min && number <= row->max;
	case OPTION_DURATION:
		if (!text_duration(value, &ns) || (uint64_t)ns < row->min || (uint64_t)ns > row->max)
			return false;
		*(int64_t *)field = ns;
		return true;
	case OPTION_YESNO:
		*(bool *)field = slice_is(value, SLICE("yes"));
		return slice_is(value, SLICE("yes")) || slice_is(value, SLICE("no"));
	case OPTION_TEXT:
		return value.len >= row->min && value.len <= row->max && set_text(field, value);
	}
	return false;
}

static bool set_defaults(enum option_section section, void *base)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];

		/* An empty text is a default that the row itself may not allow to be written. */
		if (row->section == section && !set_field(row, base, slice_of(row->normal)))
			return false;
	}
	return true;
}

static void free_texts(enum option_section section, void *base)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].section == section && option_rows[i].type == OPTION_TEXT)
			free(*(char **)(void *)((char *)base + option_rows[i].offset));
	}
}

static void job_free(struct job_config *job)
{
	if (!job)
		return;
	free_texts(OPTION_JOB, job);
	for (size_t i = 0; i < job->env_count; i++)
		free(job->env[i]);
	free(job->env);
	for (size_t i = 0; i < job->arg_count; i++)
		arg_rule_free(job->args[i]);
	free(job->args);
	free(job->cmdline);
	free(job->path);
	free(job->plugin_path);
	free(job->account.home);
	free(job->name);
	free(job->origin);
	free(job);
}

static void semaphore_free(struct semaphore_config *semaphore)
{
	if (!semaphore)
		return;
	free_texts(OPTION_SEMAPHORE, semaphore);
	free(semaphore->name);
	free(semaphore->origin);
	free(semaphore);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	free_texts(OPTION_SERVER, &config->server);
	for (size_t i = 0; i < config->job_count; i++)
		job_free(config->jobs[i]);
	for (size_t i = 0; i < config->semaphore_count; i++)
		semaphore_free(config->semaphores[i]);
	free(config->jobs);
	free(config->semaphores);
	free(config->pipes.name);
	free(config->origin);
	access_unref(config->access);
	free(config);
}

struct config *config_ref(struct config *config)
{
	shim_add(&config->references, 1, relaxed);
	return config;
}

void config_unref(struct config *config)
{
	if (config && shim_sub(&config->references, 1, acq_rel) == 1)
		config_free(config);
}

static struct job_config *job_new(struct slice name)
{
	struct job_config *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->name = strndup(name.at, name.len);
	job->origin = calloc(option_row_count, sizeof(*job->origin));
	if (job->name && job->origin && set_defaults(OPTION_JOB, job))
		return job;
	job_free(job);
	return NULL;
}

/* The job of that name; made when there is none. NULL: no memory. */
static struct job_config *job_named(struct config *config, struct slice name)
{
	struct job_config **jobs, *job;

	for (size_t i = 0; i < config->job_count; i++) {
		if (slice_is(name, slice_of(config->jobs[i]->name)))
			return config->jobs[i];
	}
	jobs = reallocarray(config->jobs, config->job_count + 1, sizeof(*jobs));
	if (!jobs)
		return NULL;
	config->jobs = jobs;
	job = job_new(name);
	if (job)
		jobs[config->job_count++] = job;
	return job;
}

static struct semaphore_config *semaphore_new(struct slice name)
{
	struct semaphore_config *semaphore = calloc(1, sizeof(*semaphore));

	if (!semaphore)
		return NULL;
	semaphore->name = strndup(name.at, name.len);
	semaphore->origin = calloc(option_row_count, sizeof(*semaphore->origin));
	if (semaphore->name && semaphore->origin && set_defaults(OPTION_SEMAPHORE, semaphore))
		return semaphore;
	semaphore_free(semaphore);
	return NULL;
}

/* The semaphore of that name; made when there is none. NULL: no memory. */
static struct semaphore_config *semaphore_named(struct config *config, struct slice name)
{
	struct semaphore_config **semaphores, *semaphore;

	for (size_t i = 0; i < config->semaphore_count; i++) {
		if (slice_is(name, slice_of(config->semaphores[i]->name)))
			return config->semaphores[i];
	}
	semaphores = reallocarray(config->semaphores, config->semaphore_count + 1, sizeof(*semaphores));
	if (!semaphores)
		return NULL;
	config->semaphores = semaphores;
	semaphore = semaphore_new(name);
	if (semaphore)
		semaphores[config->semaphore_count++] = semaphore;
	return semaphore;
}

static void fault_memory(struct loader *l)
{
	fault(&l->faults, l->line, NULL, NULL, "%s", strerror(ENOMEM));
}

/* The name in `KIND NAME`, or one without bytes: it is of another kind, or NAME is no name. */
static struct slice section_name(const char *section, const char *kind, size_t max)
{
	size_t len = strlen(kind);
	struct slice name = slice_of(section);

	if (strncmp(section, kind, len) != 0)
		return SLICE("");
	name = (struct slice){ name.at + len, name.len - len };
	return text_is_name(name, max) ? name : SLICE("");
}

static struct slice job_section(const char *section)
{
	return section_name(section, "job ", JOB_NAME_MAX);
}

static struct slice semaphore_section(const char *section)
{
	return section_name(section, "semaphore ", SEMAPHORE_NAME_MAX);
}

/* Adds a fault if there can be no such section. */
static void check_section(struct loader *l, const char *section)
{
	char shown[128];

	if (strcmp(section, "server") == 0 || job_section(section).len > 0 || semaphore_section(section).len > 0)
		return;
	text_printable(slice_of(section), shown, sizeof(shown));
	if (strncmp(section, "job ", 4) == 0 || strncmp(section, "semaphore ", 10) == 0)
		fault(&l->faults, l->line, NULL, NULL, "[%s]: a %s's name is 1 to %d of A-Za-z0-9._-", shown,
		      *section == 'j' ? "job" : "semaphore", *section == 'j' ? JOB_NAME_MAX : SEMAPHORE_NAME_MAX);
	else
		fault(&l->faults, l->line, NULL, NULL, "unknown section [%s]; did you mean %s?", shown,
		      text_distance(slice_of(section), SLICE("server")) < 4 ? "[server]" :
		      strncmp(section, "sem", 3) == 0 ? "[semaphore NAME]" : "[job NAME]");
}

/* What a section is about. */
struct target {
	enum option_section kind;
	void *base;                     /* what its rows' offsets count from */
	struct config_origin *origin;
	struct job_config *job;         /* OPTION_JOB */
};

/* False for unknown ones and without memory. */
static bool find_section(struct loader *l, const char *section, struct target *t)
{
	struct slice job = job_section(section), semaphore = semaphore_section(section);
	struct semaphore_config *s;

	*t = (struct target){ .kind = OPTION_SERVER, .base = &l->config->server, .origin = l->config->origin };
	if (strcmp(section, "server") == 0)
		return true;
	if (job.len > 0 && (t->job = job_named(l->config, job))) {
		*t = (struct target){ .kind = OPTION_JOB, .base = t->job, .origin = t->job->origin, .job = t->job };
		return true;
	}
	if (semaphore.len > 0 && (s = semaphore_named(l->config, semaphore))) {
		*t = (struct target){ .kind = OPTION_SEMAPHORE, .base = s, .origin = s->origin };
		return true;
	}
	if (job.len > 0 || semaphore.len > 0)
		fault_memory(l);
	return false;
}

static const char *row_name(size_t i, const void *rows)
{
	return (*(const struct option_row *const *)rows)[i].key;
}

static void fault_unknown_key(struct loader *l, const char *section, enum option_section kind, const char *key)
{
	const struct option_row *first = option_rows;
	size_t n = 0;
	char shown[128];
	const char *nearest;

	while (first->section != kind)
		first++;
	while (first + n < option_rows + option_row_count && first[n].section == kind)
		n++;
	nearest = text_nearest(slice_of(key), row_name, n, &first);
	text_printable(slice_of(key), shown, sizeof(shown));
	if (nearest)
		fault(&l->faults, l->line, section, shown, "unknown key; did you mean %s?", nearest);
	else
		fault(&l->faults, l->line, section, shown, "unknown key; `leatd --print-config` lists what there is");
}

/* What systemd tells a service by, and a command of the service must not take for its own. */
static bool is_of_systemd(const char *name)
{
	return strcmp(name, "NOTIFY_SOCKET") == 0 || strcmp(name, "CREDENTIALS_DIRECTORY") == 0 || strncmp(name, "LISTEN_", 7) == 0 ||
	       strncmp(name, "WATCHDOG_", 9) == 0;
}

/* `env.NAME = VALUE`; a later one of the same name replaces it. */
static void set_env(struct loader *l, struct job_config *job, const char *section, const char *name, const char *value)
{
	char *pair, **env;

	if (!text_is_name(slice_of(name), 64) || strpbrk(name, ".-") || (*name >= '0' && *name <= '9')) {
		fault(&l->faults, l->line, section, "env.*", "'%s' is not a name of letters, digits and _", name);
		return;
	}
	if (strncmp(name, "LD_", 3) == 0 || strncmp(name, "LEAT_", 5) == 0) {
		fault(&l->faults, l->line, section, "env.*", "%s may not be set: LD_* and LEAT_* are not for the configuration", name);
		return;
	}
	if (is_of_systemd(name)) {
		fault(&l->faults, l->line, section, "env.*", "%s may not be set: it is between systemd and leatd", name);
		return;
	}
	if (asprintf(&pair, "%s=%s", name, value) < 0) {
		fault_memory(l);
		return;
	}
	for (size_t i = 0; i < job->env_count; i++) {
		if (strncmp(job->env[i], pair, strlen(name) + 1) == 0) {
			free(job->env[i]);
			job->env[i] = pair;
			return;
		}
	}
	env = reallocarray(job->env, job->env_count + 2, sizeof(*env));
	if (!env) {
		free(pair);
		fault_memory(l);
		return;
	}
	env[job->env_count++] = pair;
	env[job->env_count] = NULL;
	job->env = env;
}

/* The place of the rule of that name: a new one, still NULL, when there is none. NULL after a fault. */
static struct arg_rule **find_arg(struct loader *l, struct job_config *job, const char *section, const char *key)
{
	struct arg_rule **args;

	for (size_t i = 0; i < job->arg_count; i++) {
		if (strcmp(job->args[i]->name, key + 4) != 0)
			continue;
		if (l->line <= 0 || job->args[i]->line <= 0)
			return &job->args[i];
		fault(&l->faults, l->line, section, key, "is set twice, first in line %d", job->args[i]->line);
		return NULL;
	}
	if (job->arg_count == ARGS_MAX) {
		fault(&l->faults, l->line, section, key, "more than %d arguments", ARGS_MAX);
		return NULL;
	}
	args = reallocarray(job->args, job->arg_count + 1, sizeof(*args));
	if (!args) {
		fault_memory(l);
		return NULL;
	}
	job->args = args;
	args[job->arg_count] = NULL;
	return &args[job->arg_count];
}

/* `arg.NAME = PATTERN`. */
static void set_arg(struct loader *l, struct job_config *job, const char *section, const char *key, const char *pattern)
{
	struct arg_rule **place, *rule;
	char shown[128];

	text_printable(slice_of(key + 4), shown, sizeof(shown));
	if (!cmdline_is_name(slice_of(key + 4)))
		fault(&l->faults, l->line, section, "arg.*", "'%s' is not a name of 1 to %d of A-Za-z0-9_-", shown, CMDLINE_NAME_MAX);
	else if (!*pattern || strlen(pattern) > ARG_PATTERN_MAX)
		fault(&l->faults, l->line, section, key, "is not a pattern of 1 to %d characters", ARG_PATTERN_MAX);
	else if ((place = find_arg(l, job, section, key))) {
		rule = arg_rule_new(key + 4, pattern);
		if (!rule) {
			fault_memory(l);
			return;
		}
		rule->line = l->line;
		job->arg_count += !*place;
		arg_rule_free(*place);
		*place = rule;
	}
}

/* A value that goes on in an indented line. */
static void continue_field(struct loader *l, const char *section, const struct option_row *row, void *base, const char *value)
{
	char **field = (void *)((char *)base + row->offset);
	autofree char *whole = NULL;

	if (row->type != OPTION_TEXT) {
		fault(&l->faults, l->line, section, row->key, "only a text may go on in an indented line");
	} else if (asprintf(&whole, "%s%s%s", *field, **field ? " " : "", value) < 0) {
		whole = NULL;
		fault_memory(l);
	} else if (!set_field(row, base, slice_of(whole))) {
		fault_value(l, section, row, slice_of(whole));
	}
}

static void set_key(struct loader *l, const char *section, const char *key, const char *value)
{
	const struct option_row *row;
	struct config_origin *origin;
	struct target t;

	if (*section == '\0')
		fault(&l->faults, l->line, NULL, key, "stands before the first [section]");
	if (!find_section(l, section, &t))
		return;
	if (t.job && (strncmp(key, "env.", 4) == 0 || strncmp(key, "arg.", 4) == 0)) {
		if (l->continued)
			fault(&l->faults, l->line, section, key, "may not go on in an indented line");
		else if (*key == 'e')
			set_env(l, t.job, section, key + 4, value);
		else
			set_arg(l, t.job, section, key, value);
		return;
	}
	row = option_find(t.kind, slice_of(key));
	if (!row) {
		fault_unknown_key(l, section, t.kind, key);
		return;
	}
	origin = &t.origin[row - option_rows];
	if (l->continued) {
		continue_field(l, section, row, t.base, value);
		return;
	}
	if (l->line > 0 && origin->line > 0) {
		fault(&l->faults, l->line, section, key, "is set twice, first in line %d", origin->line);
		return;
	}
	if (!set_field(row, t.base, slice_of(value)))
		fault_value(l, section, row, slice_of(value));
	origin->line = l->line;
}

static bool is_faulty(const struct loader *l)
{
	for (size_t i = 0; i < l->faulty_count; i++) {
		if (l->faulty[i] == l->line)
			return true;
	}
	return false;
}

/* A section counts even when no key follows; inih would pass over it. */
static void see_section(struct loader *l, struct slice line)
{
	const char *end = memchr(line.at, ']', line.len);
	struct target target;
	char name[SECTION_MAX + 1];
	size_t len;

	if (!end)
		return;
	len = (size_t)(end - line.at) - 1;
	if (len > SECTION_MAX) {
		fault(&l->faults, l->line, NULL, NULL, "a section's name of more than %d characters", SECTION_MAX);
		return;
	}
	memcpy(name, line.at + 1, len);
	name[len] = '\0';
	check_section(l, name);
	(void)find_section(l, name, &target);
}

bool option_looks_like_key(struct slice line)
{
	size_t i = 0;

	while (i < line.len && ((line.at[i] >= 'a' && line.at[i] <= 'z') || line.at[i] == '_'))
		i++;
	if (i == 0)
		return false;
	if (i < line.len && line.at[i] == '.')
		while (i < line.len && line.at[i] != ' ' && line.at[i] != '=')
			i++;
	while (i < line.len && (line.at[i] == ' ' || line.at[i] == '\t'))
		i++;
	return i < line.len && line.at[i] == '=';
}

static struct slice next_line(struct loader *l)
{
	const char *end = memchr(l->text.at, '\n', l->text.len);
	struct slice line = { l->text.at, end ? (size_t)(end - l->text.at) : l->text.len };
	size_t taken = line.len + (end ? 1 : 0);

	l->text.at += taken;
	l->text.len -= taken;
	l->line++;
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* What inih leaves to us in a line that goes on: a remark, which begins at a blank and a semicolon. */
static struct slice without_remark(struct slice line)
{
	for (size_t i = 1; i < line.len; i++) {
		if (line.at[i] == ';' && (line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
			return (struct slice){ line.at, i - 1 };
	}
	return line;
}

/* inih's fgets: a line at a time, so that the handler knows which one it is in. */
static char *read_line(char *room, int room_len, void *arg)
{
	struct loader *l = arg;
	struct slice line;
	size_t blanks = 0;

	if (l->text.len == 0)
		return NULL;
	line = next_line(l);
	while (blanks < line.len && (line.at[blanks] == ' ' || line.at[blanks] == '\t'))
		blanks++;
	line = (struct slice){ line.at + blanks, line.len - blanks };
	if (line.len > 0 && (line.at[0] == ';' || line.at[0] == '#'))
		line.len = 0;
	l->continued = blanks > 0 && line.len > 0 && line.at[0] != '[' && !option_looks_like_key(line);
	if (line.len > LINE_MAX_CHARACTERS || memchr(line.at, '\0', line.len)) {
		if (l->dry)
			fault(&l->faults, l->line, NULL, NULL, "a line of more than %d characters, or one with a NUL in it; "
			      "a long text may go on in an indented line", LINE_MAX_CHARACTERS);
		line.len = 0;
	}
	if (is_faulty(l))
		line.len = 0;
	if (l->continued)
		line = without_remark(line);
	if (!l->dry && line.len > 0 && line.at[0] == '[')
		see_section(l, line);
	snprintf(room, (size_t)room_len, "%s%.*s\n", l->continued ? " " : "", (int)line.len, line.at);
	return room;
}

static int handle(void *arg, const char *section, const char *key, const char *value)
{
	struct loader *l = arg;

	if (!l->dry)
		set_key(l, section, key, value);
	return 1;
}

static void parse(struct loader *l, struct slice text)
{
	/* inih tells of the first faulty line only: take each out until none is left, then read for real. */
	l->dry = true;
	for (;;) {
		size_t told = l->faults.count, to_len = l->faults.to->len;

		l->text = text;
		l->line = 0;
		int line = ini_parse_stream(read_line, l, handle, l);

		if (line <= 0 || l->faulty_count == FAULTY_LINES_MAX)
			break;
		l->faults.count = told;
		l->faults.to->len = to_len;
		l->faulty[l->faulty_count++] = line;
	}
	for (size_t i = 0; i < l->faulty_count; i++)
		fault(&l->faults, l->faulty[i], NULL, NULL, "is not `key = value`, `[section]` or a comment");
	l->dry = false;
	l->text = text;
	l->line = 0;
	ini_parse_stream(read_line, l, handle, l);
}

/* The dot between section and key: the last one, but of a key that has one itself the one before. */
static const char *key_dot(const char *text, size_t len)
{
	static const char *const families[] = { ".env.", ".arg.", ".limit." };

	for (size_t i = 0; i < countof(families); i++) {
		const char *dot = memmem(text, len, families[i], strlen(families[i]));

		if (dot)
			return dot;
	}
	return memrchr(text, '.', len);
}

static void override(struct loader *l, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *dot = equals ? key_dot(text, (size_t)(equals - text)) : NULL;

	if (!dot || dot == text || dot + 1 == equals) {
		fault(&l->faults, ORIGIN_OVERRIDE, NULL, NULL, "'%s' is not SECTION.KEY=VALUE", text);
		return;
	}
	autofree char *section = strndup(text, (size_t)(dot - text));
	autofree char *key = strndup(dot + 1, (size_t)(equals - dot - 1));

	if (section)
		check_section(l, section);
	if (section && key)
		set_key(l, section, key, equals + 1);
	else
		fault_memory(l);
}

static char *read_file(const char *path, size_t *len, struct faults *faults)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fault(faults, 0, NULL, NULL, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		fault(faults, 0, NULL, NULL, "is not a file of at most %d bytes", FILE_MAX);
		return NULL;
	}
	autofree char *text = malloc((size_t)st.st_size + 1);
	ssize_t got = text ? read(fd, text, (size_t)st.st_size) : -1;

	if (got < 0) {
		fault(faults, 0, NULL, NULL, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	*len = (size_t)got;
	return take(text);
}

static struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	shim_store(&config->references, 1, relaxed);
	config->origin = calloc(option_row_count, sizeof(*config->origin));
	if (config->origin && set_defaults(OPTION_SERVER, &config->server))
		return config;
	config_free(config);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct job_config *const *)a)->name, (*(struct job_config *const *)b)->name);
}

static int by_semaphore_name(const void *a, const void *b)
{
	return strcmp((*(struct semaphore_config *const *)a)->name, (*(struct semaphore_config *const *)b)->name);
}

struct config *config_load(const char *path, const char *const *overrides, size_t override_count, struct buf *errors)
{
	struct loader l = { .config = config_new(), .faults = { .to = errors, .file = path ? path : "built-in" } };
	struct slice text = config_default_text();
	autofree char *content = NULL;

	if (!l.config) {
		fault_memory(&l);
		return NULL;
	}
	if (path) {
		content = read_file(path, &text.len, &l.faults);
		text.at = content;
		if (!content) {
			config_free(l.config);
			return NULL;
		}
	}
	parse(&l, text);
	l.line = ORIGIN_OVERRIDE;
	l.continued = false;
	for (size_t i = 0; i < override_count; i++)
		override(&l, overrides[i]);
	if (l.config->semaphore_count > 0)
		qsort(l.config->semaphores, l.config->semaphore_count, sizeof(*l.config->semaphores), by_semaphore_name);
	config_check(l.config, &l.faults);
	if (l.faults.count > 0) {
		config_free(l.config);
		return NULL;
	}
	if (l.config->job_count > 0)
		qsort(l.config->jobs, l.config->job_count, sizeof(*l.config->jobs), by_name);
	return l.config;
}
