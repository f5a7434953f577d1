#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Fields of a flat map --- */

static const struct reply *value_of(const struct reply *map, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i + 1 < map->count; i += 2)
		if (map->items[i].len == len && memcmp(map->items[i].text, name, len) == 0)
			return &map->items[i + 1];
	return NULL;
}

static uint64_t number(const struct reply *map, const char *name)
{
	const struct reply *value = value_of(map, name);

	return value && value->kind == REPLY_INT && value->integer > 0 ? (uint64_t)value->integer : 0;
}

/* What comes from a server may be anything, and goes to a terminal. */
static void copy_text(char *to, size_t room, const char *text, size_t len)
{
	if (len >= room)
		len = room - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = text[i] > ' ' && text[i] <= '~' ? text[i] : '?';
	to[len] = 0;
}

static void text(char *to, size_t room, const struct reply *map, const char *name)
{
	const struct reply *value = value_of(map, name);

	if (value && (value->kind == REPLY_BULK || value->kind == REPLY_SIMPLE))
		copy_text(to, room, value->text, value->len);
}

static bool is_list(const struct reply *list)
{
	if (list->kind != REPLY_ARRAY)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind != REPLY_ARRAY)
			return false;
	return true;
}

static void *room_for(size_t count, size_t size)
{
	void *room = calloc(count + 1, size);

	if (!room)
		out_of_memory();
	return room;
}

/* --- JOBS and STATS --- */

static struct sample_type *find_type(const struct sample *s, const char *name)
{
	for (size_t i = 0; i < s->type_count; i++)
		if (strcmp(s->types[i].name, name) == 0)
			return &s->types[i];
	return NULL;
}

const struct sample_type *sample_type(const struct sample *s, const char *name)
{
	return find_type(s, name);
}

static void take_jobs(struct sample *s, const struct reply *list)
{
	s->types = room_for(list->count, sizeof(*s->types));
	for (size_t i = 0; i < list->count; i++) {
		struct sample_type *type = &s->types[s->type_count++];
		const struct reply *map = &list->items[i];

		text(type->name, sizeof(type->name), map, "job");
		type->concurrency = number(map, "concurrency");
		type->queue = number(map, "queue");
		type->paused = number(map, "paused");
	}
}

/* The most frequent of the fields refused_*. */
static void take_why(struct sample_type *type, const struct reply *map)
{
	static const char prefix[] = "refused_";
	const size_t len = sizeof(prefix) - 1;
	int64_t most = 0;

	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct reply *name = &map->items[i], *value = &map->items[i + 1];

		if (name->len <= len || memcmp(name->text, prefix, len) != 0 || value->kind != REPLY_INT || value->integer <= most)
			continue;
		most = value->integer;
		copy_text(type->why, sizeof(type->why), name->text + len, name->len - len);
	}
}

static void take_stats(struct sample *s, const struct reply *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct reply *map = &list->items[i];
		char name[SAMPLE_NAME_MAX] = "";
		struct sample_type *type;

		text(name, sizeof(name), map, "job");
		type = find_type(s, name);
		if (!type)
			continue;
		type->submitted = number(map, "submitted");
		type->refused = number(map, "refused");
		type->waiting = number(map, "waiting");
		type->running = number(map, "running");
		type->failed = number(map, "failed") + number(map, "timeout") + number(map, "killed") + number(map, "canceled");
		type->ended = number(map, "done") + type->failed;
		take_why(type, map);
	}
}

/* --- INFO --- */

/* Behind `NAME:` at the beginning of a line, or NULL. */
static const char *info_value(const char *info, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = info; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1;
	return NULL;
}

static uint64_t info_number(const char *info, const char *name)
{
	const char *value = info_value(info, name);

	return value ? strtoull(value, NULL, 10) : 0;
}

/* Numbers with a blank between; returns how many. */
static size_t numbers(const char *at, uint64_t to[SAMPLE_BUCKETS])
{
	size_t count = 0;

	while (count < SAMPLE_BUCKETS && *at >= '0' && *at <= '9') {
		char *end;

		to[count++] = strtoull(at, &end, 10);
		at = *end == ' ' ? end + 1 : end;
	}
	return count;
}

static void take_buckets(struct sample_type *type, const char *info)
{
	static const char queued[] = "queued=", ran[] = ",ran=";
	char name[SAMPLE_NAME_MAX + 16];
	const char *at;

	snprintf(name, sizeof(name), "latency_%s", type->name);
	at = info_value(info, name);
	if (!at || strncmp(at, queued, sizeof(queued) - 1) != 0)
		return;
	numbers(at + sizeof(queued) - 1, type->queued);
	at = strstr(at, ran);
	if (at)
		numbers(at + sizeof(ran) - 1, type->ran);
}

