#include "arrivals.h"

#include "../../../lib/random.h"

#include <math.h>
#include <stdlib.h>

bool arrivals_parse(struct arrivals *a, const char *text, double seconds)
{
	char *end;

	for (a->phase_count = 0; a->phase_count < ARRIVALS_PHASES; text = end + 1) {
		struct phase *phase = &a->phases[a->phase_count++];

		phase->rate = strtod(text, &end);
		if (end == text || !(phase->rate >= 0 && phase->rate <= 1e6))
			return false;
		phase->seconds = seconds;
		if (*end == ':') {
			text = end + 1;
			phase->seconds = strtod(text, &end);
			if (end == text || !(phase->seconds > 0 && phase->seconds <= 3600))
				return false;
		}
		if (*end == 0)
			return true;
		if (*end != ',')
			return false;
	}
	return false;
}

double arrivals_seconds(const struct arrivals *a)
{
	double sum = 0;

	for (unsigned i = 0; i < a->phase_count; i++)
		sum += a->phases[i].seconds;
	return sum;
}

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * (double)SECONDS);
}

/* The process has no memory, so at the end of a phase the wait may be drawn anew with the rate of the next. */
static void draw_from(struct arrivals *a, moment from)
{
	while (a->phase < a->phase_count) {
		double rate = a->phases[a->phase].rate;
		double share = ((double)random_below(UINT32_MAX) + 0.5) / (double)UINT32_MAX;

		a->next = rate > 0 ? moment_add(from, nanoseconds(-log(share) / rate)) : FOREVER;
		if (a->next < a->phase_end)
			return;
		from = a->phase_end;
		a->phase++;
		if (a->phase < a->phase_count)
			a->phase_end = moment_add(from, nanoseconds(a->phases[a->phase].seconds));
	}
	a->next = FOREVER;
}

void arrivals_start(struct arrivals *a, moment begin)
{
	a->phase = 0;
	a->phase_end = moment_add(begin, nanoseconds(a->phases[0].seconds));
	draw_from(a, begin);
}

void arrivals_step(struct arrivals *a)
{
	draw_from(a, a->next);
}
