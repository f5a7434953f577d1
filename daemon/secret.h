/* Files that hold secrets: tokens, the key of a certificate. Written in the configuration as a path, or as `credential:NAME`: what
 * systemd hands over with LoadCredential=NAME:FILE, in $CREDENTIALS_DIRECTORY. */
#ifndef LEAT_SECRET_H
#define LEAT_SECRET_H

#include "../lib/compiler.h"

#include <stddef.h>

/* Who else may read it: nobody, or the group of the file as well (keys in Debian's group ssl-cert). */
enum secret_readers { SECRET_OWNER, SECRET_GROUP };

enum { SECRET_WHY_MAX = 256 };

/* The path that `value` stands for, or NULL, and `why` goes on from the value. The caller frees it. */
must_check char *secret_path(const char *value, char why[SECRET_WHY_MAX]);

/* All of the file, of at most `max` bytes, with a NUL after them; or NULL, and `why` goes on from the path. It has to belong to us or to root,
 * and to be readable by nobody but `readers`. Let go with secret_free(). */
must_check char *secret_read(const char *path, enum secret_readers readers, size_t max, size_t *len, char why[SECRET_WHY_MAX]);

/* Wipes and frees; NULL is fine. */
void secret_free(char *bytes, size_t len);

#endif
