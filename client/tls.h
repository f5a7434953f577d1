/* The client's side of TLS on a connected socket that does not block. The server's certificate is verified, and its name. */
#ifndef LEAT_TLS_H
#define LEAT_TLS_H

#include "../lib/compiler.h"

#include <stddef.h>
#include <sys/types.h>

struct tls;

/* `ca_file`: whose certificates are believed; NULL: those the machine believes. NULL with a sentence in *why (static) when that
 * cannot be. The socket stays the caller's. */
struct tls *tls_new(int fd, const char *host, const char *ca_file, const char **why) must_check;
void tls_free(struct tls *);

/* As send() and recv() that do not block, after the handshake. -1 and EAGAIN: wait for what tls_waits_for() says. */
ssize_t tls_send(struct tls *, const void *bytes, size_t len) must_check;
ssize_t tls_receive(struct tls *, void *to, size_t len) must_check;

/* 1 the handshake is done, 0 wait for tls_waits_for(), -1 it has failed and tls_why() says why. */
int tls_handshake(struct tls *) must_check;

/* What for, as in poll(): POLLIN or POLLOUT. */
short tls_waits_for(const struct tls *);
/* It holds bytes of which the socket knows nothing. */
int tls_has_more(const struct tls *);
const char *tls_why(const struct tls *);

#endif
