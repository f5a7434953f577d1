#include "report.h"

#include "forecast.h"
#include "inquiry.h"
#include "leatd.h"
#include "log.h"
#include "semaphores.h"

#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(((struct report_record *)0)->room) >= PEER_TEXT_MAX, "a peer fits");

static void add_text(struct report_record *r, const char *name, const char *text)
{
	if (r->count < REPORT_FIELDS_MAX)
		r->fields[r->count++] = (struct report_field){ .name = name, .text = text };
}

static void add_number(struct report_record *r, const char *name, uint64_t number)
{
	if (r->count < REPORT_FIELDS_MAX)
		r->fields[r->count++] = (struct report_field){ .name = name, .number = (int64_t)number };
}

static void add_ms(struct report_record *r, const char *name, int64_t ns)
{
	add_number(r, name, (uint64_t)(ns / MILLISECONDS));
}

static void add_us(struct report_record *r, const char *name, int64_t ns)
{
	add_number(r, name, (uint64_t)(ns / MICROSECONDS));
}

void report_job(const struct type *type, struct report_record *r)
{
	const struct job_config *config = type->config;
	struct books_copy books = books_read(type->books);

	r->count = 0;
	add_text(r, "job", config->name);
	add_text(r, "kind", config_kind_name(config->kind));
	add_number(r, "concurrency", config->concurrency);
	add_number(r, "queue", config->queue);
	add_ms(r, "deadline_ms", config->deadline);
	add_ms(r, "max_deadline_ms", config->max_deadline);
	add_ms(r, "grace_ms", config->grace);
	add_ms(r, "max_wait_ms", config->max_wait);
	add_number(r, "client_share", config->client_share);
	add_text(r, "uses", config->uses);
	add_number(r, "max_output", config->max_output);
	add_number(r, "paused", type_is_paused(type));
	add_number(r, "waiting", books.waiting);
	add_number(r, "running", books.running);
}

void report_stats(const struct type *type, struct report_record *r)
{
	static const char *const refused_names[] = {
#define REFUSAL(name, words) "refused_" #name,
#define OUTCOME(name)
#include "books.def"
#undef REFUSAL
#undef OUTCOME
	};
	struct books_copy books = books_read(type->books);
	uint64_t refused = 0;

	r->count = 0;
	for (size_t i = 0; i < REFUSALS; i++)
		refused += books.refused[i];
	add_text(r, "job", type->config->name);
	add_number(r, "submitted", books.submitted);
	add_number(r, "refused", refused);
	add_number(r, "waiting", books.waiting);
	add_number(r, "running", books.running);
	add_number(r, "abandoned", books.abandoned);
	for (size_t i = 0; i < OUTCOMES; i++)
		add_number(r, outcome_name((enum outcome)i), books.ended[i]);
	for (size_t i = 0; i < REFUSALS; i++)
		add_number(r, refused_names[i], books.refused[i]);
	add_us(r, "service_us", estimate_mean(&type->estimate));
	add_us(r, "service_median_us", estimate_median(&type->estimate));
	add_ms(r, "wait_ms", forecast_wait(type, 0, moment_now()));
	add_us(r, "queued_p50_us", histogram_percentile(&type->books->queued, 50));
	add_us(r, "queued_p99_us", histogram_percentile(&type->books->queued, 99));
	add_us(r, "ran_p50_us", histogram_percentile(&type->books->ran, 50));
	add_us(r, "ran_p99_us", histogram_percentile(&type->books->ran, 99));
}

static void add_object(const struct report_record *r, struct buf *to)
{
	for (size_t i = 0; i < r->count; i++) {
		buf_addf(to, "%s\"%s\":", i ? "," : "{", r->fields[i].name);
		if (r->fields[i].text)
			buf_add_json(to, slice_of(r->fields[i].text));
		else
			buf_addf(to, "%lld", (long long)r->fields[i].number);
	}
	buf_add_char(to, '}');
}

static void add_types(const struct catalogue *c, void (*fill)(const struct type *, struct report_record *), struct buf *to)
{
	struct report_record r;

	buf_add_char(to, '[');
	for (size_t i = 0; i < c->type_count; i++) {
		if (i)
			buf_add_char(to, ',');
		fill(c->types[i], &r);
		add_object(&r, to);
	}
	buf_add_char(to, ']');
}

void report_json(const struct catalogue *c, void (*fill)(const struct type *, struct report_record *), struct buf *to)
{
	add_types(c, fill, to);
	buf_add_char(to, '\n');
}

/* --- Jobs in flight --- */

