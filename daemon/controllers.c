#include "controllers.h"

#include "../lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct controller_row rows[CONTROLLERS] = {
	{ CONTROLLER_MEMORY, "memory", "limit.memory" },
	{ CONTROLLER_PIDS, "pids", "limit.processes" },
};

const struct controller_row *controllers_row(size_t i)
{
	return &rows[i];
}

/* --- Files of a cgroup --- */

/* What it holds, or "". */
static void read_file(int folder, const char *name, char *room, size_t size)
{
	autoclose int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, room, size - 1) : -1;

	room[n > 0 ? n : 0] = '\0';
}

static int write_file(int folder, const char *name, const char *text)
{
	autoclose int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Of lines `key number`; 0 if it has none. */
static uint64_t number_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	uint64_t number;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ' && sscanf(line + len, "%" SCNu64, &number) == 1)
			return number;
	}
	return 0;
}

/* --- Switching on --- */

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len) {
		if ((at == words || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	}
	return false;
}

static unsigned named_in(int folder, const char *file)
{
	char words[512];
	unsigned found = 0;

	read_file(folder, file, words, sizeof(words));
	for (size_t i = 0; i < CONTROLLERS; i++)
		found |= has_word(words, rows[i].name) ? rows[i].bit : 0;
	return found;
}

unsigned controllers_there(int folder)
{
	return named_in(folder, "cgroup.controllers");
}

unsigned controllers_on(int folder)
{
	return named_in(folder, "cgroup.subtree_control");
}

int controllers_switch(int folder, const struct controller_row *row, bool on)
{
	char order[32];

	snprintf(order, sizeof(order), "%c%s", on ? '+' : '-', row->name);
	return write_file(folder, "cgroup.subtree_control", order);
}

/* --- The limits of a leaf --- */

struct setting {
	const char *file, *value;
	bool not_everywhere;            /* nor is it needed then */
};

static int set_all(int leaf, const struct setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = write_file(leaf, settings[i].file, settings[i].value);

		if (r < 0 && !(r == -ENOENT && settings[i].not_everywhere))
			return r;
	}
	return 0;
}

static const char *at_most(uint64_t limit, char room[24])
{
	snprintf(room, 24, "%" PRIu64, limit);
	return limit > 0 ? room : "max";
}

int controllers_limit(int leaf, unsigned on, const struct leaf_limits *limits)
{
	bool limited = limits->memory_bytes > 0;
	char bytes[24], processes[24];
	const struct setting memory[] = {
		{ "memory.max", at_most(limits->memory_bytes, bytes), false },
		/* Otherwise what is over it would go to the disk, and slow down everybody. */
		{ "memory.swap.max", limited ? "0" : "max", true },
		/* A job of which the kernel had killed a part might go on, and be wrong. */
		{ "memory.oom.group", limited ? "1" : "0", true },
		/* Never ours; a command of leatd's user can have set it. */
		{ "memory.high", "max", true },
	};
	const struct setting pids[] = { { "pids.max", at_most(limits->processes, processes), false } };
	int r = 0;

	if (on & CONTROLLER_MEMORY)
		r = set_all(leaf, memory, countof(memory));
	if (r == 0 && (on & CONTROLLER_PIDS))
		r = set_all(leaf, pids, countof(pids));
	return r;
}

/* --- What commands leave --- */

/* Files in memory are not given back like those of a disk, and would count towards the limit of the next one. */
static bool holds_files(int leaf, uint64_t limit)
{
	uint64_t some = limit / 16, holds = 0;
	char room[8192];

	read_file(leaf, "memory.current", room, sizeof(room));
	if (sscanf(room, "%" SCNu64, &holds) != 1 || holds <= some)
		return false;
	read_file(leaf, "memory.stat", room, sizeof(room));
	return number_of(room, "shmem") > some;
}

struct memory_events {
	uint64_t refused, killed;
};

static struct memory_events read_events(int leaf)
{
	char room[512];

	read_file(leaf, "memory.events", room, sizeof(room));
	return (struct memory_events){ .refused = number_of(room, "oom"), .killed = number_of(room, "oom_kill") };
}

bool controllers_ran_out_of_memory(int leaf)
{
	struct memory_events events = read_events(leaf);

	/* Whoever is killed for a limit above is counted as well, but this one has refused nothing then. */
	return events.refused > 0 && events.killed > 0;
}

/* They tell of the next command only while they are at nothing. */
static bool has_counted(int leaf)
{
	struct memory_events events = read_events(leaf);

	return events.refused > 0 || events.killed > 0;
}

bool controllers_left_something(int leaf, unsigned on, const struct leaf_limits *limits)
{
	char words[512];

	/* Nobody could be let in. */
	read_file(leaf, "cgroup.subtree_control", words, sizeof(words));
	if (words[strspn(words, " \n")] != '\0')
		return true;
	return (on & CONTROLLER_MEMORY) && limits->memory_bytes > 0 && (has_counted(leaf) || holds_files(leaf, limits->memory_bytes));
}
