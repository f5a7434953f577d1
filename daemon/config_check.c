#include "config_table.h"

#include "address.h"
#include "args.h"
#include "cmdline.h"
#include "pipe_check.h"
#include "plugin_check.h"
#include "text.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What is being checked: one section. */
struct check {
	struct faults *faults;
	const struct server_config *server;
	const char *section;
	const struct config_origin *origin;
	enum option_section kind;
};

static int line_of(const struct check *c, const char *key)
{
	const struct option_row *row = option_find(c->kind, slice_of(key));

	return row ? c->origin[row - option_rows].line : ORIGIN_DEFAULT;
}

#define FAULT(c, key, ...) fault((c)->faults, line_of(c, key), (c)->section, key, __VA_ARGS__)

bool config_each(const char *list, bool (*each)(struct slice entry, void *arg), void *arg)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		struct slice entry = { list, len };

		while (entry.len > 0 && (entry.at[0] == ' ' || entry.at[0] == '\t')) {
			entry.at++;
			entry.len--;
		}
		while (entry.len > 0 && (entry.at[entry.len - 1] == ' ' || entry.at[entry.len - 1] == '\t'))
			entry.len--;
		if (entry.len > 0 && !each(entry, arg))
			return false;
		list += len + (list[len] == ',');
	}
	return true;
}

static bool check_listen(struct slice entry, void *arg)
{
	struct check *c = arg;
	struct listen_address address;
	const char *why = listen_address_parse(&address, entry);
	char shown[128];

	text_printable(entry, shown, sizeof(shown));
	if (why)
		FAULT(c, "listen", "'%s': %s", shown, why);
	else if (!listen_address_is_local(&address) && !*c->server->tokens)
		FAULT(c, "listen", "'%s' can be reached from other machines, which needs tokens: set `tokens = FILE` "
		      "(`leatd --hash-token` prints its lines), or listen on 127.0.0.1, [::1] or unix:/PATH", shown);
	else if (address.tls && !*c->server->tls_cert)
		FAULT(c, "listen", "'%s' needs a certificate: set tls_cert and tls_key", shown);
	return true;
}

static bool count_entry(struct slice entry unused_arg, void *arg)
{
	++*(size_t *)arg;
	return true;
}

static void check_server(struct server_config *server, struct check *c)
{
	static const char *const levels[] = { "error", "warning", "info", "jobs" };
	size_t addresses = 0, level = 0;

	config_each(server->listen, count_entry, &addresses);
	if (addresses == 0 || addresses > LISTEN_ADDRESSES_MAX)
		FAULT(c, "listen", "wants 1 to %d addresses", LISTEN_ADDRESSES_MAX);
	config_each(server->listen, check_listen, c);
	if (server->cgroup[0] != '/' && strcmp(server->cgroup, "auto") != 0 && strcmp(server->cgroup, "off") != 0)
		FAULT(c, "cgroup", "'%s' is not auto, off or an absolute path", server->cgroup);
	while (level < countof(levels) && strcmp(server->log, levels[level]) != 0)
		level++;
	if (level == countof(levels))
		FAULT(c, "log", "'%s' is not error, warning, info or jobs", server->log);
}

static bool read_mode(const char *text, mode_t *mode)
{
	size_t digits = strspn(text, "01234567");

	*mode = (mode_t)strtoul(text, NULL, 8);
	return (digits == 3 || (digits == 4 && text[0] == '0')) && !text[digits];
}

static void check_unix(struct unix_file *file, const struct server_config *server, struct check *c)
{
	const struct passwd *user = *server->unix_user ? getpwnam(server->unix_user) : NULL;
	const struct group *group = *server->unix_group ? getgrnam(server->unix_group) : NULL;

	file->set_mode = *server->unix_mode;
	if (file->set_mode && !read_mode(server->unix_mode, &file->mode))
		FAULT(c, "unix_mode", "'%s' is not a mode in octal such as 0660", server->unix_mode);
	if (*server->unix_user && !user)
		FAULT(c, "unix_user", "there is no user '%s'", server->unix_user);
	if (*server->unix_group && !group)
		FAULT(c, "unix_group", "there is no group '%s'", server->unix_group);
	file->uid = user ? user->pw_uid : (uid_t)-1;
	file->gid = group ? group->gr_gid : (gid_t)-1;
}

