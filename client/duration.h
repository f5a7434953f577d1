/* `250ms`, `5s`, `2m`, `1h`; a bare number is milliseconds. */
#ifndef LEAT_DURATION_H
#define LEAT_DURATION_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* False if `text` is no duration, is zero, or is longer than a year. */
bool duration_parse(const char *text, int64_t *milliseconds) must_check;

#endif
