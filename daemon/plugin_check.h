/* What the configuration needs to know of a plugin's file. It is loaded in a process of its own, as the user that it will run as, so that
 * none of its code runs in leatd before leatd is sure to want it, and none at all of a plugin that is isolated. */
#ifndef LEAT_PLUGIN_CHECK_H
#define LEAT_PLUGIN_CHECK_H

#include "config.h"

/* The path of leat-plugin-host: beside leatd's own, as in the folder of the build, or where it is installed. The caller frees it;
 * NULL: it is nowhere. */
must_check char *plugin_host_path(void);

/* The path of the file that `plugin = NAME` means: itself if it is absolute, else that of the folder of plugins. The caller frees it.
 * NULL: neither, or no memory. */
must_check char *plugin_file_path(const char *name);

/* False: `why`, of `size` bytes, goes on behind the name of the file: "cannot be loaded: ...". Takes a moment, and at most 11 s, and
 * nothing is left of what the file may have started. Without an account that is known the file is not loaded. */
must_check bool plugin_check(const char *host, const char *file, const struct account *, char *why, size_t size);

#endif
