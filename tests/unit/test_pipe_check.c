#include "../../daemon/pipe_check.h"
#include "testing.h"

static struct job_config echo = { .name = (char []){ "echo" }, .kind = KIND_BUILTIN_ECHO, .concurrency = 1 };
