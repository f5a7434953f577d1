/* A string of JSON (RFC 8259) and the bytes that it stands for. Strict: the text is UTF-8 without control characters, and an escaped surrogate
 * is one of a pair. Pure functions. */
#ifndef LEAT_JSON_STRING_H
#define LEAT_JSON_STRING_H

#include "slice.h"
#include "../lib/compiler.h"

/* Decodes the string, with its quotes, at the front of *from, and takes it off; its bytes go to *to, which moves behind them. They are no more
 * than the string has characters, so *to may be where it stood, or anywhere before that. NULL, or what is wrong; then *from and *to
 * are no longer of use. */
must_check const char *json_string_decode(struct slice *from, char **to);

#endif
