/* What an error of the server means for the one who asked: a sentence, and an exit status. */
#ifndef LEAT_REFUSAL_H
#define LEAT_REFUSAL_H

#include "exit.h"

#include <stddef.h>

/* Complains about an error line (`BUSY queue full reason=queue_full retry_ms=137`), with what to do about it. */
enum status refusal_explain(const char *line, size_t len);

/* The same without a word. */
enum status refusal_status(const char *line, size_t len);

#endif