size_t report_inquiry_records(const struct inquiry_result *result)
{
	return result->count + (result->more > 0);
}

void report_inquiry(const struct inquiry_result *result, size_t i, struct report_record *r)
{
	const struct inquiry_job *job = &result->jobs[i];

	r->count = 0;
	if (i == result->count) {
		add_number(r, "more", result->more);
		return;
	}
	peer_text(&job->peer, r->room);
	add_text(r, "id", job->id);
	add_text(r, "job", job->job);
	add_text(r, "state", job->running ? "running" : "waiting");
	/* What another loop took in after our clock was read is not of a negative age. */
	add_ms(r, "age_ms", job->arrived < result->now ? result->now - job->arrived : 0);
	add_ms(r, "left_ms", job->deadline > result->now ? job->deadline - result->now : 0);
	add_text(r, "peer", r->room);
}

static void add_records(const struct inquiry_result *result, size_t count, struct buf *to)
{
	struct report_record r;

	buf_add_char(to, '[');
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(to, ',');
		report_inquiry(result, i, &r);
		add_object(&r, to);
	}
	buf_add_char(to, ']');
}

void report_inquiry_json(const struct inquiry_result *result, struct buf *to)
{
	add_records(result, report_inquiry_records(result), to);
	buf_add_char(to, '\n');
}

/* --- A snapshot --- */

static uint64_t all_denied(const struct leatd *leatd)
{
	uint64_t all = 0;

	for (size_t i = 0; i < DENIALS; i++)
		all += shim_load(&leatd->denied[i], relaxed);
	return all;
}

static void snapshot_server(const struct catalogue *c, struct buf *to)
{
	struct report_record r = { .count = 0 };

	add_text(&r, "version", LEAT_VERSION);
	add_number(&r, "process_id", (uint64_t)getpid());
	add_ms(&r, "now_ms", moment_now());
	add_number(&r, "started", (uint64_t)c->leatd->started_unix);
	add_number(&r, "uptime_s", (uint64_t)(time(NULL) - c->leatd->started_unix));
	add_text(&r, "proof_of_death", c->leatd->trees.cgroup ? "cgroup" : "descendants");
	add_number(&r, "draining", shim_load(&c->leatd->draining, relaxed));
	add_number(&r, "connections", shim_load(&c->leatd->connections, relaxed));
	add_number(&r, "max_connections", c->config->server.max_connections);
	add_number(&r, "memory", shim_load(&c->leatd->memory_bytes, relaxed));
	add_number(&r, "max_memory", c->config->server.max_memory);
	add_number(&r, "denied", all_denied(c->leatd));
	add_number(&r, "starved", shim_load(&c->leatd->starved, relaxed));
	add_number(&r, "log_dropped", log_dropped(c->leatd->log));
	add_object(&r, to);
}

static void add_buckets(const struct histogram *h, char between, struct buf *to)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (i)
			buf_add_char(to, between);
		buf_add_uint(to, shim_load(&h->buckets[i], relaxed));
	}
}

static void add_bounds(char between, struct buf *to)
{
	for (size_t i = 0; i < countof(histogram_bounds); i++) {
		if (i)
			buf_add_char(to, between);
		buf_add_int(to, histogram_bounds[i] / MICROSECONDS);
	}
}

/* The buckets themselves, so that who compares two snapshots sees what happened between them. */
static void snapshot_latency(const struct catalogue *c, struct buf *to)
{
	for (size_t i = 0; i < c->type_count; i++) {
		buf_addf(to, "%s{\"job\":", i ? "," : "");
		buf_add_json(to, slice_of(c->types[i]->config->name));
		buf_add_slice(to, SLICE(",\"queued\":["));
		add_buckets(&c->types[i]->books->queued, ',', to);
		buf_add_slice(to, SLICE("],\"ran\":["));
		add_buckets(&c->types[i]->books->ran, ',', to);
		buf_add_slice(to, SLICE("]}"));
	}
}

static void snapshot_semaphores(const struct catalogue *c, struct buf *to)
{
	for (size_t i = 0; i < c->semaphore_count; i++) {
		const struct named_semaphore *s = c->semaphores[i];
		struct report_record r = { .count = 0 };

		buf_add_slice(to, i ? SLICE(",") : SLICE(""));
		add_text(&r, "semaphore", s->config->name);
		add_number(&r, "permits", s->config->permits);
		add_number(&r, "in_use", s->config->permits - semaphores_free(s));
		add_object(&r, to);
	}
}

