#include "plugin_object.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The struct of the first version: what is behind it may be missing. */
#define SIZE_MIN (offsetof(struct leat_plugin, close) + sizeof(((struct leat_plugin *)0)->close))

/* dlerror() says the path again, which the reader has seen. */
static const char *loader_words(const char *path)
{
	const char *words = dlerror();
	size_t len = strlen(path);

	if (!words)
		return "no reason given";
	return strncmp(words, path, len) == 0 && strncmp(words + len, ": ", 2) == 0 ? words + len + 2 : words;
}

static bool is_fit(const struct leat_plugin *plugin, char *why)
{
	if (plugin->abi != LEAT_PLUGIN_ABI)
		snprintf(why, PLUGIN_WHY_MAX, "is of plugin ABI %u, and %d is allowed: build it with the leat_plugin.h of this leatd",
			 plugin->abi, LEAT_PLUGIN_ABI);
	else if (plugin->size < SIZE_MIN)
		snprintf(why, PLUGIN_WHY_MAX, "says that its struct leat_plugin has %u bytes, and %zu is the least", plugin->size, SIZE_MIN);
	else if (!plugin->run)
		snprintf(why, PLUGIN_WHY_MAX, "has no run function in its struct leat_plugin");
	else
		return true;
	return false;
}

bool plugin_object_load(struct plugin_object *object, const char *path, char *why)
{
	*object = (struct plugin_object){ .handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
	if (!object->handle) {
		snprintf(why, PLUGIN_WHY_MAX, "cannot be loaded: %s", loader_words(path));
		return false;
	}
	object->plugin = dlsym(object->handle, "leat_plugin");
	if (object->plugin && is_fit(object->plugin, why))
		return true;
	if (!object->plugin)
		snprintf(why, PLUGIN_WHY_MAX, "has no symbol leat_plugin, which LEAT_PLUGIN() of leat_plugin.h makes");
	plugin_object_close(object);
	return false;
}

bool plugin_object_open(struct plugin_object *object, const char *config, char *why)
{
	char words[256] = "";

	if (object->plugin->open && object->plugin->open(config, &object->state, words, sizeof(words)) != 0) {
		words[sizeof(words) - 1] = '\0';
		words[strcspn(words, "\n")] = '\0';
		snprintf(why, PLUGIN_WHY_MAX, "cannot be opened: %s", *words ? words : "it does not say why");
		return false;
	}
	object->opened = true;
	return true;
}

void plugin_object_close(struct plugin_object *object)
{
	if (object->opened && object->plugin->close)
		object->plugin->close(object->state);
	if (object->handle)
		dlclose(object->handle);
	*object = (struct plugin_object){ 0 };
}

void plugin_words(char *to, size_t size, const char *format, va_list args)
{
	int n = vsnprintf(to, size, format, args);

	if (n < 0)
		*to = '\0';
	for (; *to; to++) {
		if ((unsigned char)*to < ' ')
			*to = ' ';
	}
}
