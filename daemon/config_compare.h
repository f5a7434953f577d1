/* What is different between two readings of the configuration. Pure functions. */
#ifndef LEAT_CONFIG_COMPARE_H
#define LEAT_CONFIG_COMPARE_H

#include "buf.h"
#include "config.h"

/* Whether a job is what it was: all of its keys, and what they name (its executable, whom it runs as). */
bool config_job_is_same(const struct job_config *, const struct job_config *);

/* The keys of [server] that differ and that take effect at a restart only, with commas between. */
void config_fixed_keys(const struct server_config *in_force, const struct server_config *read, struct buf *to);

#endif
