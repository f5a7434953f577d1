#include "log.h"

#include "journal.h"
#include "text.h"
#include "../lib/drop.h"
#include "../lib/encapsulated.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	LINES_WAITING = 1024,
	LINE_MAX_BYTES = 1000,
	FIELD_MAX_BYTES = 256,
	/* An entry of the journal says most things twice. */
	OUT_MAX_BYTES = 3 * LINE_MAX_BYTES,
	/* How long one that reads may rest. Then lines are lost until it goes on. */
	PATIENCE_MS = 500,
};

#define STOP_NS (1 * SECONDS)

struct line {
	struct timespec when;
	enum log_level level;
	struct chan *beats;     /* not NULL: no line, but a question of log_beat(); a reference */
	size_t who;
	size_t len;
	char text[LINE_MAX_BYTES];      /* the message, and a key and a value for each field, each ended by NUL; printable */
};

/* What lines of one message have in common. */
struct kind {
	const char *message, *id;
	time_t second;          /* in which `count` were written and `more` left out */
	uint64_t count, more;
	enum log_level level;   /* of those */
};

static const struct kind kinds[] = {
#define MESSAGE(message, id) { message, id, 0, 0, 0, LOG_LEVEL_NOTICE },
#include "messages.def"
#undef MESSAGE
	/* What is in no row. */
	{ "", "", 0, 0, 0, LOG_LEVEL_NOTICE },
};

struct log {
	struct encapsulated *writer;    /* takes struct line */
	shim_u64 level;                 /* enum log_level */
	shim_u64 rate;
	struct drop lines;              /* for which there was no room in the channel */
	shim_u64 lost;                  /* for which their reader had none */
	shim_u64 written;               /* with those */

	/* The thread's alone. */
	int fd;                         /* stderr, or the journal */
	bool to_journal;
	bool stuck;                     /* whoever reads it does not */
	uint64_t told;                  /* of `lost` */
	struct kind kinds[countof(kinds)];
	uint64_t kinds_over;            /* of which there are more than were written */
};

static const struct {
	const char *name;
	int priority;                   /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_NOTICE] = { "notice", 5 },
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_JOBS] = { "info", 6 },
};

/* --- The parts of a line --- */

static void add_part(struct line *line, struct slice text)
{
	if (line->len + 1 >= sizeof(line->text))
		return;
	text_printable(text, line->text + line->len, sizeof(line->text) - line->len < FIELD_MAX_BYTES + 8 ? sizeof(line->text) - line->len :
		       FIELD_MAX_BYTES + 8);
	line->len += strlen(line->text + line->len) + 1;
}

static void add_field(struct line *line, const struct log_field *field)
{
	char number[TEXT_NUMBER_MAX];
	struct slice text = field->text;

	if (line->len + strlen(field->key) + TEXT_NUMBER_MAX > sizeof(line->text))
		return;
	if (!text.at) {
		snprintf(number, sizeof(number), "%lld", (long long)field->number);
		text = slice_of(number);
	}
	add_part(line, slice_of(field->key));
	add_part(line, text);
}

static void make_line(struct line *line, enum log_level level, const char *message, const struct log_field *fields)
{
	line->level = level;
	line->beats = NULL;
	line->len = 0;
	clock_gettime(CLOCK_REALTIME, &line->when);
	add_part(line, slice_of(message));
	for (; fields->key; fields++)
		add_field(line, fields);
}

static const char *next_part(const char *part)
{
	return part + strlen(part) + 1;
}

/* --- Writing, on the log's thread --- */

static bool is_plain(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c < 0x7f && !strchr("\"\\=", *c))
		c++;
	return *text && !*c;
}

/* msg=... key=value ..., values in quotes where they are not one plain word. */
static size_t write_logfmt(const struct line *line, char *to, size_t used, size_t room)
{
	const char *key = "msg", *value = line->text, *end = line->text + line->len;

	for (;;) {
		int n = snprintf(to + used, room - used, is_plain(value) ? "%s=%s" : "%s=\"%s\"", key, value);

		used = (size_t)n < room - used ? used + (size_t)n : room - 1;
		key = next_part(value);
		if (key >= end || used + 2 >= room)
			return used;
		value = next_part(key);
		to[used++] = ' ';
	}
}