static void take_info(struct sample *s, const char *info)
{
	const char *bounds = info_value(info, "latency_bounds_us"), *version = info_value(info, "leat_version");
	uint64_t list[SAMPLE_BUCKETS];

	if (version)
		copy_text(s->version, sizeof(s->version), version, strcspn(version, "\r\n"));
	s->uptime_s = info_number(info, "uptime_in_seconds");
	s->draining = info_number(info, "draining");
	s->connections = info_number(info, "connected_clients");
	s->max_connections = info_number(info, "maxclients");
	s->memory = info_number(info, "used_memory");
	s->max_memory = info_number(info, "maxmemory");
	s->bounds = bounds ? numbers(bounds, list) : 0;
	for (size_t i = 0; i < s->bounds; i++)
		s->bounds_us[i] = (int64_t)list[i];
	for (size_t i = 0; i < s->type_count; i++)
		take_buckets(&s->types[i], info);
}

/* --- PS --- */

static void take_ps(struct sample *s, const struct reply *list)
{
	s->sees_jobs = true;
	s->jobs = room_for(list->count, sizeof(*s->jobs));
	for (size_t i = 0; i < list->count; i++) {
		const struct reply *map = &list->items[i];
		struct sample_job *job = &s->jobs[s->job_count];

		s->more_jobs += number(map, "more");
		if (!value_of(map, "id"))
			continue;
		text(job->id, sizeof(job->id), map, "id");
		text(job->job, sizeof(job->job), map, "job");
		text(job->state, sizeof(job->state), map, "state");
		text(job->peer, sizeof(job->peer), map, "peer");
		job->age_ms = number(map, "age_ms");
		job->left_ms = number(map, "left_ms");
		s->job_count++;
	}
}

/* --- All of it --- */

static enum told ask_list(struct session *session, const char *command, struct sample *s,
                          void (*take)(struct sample *, const struct reply *))
{
	struct answer answer;
	enum told told = session_ask(session, (const char *const[]){ command, NULL }, &answer);

	if (told == TOLD && is_list(&answer.reply)) {
		take(s, &answer.reply);
	} else if (told == TOLD) {
		snprintf(session->why, sizeof(session->why), "the answer to %s is not a list; is it leatd that listens there?", command);
		told = TOLD_NOTHING;
	}
	answer_free(&answer);
	return told;
}

static enum told ask_info(struct session *session, struct sample *s)
{
	struct answer answer;
	enum told told = session_ask(session, (const char *const[]){ "INFO", NULL }, &answer);

	if (told == TOLD && answer.reply.kind == REPLY_BULK) {
		char *info = room_for(answer.reply.len, 1);

		memcpy(info, answer.reply.text, answer.reply.len);
		take_info(s, info);
		free(info);
	}
	answer_free(&answer);
	return told;
}

enum told sample_take(struct sample *s, struct session *session, bool with_jobs)
{
	enum told told;

	*s = (struct sample){ 0 };
	told = ask_list(session, "JOBS", s, take_jobs);
	if (told == TOLD)
		told = ask_list(session, "STATS", s, take_stats);
	s->at = moment_now();
	if (told == TOLD)
		told = ask_info(session, s);
	/* Not to have the right to see them is no fault. */
	if (told == TOLD && with_jobs && ask_list(session, "PS", s, take_ps) == TOLD_NOTHING)
		told = TOLD_NOTHING;
	return told;
}

void sample_free(struct sample *s)
{
	free(s->types);
	free(s->jobs);
	*s = (struct sample){ 0 };
}

double sample_rate(const struct sample *from, const struct sample *to, uint64_t then, uint64_t now)
{
	int64_t elapsed = to->at - from->at;

	return elapsed > 0 && now > then ? (double)(now - then) * SECONDS / (double)elapsed : 0;
}

int64_t sample_percentile(const struct sample *s, const uint64_t *now, const uint64_t *then, unsigned percent)
{
	double total = 0, before = 0, inside;

	for (size_t i = 0; i <= s->bounds && i < SAMPLE_BUCKETS; i++)
		total += (double)(now[i] - (then ? then[i] : 0));
	for (size_t i = 0; i <= s->bounds && i < SAMPLE_BUCKETS; i++) {
		int64_t from = i > 0 ? s->bounds_us[i - 1] : 0;

		inside = (double)(now[i] - (then ? then[i] : 0));
		if (inside > 0 && before + inside >= total * percent / 100)
			return i == s->bounds ? from
			                      : from + (int64_t)((double)(s->bounds_us[i] - from) * (total * percent / 100 - before) / inside);
		before += inside;
	}
	return -1;
}
