#include "top_view.h"

#include "exit.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- One type, as numbers --- */

struct figures {
	const struct sample_type *type;
	double ended, refused;                          /* a second */
	int64_t queued50, queued99, ran50, ran99;       /* microseconds; negative: there were none */
};

static struct figures figures_of(const struct top_view *v, const struct sample_type *type)
{
	const struct sample_type *last = sample_type(v->last, type->name), *oldest = sample_type(v->oldest, type->name);
	const uint64_t *queued = oldest && v->oldest != v->now ? oldest->queued : NULL, *ran = queued ? oldest->ran : NULL;

	return (struct figures){
		.type = type,
		.ended = last ? sample_rate(v->last, v->now, last->ended, type->ended) : 0,
		.refused = last ? sample_rate(v->last, v->now, last->refused, type->refused) : 0,
		.queued50 = sample_percentile(v->now, type->queued, queued, 50),
		.queued99 = sample_percentile(v->now, type->queued, queued, 99),
		.ran50 = sample_percentile(v->now, type->ran, ran, 50),
		.ran99 = sample_percentile(v->now, type->ran, ran, 99),
	};
}

static double sort_value(const struct top_view *v, const struct sample_type *type)
{
	switch (v->sort) {
	case SORT_RATE:
		return figures_of(v, type).ended;
	case SORT_RUNNING:
		return (double)type->running;
	case SORT_WAITING:
		return (double)type->waiting;
	case SORT_REFUSED:
		return figures_of(v, type).refused;
	case SORT_NAME:
	case SORTS:
		break;
	}
	return 0;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct sample_type *x = *(const struct sample_type *const *)a, *y = *(const struct sample_type *const *)b;
	double p = sort_value(arg, x), q = sort_value(arg, y);

	return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

const struct sample_type **top_order(const struct top_view *v)
{
	const struct sample_type **order = calloc(v->now->type_count + 1, sizeof(*order));

	if (!order)
		out_of_memory();
	for (size_t i = 0; i < v->now->type_count; i++)
		order[i] = &v->now->types[i];
	qsort_r(order, v->now->type_count, sizeof(*order), compare, (void *)(uintptr_t)v);
	return order;
}

/* --- Numbers as people read them --- */

enum { CELL_MAX = 64 };

static const char *duration(char cell[CELL_MAX], int64_t us)
{
	double ms = (double)us / 1000;

	if (us < 0)
		return "-";
	snprintf(cell, CELL_MAX, ms < 1 ? "%.2fms" : ms < 10 ? "%.1fms" : "%.0fms", ms);
	if (ms >= 1000)
		snprintf(cell, CELL_MAX, ms < 10000 ? "%.1fs" : "%.0fs", ms / 1000);
	return cell;
}

static const char *rate(char cell[CELL_MAX], double n)
{
	snprintf(cell, CELL_MAX, n >= 100 || n == 0 ? "%.0f" : n >= 10 ? "%.1f" : "%.2f", n);
	return cell;
}

static const char *count(char cell[CELL_MAX], uint64_t n)
{
	snprintf(cell, CELL_MAX, "%llu", (unsigned long long)n);
	return cell;
}

static const char *of(char cell[CELL_MAX], uint64_t part, uint64_t whole)
{
	snprintf(cell, CELL_MAX, "%llu/%llu", (unsigned long long)part, (unsigned long long)whole);
	return cell;
}

static const char *size(char cell[CELL_MAX], uint64_t bytes)
{
	static const char *const units[] = { "B", "K", "M", "G", "T" };
	double n = (double)bytes;
	size_t unit = 0;

	for (; n >= 1024 && unit + 1 < countof(units); unit++)
		n /= 1024;
	snprintf(cell, CELL_MAX, unit && n < 100 ? "%.1f%s" : "%.0f%s", n, units[unit]);
	return cell;
}

static const char *uptime(char cell[CELL_MAX], uint64_t s)
{
	unsigned long long n = s;

	if (s >= 86400)
		snprintf(cell, CELL_MAX, "%llud %lluh", n / 86400, n % 86400 / 3600);
	else if (s >= 3600)
		snprintf(cell, CELL_MAX, "%lluh %llum", n / 3600, n % 3600 / 60);
	else
		snprintf(cell, CELL_MAX, "%llum %llus", n / 60, n % 60);
	return cell;
}

/* --- The columns of the types --- */

static const char *cell_name(char cell[CELL_MAX], const struct figures *f)
{
	snprintf(cell, CELL_MAX, "%.60s", f->type->name);
	return cell;
}

static const char *cell_state(char cell[CELL_MAX] unused_arg, const struct figures *f)
{
	return f->type->paused ? "paused" : "";
}

static const char *cell_ended(char cell[CELL_MAX], const struct figures *f)
{
	return rate(cell, f->ended);
}

static const char *cell_running(char cell[CELL_MAX], const struct figures *f)
{
	return of(cell, f->type->running, f->type->concurrency);
}

static const char *cell_waiting(char cell[CELL_MAX], const struct figures *f)
{
	return of(cell, f->type->waiting, f->type->queue);
}

static const char *cell_queued50(char cell[CELL_MAX], const struct figures *f)
{
	return duration(cell, f->queued50);
}

static const char *cell_queued99(char cell[CELL_MAX], const struct figures *f)
{
	return duration(cell, f->queued99);
}

static const char *cell_ran50(char cell[CELL_MAX], const struct figures *f)
{
	return duration(cell, f->ran50);
}

static const char *cell_ran99(char cell[CELL_MAX], const struct figures *f)
{
	return duration(cell, f->ran99);
}

static const char *cell_refused_rate(char cell[CELL_MAX], const struct figures *f)
{
	return rate(cell, f->refused);
}

static const char *cell_refused(char cell[CELL_MAX], const struct figures *f)
{
	return count(cell, f->type->refused);
}

static const char *cell_failed(char cell[CELL_MAX], const struct figures *f)
{
	return count(cell, f->type->failed);
}

static const char *cell_why(char cell[CELL_MAX] unused_arg, const struct figures *f)
{
	return f->type->why;
}

static const struct column {
	const char *name;
	int width;                      /* to the left if it is negative; of the first one at least */
	const char *(*cell)(char cell[CELL_MAX], const struct figures *);
} columns[] = {
	{ "JOB", -16, cell_name }, { "STATE", -6, cell_state }, { "END/S", 7, cell_ended }, { "RUN", 9, cell_running },
	{ "WAIT", 11, cell_waiting }, { "W-P50", 7, cell_queued50 }, { "W-P99", 7, cell_queued99 }, { "R-P50", 7, cell_ran50 },
	{ "R-P99", 7, cell_ran99 }, { "REF/S", 6, cell_refused_rate }, { "REFUSED", 8, cell_refused }, { "NOTDONE", 8, cell_failed },
	{ "MOSTLY", -20, cell_why },
};

/* --- Lines --- */

/* A line that is as long as the screen is wide, and no longer. */
struct line {
	struct bytes *out;
	size_t left;
	bool colours;
};

enum style { PLAIN, BOLD, FAINT, RED, YELLOW, GREEN, BLUE, SELECTED };

static void begin_style(const struct line *l, enum style style)
{
	static const char *const codes[] = { "", "\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[32m", "\033[36m", "\033[7m" };
	bool is_colour = style >= RED && style <= BLUE;

	if (!is_colour || l->colours)
		bytes_addf(l->out, "%s", codes[style]);
}

static void put(struct line *l, enum style style, const char *text)
{
	size_t len = strlen(text);

	if (len > l->left)
		len = l->left;
	l->left -= len;
	if (style != PLAIN)
		begin_style(l, style);
	bytes_add(l->out, text, len);
	if (style != PLAIN)
		bytes_addf(l->out, "\033[0m");
}

static struct line begin_line(struct bytes *out, const struct top_view *v)
{
	return (struct line){ out, v->columns, v->colours };
}

static void end_line(struct line *l)
{
	bytes_addf(l->out, "\033[K\r\n");
}

/* --- The screen --- */

static void server_line(struct bytes *out, const struct top_view *v)
{
	struct line l = begin_line(out, v);
	char text[256], up[CELL_MAX];

	put(&l, BOLD, "leat top");
	snprintf(text, sizeof(text), "  %s  leatd %s  up %s  ", v->server, v->now->version, uptime(up, v->now->uptime_s));
	put(&l, PLAIN, text);
	if (v->now->draining)
		put(&l, YELLOW, "draining");
	end_line(&l);
}

static void totals(const struct top_view *v, double *ended, double *refused, uint64_t *running, uint64_t *waiting)
{
	*ended = *refused = 0;
	*running = *waiting = 0;
	for (size_t i = 0; i < v->now->type_count; i++) {
		struct figures f = figures_of(v, &v->now->types[i]);

		*ended += f.ended;
		*refused += f.refused;
		*running += f.type->running;
		*waiting += f.type->waiting;
	}
}

static void totals_line(struct bytes *out, const struct top_view *v)
{
	struct line l = begin_line(out, v);
	char text[256], a[CELL_MAX], b[CELL_MAX];
	double ended, refused;
	uint64_t running, waiting;

	totals(v, &ended, &refused, &running, &waiting);
	snprintf(text, sizeof(text), "ended %s/s  running %llu  waiting %llu  ", rate(a, ended), (unsigned long long)running,
	         (unsigned long long)waiting);
	put(&l, PLAIN, text);
	snprintf(text, sizeof(text), "refused %s/s", rate(a, refused));
	put(&l, refused > 0 ? RED : PLAIN, text);
	snprintf(text, sizeof(text), "  memory %s of %s  connections %llu of %llu", size(a, v->now->memory), size(b, v->now->max_memory),
	         (unsigned long long)v->now->connections, (unsigned long long)v->now->max_connections);
	put(&l, PLAIN, text);
	end_line(&l);
}

/* As wide as the longest name, as far as there is place. */
static int name_width(const struct top_view *v)
{
	int width = 0;

	for (size_t i = 0; i < v->now->type_count; i++) {
		int len = (int)strlen(v->now->types[i].name);

		width = len > width ? len : width;
	}
	width = width > 32 ? 32 : width;
	return width < -columns[0].width ? columns[0].width : -width;
}

static enum style style_of(const struct figures *f, size_t column)
{
	if (columns[column].cell == cell_state)
		return YELLOW;
	if (columns[column].cell == cell_refused_rate && f->refused > 0)
		return RED;
	if (columns[column].cell == cell_waiting && f->type->waiting > 0)
		return YELLOW;
	if (columns[column].cell == cell_running && f->type->running > 0)
		return BLUE;
	return PLAIN;
}

static void put_cell(struct line *l, enum style style, int width, const char *text)
{
	char cell[2 * CELL_MAX];

	snprintf(cell, sizeof(cell), "%*.*s ", width, width < 0 ? -width : width, text);
	put(l, style, cell);
}

static void head_line(struct bytes *out, const struct top_view *v)
{
	struct line l = begin_line(out, v);

	for (size_t i = 0; i < countof(columns); i++)
		put_cell(&l, BOLD, i ? columns[i].width : name_width(v), columns[i].name);
	end_line(&l);
}

static void type_line(struct bytes *out, const struct top_view *v, const struct sample_type *type)
{
	struct line l = begin_line(out, v);
	struct figures f = figures_of(v, type);
	bool selected = strcmp(type->name, v->type) == 0;
	char cell[CELL_MAX];

	for (size_t i = 0; i < countof(columns); i++)
		put_cell(&l, selected ? (v->in_jobs ? BOLD : SELECTED) : style_of(&f, i), i ? columns[i].width : name_width(v), columns[i].cell(cell, &f));
	end_line(&l);
}

static void job_line(struct bytes *out, const struct top_view *v, const struct sample_job *job)
{
	struct line l = begin_line(out, v);
	bool selected = v->in_jobs && strcmp(job->id, v->id) == 0;
	enum style style = selected ? SELECTED : PLAIN;
	char cell[CELL_MAX];

	put_cell(&l, style, -20, job->id);
	put_cell(&l, style, -16, job->job);
	put_cell(&l, selected ? SELECTED : strcmp(job->state, "running") == 0 ? BLUE : YELLOW, -8, job->state);
	put_cell(&l, style, 9, duration(cell, (int64_t)job->age_ms * 1000));
	put_cell(&l, style, 9, duration(cell, (int64_t)job->left_ms * 1000));
	put_cell(&l, style, -24, job->peer);
	end_line(&l);
}

static void jobs_head(struct bytes *out, const struct top_view *v)
{
	struct line l = begin_line(out, v);
	char text[128];

	if (!v->now->sees_jobs) {
		put(&l, FAINT, "To see and steer the jobs in flight takes a token with the right ops.");
	} else {
		snprintf(text, sizeof(text), "%-20s %-16s %-8s %9s %9s %-24s", "IN FLIGHT", "JOB", "STATE", "AGE", "LEFT", "FOR");
		put(&l, BOLD, text);
	}
	end_line(&l);
}

/* The first of `count` lines that is shown, so that the selected one is, when there is place for so many. */
static size_t first_shown(size_t count, size_t selected, size_t place)
{
	if (count <= place || selected < place)
		return 0;
	return selected - place + 1;
}

static void types_part(struct bytes *out, const struct top_view *v, size_t place)
{
	const struct sample_type **order = top_order(v);
	size_t selected = 0, n = v->now->type_count;

	for (size_t i = 0; i < n; i++)
		if (strcmp(order[i]->name, v->type) == 0)
			selected = i;
	for (size_t i = first_shown(n, selected, place), shown = 0; i < n && shown < place; i++, shown++)
		type_line(out, v, order[i]);
	free(order);
}

static void jobs_part(struct bytes *out, const struct top_view *v, size_t place)
{
	size_t selected = 0, n = v->now->job_count;

	for (size_t i = 0; i < n; i++)
		if (strcmp(v->now->jobs[i].id, v->id) == 0)
			selected = i;
	for (size_t i = first_shown(n, selected, place), shown = 0; i < n && shown < place; i++, shown++)
		job_line(out, v, &v->now->jobs[i]);
}

static void last_line(struct bytes *out, const struct top_view *v)
{
	static const char *const sorts[] = { "name", "rate", "running", "waiting", "refused" };
	struct line l = begin_line(out, v);
	char text[256];

	if (v->note[0]) {
		put(&l, v->bad_note ? RED : GREEN, v->note);
	} else {
		snprintf(text, sizeof(text), "q quit  arrows select  Tab types/jobs  p pause  r resume  c cancel  s sort: %s", sorts[v->sort]);
		put(&l, FAINT, text);
	}
	bytes_addf(out, "\033[K");
}

void top_screen(struct bytes *out, const struct top_view *v)
{
	/* The lines that are always there: two of the server, a blank, a head; a blank, a head; the last. */
	size_t place = v->rows > 8 ? v->rows - 7 : 1;
	size_t types = v->now->type_count < place * 2 / 3 ? v->now->type_count : place * 2 / 3;

	bytes_addf(out, "\033[H");
	server_line(out, v);
	totals_line(out, v);
	bytes_addf(out, "\033[K\r\n");
	head_line(out, v);
	types_part(out, v, types > 0 ? types : 1);
	if (v->rows > 8) {
		bytes_addf(out, "\033[K\r\n");
		jobs_head(out, v);
		jobs_part(out, v, place - types);
	}
	/* Below what there is nothing any more, down to the last line. */
	bytes_addf(out, "\033[J\033[%zu;1H", v->rows);
	last_line(out, v);
}

/* --- Without a screen --- */

void top_table(struct bytes *out, const struct top_view *v)
{
	const struct sample_type **order = top_order(v);
	char a[CELL_MAX], b[CELL_MAX];

	bytes_addf(out, "%s  up %s  connections %llu  memory %s%s\n", v->server, uptime(a, v->now->uptime_s), (unsigned long long)v->now->connections,
	           size(b, v->now->memory), v->now->draining ? "  draining" : "");
	for (size_t row = 0; row <= v->now->type_count; row++) {
		struct figures f = row ? figures_of(v, order[row - 1]) : (struct figures){ 0 };

		for (size_t i = 0; i < countof(columns); i++)
			bytes_addf(out, "%s%*s", i ? " " : "", i ? columns[i].width : name_width(v), row ? columns[i].cell(a, &f) : columns[i].name);
		while (out->at[out->len - 1] == ' ')
			out->len--;
		bytes_addf(out, "\n");
	}
	free(order);
}

static void json_us(struct bytes *out, const char *name, int64_t us)
{
	if (us < 0)
		bytes_addf(out, ",\"%s\":null", name);
	else
		bytes_addf(out, ",\"%s\":%lld", name, (long long)us);
}

static void json_type(struct bytes *out, const struct figures *f)
{
	bytes_addf(out, "{\"job\":");
	json_string(out, f->type->name, strlen(f->type->name));
	bytes_addf(out, ",\"paused\":%d,\"running\":%llu,\"waiting\":%llu,\"ended_per_second\":%.3f,\"refused_per_second\":%.3f", f->type->paused,
	           (unsigned long long)f->type->running, (unsigned long long)f->type->waiting, f->ended, f->refused);
	bytes_addf(out, ",\"ended\":%llu,\"not_done\":%llu,\"refused\":%llu", (unsigned long long)f->type->ended, (unsigned long long)f->type->failed,
	           (unsigned long long)f->type->refused);
	json_us(out, "queued_p50_us", f->queued50);
	json_us(out, "queued_p99_us", f->queued99);
	json_us(out, "ran_p50_us", f->ran50);
	json_us(out, "ran_p99_us", f->ran99);
	bytes_addf(out, "}");
}

void top_json(struct bytes *out, const struct top_view *v)
{
	const struct sample_type **order = top_order(v);

	bytes_addf(out, "{\"uptime_s\":%llu,\"draining\":%llu,\"connections\":%llu,\"memory\":%llu,\"jobs\":[", (unsigned long long)v->now->uptime_s,
	           (unsigned long long)v->now->draining, (unsigned long long)v->now->connections, (unsigned long long)v->now->memory);
	for (size_t i = 0; i < v->now->type_count; i++) {
		struct figures f = figures_of(v, order[i]);

		bytes_addf(out, i ? "," : "");
		json_type(out, &f);
	}
	bytes_addf(out, "]}\n");
	free(order);
}