void report_snapshot(const struct catalogue *c, const struct inquiry_result *jobs, struct buf *to)
{
	buf_add_slice(to, SLICE("{\"server\":"));
	snapshot_server(c, to);
	buf_add_slice(to, SLICE(",\"jobs\":"));
	add_types(c, report_job, to);
	buf_add_slice(to, SLICE(",\"stats\":"));
	add_types(c, report_stats, to);
	buf_add_slice(to, SLICE(",\"bounds_us\":["));
	add_bounds(',', to);
	buf_add_slice(to, SLICE("],\"latency\":["));
	snapshot_latency(c, to);
	buf_add_slice(to, SLICE("],\"semaphores\":["));
	snapshot_semaphores(c, to);
	buf_add_char(to, ']');
	if (jobs) {
		buf_addf(to, ",\"in_flight\":%llu,\"ps\":", (unsigned long long)(jobs->count + jobs->more));
		add_records(jobs, jobs->count < SNAPSHOT_JOBS_MAX ? jobs->count : SNAPSHOT_JOBS_MAX, to);
	}
	buf_add_char(to, '}');
}

/* --- INFO --- */

/* Tools that read `redis_version` go by it for what a server can say: it is the version whose protocol we speak. */
static void info_server(const struct catalogue *c, struct buf *to)
{
	long long uptime = (long long)(time(NULL) - c->leatd->started_unix);

	buf_addf(to, "leat_version:%s\r\nserver_name:leat\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\narch_bits:%zu\r\n", LEAT_VERSION,
		 8 * sizeof(void *));
	buf_addf(to, "process_id:%ld\r\nuptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n", (long)getpid(), uptime, uptime / 86400);
	buf_addf(to, "proof_of_death:%s\r\n", c->leatd->trees.cgroup ? "cgroup" : "descendants");
	buf_addf(to, "draining:%llu\r\n", (unsigned long long)shim_load(&c->leatd->draining, relaxed));
}

static void info_clients(const struct catalogue *c, struct buf *to)
{
	buf_addf(to, "connected_clients:%llu\r\nmaxclients:%llu\r\n", (unsigned long long)shim_load(&c->leatd->connections, relaxed),
		 (unsigned long long)c->config->server.max_connections);
}

static void info_memory(const struct catalogue *c, struct buf *to)
{
	buf_addf(to, "used_memory:%llu\r\nmaxmemory:%llu\r\nmaxmemory_policy:noeviction\r\n",
		 (unsigned long long)shim_load(&c->leatd->memory_bytes, relaxed), (unsigned long long)c->config->server.max_memory);
}

static void info_stats(const struct catalogue *c, struct buf *to)
{
	uint64_t submitted = 0, refused = 0, ended = 0;

	for (size_t i = 0; i < c->type_count; i++) {
		struct books_copy books = books_read(c->types[i]->books);

		submitted += books.submitted;
		for (size_t j = 0; j < REFUSALS; j++)
			refused += books.refused[j];
		for (size_t j = 0; j < OUTCOMES; j++)
			ended += books.ended[j];
	}
	buf_addf(to, "total_connections_received:%llu\r\nrejected_connections:%llu\r\n", (unsigned long long)shim_load(&c->leatd->accepted, relaxed),
		 (unsigned long long)shim_load(&c->leatd->turned_away, relaxed));
	buf_addf(to, "jobs_submitted:%llu\r\njobs_refused:%llu\r\njobs_ended:%llu\r\nlog_dropped:%llu\r\n", (unsigned long long)submitted,
		 (unsigned long long)refused, (unsigned long long)ended, (unsigned long long)log_dropped(c->leatd->log));
}

static void info_jobs(const struct catalogue *c, struct buf *to)
{
	for (size_t i = 0; i < c->type_count; i++) {
		struct report_record r;

		report_stats(c->types[i], &r);
		buf_addf(to, "job_%s:", r.fields[0].text);
		for (size_t j = 1; j < r.count; j++)
			buf_addf(to, "%s%s=%lld", j > 1 ? "," : "", r.fields[j].name, (long long)r.fields[j].number);
		buf_addf(to, "\r\n");
	}
}

/* Behind a bound, and behind the last one, how many took no longer: not added up. */
static void info_latency(const struct catalogue *c, struct buf *to)
{
	buf_add_slice(to, SLICE("latency_bounds_us:"));
	add_bounds(' ', to);
	buf_add_slice(to, SLICE("\r\n"));
	for (size_t i = 0; i < c->type_count; i++) {
		buf_addf(to, "latency_%s:queued=", c->types[i]->config->name);
		add_buckets(&c->types[i]->books->queued, ' ', to);
		buf_add_slice(to, SLICE(",ran="));
		add_buckets(&c->types[i]->books->ran, ' ', to);
		buf_add_slice(to, SLICE("\r\n"));
	}
}