/* A line of what access_load() says. */
static void fault_access(struct check *c, const char *line, int len)
{
	size_t key_len = strcspn(line, ":");
	const struct option_row *row = option_find(OPTION_SERVER, (struct slice){ line, key_len });

	if (row && (size_t)len > key_len + 2) {
		FAULT(c, row->key, "%.*s", len - (int)key_len - 2, line + key_len + 2);
	} else {
		size_t from = c->faults->to->len;

		buf_addf(c->faults->to, "%.*s\n", len, line);
		fault_readable(c->faults->to, from);
		c->faults->count++;
	}
}

/* The files that the configuration names are as much a part of it as its own. */
static void check_access(struct config *config, struct check *c)
{
	struct buf errors = { 0 };

	config->access = access_load(&config->server, &errors);
	buf_add_char(&errors, '\0');
	if (errors.failed)
		fault(c->faults, 0, NULL, NULL, "%s", strerror(ENOMEM));
	else
		for (const char *line = errors.at, *end; (end = strchr(line, '\n')); line = end + 1)
			fault_access(c, line, (int)(end - line));
	buf_free(&errors);
}

static const char *builtin_name(size_t i, const void *arg unused_arg)
{
	static const char *const names[] = { "echo", "sleep" };

	return names[i];
}

static void check_builtin(struct job_config *job, const struct server_config *server unused_arg, struct check *c)
{
	if (strcmp(job->builtin, "echo") == 0) {
		job->kind = KIND_BUILTIN_ECHO;
	} else if (strcmp(job->builtin, "sleep") == 0) {
		job->kind = KIND_BUILTIN_SLEEP;
	} else {
		const char *nearest = text_nearest(slice_of(job->builtin), builtin_name, 2, NULL);

		FAULT(c, "builtin", "'%s' is not echo or sleep%s%s", job->builtin, nearest ? "; did you mean " : "", nearest ? nearest : "");
	}
}

static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The file that `program` stands for: itself when it holds a slash, else the first of the commands' own PATH. */
static char *find_executable(const char *program)
{
	const char *folder = COMMAND_PATH;
	char path[PATH_MAX];

	if (strchr(program, '/'))
		return is_executable(program) ? strdup(program) : NULL;
	while (*folder) {
		size_t len = strcspn(folder, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, folder, program);
		if (is_executable(path))
			return strdup(path);
		folder += len + (folder[len] == ':');
	}
	return NULL;
}

static bool set_groups(struct account *account, const char *user, const char *key, struct check *c)
{
	int n = ACCOUNT_GROUPS_MAX;

	if (getgrouplist(user, account->gid, account->groups, &n) < 0) {
		FAULT(c, key, "'%s' is in more than %d groups", user, ACCOUNT_GROUPS_MAX);
		return false;
	}
	account->group_count = (size_t)n;
	return true;
}

/* Leaves account->change false when leatd cannot change, or need not. An empty group: the user's own. Who does not exist is told of by
 * check_names(), and leaves account->known false. */
static void set_account(struct account *account, const char *user, const char *group, const char *key, struct check *c)
{
	const struct passwd *entry = getpwnam(user);
	const struct group *other = *group ? getgrnam(group) : NULL;

	if (!entry || (*group && !other))
		return;
	account->change = geteuid() == 0 && (entry->pw_uid != 0 || other);
	account->uid = entry->pw_uid;
	account->gid = other ? other->gr_gid : entry->pw_gid;
	account->home = strdup(geteuid() == 0 ? entry->pw_dir : "/");
	account->known = set_groups(account, user, key, c);
}

/* Whom a section names. */
static void check_names(const char *user, const char *group, struct check *c)
{
	if (*user && !getpwnam(user))
		FAULT(c, "user", "there is no user '%s'", user);
	if (*group && !getgrnam(group))
		FAULT(c, "group", "there is no group '%s'", group);
}

