#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 40 };

static const int64_t draw_every = 100 * MILLISECONDS;

void progress_begin(struct progress *p, size_t all)
{
	/* What is done at once needs no bar. */
	*p = (struct progress){ .all = all, .next = isatty(STDERR_FILENO) ? moment_in(2 * draw_every) : FOREVER };
}

void progress_show(struct progress *p, size_t done)
{
	char bar[WIDTH + 1] = { 0 };

	if (!p || p->next == FOREVER || moment_now() < p->next)
		return;
	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i * p->all < done * WIDTH ? '#' : ' ';
	fprintf(stderr, "\r[%s] %zu/%zu", bar, done, p->all);
	p->shown = true;
	p->next = moment_in(draw_every);
}

void progress_end(struct progress *p)
{
	/* To the start of the line, and away with what stands there (ECMA-48 EL). */
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