static size_t format_stderr(const struct line *line, char *out, size_t room)
{
	struct tm tm;
	size_t len;

	gmtime_r(&line->when.tv_sec, &tm);
	len = strftime(out, room, "time=%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(out + len, room - len, ".%03ldZ level=%s ", line->when.tv_nsec / 1000000, levels[line->level].name);
	len = write_logfmt(line, out, len, room - 1);
	out[len++] = '\n';
	return len;
}

static size_t format_journal(const struct line *line, const struct kind *kind, char *out, size_t room)
{
	const char *end = line->text + line->len;
	char text[LINE_MAX_BYTES + 200];
	size_t len = write_logfmt(line, text, 0, sizeof(text));
	const char priority[] = { (char)('0' + levels[line->level].priority), '\0' };

	len = journal_add(out, 0, room, "MESSAGE", (struct slice){ text, len });
	len = journal_add(out, len, room, "PRIORITY", slice_of(priority));
	len = journal_add(out, len, room, "SYSLOG_IDENTIFIER", SLICE("leatd"));
	if (*kind->id)
		len = journal_add(out, len, room, "MESSAGE_ID", slice_of(kind->id));
	for (const char *key = next_part(line->text); key < end; key = next_part(next_part(key))) {
		char name[JOURNAL_KEY_MAX];

		journal_key(key, name);
		len = journal_add(out, len, room, name, slice_of(next_part(key)));
	}
	return len;
}

/* Waits a little for a reader that rests; but only once, as the others would wait behind. */
static bool is_writable(struct log *log)
{
	struct pollfd ready = { .fd = log->fd, .events = POLLOUT };

	log->stuck = poll(&ready, 1, log->stuck ? 0 : PATIENCE_MS) == 0;
	return !log->stuck;
}

/* A log that cannot be written is nobody's to tell, but is counted. False: this was not. */
static bool put_out(struct log *log, const char *bytes, size_t len)
{
	ssize_t n = -1;

	if (is_writable(log))
		do
			n = write(log->fd, bytes, len);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		shim_add(&log->lost, 1, relaxed);
	shim_add(&log->written, 1, release);
	return n >= 0;
}

static bool write_line(struct log *log, const struct line *line, const struct kind *kind)
{
	char out[OUT_MAX_BYTES];
	size_t len = log->to_journal ? format_journal(line, kind, out, sizeof(out)) : format_stderr(line, out, sizeof(out));

	return put_out(log, out, len);
}

static struct kind *kind_of(struct log *log, const char *message)
{
	struct kind *kind = log->kinds;

	while (*kind->message && strcmp(kind->message, message) != 0)
		kind++;
	return kind;
}

/* A line of the log's own. */
static bool write_own(struct log *log, enum log_level level, const char *message, const struct log_field *fields)
{
	struct line line;

	make_line(&line, level, message, fields);
	return write_line(log, &line, kind_of(log, message));
}

static void write_dropped(struct log *log)
{
	uint64_t lost = shim_load(&log->lost, relaxed), dropped;

	if (log->stuck)
		return;
	dropped = drop_news(&log->lines) + lost - log->told;
	log->told = lost;
	if (dropped > 0)
		write_own(log, LOG_LEVEL_WARNING, "log lines dropped",
			  (struct log_field[]){ log_number("lines", (int64_t)dropped), { 0 } });
}

/* Another second has begun for it. What cannot be told now is told later, with what comes until then. */
static void write_more(struct log *log, struct kind *kind)
{
	if (kind->more == 0 || !is_writable(log) ||
	    !write_own(log, kind->level, "more of a kind",
		       (struct log_field[]){ log_text("kind", slice_of(kind->message)), log_number("lines", (int64_t)kind->more), { 0 } }))
		return;
	kind->more = 0;
	log->kinds_over--;
}

/* Lines of two threads may be out of order around the turn of a second; a clock that was set back is further off. */
static bool is_another(const struct kind *kind, time_t second)
{
	return second > kind->second || second < kind->second - 1;
}

static void write_all_more(struct log *log, time_t second)
{
	for (size_t i = 0; i < countof(log->kinds) && log->kinds_over > 0; i++) {
		if (is_another(&log->kinds[i], second))
			write_more(log, &log->kinds[i]);
	}
}

/* False: over the rate. */
static bool may_write(struct log *log, struct kind *kind, const struct line *line)
{
	uint64_t rate = shim_load(&log->rate, relaxed);

	if (is_another(kind, line->when.tv_sec)) {
		write_more(log, kind);
		kind->second = line->when.tv_sec;
		kind->count = 0;
	}
	if (rate == 0 || kind->count++ < rate)
		return true;
	kind->level = line->level;
	if (kind->more++ == 0)
		log->kinds_over++;
	return false;
}

static void take_line(struct log *log, struct line *line)
{
	struct kind *kind = kind_of(log, line->text);

	if (line->beats) {
		chan_try_send(line->beats, &line->who);
		chan_unref(line->beats);
		return;
	}
	if (may_write(log, kind, line))
		write_line(log, line, kind);
	write_dropped(log);
}

static void write_lines(struct chan *lines, unused_arg struct chan *out, struct ctx *ctx, void *arg)
{
	struct log *log = arg;
	enum chan_status status;
	struct line line;

	do {
		status = chan_recv(lines, &line, ctx, log->kinds_over > 0 ? moment_in(1 * SECONDS) : FOREVER);
		if (status == CHAN_OK)
			take_line(log, &line);
		if (log->kinds_over > 0)
			write_all_more(log, status == CHAN_CLOSED ? 0 : time(NULL));
	} while (status == CHAN_OK || status == CHAN_TIMED_OUT);
}

/* --- Any thread --- */

static enum log_level level_named(const char *name)
{
	static const char *const names[] = { [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_JOBS] = "jobs" };

	for (size_t i = 0; i < countof(names); i++) {
		if (names[i] && strcmp(names[i], name) == 0)
			return (enum log_level)i;
	}
	return LOG_LEVEL_INFO;
}

static void find_output(struct log *log)
{
	log->fd = journal_has_stderr() ? journal_open() : -1;
	log->to_journal = log->fd >= 0;
	if (!log->to_journal)
		log->fd = STDERR_FILENO;
}

static void drop_line(void *elem, void *arg unused_arg)
{
	chan_unref(((struct line *)elem)->beats);
}

struct log *log_start(const char *level, uint64_t rate)
{
	struct encapsulated_options options = {
		.in = { .elem_size = sizeof(struct line), .capacity = LINES_WAITING, .drop = drop_line }, .run = write_lines, .name = "log",
	};
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log_set(log, level, rate);
	memcpy(log->kinds, kinds, sizeof(kinds));
	find_output(log);
	options.arg = log;
	log->writer = encapsulated_start(&options, NULL);
	if (log->writer)
		return log;
	free(log);
	return NULL;
}

void log_stop(struct log *log)
{
	if (!log)
		return;
	/* Stuck in write(): the process ends without it, and with its memory. */
	if (encapsulated_stop(log->writer, NULL, moment_in(STOP_NS)) != CHAN_OK)
		return;
	encapsulated_unref(log->writer);
	if (log->to_journal)
		close(log->fd);
	free(log);
}

void log_set(struct log *log, const char *level, uint64_t rate)
{
	shim_store(&log->level, (uint64_t)level_named(level), relaxed);
	shim_store(&log->rate, rate, relaxed);
}

bool log_wants(const struct log *log, enum log_level level)
{
	return level <= shim_load(&log->level, relaxed);
}

void log_put(struct log *log, enum log_level level, const char *message, const struct log_field *fields)
{
	struct line line;

	if (!log_wants(log, level))
		return;
	make_line(&line, level, message, fields);
	drop_send(&log->lines, encapsulated_in(log->writer), &line);
}

uint64_t log_dropped(const struct log *log)
{
	return drop_count(&log->lines) + shim_load(&log->lost, relaxed);
}

bool log_beat(struct log *log, struct chan *beats, size_t who)
{
	struct line line = { .beats = chan_ref(beats), .who = who };

	if (chan_try_send(encapsulated_in(log->writer), &line) == CHAN_OK)
		return true;
	chan_unref(beats);
	return false;
}

uint64_t log_written(const struct log *log)
{
	return shim_load(&log->written, acquire);
}
