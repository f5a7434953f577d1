/* What COMMAND tells of the commands (`commands.def`), in the shapes of Redis 7: redis-cli completes and hints by it, and libraries look
 * there for what a server can do. Pure functions. */
#ifndef LEAT_COMMAND_DOCS_H
#define LEAT_COMMAND_DOCS_H

#include "buf.h"
#include "../lib/compiler.h"

/* Answers COMMAND with these words behind it, for a `version` of the protocol. Returns NULL, or why there is no such answer (static), and
 * nothing is added then. */
must_check const char *command_docs_answer(struct buf *, size_t argc, const struct slice *argv, int version);

#endif