/* The user of a job comes with a group of their own, and not with that of [server]. */
static void check_account(struct job_config *job, const struct server_config *server, struct check *c)
{
	const char *user = *job->user ? job->user : server->user;
	const char *group = *job->group ? job->group : *job->user ? "" : server->group;

	check_names(job->user, job->group, c);
	set_account(&job->account, user, group, "user", c);
}

static void check_success(struct job_config *job, struct check *c)
{
	const char *at = job->success;
	char shown[64];
	uint64_t status;

	while (*(at += strspn(at, " \t"))) {
		struct slice word = { at, strcspn(at, " \t") };

		if (text_count(word, &status) && status < 256) {
			job->success_bits[status / 64] |= UINT64_C(1) << status % 64;
		} else {
			text_printable(word, shown, sizeof(shown));
			FAULT(c, "success", "'%s' is not an exit status from 0 to 255", shown);
		}
		at += word.len;
	}
}

static bool has_hole(const struct cmdline *line, const char *name)
{
	for (size_t i = 0; line && i < line->hole_count; i++) {
		if (slice_is(line->holes[i].name, slice_of(name)))
			return true;
	}
	return false;
}

static bool has_arg(const struct job_config *job, struct slice name)
{
	for (size_t i = 0; i < job->arg_count; i++) {
		if (slice_is(name, slice_of(job->args[i]->name)))
			return true;
	}
	return false;
}

static void check_arg(const struct job_config *job, struct arg_rule *rule, struct check *c)
{
	char key[CMDLINE_NAME_MAX + 8], why[128], shown[2 * ARG_PATTERN_MAX];

	snprintf(key, sizeof(key), "arg.%s", rule->name);
	/* A faulty `exec` is told of by itself, and may have held it. */
	if ((job->cmdline || !*job->exec) && !has_hole(job->cmdline, rule->name))
		fault(c->faults, rule->line, c->section, key, "there is no placeholder {%s} in exec", rule->name);
	if (!arg_rule_compile(rule, why, sizeof(why))) {
		text_printable(slice_of(rule->pattern), shown, sizeof(shown));
		fault(c->faults, rule->line, c->section, key, "'%s' is not an extended regular expression: %s", shown, why);
	}
}

static void check_args(const struct job_config *job, struct check *c)
{
	for (size_t i = 0; job->kind == KIND_EXEC && job->cmdline && i < job->cmdline->hole_count; i++) {
		struct slice name = job->cmdline->holes[i].name;

		if (!has_arg(job, name))
			FAULT(c, "exec", "the placeholder {%.*s} has no arg.* key (write {{ for the character itself)", (int)name.len, name.at);
	}
	for (size_t i = 0; i < job->arg_count; i++)
		check_arg(job, job->args[i], c);
}

static void check_stdin(struct job_config *job, struct check *c)
{
	job->streams_stdin = strcmp(job->stdin, "stream") == 0;
	if (!job->streams_stdin && strcmp(job->stdin, "whole") != 0)
		FAULT(c, "stdin", "'%s' is not whole or stream", job->stdin);
	else if (job->streams_stdin && !*job->exec)
		FAULT(c, "stdin", "can be stream for a job with exec only");
}

/* Where a program runs, and as whom. False: one of them is not right, so nothing may be run there. */
static bool check_surroundings(struct job_config *job, const struct server_config *server, struct check *c)
{
	struct stat st;
	bool is_folder = job->cwd[0] == '/' && stat(job->cwd, &st) == 0 && S_ISDIR(st.st_mode);

	if (!is_folder)
		FAULT(c, "cwd", "'%s' is not the absolute path of a folder", job->cwd);
	check_account(job, server, c);
	return is_folder && job->account.known;
}

