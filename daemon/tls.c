#include "tls.h"

#include "config.h"
#include "secret.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
	KEY_FILE_MAX = 64 * 1024,
	/* What a connection was measured to take, rounded up: during the handshake; idle; and for a record in either direction. */
	HANDSHAKE_BYTES = 48 * 1024,
	IDLE_BYTES = 15 * 1024,
	RECORD_BYTES = 17 * 1024,
};

/* Forward secrecy and authenticated encryption only, as TLS 1.3 has it. */
static const char ciphers_of_1_2[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct tls_context {
	SSL_CTX *ssl;
};

struct tls {
	SSL *ssl;
	bool wants_write, has_more;
	bool failed;            /* nothing more may be said */
	bool blocked;           /* a record could not be sent whole */
};

/* --- Loading --- */

static void fault(struct buf *errors, const char *key, const char *value, const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	buf_addf(errors, "%s: '%s' %s%s%s\n", key, value, what, why ? ": " : "", why ? why : "");
	ERR_clear_error();
}

/* There is nobody to ask for a password. */
static int no_password(char *room unused_arg, int len unused_arg, int writing unused_arg, void *arg unused_arg)
{
	return 0;
}

static EVP_PKEY *read_key(const char *value, struct buf *errors)
{
	char why[SECRET_WHY_MAX];
	autofree char *path = secret_path(value, why);
	size_t len = 0;
	char *text = path ? secret_read(path, SECRET_GROUP, KEY_FILE_MAX, &len, why) : NULL;
	BIO *bio = text ? BIO_new_mem_buf(text, (int)len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	if (!text)
		fault(errors, "tls_key", value, why);
	else if (!key)
		fault(errors, "tls_key", value, "is not a private key in PEM, without a password");
	BIO_free(bio);
	secret_free(text, len);
	return key;
}

static void load_key(SSL_CTX *ssl, const char *value, struct buf *errors)
{
	EVP_PKEY *key = read_key(value, errors);

	if (key && SSL_CTX_use_PrivateKey(ssl, key) != 1)
		fault(errors, "tls_key", value, "is not the key of tls_cert");
	EVP_PKEY_free(key);
}

static void load_certificate(SSL_CTX *ssl, const char *value, struct buf *errors)
{
	char why[SECRET_WHY_MAX];
	autofree char *path = secret_path(value, why);

	if (!path)
		fault(errors, "tls_cert", value, why);
	else if (SSL_CTX_use_certificate_chain_file(ssl, path) != 1)
		fault(errors, "tls_cert", value, "is not a certificate, and those that lead to its root, in PEM");
}

static void load_ca(SSL_CTX *ssl, const char *value, struct buf *errors)
{
	char why[SECRET_WHY_MAX];
	autofree char *path = secret_path(value, why);
	STACK_OF(X509_NAME) *names;

	if (!path) {
		fault(errors, "tls_ca", value, why);
		return;
	}
	names = SSL_load_client_CA_file(path);
	if (!names || SSL_CTX_load_verify_file(ssl, path) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		fault(errors, "tls_ca", value, "does not hold certificates in PEM");
		return;
	}
	SSL_CTX_set_client_CA_list(ssl, names);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

/* Only what we speak: a client that offers names, and not ours, was made to believe that we are somebody else. */
static int choose_protocol(SSL *ssl unused_arg, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
			   void *arg unused_arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *ssl)
{
	static const unsigned char session_context[] = "leat";

	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
			    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* Sessions are resumed by tickets, which the clients keep. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	/* One recv() for the head of a record and what follows it. */
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ssl, ciphers_of_1_2) == 1 &&
	       SSL_CTX_set_session_id_context(ssl, session_context, sizeof(session_context) - 1) == 1;
}

static void load_files(SSL_CTX *ssl, const struct server_config *config, struct buf *errors)
{
	size_t before = errors->len;

	if (*config->tls_cert)
		load_certificate(ssl, config->tls_cert, errors);
	else
		fault(errors, "tls_cert", "", "is to be a file, since tls_key or tls_ca is one");
	if (*config->tls_key && errors->len == before)
		load_key(ssl, config->tls_key, errors);
	else if (*config->tls_key)
		EVP_PKEY_free(read_key(config->tls_key, errors));
	else
		fault(errors, "tls_key", "", "is to be a file, since tls_cert or tls_ca is one");
	if (*config->tls_ca)
		load_ca(ssl, config->tls_ca, errors);
}

struct tls_context *tls_context_load(const struct server_config *config, struct buf *errors)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	size_t before = errors->len;

	ERR_clear_error();
	if (context)
		context->ssl = SSL_CTX_new(TLS_server_method());
	if (!context || !context->ssl || !set_up(context->ssl))
		fault(errors, "tls_cert", config->tls_cert, "cannot be used");
	else
		load_files(context->ssl, config, errors);
	if (errors->len == before && !errors->failed)
		return context;
	tls_context_free(context);
	return NULL;
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

/* --- A connection --- */

struct tls *tls_new(const struct tls_context *context, int fd)
{
	struct tls *tls = context ? calloc(1, sizeof(*tls)) : NULL;

	if (!tls)
		return NULL;
	tls->ssl = SSL_new(context->ssl);
	if (tls->ssl && SSL_set_fd(tls->ssl, fd) == 1) {
		SSL_set_accept_state(tls->ssl);
		return tls;
	}
	tls_free(tls);
	return NULL;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
	/* What went wrong here is not the fault of the next connection of this thread. */
	ERR_clear_error();
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

bool tls_has_more(const struct tls *tls)
{
	return tls->has_more;
}

/* After an operation that could not be done: true if it only has to wait. */
static bool may_wait(struct tls *tls, int error)
{
	tls->wants_write = error == SSL_ERROR_WANT_WRITE;
	tls->failed = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_ZERO_RETURN;
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

int tls_handshake(struct tls *tls)
{
	int r;

	ERR_clear_error();
	tls->wants_write = false;
	r = SSL_do_handshake(tls->ssl);
	if (r == 1)
		return 1;
	return may_wait(tls, SSL_get_error(tls->ssl, r)) ? 0 : -1;
}

static ssize_t nothing(int error)
{
	errno = error;
	return -1;
}

ssize_t tls_read(struct tls *tls, void *to, size_t len)
{
	size_t got = 0, n;
	int error;

	tls->wants_write = tls->has_more = false;
	while (got < len) {
		ERR_clear_error();
		if (SSL_read_ex(tls->ssl, (char *)to + got, len - got, &n) != 1) {
			error = SSL_get_error(tls->ssl, 0);
			if (may_wait(tls, error))
				return got > 0 ? (ssize_t)got : nothing(EAGAIN);
			/* The end, of whichever kind, is found again by the next read. */
			tls->has_more = got > 0;
			return got > 0 ? (ssize_t)got : error == SSL_ERROR_ZERO_RETURN ? 0 : nothing(ECONNRESET);
		}
		got += n;
		if (!SSL_has_pending(tls->ssl))
			return (ssize_t)got;
	}
	tls->has_more = true;
	return (ssize_t)got;
}

ssize_t tls_write(struct tls *tls, const void *bytes, size_t len)
{
	size_t n;
	int error;

	ERR_clear_error();
	tls->blocked = SSL_write_ex(tls->ssl, bytes, len, &n) != 1;
	if (!tls->blocked)
		return (ssize_t)n;
	error = SSL_get_error(tls->ssl, 0);
	/* Wanting to read would be a renegotiation, which there is not. */
	if (error == SSL_ERROR_WANT_WRITE)
		return nothing(EAGAIN);
	tls->failed = true;
	return nothing(error == SSL_ERROR_SYSCALL && errno ? errno : EPROTO);
}

size_t tls_bytes(const struct tls *tls)
{
	if (!SSL_is_init_finished(tls->ssl))
		return HANDSHAKE_BYTES;
	return IDLE_BYTES + (SSL_has_pending(tls->ssl) ? RECORD_BYTES : 0) + (tls->blocked ? RECORD_BYTES : 0);
}

void tls_bye(struct tls *tls)
{
	if (tls->failed)
		return;
	ERR_clear_error();
	SSL_shutdown(tls->ssl);
}

size_t tls_client_name(const struct tls *tls, char room[TLS_NAME_MAX])
{
	X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
	int len = certificate ? X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, room, TLS_NAME_MAX) : 0;

	X509_free(certificate);
	/* One with a NUL within would be taken for a shorter one by others. */
	return len > 0 && strlen(room) == (size_t)len ? (size_t)len : 0;
}
