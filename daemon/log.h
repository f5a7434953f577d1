/* The log: one thread that ranges over a buffered channel of lines, and writes them as key=value to stderr; or, when systemd has connected
 * stderr to the journal, as fields to it: MESSAGE, PRIORITY, MESSAGE_ID (messages.def), and LEAT_JOB, LEAT_ID and so on for each key.
 *
 * Nobody ever blocks on it. What does not fit into the channel, and what a reader of it that does not read has no room for, is dropped and
 * counted, and the next line that fits says how much was lost. Of a kind, at most `log_rate` lines a second are written; a line says how
 * many more there were.
 *
 * Texts from outside are escaped and cut to 256 bytes. No payload, argument or token is ever logged. Any thread. */
#ifndef LEAT_LOG_H
#define LEAT_LOG_H

#include "slice.h"
#include "../lib/compiler.h"

#include <stdint.h>

/* In the order of how much is written: each level includes those before it. Notices (ready, stopped) are always written. */
enum log_level { LOG_LEVEL_NOTICE, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_JOBS };

struct log_field {
	const char *key;        /* NULL ends the list */
	struct slice text;      /* if `at` is NULL the number counts */
	int64_t number;
};

static inline struct log_field log_text(const char *key, struct slice text)
{
	return (struct log_field){ .key = key, .text = { text.at ? text.at : "", text.len } };
}

static inline struct log_field log_number(const char *key, int64_t number)
{
	return (struct log_field){ .key = key, .number = number };
}

struct chan;
struct log;

/* Starts the thread; `level` is a name of enum log_level in lower case, or unknown: info. `rate`: lines of a kind a second; 0: no limit.
 * NULL: no memory or no thread. */
must_check struct log *log_start(const char *level, uint64_t rate);
/* Writes what is left and ends the thread; does not wait for a reader that does not read. */
void log_stop(struct log *);

/* Another level and rate from now on. Any thread. */
void log_set(struct log *, const char *level, uint64_t rate);
bool log_wants(const struct log *, enum log_level);

/* A line: the message, one of messages.def, and its fields, ended by one without a key. Never blocks. */
void log_put(struct log *, enum log_level, const char *message, const struct log_field *fields);

/* The usual form: log_info(log, "ready", log_text("listen", address)). */
#define log_notice(log, message, ...) log_put(log, LOG_LEVEL_NOTICE, message, (struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
#define log_error(log, message, ...) log_put(log, LOG_LEVEL_ERROR, message, (struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
#define log_warning(log, message, ...) log_put(log, LOG_LEVEL_WARNING, message, (struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
#define log_info(log, message, ...) log_put(log, LOG_LEVEL_INFO, message, (struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

/* Lines that were dropped since the start: those that were lost, and not those that were left out and told of. */
uint64_t log_dropped(const struct log *);

/* Is the thread there? When it comes to this it sends `who` to `beats`, which has room for it. Never blocks; false: too many lines wait. */
bool log_beat(struct log *, struct chan *beats, size_t who);
/* Lines that were written, or lost in being written, since the start. */
uint64_t log_written(const struct log *);

#endif
