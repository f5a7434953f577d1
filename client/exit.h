/* Exit statuses a script can use, and the one way to complain: a line on stderr. */
#ifndef LEAT_EXIT_H
#define LEAT_EXIT_H

#include "../lib/compiler.h"

/* After sysexits.h, and 124 after timeout(1). `leat --help` explains them. */
enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,              /* the job, or what it was given, is at fault */
	STATUS_USAGE = 64,
	STATUS_NO_SERVER = 69,          /* nobody there, or no answer */
	STATUS_MEMORY = 71,
	STATUS_IO = 74,                 /* our own stdin or stdout */
	STATUS_BUSY = 75,               /* trying again later makes sense */
	STATUS_PROTOCOL = 76,           /* an answer that is not to be understood, or a request that was not */
	STATUS_NO_RIGHT = 77,
	STATUS_TIMEOUT = 124,
};

/* Control characters become `?`, so that what comes from a server can be shown on a terminal. */
void without_controls(char *text);

/* Writes `leat: ` and the line to stderr, without_controls(). */
void complain(const char *format, ...) printf_like(1, 2);

/* Complains and exits with STATUS_MEMORY. */
_Noreturn void out_of_memory(void);

#endif
