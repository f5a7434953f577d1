/* Has nothing to run. */
#include <leat_plugin.h>

LEAT_PLUGIN(.name = "no_run");
