#include "moment.h"
#include "shim.h"

moment moment_now(void)
{
	return shim_clock();
}

moment moment_add(moment when, int64_t ns)
{
	moment sum;

	if (when == FOREVER)
		return FOREVER;
	if (__builtin_add_overflow(when, ns, &sum))
		return ns > 0 ? FOREVER : INT64_MIN;
	return sum;
}

moment moment_in(int64_t ns)
{
	return moment_add(moment_now(), ns);
}

int64_t moment_span(uint64_t amount, uint64_t per_second)
{
	const uint64_t second = SECONDS;
	uint64_t ns;

	if (!__builtin_mul_overflow(amount, second, &ns))
		ns /= per_second;
	else if (__builtin_mul_overflow(amount / per_second, second, &ns))
		return FOREVER;
	return ns < FOREVER ? (int64_t)ns : FOREVER;
}

bool moment_reached(moment when)
{
	if (when <= NOW)
		return true;
	return when != FOREVER && moment_now() >= when;
}
