/* Built for a leatd to come. */
#include <leat_plugin.h>

static int run(struct leat_call *call)
{
	(void)call;
	return 0;
}

__attribute__((visibility("default"))) const struct leat_plugin leat_plugin = { .abi = LEAT_PLUGIN_ABI + 1, .size = sizeof(struct leat_plugin), .run = run };
