/* What a leaf limits for all that live in it together: the controllers `memory` and `pids` of cgroup v2.
 *
 * A controller is there in the cgroups below one in which it is switched on. The kernel refuses that (EBUSY) where processes live in that
 * one itself, and then lets none in (EBUSY, again) until it is switched off.
 *
 * Folders are descriptors of cgroups; O_PATH is enough. Any thread. */
#ifndef LEAT_CONTROLLERS_H
#define LEAT_CONTROLLERS_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum controller { CONTROLLER_MEMORY = 1 << 0, CONTROLLER_PIDS = 1 << 1 };

enum { CONTROLLERS = 2 };

/* Each of them, by its number from 0 to CONTROLLERS - 1: its bit, its name, and the key whose limit it keeps. */
struct controller_row {
	enum controller bit;
	const char *name, *key;
};
const struct controller_row *controllers_row(size_t);

/* Bits: those that can be switched on in this cgroup, and those that are. */
unsigned controllers_there(int folder);
unsigned controllers_on(int folder);
/* 0 or -errno. */
must_check int controllers_switch(int folder, const struct controller_row *, bool on);

/* Of a leaf; 0: none. */
struct leaf_limits {
	uint64_t memory_bytes;          /* without swap; over it everybody in the leaf is killed */
	uint64_t processes;             /* and threads; over it fork() fails */
};

/* Sets them in a leaf that has the controllers `on`, whatever was set before. 0 or -errno. */
must_check int controllers_limit(int leaf, unsigned on, const struct leaf_limits *);

/* A command has left something in its leaf that the next one would feel and that cannot be set anew. */
bool controllers_left_something(int leaf, unsigned on, const struct leaf_limits *);

/* Somebody in it, or below, was killed since it was made, because the leaf had reached its limit of memory, and not one above. */
bool controllers_ran_out_of_memory(int leaf);

#endif
