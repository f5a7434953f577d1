/* Writes its payload, and blanks behind it: 100 KiB in all. */
#include <leat_plugin.h>

static int run(struct leat_call *call)
{
	static const char blanks[] = "                                                                                                    ";
	size_t left = 100 * 1024 - call->payload_len;

	if (!leat_write(call, call->payload, call->payload_len))
		return 1;
	for (size_t n; left > 0; left -= n) {
		n = left < sizeof(blanks) - 1 ? left : sizeof(blanks) - 1;
		if (!leat_write(call, blanks, n))
			return 1;
	}
	return 0;
}

LEAT_PLUGIN(.name = "large", .run = run);
