#include "history.h"
const char *history_patterns(const struct history *h, bool drained) { (void)h; (void)drained; return NULL; }
