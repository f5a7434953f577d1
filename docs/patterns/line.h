/* What the examples share: lines to send, and short pauses. */
#ifndef LINE_H
#define LINE_H

#include "../../lib/chan.h"
#include "../../lib/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct line {
	char text[48];
};

printf_like(1, 2) static inline struct line line_of(const char *format, ...)
{
	struct line line;
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	return line;
}

/* time.Sleep(rand.Intn(1000) * time.Microsecond): nothing ever comes over the nil channel. */
static inline void nap(struct ctx *ctx)
{
	chan_recv(NULL, NULL, ctx, moment_in(random_below(1000) * MICROSECONDS));
}

/* What an example cannot go on without. */
static inline void *must(void *thing)
{
	if (thing)
		return thing;
	fputs("no memory or no thread\n", stderr);
	exit(EXIT_FAILURE);
}

#endif
