/* A shared object that is a plugin, loaded into this process: leatd's own, or a host's. Which of them, and when, is the caller's
 * business. Loading runs the object's constructors. Any thread, one at a time. */
#ifndef LEAT_PLUGIN_OBJECT_H
#define LEAT_PLUGIN_OBJECT_H

#include "../lib/compiler.h"
#include "../lib/leat_plugin.h"

struct plugin_object {
	void *handle;
	const struct leat_plugin *plugin;       /* NULL: not loaded, or closed; else it may be relied on to have a run() */
	void *state;                            /* of its open() */
	bool opened;
};

enum { PLUGIN_WHY_MAX = 512 };

/* False: `why`, of PLUGIN_WHY_MAX bytes, says what is wrong with the file and what is allowed, and nothing is left to be closed. */
must_check bool plugin_object_load(struct plugin_object *, const char *path, char *why);

/* Calls its open(), if it has one. False: `why` as above; it is still loaded. */
must_check bool plugin_object_open(struct plugin_object *, const char *config, char *why);

/* Calls its close(), if it was opened, and lets it go. Does nothing to one of zeros. */
void plugin_object_close(struct plugin_object *);

/* The words of a failure as one line, in `to`. */
void plugin_words(char *to, size_t size, const char *format, va_list) printf_like(3, 0);

#endif
