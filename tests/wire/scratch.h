/* What a test makes and need not clear away: memory, and files in a folder of its own. One test at a time. */
#ifndef LEAT_SCRATCH_H
#define LEAT_SCRATCH_H

#include "../../lib/compiler.h"

#include <stddef.h>

/* Makes the folder in which all tests have theirs; the process that calls it removes it when it exits. */
void scratch_open(void);

/* Memory of zeros, and a text made with printf. */
void *scratch(size_t bytes);
char *scratchf(const char *format, ...) printf_like(1, 2);

/* The path of a new folder that anybody may look into. */
const char *new_folder(void);

/* The path of a new file that anybody may read and execute. */
const char *new_file(const char *text);
const char *new_file_of(const void *bytes, size_t len);

/* The path of a new file of `len` random bytes, always the same ones. */
const char *new_random_file(size_t len);
void *random_bytes(size_t len, unsigned seed);

/* All of a file, ended by a NUL that *len (may be NULL) does not count. */
char *read_file(const char *path, size_t *len);

#endif
