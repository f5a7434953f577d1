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

bool moment_reached(moment when)
{
	if (when <= NOW)
		return true;
	return when != FOREVER && moment_now() >= when;
}
