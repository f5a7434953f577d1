/* `leat top`: what leatd does, as it does it. */
#include "command.h"
#include "duration.h"
#include "refusal.h"
#include "sample.h"
#include "screen.h"
#include "standard.h"
#include "top_view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As many samples as percentiles are over. */
enum { SAMPLES = 16 };

static const int64_t patience = 3 * SECONDS;
static const int64_t note_stays = 4 * SECONDS;

struct top {
	struct session session;
	int64_t interval;
	uint64_t count;                 /* of tables or refreshes; 0: for ever */
	bool json;

	struct sample samples[SAMPLES]; /* the newest last */
	size_t sample_count;

	enum top_sort sort;
	bool in_jobs;
	char type[SAMPLE_NAME_MAX], id[SAMPLE_NAME_MAX];        /* selected */
	char to_cancel[SAMPLE_NAME_MAX];                        /* waits for a yes; empty: none */
	char note[400];
	bool bad_note;
	moment note_until;
};

/* --- Samples --- */

static void forget_samples(struct top *t, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sample_free(&t->samples[i]);
	t->sample_count -= count;
	memmove(t->samples, t->samples + count, t->sample_count * sizeof(t->samples[0]));
}

/* False: session.why says why there is none. */
static bool take_sample(struct top *t, bool with_jobs)
{
	struct sample s;

	if (sample_take(&s, &t->session, with_jobs) != TOLD) {
		sample_free(&s);
		return false;
	}
	/* Another leatd than before cannot be compared. */
	if (t->sample_count > 0 && s.uptime_s < t->samples[t->sample_count - 1].uptime_s)
		forget_samples(t, t->sample_count);
	if (t->sample_count == SAMPLES)
		forget_samples(t, 1);
	t->samples[t->sample_count++] = s;
	return true;
}

static struct top_view view_of(const struct top *t)
{
	size_t n = t->sample_count;

	return (struct top_view){
		.now = &t->samples[n - 1], .last = &t->samples[n > 1 ? n - 2 : n - 1], .oldest = &t->samples[0],
		.server = t->session.address.text, .sort = t->sort, .in_jobs = t->in_jobs, .type = t->type, .id = t->id,
		.note = moment_now() < t->note_until || t->to_cancel[0] ? t->note : "", .bad_note = t->bad_note,
	};
}

/* --- Without a screen: a table for each interval --- */

static enum status print(const struct top *t)
{
	struct top_view v = view_of(t);
	struct bytes out = { 0 };

	if (t->json)
		top_json(&out, &v);
	else
		top_table(&out, &v);

	enum status status = standard_write(out.at, out.len);

	bytes_free(&out);
	return status;
}

static void sleep_until(moment until)
{
	int64_t left = until - moment_now();
	struct timespec time = { .tv_sec = left / SECONDS, .tv_nsec = left % SECONDS };

	if (left > 0)
		nanosleep(&time, NULL);
}

static enum status no_sample(const struct top *t)
{
	const char *why = t->session.why;
	bool no_right = strncmp(why, "NOAUTH", 6) == 0;
	struct answer answer = { 0 };

	if (no_right) {
		complain("%s: %s", t->session.address.text, why);
		refusal_object(&answer.error, why, strlen(why));
	} else {
		(void)refusal_own(&answer.error, STATUS_NO_SERVER, "%s: %s", t->session.address.text, why);
	}
	return answer_end(&answer, t->json, no_right ? STATUS_NO_RIGHT : STATUS_NO_SERVER);
}

static enum status run_plain(struct top *t)
{
	moment next = moment_now();

	for (uint64_t n = 0; t->count == 0 || n < t->count; n++) {
		next = moment_add(next, t->interval);
		sleep_until(next);
		if (!take_sample(t, false))
			return no_sample(t);

		enum status status = print(t);

		if (status != STATUS_DONE)
			return status;
		if (!t->json)
			status = standard_write("\n", t->count == 0 || n + 1 < t->count ? 1 : 0);
	}
	return STATUS_DONE;
}

/* --- On a screen --- */

static void say(struct top *, bool bad, const char *format, ...) printf_like(3, 4);

static void say(struct top *t, bool bad, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->note, sizeof(t->note), format, args);
	va_end(args);
	without_controls(t->note);
	t->bad_note = bad;
	t->note_until = moment_in(note_stays);
}

static void keep_name(char to[SAMPLE_NAME_MAX], const char *from)
{
	memmove(to, from, strlen(from) + 1);
}

/* The place of the selection, and how many there are. */
static size_t place_of(const struct top *t, const struct sample_type **order, size_t *count)
{
	const struct sample *now = &t->samples[t->sample_count - 1];
	size_t place = 0;

	*count = t->in_jobs ? now->job_count : now->type_count;
	for (size_t i = 0; i < *count; i++)
		if (strcmp(t->in_jobs ? now->jobs[i].id : order[i]->name, t->in_jobs ? t->id : t->type) == 0)
			place = i;
	return place;
}

/* Moves the selection; by 0: to something that is there. */
static void select_by(struct top *t, int by)
{
	struct top_view v = view_of(t);
	const struct sample_type **order = top_order(&v);
	size_t count, place = place_of(t, order, &count);

	if (by < 0)
		place = place < (size_t)-by ? 0 : place - (size_t)-by;
	else
		place += (size_t)by;
	if (count > 0) {
		place = place < count ? place : count - 1;
		keep_name(t->in_jobs ? t->id : t->type, t->in_jobs ? v.now->jobs[place].id : order[place]->name);
	}
	free(order);
}

static void switch_part(struct top *t)
{
	t->in_jobs = !t->in_jobs && t->samples[t->sample_count - 1].job_count > 0;
	select_by(t, 0);
}

