#include "bytes.h"

#include "exit.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

char *bytes_reserve(struct bytes *b, size_t more)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	if (more > SIZE_MAX / 2 - b->len)
		out_of_memory();
	while (cap - b->len < more)
		cap *= 2;
	if (cap != b->cap) {
		char *grown = realloc(b->at, cap);

		if (!grown)
			out_of_memory();
		b->at = grown;
		b->cap = cap;
	}
	return b->at + b->len;
}

void bytes_add(struct bytes *b, const void *from, size_t len)
{
	if (len == 0)
		return;
	memcpy(bytes_reserve(b, len), from, len);
	b->len += len;
}

void bytes_addf(struct bytes *b, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	size_t len = (size_t)vsnprintf(NULL, 0, format, args);

	vsnprintf(bytes_reserve(b, len + 1), len + 1, format, again);
	b->len += len;
	va_end(again);
	va_end(args);
}

void bytes_free(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){ 0 };
}
