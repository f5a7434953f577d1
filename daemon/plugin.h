/* Jobs that are plugins in process (`isolate = no`): lib/leat_plugin.h is what they see. Loaded once per job type, at the start, and
 * run on the threads of its pool.
 *
 * A run is told to end `grace` before its deadline, or when nobody wants its result. It cannot be made to: one that does not return by
 * its deadline is answered then, and abandoned (see job.h). */
#ifndef LEAT_PLUGIN_KIND_H
#define LEAT_PLUGIN_KIND_H

#include "../lib/compiler.h"

struct job;
struct job_config;
struct log;
struct plugin_object;

/* Loads and opens what the configuration names. NULL: that failed, and was logged. */
must_check struct plugin_object *plugin_start(const struct job_config *, struct log *);
/* After the last run. NULL does nothing. */
void plugin_stop(struct plugin_object *);

/* On a runner thread. Sets the answer; returns when the plugin does. */
void plugin_run(struct job *);

#endif