/* Asks for something to be done, and says what came of it. */
static void steer(struct top *t, const char *command, const char *what, const char *done)
{
	struct answer answer;

	if (session_ask(&t->session, (const char *const[]){ command, what, NULL }, &answer) != TOLD)
		say(t, true, "%s", t->session.why);
	else if (answer.reply.kind == REPLY_INT && answer.reply.integer == 0)
		say(t, true, "%s neither waits nor runs any more", what);
	else
		say(t, false, "%s %s", what, done);
	answer_free(&answer);
}

static void ask_to_cancel(struct top *t)
{
	if (!t->in_jobs)
		switch_part(t);
	if (!t->in_jobs) {
		say(t, true, "%s", "there is no job to be cancelled");
		return;
	}
	keep_name(t->to_cancel, t->id);
	say(t, true, "cancel %s? y: yes, any other key: no", t->to_cancel);
}

static void answer_to_cancel(struct top *t, int key)
{
	t->note_until = 0;
	if (key == 'y' || key == 'Y')
		steer(t, "CANCEL", t->to_cancel, "is cancelled");
	t->to_cancel[0] = 0;
}

/* What a key does; true: the screen is to be drawn from a new sample. */
static bool take_key(struct top *t, int key)
{
	switch (key) {
	case KEY_UP:
	case 'k':
		select_by(t, -1);
		return false;
	case KEY_DOWN:
	case 'j':
		select_by(t, 1);
		return false;
	case KEY_PAGE_UP:
	case KEY_PAGE_DOWN:
		select_by(t, key == KEY_PAGE_UP ? -10 : 10);
		return false;
	case KEY_HOME:
	case KEY_END:
		select_by(t, key == KEY_HOME ? -(1 << 20) : 1 << 20);
		return false;
	case '\t':
		switch_part(t);
		return false;
	case 's':
		t->sort = (t->sort + 1) % SORTS;
		return false;
	case 'p':
		steer(t, "PAUSE", t->type, "is paused");
		return true;
	case 'r':
		steer(t, "RESUME", t->type, "goes on");
		return true;
	case 'c':
		ask_to_cancel(t);
		return false;
	default:
		return false;
	}
}

static bool draw(const struct top *t, const struct screen *s)
{
	struct top_view v = view_of(t);
	struct bytes frame = { 0 };

	v.rows = s->rows;
	v.columns = s->columns;
	v.colours = s->colours;
	top_screen(&frame, &v);

	bool shown = screen_show(s, &frame);

	bytes_free(&frame);
	return shown;
}

static void refresh(struct top *t)
{
	if (!take_sample(t, true)) {
		say(t, true, "%s; trying again", t->session.why);
		return;
	}
	if (t->in_jobs && t->samples[t->sample_count - 1].job_count == 0)
		t->in_jobs = false;
	select_by(t, 0);
}

/* Draws and takes keys until the next sample is due. False: that was all. */
static bool watch_until(struct top *t, struct screen *s, moment next)
{
	for (;;) {
		if (!draw(t, s))
			return false;

		int key = screen_key(s, next);
		bool was_asked = t->to_cancel[0];

		if (key == KEY_QUIT || (!was_asked && key == 'q'))
			return false;
		if (key == KEY_NONE && moment_reached(next))
			return true;
		if (was_asked && key < KEY_NONE)
			answer_to_cancel(t, key);
		else if (key != KEY_NONE && take_key(t, key))
			return true;
	}
}

static enum status run_on_screen(struct top *t)
{
	struct screen screen;
	moment next = moment_now();
	bool on = true;

	if (!screen_open(&screen)) {
		complain("the terminal does not let itself be set; `leat top | cat` prints tables");
		return STATUS_IO;
	}
	for (uint64_t n = 0; on && (t->count == 0 || n < t->count); n++) {
		next = moment_in(t->interval);
		refresh(t);
		on = watch_until(t, &screen, next);
	}
	screen_close(&screen);
	return STATUS_DONE;
}

/* --- The command --- */

static enum status set_interval(struct top *t, const char *text)
{
	int64_t ms = 1000;

	if (text && (!duration_parse(text, &ms) || ms < 100)) {
		complain("bad --interval '%s': it has to be a duration of at least 100ms, such as 500ms, 2s or 1m", text);
		return STATUS_USAGE;
	}
	t->interval = ms * MILLISECONDS;
	return STATUS_DONE;
}

static enum status set_count(struct top *t, const char *text)
{
	char *end = NULL;

	if (!text)
		return STATUS_DONE;
	if (text[0] >= '1' && text[0] <= '9' && strlen(text) <= 9)
		t->count = strtoull(text, &end, 10);
	if (end && !*end)
		return STATUS_DONE;
	complain("bad --count '%s': it has to be a whole number from 1 to 999999999", text);
	return STATUS_USAGE;
}

static enum status run(struct top *t)
{
	bool on_screen = !t->json && screen_is_possible();

	/* So that what is wrong is said in words before there is a screen. */
	if (!take_sample(t, on_screen))
		return no_sample(t);
	return on_screen ? run_on_screen(t) : run_plain(t);
}

enum status command_top(const struct invocation *i)
{
	struct top *t = calloc(1, sizeof(*t));
	enum status status;

	if (!t)
		out_of_memory();
	t->json = i->option[OPTION_JSON];
	status = set_interval(t, i->option[OPTION_INTERVAL]);
	if (status == STATUS_DONE)
		status = set_count(t, i->option[OPTION_HOW_MANY]);
	if (status == STATUS_DONE) {
		status = session_init(&t->session, i->server, patience);
		if (status == STATUS_DONE)
			status = run(t);
		session_close(&t->session);
	}
	forget_samples(t, t->sample_count);
	free(t);
	return status;
}