static void info_semaphores(const struct catalogue *c, struct buf *to)
{
	for (size_t i = 0; i < c->semaphore_count; i++) {
		const struct named_semaphore *s = c->semaphores[i];

		buf_addf(to, "semaphore_%s:permits=%llu,in_use=%llu\r\n", s->config->name, (unsigned long long)s->config->permits,
			 (unsigned long long)(s->config->permits - semaphores_free(s)));
	}
}

static bool is_wanted(struct slice section, size_t n, const struct slice *wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_is_nocase(wanted[i], section) || slice_is_nocase(wanted[i], SLICE("all")) ||
		    slice_is_nocase(wanted[i], SLICE("default")) || slice_is_nocase(wanted[i], SLICE("everything")))
			return true;
	}
	return n == 0;
}

void report_info(const struct catalogue *c, size_t n, const struct slice *sections, struct buf *to)
{
	static const struct {
		struct slice name;
		const char *title;
		void (*write)(const struct catalogue *, struct buf *);
	} all[] = {
		{ SLICE("server"), "Server", info_server }, { SLICE("clients"), "Clients", info_clients },
		{ SLICE("memory"), "Memory", info_memory }, { SLICE("stats"), "Stats", info_stats },
		{ SLICE("jobs"), "Jobs", info_jobs }, { SLICE("latency"), "Latency", info_latency },
		{ SLICE("semaphores"), "Semaphores", info_semaphores },
	};

	for (size_t i = 0; i < countof(all); i++) {
		if (!is_wanted(all[i].name, n, sections))
			continue;
		buf_addf(to, "%s# %s\r\n", to->len ? "\r\n" : "", all[i].title);
		all[i].write(c, to);
	}
}

/* --- Metrics --- */

static void metric(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buf *to, const char *name, const char *type, const char *help, uint64_t value)
{
	metric(to, name, type, help);
	buf_addf(to, "%s %llu\n", name, (unsigned long long)value);
}

/* A metric with one sample for each type. */
static void per_type(const struct catalogue *c, struct buf *to, const char *name, const char *type, const char *help, size_t offset)
{
	metric(to, name, type, help);
	for (size_t i = 0; i < c->type_count; i++) {
		struct books_copy books = books_read(c->types[i]->books);

		buf_addf(to, "%s{job=\"%s\"} %llu\n", name, c->types[i]->config->name,
			 (unsigned long long)*(uint64_t *)(void *)((char *)&books + offset));
	}
}

static void refused_and_ended(const struct catalogue *c, struct buf *to)
{
	metric(to, "leat_jobs_refused_total", "counter", "Jobs that were refused on arrival.");
	for (size_t i = 0; i < c->type_count; i++) {
		for (size_t j = 0; j < REFUSALS; j++)
			buf_addf(to, "leat_jobs_refused_total{job=\"%s\",reason=\"%s\"} %llu\n", c->types[i]->config->name,
				 refusal_name((enum refusal)j), (unsigned long long)books_read(c->types[i]->books).refused[j]);
	}
	metric(to, "leat_jobs_ended_total", "counter", "Jobs that are over, by how they ended.");
	for (size_t i = 0; i < c->type_count; i++) {
		for (size_t j = 0; j < OUTCOMES; j++)
			buf_addf(to, "leat_jobs_ended_total{job=\"%s\",outcome=\"%s\"} %llu\n", c->types[i]->config->name,
				 outcome_name((enum outcome)j), (unsigned long long)books_read(c->types[i]->books).ended[j]);
	}
}

static void one_histogram(struct buf *to, const char *name, const char *job, const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += shim_load(&h->buckets[i], relaxed);
		if (i < HISTOGRAM_BUCKETS - 1)
			buf_addf(to, "%s_bucket{job=\"%s\",le=\"%g\"} %llu\n", name, job, (double)histogram_bounds[i] / 1e9,
				 (unsigned long long)total);
	}
	buf_addf(to, "%s_bucket{job=\"%s\",le=\"+Inf\"} %llu\n", name, job, (unsigned long long)total);
	buf_addf(to, "%s_sum{job=\"%s\"} %.9g\n", name, job, (double)shim_load(&h->sum_ns, relaxed) / 1e9);
	buf_addf(to, "%s_count{job=\"%s\"} %llu\n", name, job, (unsigned long long)total);
}