/* What runs `line`, the value of `key`, and as whom and where. */
static void check_program(struct job_config *job, const char *key, const char *line, const struct server_config *server, struct check *c)
{
	char why[256];

	job->cmdline = cmdline_split(line, why, sizeof(why));
	if (!job->cmdline) {
		FAULT(c, key, "%s", why);
	} else {
		const char *program = job->cmdline->argv[0];

		job->path = find_executable(program);
		if (!job->path)
			FAULT(c, key, "'%s' is not an executable file%s", program, strchr(program, '/') ? "" : " in " COMMAND_PATH);
	}
	(void)check_surroundings(job, server, c);
}

static void check_exec(struct job_config *job, const struct server_config *server, struct check *c)
{
	job->kind = KIND_EXEC;
	check_program(job, "exec", job->exec, server, c);
	check_success(job, c);
}

/* What all kinds with workers may say. */
static void check_workers(const struct job_config *job, struct check *c)
{
	if (job->prestart > job->concurrency)
		FAULT(c, "prestart", "is over concurrency");
	if (job->leave_children)
		FAULT(c, "leave_children", "is for exec: what a worker has started may live as long as the worker");
}

static void check_worker(struct job_config *job, const struct server_config *server, struct check *c)
{
	job->kind = KIND_WORKER;
	check_program(job, "worker", job->worker, server, c);
	if (job->cmdline && job->cmdline->hole_count > 0)
		FAULT(c, "worker", "has the placeholder {%.*s}, but the arguments of a client are for exec only (write {{ for the character itself)",
		      (int)job->cmdline->holes[0].name.len, job->cmdline->holes[0].name.at);
	check_workers(job, c);
}

/* The host is the program, with the plugin as its argument. */
static void set_host(struct job_config *job, const char *host)
{
	const char *const words[] = { host, "--config", job->plugin_config, job->plugin_path };

	job->kind = KIND_PLUGIN_HOST;
	job->path = strdup(host);
	job->cmdline = cmdline_of(words, countof(words));
}

/* Its open() may still fail; that is not for a check. */
static void check_plugin(struct job_config *job, const struct server_config *server, struct check *c)
{
	autofree char *host = plugin_host_path();
	bool may_run = check_surroundings(job, server, c);
	char why[1024];

	job->kind = KIND_PLUGIN;
	job->plugin_path = plugin_file_path(job->plugin);
	if (!job->plugin_path)
		FAULT(c, "plugin", "'%s' is not an absolute path or the name of a file in " LEAT_PLUGINDIR, job->plugin);
	else if (!host)
		FAULT(c, "plugin", "needs leat-plugin-host, which is neither beside leatd nor in " LEAT_LIBEXECDIR);
	else if (may_run && !plugin_check(host, job->plugin_path, &job->account, why, sizeof(why)))
		FAULT(c, "plugin", "'%s' %s", job->plugin_path, why);
	else if (job->isolate)
		set_host(job, host);
	if (job->isolate)
		check_workers(job, c);
}

/* What its stages are is looked at when all jobs have been. */
static void check_pipeline(struct job_config *job, const struct server_config *server unused_arg, struct check *c)
{
	job->kind = KIND_PIPELINE;
	if (*job->uses)
		FAULT(c, "uses", "is for the jobs of a pipeline, not for the pipeline: it would hold what they wait for");
}

static const char *semaphore_name(size_t i, const void *arg)
{
	return ((const struct config *)arg)->semaphores[i]->name;
}

/* Puts the number of a semaphore where it belongs in the order of all. */
static void add_use(struct job_config *job, size_t index, struct check *c)
{
	size_t at = job->uses_count;

	while (at > 0 && job->uses_index[at - 1] > index)
		at--;
	if (at > 0 && job->uses_index[at - 1] == index) {
		FAULT(c, "uses", "names a semaphore twice");
	} else if (job->uses_count == USES_MAX) {
		FAULT(c, "uses", "names more than %d semaphores", USES_MAX);
	} else {
		memmove(&job->uses_index[at + 1], &job->uses_index[at], (job->uses_count - at) * sizeof(size_t));
		job->uses_index[at] = index;
		job->uses_count++;
	}
}

