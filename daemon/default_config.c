#include "config.h"

/* conf/leatd.ini as it was when this was compiled, so that leatd needs no file to be of use. */
__asm__(".section .rodata\n"
	"leat_default_config:\n"
	".incbin \"conf/leatd.ini\"\n"
	"leat_default_config_end:\n"
	".byte 0\n"
	".previous\n");

extern const char leat_default_config[], leat_default_config_end[];

struct slice config_default_text(void)
{
	return (struct slice){ leat_default_config, (size_t)(leat_default_config_end - leat_default_config) };
}