static void histograms(const struct catalogue *c, struct buf *to)
{
	metric(to, "leat_queue_seconds", "histogram", "How long jobs waited before they ran.");
	for (size_t i = 0; i < c->type_count; i++)
		one_histogram(to, "leat_queue_seconds", c->types[i]->config->name, &c->types[i]->books->queued);
	metric(to, "leat_run_seconds", "histogram", "How long jobs ran.");
	for (size_t i = 0; i < c->type_count; i++)
		one_histogram(to, "leat_run_seconds", c->types[i]->config->name, &c->types[i]->books->ran);
}

static void forecasts(const struct catalogue *c, struct buf *to)
{
	metric(to, "leat_predicted_wait_seconds", "gauge", "How long a job that came now would wait.");
	for (size_t i = 0; i < c->type_count; i++)
		buf_addf(to, "leat_predicted_wait_seconds{job=\"%s\"} %.9g\n", c->types[i]->config->name,
			 (double)forecast_wait(c->types[i], 0, moment_now()) / 1e9);
}

static void semaphores(const struct catalogue *c, struct buf *to)
{
	metric(to, "leat_semaphore_permits", "gauge", "Permits of a semaphore.");
	for (size_t i = 0; i < c->semaphore_count; i++)
		buf_addf(to, "leat_semaphore_permits{semaphore=\"%s\"} %llu\n", c->semaphores[i]->config->name,
			 (unsigned long long)c->semaphores[i]->config->permits);
	metric(to, "leat_semaphore_in_use", "gauge", "Permits that are held by jobs.");
	for (size_t i = 0; i < c->semaphore_count; i++)
		buf_addf(to, "leat_semaphore_in_use{semaphore=\"%s\"} %llu\n", c->semaphores[i]->config->name,
			 (unsigned long long)(c->semaphores[i]->config->permits - semaphores_free(c->semaphores[i])));
}

static void denied(const struct catalogue *c, struct buf *to)
{
	static const char *const reasons[] = { [DENIED_TOKEN] = "token", [DENIED_RIGHT] = "right", [DENIED_ORIGIN] = "origin", [DENIED_HOST] = "host" };

	metric(to, "leat_denied_total", "counter", "Requests that were turned away for who asked, or from where.");
	for (size_t i = 0; i < DENIALS; i++)
		buf_addf(to, "leat_denied_total{reason=\"%s\"} %llu\n", reasons[i], (unsigned long long)shim_load(&c->leatd->denied[i], relaxed));
}

void report_metrics(const struct catalogue *c, struct buf *to)
{
	per_type(c, to, "leat_jobs_submitted_total", "counter", "Jobs that admission has looked at.",
		 offsetof(struct books_copy, submitted));
	refused_and_ended(c, to);
	per_type(c, to, "leat_jobs_waiting", "gauge", "Jobs that wait for a runner.", offsetof(struct books_copy, waiting));
	per_type(c, to, "leat_jobs_running", "gauge", "Jobs that run.", offsetof(struct books_copy, running));
	metric(to, "leat_jobs_paused", "gauge", "1 while the type is paused.");
	for (size_t i = 0; i < c->type_count; i++)
		buf_addf(to, "leat_jobs_paused{job=\"%s\"} %d\n", c->types[i]->config->name, type_is_paused(c->types[i]));
	per_type(c, to, "leat_jobs_abandoned", "gauge", "Jobs that run, and were answered since they could not be stopped.",
		 offsetof(struct books_copy, abandoned));
	histograms(c, to);
	forecasts(c, to);
	semaphores(c, to);
	single(to, "leat_connections", "gauge", "Open connections.", shim_load(&c->leatd->connections, relaxed));
	single(to, "leat_connections_refused_total", "counter", "Connections that were answered BUSY or closed: there were too many, or no memory for one.",
	       shim_load(&c->leatd->turned_away, relaxed));
	single(to, "leat_event_streams", "gauge", "Clients that watch /v1/events.", shim_load(&c->leatd->event_streams, relaxed));
	single(to, "leat_memory_bytes", "gauge", "Bytes of payloads, results and buffers that are held.", shim_load(&c->leatd->memory_bytes, relaxed));
	single(to, "leat_starved_total", "counter", "Requests refused for want of memory before they had come whole.",
	       shim_load(&c->leatd->starved, relaxed));
	denied(c, to);
	single(to, "leat_log_dropped_total", "counter", "Log lines that were dropped because the log could not keep up.",
	       log_dropped(c->leatd->log));
	metric(to, "leat_build_info", "gauge", "The version, as a label.");
	buf_addf(to, "leat_build_info{version=\"%s\"} 1\n", LEAT_VERSION);
}
