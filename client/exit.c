#include "exit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 4096 };

void without_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void complain(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	without_controls(line);
	fprintf(stderr, "leat: %s\n", line);
}

void out_of_memory(void)
{
	complain("out of memory");
	exit(STATUS_MEMORY);
}
