/* What an error of the server means for the one who asked: a sentence, and an exit status. */
#ifndef LEAT_REFUSAL_H
#define LEAT_REFUSAL_H

#include "bytes.h"
#include "exit.h"

#include <stddef.h>

/* Complains about an error line (`BUSY queue full reason=queue_full retry_ms=137`), with what to do about it. */
enum status refusal_explain(const char *line, size_t len);

/* The same without a word. */
enum status refusal_status(const char *line, size_t len);

/* The same as an object of JSON: its code, its words as `detail`, and its facts. */
void refusal_object(struct bytes *out, const char *line, size_t len);

/* Complains about what no server has said, and returns `status`. If `error` is not NULL, that becomes an object of the same form, with a
 * code for the status. */
enum status refusal_own(struct bytes *error, enum status status, const char *format, ...) printf_like(3, 4);

#endif
