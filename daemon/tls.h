/* TLS 1.2 and 1.3 on the descriptor of a connection, with OpenSSL.
 *
 * A context is a certificate with its key, and whose certificates clients have to show; never written to once it is loaded, and used by all
 * threads. Connections that were made with it outlive it. A struct tls belongs to one connection, and to its thread. */
#ifndef LEAT_TLS_H
#define LEAT_TLS_H

#include "buf.h"

#include <sys/types.h>

struct server_config;
struct tls_context;
struct tls;

/* Reads tls_cert, tls_key and tls_ca. NULL when anything is wrong; a line `KEY: 'VALUE' ...` for each fault is then added to `errors`. */
must_check struct tls_context *tls_context_load(const struct server_config *, struct buf *errors);
void tls_context_free(struct tls_context *);

/* The server's side on a non-blocking socket, which stays the caller's. NULL: no memory. */
must_check struct tls *tls_new(const struct tls_context *, int fd);
void tls_free(struct tls *);

/* Goes on with the handshake: 1 it is done, 0 the socket has to become ready first (for what: tls_wants_write()), -1 it has failed. Before
 * it is done nothing can be read or written. What the client has sent right behind it may be here already: read at once. */
must_check int tls_handshake(struct tls *);

/* As recv() and write() on a non-blocking socket: 0 is the end of what the client sends, -1 and EAGAIN that nothing can be done now. A write
 * that says EAGAIN has to be repeated with the same bytes, wherever they lie by then; more may follow them. */
must_check ssize_t tls_read(struct tls *, void *to, size_t len);
must_check ssize_t tls_write(struct tls *, const void *bytes, size_t len);

/* The last handshake or read waits until the socket can be written to. */
bool tls_wants_write(const struct tls *);
/* The last read filled its room, and there may be more here, of which the socket knows nothing: read again. */
bool tls_has_more(const struct tls *);

/* Bytes of memory that it takes, about and not too few: most during the handshake, and more while a record has not come whole or could not be
 * sent whole. */
size_t tls_bytes(const struct tls *);

/* Tells the client that no more will be sent, if that can be done at once. */
void tls_bye(struct tls *);

/* The common name of the client's certificate, which has been verified: its length, 0 if there is none. */
enum { TLS_NAME_MAX = 256 };
size_t tls_client_name(const struct tls *, char room[TLS_NAME_MAX]);

#endif
