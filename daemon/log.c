#include "log.h"

#include "text.h"
#include "../lib/drop.h"
#include "../lib/encapsulated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

enum { LINES_WAITING = 1024, LINE_MAX_BYTES = 1000, FIELD_MAX_BYTES = 256 };

#define STOP_NS (1 * SECONDS)

struct line {
	struct timespec when;
	enum log_level level;
	char text[LINE_MAX_BYTES];      /* msg=... key=value ..., ended by NUL */
};

struct log {
	struct encapsulated *writer;    /* takes struct line */
	enum log_level level;
	bool to_journal;
	struct drop lines;
};

static const struct {
	const char *name;
	int priority;                   /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_NOTICE] = { "notice", 5 },
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_JOBS] = { "jobs", 6 },
};

static void write_stderr(const struct line *line)
{
	char out[LINE_MAX_BYTES + 64];
	struct tm tm;
	size_t len;

	gmtime_r(&line->when.tv_sec, &tm);
	len = strftime(out, sizeof(out), "time=%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(out + len, sizeof(out) - len, ".%03ldZ level=%s %s\n", line->when.tv_nsec / 1000000,
				line->level == LOG_LEVEL_JOBS ? "info" : levels[line->level].name, line->text);
	/* A log that cannot be written is nobody's to tell. */
	while (write(STDERR_FILENO, out, len) < 0 && errno == EINTR)
		;
}

static void write_line(const struct log *log, const struct line *line)
{
	if (log->to_journal)
		sd_journal_send("MESSAGE=%s", line->text, "PRIORITY=%d", levels[line->level].priority, NULL);
	else
		write_stderr(line);
}

static void write_dropped(struct log *log)
{
	uint64_t dropped = drop_news(&log->lines);
	struct line line = { .level = LOG_LEVEL_WARNING };

	if (dropped == 0)
		return;
	clock_gettime(CLOCK_REALTIME, &line.when);
	snprintf(line.text, sizeof(line.text), "msg=\"log lines dropped\" lines=%llu", (unsigned long long)dropped);
	write_line(log, &line);
}

static void write_lines(struct chan *lines, unused_arg struct chan *out, struct ctx *ctx, void *arg)
{
	struct log *log = arg;
	struct line line;

	while (chan_recv(lines, &line, ctx, FOREVER) == CHAN_OK) {
		write_line(log, &line);
		write_dropped(log);
	}
}

/* systemd says which file it has connected to stderr, so that one can tell whether it still is. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

static enum log_level level_named(const char *name)
{
	for (size_t i = 0; i < countof(levels); i++) {
		if (strcmp(levels[i].name, name) == 0)
			return (enum log_level)i;
	}
	return LOG_LEVEL_INFO;
}

struct log *log_start(const char *level)
{
	struct encapsulated_options options = {
		.in = { .elem_size = sizeof(struct line), .capacity = LINES_WAITING }, .run = write_lines, .name = "log",
	};
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->level = level_named(level);
	log->to_journal = stderr_is_journal();
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
	free(log);
}

bool log_wants(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

/* Writes ` key=value`, the value in quotes where it is not one plain word. Returns the new length. */
static size_t add_value(char *room, size_t used, size_t room_len, struct slice text)
{
	char shown[FIELD_MAX_BYTES + 8];
	bool plain = text.len > 0 && text.len < FIELD_MAX_BYTES;
	int n;

	for (size_t i = 0; i < text.len && plain; i++) {
		char c = text.at[i];

		plain = c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
	}
	text_printable(text, shown, sizeof(shown));
	n = snprintf(room + used, room_len - used, plain ? "%s" : "\"%s\"", shown);
	return used + (size_t)n < room_len ? used + (size_t)n : room_len - 1;
}

void log_put(struct log *log, enum log_level level, const char *message, const struct log_field *fields)
{
	struct line line = { .level = level };
	size_t used = 4;

	if (!log_wants(log, level))
		return;
	clock_gettime(CLOCK_REALTIME, &line.when);
	memcpy(line.text, "msg=", 4);
	used = add_value(line.text, used, sizeof(line.text), slice_of(message));
	for (; fields->key; fields++) {
		char number[TEXT_NUMBER_MAX];
		struct slice text = fields->text;

		if (!text.at) {
			snprintf(number, sizeof(number), "%lld", (long long)fields->number);
			text = slice_of(number);
		}
		used += (size_t)snprintf(line.text + used, sizeof(line.text) - used, " %s=", fields->key);
		if (used >= sizeof(line.text))
			break;
		used = add_value(line.text, used, sizeof(line.text), text);
	}
	drop_send(&log->lines, encapsulated_in(log->writer), &line);
}

uint64_t log_dropped(const struct log *log)
{
	return drop_count(&log->lines);
}
