/* Text as JSON. */
#ifndef LEAT_JSON_H
#define LEAT_JSON_H

#include "bytes.h"

/* Appends the text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, one each. */
void json_string(struct bytes *out, const char *text, size_t len);

/* Appends the member `"output":"..."`, or, for what is not UTF-8, `"output_base64":"..."`. */
void json_output(struct bytes *out, const char *bytes, size_t len);

#endif
