#include "config_compare.h"

#include "args.h"
#include "config_table.h"

/* What leatd is built on when it starts. */
static const char *const fixed_keys[] = { "listen", "loops", "cgroup", "unix_mode", "unix_user", "unix_group" };

static bool row_is_same(const struct option_row *row, const void *a, const void *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool same;

	option_text(row, a, &x);
	option_text(row, b, &y);
	same = !x.failed && !y.failed && slice_is(buf_slice(&x), buf_slice(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool rows_are_same(const struct job_config *a, const struct job_config *b)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].section == OPTION_JOB && !row_is_same(&option_rows[i], a, b))
			return false;
	}
	return true;
}

static bool args_are_same(const struct job_config *a, const struct job_config *b)
{
	if (a->arg_count != b->arg_count)
		return false;
	for (size_t i = 0; i < a->arg_count; i++) {
		if (strcmp(a->args[i]->name, b->args[i]->name) != 0 || strcmp(a->args[i]->pattern, b->args[i]->pattern) != 0)
			return false;
	}
	return true;
}

static bool env_is_same(const struct job_config *a, const struct job_config *b)
{
	if (a->env_count != b->env_count)
		return false;
	for (size_t i = 0; i < a->env_count; i++) {
		if (strcmp(a->env[i], b->env[i]) != 0)
			return false;
	}
	return true;
}

static bool text_is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool account_is_same(const struct account *a, const struct account *b)
{
	return a->change == b->change && a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
	       memcmp(a->groups, b->groups, a->group_count * sizeof(*a->groups)) == 0 && text_is_same(a->home, b->home);
}

bool config_job_is_same(const struct job_config *a, const struct job_config *b)
{
	return strcmp(a->name, b->name) == 0 && a->kind == b->kind && rows_are_same(a, b) && args_are_same(a, b) && env_is_same(a, b) &&
	       text_is_same(a->path, b->path) && text_is_same(a->plugin_path, b->plugin_path) && account_is_same(&a->account, &b->account);
}

static void add_key(const char *key, size_t before, struct buf *to)
{
	if (to->len > before)
		buf_add_slice(to, SLICE(", "));
	buf_add_slice(to, slice_of(key));
}

void config_fixed_keys(const struct server_config *in_force, const struct server_config *read, struct buf *to)
{
	size_t before = to->len;

	for (size_t i = 0; i < countof(fixed_keys); i++) {
		const struct option_row *row = option_find(OPTION_SERVER, slice_of(fixed_keys[i]));

		if (row && !row_is_same(row, in_force, read))
			add_key(row->key, before, to);
	}
	/* There are tables of that size. */
	if (read->max_connections > in_force->max_connections)
		add_key("max_connections", before, to);
	if (in_force->client_connections == 0 && read->client_connections > 0)
		add_key("client_connections", before, to);
}