static void check_use(struct job_config *job, struct slice name, const struct config *config, struct check *c)
{
	const char *nearest = text_nearest(name, semaphore_name, config->semaphore_count, config);
	char shown[128];

	for (size_t i = 0; i < config->semaphore_count; i++) {
		if (slice_is(name, slice_of(config->semaphores[i]->name))) {
			add_use(job, i, c);
			return;
		}
	}
	text_printable(name, shown, sizeof(shown));
	if (nearest)
		FAULT(c, "uses", "there is no [semaphore %s]; did you mean %s?", shown, nearest);
	else
		FAULT(c, "uses", "there is no [semaphore %s]", shown);
}

static void check_uses(struct job_config *job, const struct config *config, struct check *c)
{
	const char *at = job->uses;

	while (*(at += strspn(at, " \t"))) {
		size_t len = strcspn(at, " \t");

		check_use(job, (struct slice){ at, len }, config, c);
		at += len;
	}
}

/* The keys that make a job of a kind, and what each asks of the rest. */
static const struct kind_row {
	const char *key;
	size_t offset;          /* of the key's text in job_config */
	void (*check)(struct job_config *, const struct server_config *, struct check *);
} kind_rows[] = {
	{ "builtin", offsetof(struct job_config, builtin), check_builtin },
	{ "exec", offsetof(struct job_config, exec), check_exec },
	{ "worker", offsetof(struct job_config, worker), check_worker },
	{ "plugin", offsetof(struct job_config, plugin), check_plugin },
	{ "pipeline", offsetof(struct job_config, pipeline), check_pipeline },
};

static void check_kind(struct job_config *job, const struct server_config *server, struct check *c)
{
	const struct kind_row *is = NULL;

	for (size_t i = 0; i < countof(kind_rows); i++) {
		if (!**(char *const *)(const void *)((const char *)job + kind_rows[i].offset))
			continue;
		if (is) {
			FAULT(c, kind_rows[i].key, "and %s are both set; a job is of one kind", is->key);
			return;
		}
		is = &kind_rows[i];
	}
	if (!is)
		fault(c->faults, 0, c->section, NULL, "has no kind: set builtin, exec, worker, plugin or pipeline");
	else
		is->check(job, server, c);
}

static void check_job(struct job_config *job, const struct config *config, struct faults *faults)
{
	const struct server_config *server = &config->server;
	char section[JOB_NAME_MAX + 8];
	struct check c = { .faults = faults, .server = server, .section = section, .origin = job->origin, .kind = OPTION_JOB };

	snprintf(section, sizeof(section), "job %s", job->name);
	check_kind(job, server, &c);
	check_stdin(job, &c);
	check_args(job, &c);
	check_uses(job, config, &c);
	if (job->deadline <= job->max_deadline)
		return;
	if (line_of(&c, "deadline") != ORIGIN_DEFAULT && line_of(&c, "max_deadline") != ORIGIN_DEFAULT)
		FAULT(&c, "deadline", "is over max_deadline");
	/* Only one of the two was said: the other gives way. */
	else if (line_of(&c, "deadline") != ORIGIN_DEFAULT)
		job->max_deadline = job->deadline;
	else
		job->deadline = job->max_deadline;
}

/* --- Pipelines --- */

static const char *job_name(size_t i, const void *arg)
{
	return ((const struct config *)arg)->jobs[i]->name;
}

static struct job_config *find_job(const struct config *config, struct slice name)
{
	for (size_t i = 0; i < config->job_count; i++) {
		if (slice_is(name, slice_of(config->jobs[i]->name)))
			return config->jobs[i];
	}
	return NULL;
}

static void fault_no_stage(const struct config *config, struct slice name, struct check *c)
{
	const char *nearest = text_nearest(name, job_name, config->job_count, config);
	char shown[128];

	text_printable(name, shown, sizeof(shown));
	if (nearest)
		FAULT(c, "pipeline", "there is no [job %s]; did you mean %s?", shown, nearest);
	else
		FAULT(c, "pipeline", "there is no [job %s]", shown);
}

