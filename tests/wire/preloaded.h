/* A leatd into which failing.so is preloaded, which lies beside it. */
#ifndef LEAT_PRELOADED_H
#define LEAT_PRELOADED_H

#include "preload/failing.h"

/* The environment (struct launch) that it is started with, and `more` (NULL: nothing); the page is shared with it. */
const char *const *preloaded(struct failing **page, const char *more);

#endif
