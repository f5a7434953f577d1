/* The commands of the line protocol: a row in a table and a function each. */
#ifndef LEAT_COMMAND_H
#define LEAT_COMMAND_H

#include "slice.h"

struct exchange;

/* Answers the command argv[0..argc), exactly once; argc is at least 1. */
void command_dispatch(struct exchange *, size_t argc, const struct slice *argv);

#endif