static void find_stages(struct job_config *job, const struct config *config, struct check *c)
{
	const char *at = job->pipeline;
	size_t named = 0, found = 0;

	while (*(at += strspn(at, " \t"))) {
		struct slice name = { at, strcspn(at, " \t") };
		struct job_config *stage = find_job(config, name);

		if (!stage)
			fault_no_stage(config, name, c);
		else if (found < PIPE_STAGES_MAX)
			job->stages[found++] = stage;
		named++;
		at += name.len;
	}
	job->stage_count = found;
	if (named < PIPE_STAGES_MIN || named > PIPE_STAGES_MAX)
		FAULT(c, "pipeline", "names %zu jobs; it takes %d to %d", named, PIPE_STAGES_MIN, PIPE_STAGES_MAX);
}

/* The stages of such a pipeline come to an end: they are no pipelines, or such as were found to be before it. */
static bool all_end(const struct job_config *job)
{
	for (size_t i = 0; i < job->stage_count; i++) {
		if (job->stages[i]->kind == KIND_PIPELINE && !job->stages[i]->ends)
			return false;
	}
	return true;
}

/* Each time round at least one more, or there are no more. */
static void find_ends(struct config *config)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < config->job_count; i++) {
			struct job_config *job = config->jobs[i];

			if (job->kind != KIND_PIPELINE || job->ends || !all_end(job))
				continue;
			job->ends = true;
			more = true;
		}
	}
}

static void check_stages(struct job_config *job, const struct config *config, struct check *c)
{
	struct pipe_fault why;

	if (!job->ends)
		FAULT(c, "pipeline", "leads back to itself, or to a pipeline that does");
	else if (pipe_check(config, job->stages, job->stage_count, &why))
		;
	else if (why.needed > 0)
		FAULT(c, "pipeline", "%s: %s, %llu of %llu", why.detail, why.name, (unsigned long long)why.needed, (unsigned long long)why.most);
	else
		FAULT(c, "pipeline", "%s: %s", why.detail, why.name);
	job->streams_stdin = job->stages[0]->kind == KIND_EXEC && job->stages[0]->streams_stdin;
}

static void each_pipeline(struct config *config, struct faults *faults,
			  void (*visit)(struct job_config *, const struct config *, struct check *))
{
	char section[JOB_NAME_MAX + 8];
	struct check c = { .faults = faults, .server = &config->server, .section = section, .kind = OPTION_JOB };

	for (size_t i = 0; i < config->job_count; i++) {
		if (config->jobs[i]->kind != KIND_PIPELINE)
			continue;
		c.origin = config->jobs[i]->origin;
		snprintf(section, sizeof(section), "job %s", config->jobs[i]->name);
		visit(config->jobs[i], config, &c);
	}
}

/* When all jobs have been looked at by themselves. */
static void check_pipelines(struct config *config, struct faults *faults)
{
	size_t before = faults->count;

	each_pipeline(config, faults, find_stages);
	if (faults->count > before)
		return;
	find_ends(config);
	each_pipeline(config, faults, check_stages);
}

/* What clients put together is of a kind that no section makes. */
static void set_pipes(struct config *config)
{
	config->pipes.kind = KIND_PIPELINE;
	config->pipes.name = strdup("PIPE");
	config->pipes.concurrency = config->server.max_pipes;
}

void config_check(struct config *config, struct faults *faults)
{
	struct check c = { .faults = faults, .server = &config->server, .section = "server", .origin = config->origin, .kind = OPTION_SERVER };

	check_server(&config->server, &c);
	check_unix(&config->unix_file, &config->server, &c);
	check_access(config, &c);
	check_names(config->server.user, config->server.group, &c);
	for (size_t i = 0; i < config->job_count; i++)
		check_job(config->jobs[i], config, faults);
	check_pipelines(config, faults);
	set_pipes(config);
	if (config->semaphore_count > SEMAPHORES_MAX)
		fault(faults, 0, NULL, NULL, "more than %d semaphores", SEMAPHORES_MAX);
	if (config->job_count == 0)
		fault(faults, 0, NULL, NULL, "no job: add a section `[job NAME]` with `exec = COMMAND LINE`");
}
