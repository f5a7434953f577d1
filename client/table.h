/* A list of flat maps, as JOBS and STATS answer it, for people or for programs. */
#ifndef LEAT_TABLE_H
#define LEAT_TABLE_H

#include "bytes.h"
#include "reply.h"

#include <stdbool.h>

/* Whether the answer is an array of arrays of field, value, field, value, ... with scalar values. */
bool table_is_list(const struct reply *) must_check;

/* These append to `out`, and take only what table_is_list() has passed. */

/* A line with the names of the fields, in the order in which they first appear, and a line per map; numbers to the right. */
void table_text(struct bytes *out, const struct reply *list);

/* One map of the list: a line per field. */
void table_fields(struct bytes *out, const struct reply *map);

/* An array of objects, ended by a newline. */
void table_json(struct bytes *out, const struct reply *list);

#endif
