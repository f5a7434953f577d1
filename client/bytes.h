/* Bytes that grow. There is no failing: when memory is out, so is the program. */
#ifndef LEAT_BYTES_H
#define LEAT_BYTES_H

#include "../lib/compiler.h"

#include <stddef.h>

struct bytes {
	char *at;       /* owned; NULL while nothing was ever added */
	size_t len;
	size_t cap;
};

/* Room for `more` bytes after the present ones. Follow with `len +=` what was written. */
char *bytes_reserve(struct bytes *, size_t more);
void bytes_add(struct bytes *, const void *from, size_t len);
void bytes_addf(struct bytes *, const char *format, ...) printf_like(2, 3);
void bytes_free(struct bytes *);

#endif
