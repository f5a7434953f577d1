#include "access.h"

#include "config.h"
#include "tls.h"
#include "tokens.h"

#include <stdlib.h>

struct access *access_load(const struct server_config *config, struct buf *errors)
{
	struct access *access = calloc(1, sizeof(*access));
	size_t before = errors->len;

	if (!access) {
		buf_addf(errors, "%s\n", "no memory for the tokens");
		return NULL;
	}
	shim_store(&access->references, 1, relaxed);
	if (*config->tokens)
		access->tokens = tokens_load(config->tokens, errors);
	if (*config->tls_cert || *config->tls_key || *config->tls_ca)
		access->tls = tls_context_load(config, errors);
	if (errors->len == before && !errors->failed)
		return access;
	access_unref(access);
	return NULL;
}

struct access *access_ref(struct access *access)
{
	shim_add(&access->references, 1, relaxed);
	return access;
}

void access_unref(struct access *access)
{
	if (!access || shim_sub(&access->references, 1, acq_rel) > 1)
		return;
	tokens_free(access->tokens);
	tls_context_free(access->tls);
	free(access);
}
