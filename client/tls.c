#include "tls.h"

#include "exit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	short waits_for;
	const char *why;
};

static const char *last_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return reason ? reason : "TLS failed";
}

static bool believe(SSL_CTX *context, const char *ca_file)
{
	if (ca_file)
		return SSL_CTX_load_verify_file(context, ca_file) == 1;
	return SSL_CTX_set_default_verify_paths(context) == 1;
}

/* A name for the server to choose its certificate by, and for us to check it; an address is only checked. */
static bool set_name(SSL *ssl, const char *host)
{
	unsigned char room[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) == 1;
}

struct tls *tls_new(int fd, const char *host, const char *ca_file, const char **why)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls || !(tls->context = SSL_CTX_new(TLS_client_method())))
		out_of_memory();
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	if (believe(tls->context, ca_file) && (tls->ssl = SSL_new(tls->context)) && set_name(tls->ssl, host) && SSL_set_fd(tls->ssl, fd) == 1) {
		SSL_set_connect_state(tls->ssl);
		return tls;
	}
	*why = tls->ssl ? last_reason() : "the file of --ca does not hold certificates in PEM";
	tls_free(tls);
	return NULL;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

short tls_waits_for(const struct tls *tls)
{
	return tls->waits_for;
}

int tls_has_more(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

const char *tls_why(const struct tls *tls)
{
	return tls->why;
}

/* After something that could not be done. True: it has to wait. */
static bool may_wait(struct tls *tls, int error)
{
	long verified = SSL_get_verify_result(tls->ssl);

	tls->waits_for = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	tls->why = verified != X509_V_OK ? X509_verify_cert_error_string(verified) :
		   error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0 ? "the connection ended within the handshake" : last_reason();
	return false;
}

/* OpenSSL writes with write(), which has no MSG_NOSIGNAL; for stdout the signal has to stay as it is. */
typedef void (*handler)(int);

static handler ignore_pipe(void)
{
	ERR_clear_error();
	return signal(SIGPIPE, SIG_IGN);
}

int tls_handshake(struct tls *tls)
{
	handler before = ignore_pipe();
	int r = SSL_do_handshake(tls->ssl);

	signal(SIGPIPE, before);
	if (r == 1)
		return 1;
	return may_wait(tls, SSL_get_error(tls->ssl, r)) ? 0 : -1;
}

static ssize_t fail(struct tls *tls, int error)
{
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = may_wait(tls, error) ? EAGAIN : ECONNRESET;
	return -1;
}

ssize_t tls_send(struct tls *tls, const void *bytes, size_t len)
{
	handler before = ignore_pipe();
	size_t n;
	int r = SSL_write_ex(tls->ssl, bytes, len, &n);

	signal(SIGPIPE, before);
	return r == 1 ? (ssize_t)n : fail(tls, SSL_get_error(tls->ssl, 0));
}

ssize_t tls_receive(struct tls *tls, void *to, size_t len)
{
	handler before = ignore_pipe();
	size_t n;
	int r = SSL_read_ex(tls->ssl, to, len, &n);

	signal(SIGPIPE, before);
	return r == 1 ? (ssize_t)n : fail(tls, SSL_get_error(tls->ssl, 0));
}
