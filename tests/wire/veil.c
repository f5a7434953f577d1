#include "veil.h"

#include "wire.h"

#include <openssl/err.h>
#include <stdio.h>

SSL_CTX *veil_context(const char *ca_file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	ck_assert(context != NULL);
	ck_assert_int_eq(SSL_CTX_load_verify_file(context, ca_file), 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return context;
}

const char *tls_port(const struct server *s)
{
	const char *at;
	size_t len;

	await((at = strstr(server_log(s), "listen=tls:")) && strchr(at, '\n'));
	at += strlen("listen=tls:");
	len = strcspn(at, "\n");
	while (len > 0 && at[len - 1] != ':')
		len--;
	return scratchf("%.*s", (int)strcspn(at + len, "\n"), at + len);
}

struct veil *veil_dial(const struct server *s, SSL_CTX *context, size_t piece)
{
	struct veil *v = scratch(sizeof(*v));
	struct server secure = *s;

	secure.port = tls_port(s);
	v->c = dial(&secure);
	v->piece = piece;
	v->ssl = SSL_new(context);
	v->in = BIO_new(BIO_s_mem());
	v->out = BIO_new(BIO_s_mem());
	v->heard = calloc(1, 1);
	ck_assert(v->ssl && v->in && v->out && v->heard);
	BIO_set_mem_eof_return(v->in, -1);
	SSL_set_bio(v->ssl, v->in, v->out);
	SSL_set_connect_state(v->ssl);
	SSL_set1_host(v->ssl, "localhost");
	return v;
}

void veil_free(struct veil *v)
{
	SSL_free(v->ssl);
	free(v->heard);
	v->heard = NULL;
	hang_up(v->c);
}

static void send_all(struct veil *v)
{
	char *bytes;
	long len = BIO_get_mem_data(v->out, &bytes);

	for (long at = 0; at < len; at += (long)v->piece)
		say_bytes(v->c, bytes + at, len - at < (long)v->piece ? (size_t)(len - at) : v->piece);
	(void)BIO_reset(v->out);
}

/* False: there is nothing, and will be nothing. */
static bool take_bytes(struct veil *v)
{
	size_t len;

	if (!can_hear(v->c) && !hear_more(v->c) && !can_hear(v->c))
		return false;
	len = v->c->len - v->c->at;
	BIO_write(v->in, v->c->in + v->c->at, (int)len);
	v->c->at = v->c->len;
	return true;
}

bool veil_handshake(struct veil *v)
{
	for (;;) {
		int r = SSL_do_handshake(v->ssl);
		int error = SSL_get_error(v->ssl, r);

		send_all(v);
		if (r == 1)
			return true;
		if (error != SSL_ERROR_WANT_READ || !take_bytes(v)) {
			ERR_clear_error();
			return false;
		}
	}
}

void veil_say(struct veil *v, const char *text)
{
	ck_assert_int_eq(SSL_write(v->ssl, text, (int)strlen(text)), (int)strlen(text));
	send_all(v);
}

/* 1 some was heard, 0 the end was said, -1 it was cut off. */
static int hear_some(struct veil *v)
{
	for (;;) {
		char room[16384];
		int n = SSL_read(v->ssl, room, sizeof(room));

		if (n > 0) {
			v->heard = realloc(v->heard, v->len + (size_t)n + 1);
			ck_assert(v->heard != NULL);
			memcpy(v->heard + v->len, room, (size_t)n);
			v->len += (size_t)n;
			v->heard[v->len] = '\0';
			return 1;
		}
		if (SSL_get_error(v->ssl, n) == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (SSL_get_error(v->ssl, n) != SSL_ERROR_WANT_READ || !take_bytes(v)) {
			ERR_clear_error();
			return -1;
		}
	}
}

bool veil_hear(struct veil *v, size_t len)
{
	while (v->len < len && hear_some(v) > 0)
		;
	return v->len >= len;
}

bool veil_hear_end(struct veil *v)
{
	int r;

	while ((r = hear_some(v)) > 0)
		;
	return r == 0;
}

void veil_end_saying(struct veil *v)
{
	SSL_shutdown(v->ssl);
	send_all(v);
}
