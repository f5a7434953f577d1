/* options.def as a table, and what the files of the configuration share. Not for others. */
#ifndef LEAT_CONFIG_TABLE_H
#define LEAT_CONFIG_TABLE_H

#include "config.h"

enum option_section { OPTION_SERVER, OPTION_JOB, OPTION_SEMAPHORE };
enum option_type { OPTION_COUNT, OPTION_SIZE, OPTION_DURATION, OPTION_YESNO, OPTION_TEXT };

struct option_row {
	enum option_section section;
	const char *key;
	enum option_type type;
	size_t offset;          /* of the field in server_config, job_config or semaphore_config */
	const char *normal;     /* the default, as it would be written */
	uint64_t min, max;
	const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* An indented `key = value` is meant as a key, not as more of the text above it. */
bool option_looks_like_key(struct slice line);

/* A line of the file holds no more: inih's room of 200 with what we add to it. */
enum { LINE_MAX_CHARACTERS = 196 };

/* Where a key was set: 0 nowhere (its default), a line of the file, or ORIGIN_OVERRIDE. One for each row. */
enum { ORIGIN_DEFAULT = 0, ORIGIN_OVERRIDE = -1 };
struct config_origin {
	int line;
};

/* The row of `key`, or NULL. */
const struct option_row *option_find(enum option_section, struct slice key);

/* The value of a row as it would be written. `base` is what the row's offset counts from. */
void option_text(const struct option_row *, const void *base, struct buf *);

/* Collects faults. `file` is what lines belong to. */
struct faults {
	struct buf *to;
	const char *file;
	size_t count;
};

/* Adds `FILE:LINE: [SECTION] KEY: ` and the sentence. `section` and `key` may be NULL. */
void fault(struct faults *, int line, const char *section, const char *key, const char *format, ...) printf_like(5, 6);

/* What stands in a file may not play with the terminal of the one who reads of it: control characters from `from` on become `?`. */
void fault_readable(struct buf *, size_t from);

/* config_check.c: what a value by itself cannot tell; fills in what follows from the keys (kind, argv, account). */
void config_check(struct config *, struct faults *);

#endif
