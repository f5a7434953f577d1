/* The commands of the line protocol: a row in a table and a function each. */
#ifndef LEAT_COMMAND_H
#define LEAT_COMMAND_H

#include "slice.h"

struct exchange;
struct catalogue;
struct type;

/* Answers the command argv[0..argc), exactly once; argc is at least 1. */
void command_dispatch(struct exchange *, size_t argc, const struct slice *argv);

/* The job type that a command asks for of which only these have come, or NULL. */
struct type *command_type(const struct catalogue *, struct slice name, struct slice argument);

#endif
