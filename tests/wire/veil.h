/* A client's TLS over the bytes of a struct client, so that a test decides what goes over the wire, and when. */
#ifndef LEAT_VEIL_H
#define LEAT_VEIL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct server;

struct veil {
	struct client *c;
	SSL *ssl;
	BIO *in, *out;          /* what has come, and what is to be sent */
	size_t piece;           /* bytes that are said at a time */
	char *heard;            /* what was decrypted; a NUL follows */
	size_t len;
};

/* A context for clients; believes the certificates of the file. */
SSL_CTX *veil_context(const char *ca_file);

/* Connects to the TLS address of a server. No handshake yet. */
struct veil *veil_dial(const struct server *, SSL_CTX *, size_t piece);

/* The port of the first tls: address. */
const char *tls_port(const struct server *);

/* True when it is done; false: the server has refused. */
bool veil_handshake(struct veil *);
void veil_say(struct veil *, const char *text);
/* Waits until so many bytes have been heard in all, or for the end: false. */
bool veil_hear(struct veil *, size_t len);
/* Waits for the end. True: it was said (close_notify), and not only cut off. */
bool veil_hear_end(struct veil *);
/* Says that no more will be said. */
void veil_end_saying(struct veil *);

void veil_free(struct veil *);

#endif
