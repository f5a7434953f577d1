#include "config_table.h"

#include "args.h"
#include "text.h"

#include <ctype.h>

const char *config_kind_name(enum job_kind kind)
{
	switch (kind) {
	case KIND_BUILTIN_ECHO:
	case KIND_BUILTIN_SLEEP:
		return "builtin";
	case KIND_EXEC:
		return "exec";
	case KIND_WORKER:
		return "worker";
	case KIND_PLUGIN:
	case KIND_PLUGIN_HOST:
		return "plugin";
	case KIND_PIPELINE:
		return "pipeline";
	}
	return "";
}

/* Where a text may go on in the next line: at a single blank, which is what the reader puts between the two, for all white space there. */
static bool may_break(struct slice text, size_t at)
{
	struct slice rest = { text.at + at + 1, text.len - at - 1 };

	return text.at[at] == ' ' && !isspace((unsigned char)text.at[at - 1]) && rest.len > 0 && !isspace((unsigned char)rest.at[0]) &&
	       !strchr(";#[", rest.at[0]) && !option_looks_like_key(rest);
}

/* How much of it stands in a line that has room for so many characters: more where there is nothing to break it at. */
static size_t piece_of(struct slice text, size_t room)
{
	size_t at;

	if (text.len <= room)
		return text.len;
	for (at = room; at > 0; at--) {
		if (may_break(text, at))
			return at;
	}
	for (at = room + 1; at < text.len; at++) {
		if (may_break(text, at))
			return at;
	}
	return text.len;
}

/* Behind a key of so many characters. Where they would make the line too long to be read again, there are no blanks around the sign. */
static void print_piece(size_t key_len, struct slice piece, struct buf *to)
{
	buf_add_slice(to, key_len + 3 + piece.len > LINE_MAX_CHARACTERS ? SLICE("=") : SLICE(" = "));
	buf_add_slice(to, piece);
}

/* In as many lines as it needs, the others indented: by one blank only where two would be too many. */
static void print_text(size_t key_len, struct slice text, struct buf *to)
{
	size_t len = piece_of(text, LINE_MAX_CHARACTERS - 3 - key_len);

	print_piece(key_len, (struct slice){ text.at, len }, to);
	while (len < text.len) {
		text = (struct slice){ text.at + len + 1, text.len - len - 1 };
		len = piece_of(text, LINE_MAX_CHARACTERS - 2);
		buf_add_slice(to, len > LINE_MAX_CHARACTERS - 2 ? SLICE("\n ") : SLICE("\n  "));
		buf_add(to, text.at, len);
	}
}

static void print_key(const struct option_row *row, const void *base, const char *prefix, struct buf *to)
{
	struct buf value = { 0 };

	buf_addf(to, "%s%s", prefix, row->key);
	if (base)
		option_text(row, base, &value);
	else
		buf_add_slice(&value, slice_of(row->normal));
	if (value.len > 0)
		print_text(strlen(prefix) + strlen(row->key), buf_slice(&value), to);
	else
		buf_add_slice(to, SLICE(" ="));
	buf_add_char(to, '\n');
	buf_free(&value);
}

/* What the user has named himself: in one line. */
static void print_named(const char *kind, struct slice name, const char *value, struct buf *to)
{
	buf_addf(to, "%s.%.*s", kind, (int)name.len, name.at);
	print_piece(strlen(kind) + 1 + name.len, slice_of(value), to);
	buf_add_char(to, '\n');
}

static void print_server(const struct server_config *server, struct buf *to)
{
	buf_addf(to, "[server]\n");
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].section != OPTION_SERVER)
			continue;
		buf_addf(to, "; %s\n", option_rows[i].help);
		print_key(&option_rows[i], server, "", to);
	}
}

static void print_rows(enum option_section section, struct buf *to)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].section != section)
			continue;
		buf_addf(to, ";   %s\n", option_rows[i].help);
		print_key(&option_rows[i], NULL, "; ", to);
	}
}

/* Commented out: what a job or a semaphore may say, and what holds when it does not. */
static void print_reference(struct buf *to)
{
	buf_addf(to, "\n; What a job may say, with what holds when it does not. It has one of builtin, exec, worker and plugin.\n;\n; [job NAME]\n");
	print_rows(OPTION_JOB, to);
	buf_addf(to, ";   what a client may say for {NAME} in exec: an extended regular expression that matches all of it. A value may begin\n"
		     ";   with - only if its pattern does (with -, \\- or [-, also behind ^ or an opening bracket)\n; arg.NAME = PATTERN\n");
	buf_addf(to, ";   a variable of the command's environment\n; env.NAME = VALUE\n");
	buf_addf(to, "\n; What jobs may share: see `uses`.\n;\n; [semaphore NAME]\n");
	print_rows(OPTION_SEMAPHORE, to);
}

/* The keys that are not at their default. */
static void print_changed(enum option_section section, const void *base, struct buf *to)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		struct buf value = { 0 };

		if (row->section != section)
			continue;
		option_text(row, base, &value);
		if (!slice_is(buf_slice(&value), slice_of(row->normal)))
			print_key(row, base, "", to);
		buf_free(&value);
	}
}

static void print_semaphore(const struct semaphore_config *semaphore, struct buf *to)
{
	buf_addf(to, "\n[semaphore %s]\n", semaphore->name);
	print_changed(OPTION_SEMAPHORE, semaphore, to);
}

static void print_job(const struct job_config *job, struct buf *to)
{
	buf_addf(to, "\n[job %s]\n", job->name);
	print_changed(OPTION_JOB, job, to);
	for (size_t i = 0; i < job->arg_count; i++)
		print_named("arg", slice_of(job->args[i]->name), job->args[i]->pattern, to);
	for (size_t i = 0; i < job->env_count; i++)
		print_named("env", (struct slice){ job->env[i], strcspn(job->env[i], "=") }, strchr(job->env[i], '=') + 1, to);
}

void config_print(const struct config *config, struct buf *to)
{
	buf_addf(to, "; leatd.ini: sizes take K, M, G (1024), durations ms, s, m, h. A text that is too long for its line goes on in an\n"
		     "; indented one. `leatd --print-config` prints this, `leatd --check-config` checks it.\n\n");
	print_server(&config->server, to);
	print_reference(to);
	for (size_t i = 0; i < config->semaphore_count; i++)
		print_semaphore(config->semaphores[i], to);
	for (size_t i = 0; i < config->job_count; i++)
		print_job(config->jobs[i], to);
}
