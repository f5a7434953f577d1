/* Our standard input and output, read and written whole. */
#ifndef LEAT_STANDARD_H
#define LEAT_STANDARD_H

#include "bytes.h"
#include "exit.h"

enum { PAYLOAD_MAX = 64 * 1024 * 1024 };        /* the most that leatd takes in whatever configuration */

/* Appends all that comes from stdin. Complains when it cannot be read, or is over PAYLOAD_MAX. */
enum status standard_read(struct bytes *payload) must_check;

/* Writes the bytes to stdout as they are. Complains when it cannot. */
enum status standard_write(const void *bytes, size_t len) must_check;

#endif
