/* Says that its struct is smaller than any. */
#include <leat_plugin.h>

__attribute__((visibility("default"))) const struct leat_plugin leat_plugin = { .abi = LEAT_PLUGIN_ABI, .size = 8 };
