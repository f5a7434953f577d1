#include "duration.h"

#include <string.h>

static const struct {
	const char *name;
	int64_t milliseconds;
} units[] = {
	{ "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 },
};

static const int64_t year = INT64_C(366) * 24 * 60 * 60 * 1000;

bool duration_parse(const char *text, int64_t *milliseconds)
{
	int64_t number = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9'; c++) {
		number = number * 10 + (*c - '0');
		if (number > year)
			return false;
	}
	if (c == text || number == 0)
		return false;
	for (size_t i = 0; i < countof(units); i++)
		if (strcmp(c, units[i].name) == 0) {
			*milliseconds = number * units[i].milliseconds;
			return *milliseconds <= year;
		}
	return false;
}
