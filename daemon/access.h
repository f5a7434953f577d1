/* Who may come in, and how: the tokens and the certificate, read from their files as one. Never written to, so any thread may read it;
 * counted, because it is replaced as a whole when the files are read again (SIGHUP) while connections still go by the old one. */
#ifndef LEAT_ACCESS_H
#define LEAT_ACCESS_H

#include "buf.h"
#include "../lib/shim.h"

struct server_config;
struct tls_context;
struct tokens;

struct access {
	shim_u64 references;
	struct tokens *tokens;          /* NULL: none are configured, everybody may do everything */
	struct tls_context *tls;        /* NULL: no certificate is configured */
};

/* Reads what the configuration names. NULL when anything is wrong; a line for each fault is then added to `errors`:
 * `KEY: 'VALUE' ...` about a key of [server], `FILE:LINE: ...` about what stands in a file. */
must_check struct access *access_load(const struct server_config *, struct buf *errors);
struct access *access_ref(struct access *);
void access_unref(struct access *);

#endif
