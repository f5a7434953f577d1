/* Wants a function that nobody has. */
#include <leat_plugin.h>

int nobody_has_this(struct leat_call *);

LEAT_PLUGIN(.name = "unresolved", .run = nobody_has_this);
