/* TLS: which versions and ciphers, bytes however they come, certificates of both sides, and their renewal. */
#include "wire.h"
#include "veil.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char jobs[] = "[job echo]\nbuiltin = echo\nqueue = 2000\n[job upper]\nexec = tr a-z A-Z\n[job nap]\nexec = /bin/sleep 60\n"
			   "deadline = 1m\n[job pass]\nexec = cat\nstdin = stream\nmax_output = 1G\ndeadline = 1m\n[job long]\nexec = seq 1 800000\ndeadline = 1m\n";

/* A folder with ca.pem, and what it has signed: NAME.pem and NAME.key. */
static const char *make_ca(void)
{
	const char *folder = new_folder();
	struct ran ran = run("/bin/sh", "-c", scratchf("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
							"-keyout ca.key -out ca.pem -subj /CN=ca", folder));

	ck_assert_msg(ran.status == 0, "%s", ran.err);
	return folder;
}

static void make_certificate(const char *folder, const char *name, const char *algorithm)
{
	struct ran ran = run("/bin/sh", "-c", scratchf("cd %s && openssl req -newkey %s -nodes -keyout %s.key -out req.pem -subj /CN=%s && "
						       "echo subjectAltName=DNS:localhost,IP:127.0.0.1 >ext && openssl x509 -req -in req.pem -CA ca.pem "
						       "-CAkey ca.key -CAcreateserial -days 2 -extfile ext -out %s.pem",
						       folder, algorithm, name, name, name));

	ck_assert_msg(ran.status == 0, "%s", ran.err);
}

#define EC "ec -pkeyopt ec_paramgen_curve:prime256v1"

static struct server *start_tls(const char *folder, const char *more)
{
	const char *sockets = new_folder();
	struct server *s = server_launch(&(struct launch){
		.config = scratchf("[server]\ntls_cert = %s/server.pem\ntls_key = %s/server.key\n%s%s", folder, folder, more, jobs),
		.listen = scratchf("127.0.0.1:0, tls:127.0.0.1:0, unix:%s/s", sockets), .unix_path = scratchf("%s/s", sockets) });

	return s;
}

static struct ran shell_tls(struct server *s, const char *folder, const char *line)
{
	return shell(s, scratchf("TLS=%s; CA=%s/ca.pem; D=%s; %s", tls_port(s), folder, folder, line));
}

static void assert_said(struct ran ran, const char *out)
{
	ck_assert_msg(ran.status == 0 && strcmp(ran.out, out) == 0, "status %d\n%s\n%s", ran.status, ran.out, ran.err);
}

/* --- Clients --- */

START_TEST(the_usual_clients_speak_tls)
{
	const char *folder = make_ca(), *file = new_random_file(900000);
	struct server *s;
	struct ran ran;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	assert_said(shell_tls(s, folder, "curl -sS --cacert $CA -d hello https://localhost:$TLS/v1/run/upper"), "HELLO");
	assert_said(shell_tls(s, folder, scratchf("curl -sS --cacert $CA --data-binary @%s https://127.0.0.1:$TLS/v1/run/echo | cmp - %s", file, file)), "");
	assert_said(shell_tls(s, folder, "curl -sS --cacert $CA --tls-max 1.2 -w ' %{http_version} %{num_connects}' -d x https://localhost:$TLS/v1/run/upper "
			      "-d x https://localhost:$TLS/v1/run/upper"), "X&X 1.1 1X&X 1.1 0");
	assert_said(shell_tls(s, folder, "redis-cli --tls --cacert $CA -h localhost -p $TLS RUN upper hello"), "HELLO\n");
	assert_said(shell_tls(s, folder, "printf 'RUN upper a\\r\\nRUN upper b\\r\\nQUIT\\r\\n' | openssl s_client -quiet -verify_quiet -CAfile $CA "
			      "-ign_eof -connect localhost:$TLS 2>/dev/null"), "$1\r\nA\r\n$1\r\nB\r\n+OK\r\n");
	ran = shell_tls(s, folder, "redis-benchmark --tls --cacert $CA -h localhost -p $TLS -P 16 -c 20 -n 5000 -q RUN echo hello");
	assert_match(ran.out, "RUN echo hello: [0-9.]+ requests per second");
	ran = shell_tls(s, folder, "wrk -t1 -c20 -d1s https://localhost:$TLS/healthz");
	ck_assert_msg(ran.status == 0 && !strstr(ran.out, "Non-2xx") && !strstr(ran.out, "Socket errors"), "%s", ran.out);
}
END_TEST

START_TEST(leat_speaks_tls_and_looks_who_is_there)
{
	const char *folder = make_ca(), *other = make_ca(), *file = new_random_file(900000);
	struct server *s;
	struct ran ran;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	assert_said(shell_tls(s, folder, "$LEAT --server tls:localhost:$TLS --ca $CA run upper hello"), "HELLO");
	assert_said(shell_tls(s, folder, scratchf("LEAT_CA=$CA $LEAT --server tls:127.0.0.1:$TLS run echo <%s | cmp - %s", file, file)), "");
	ran = shell_tls(s, folder, "$LEAT --server tls:localhost:$TLS ping");
	ck_assert_int_eq(ran.status, 69);
	assert_has(ran.err, "certificate");
	ck_assert_int_eq(shell_tls(s, other, "$LEAT --server tls:localhost:$TLS --ca $CA ping").status, 69);
	ran = shell_tls(s, folder, "$LEAT --server tls:127.0.0.2:$TLS --ca $CA ping; $LEAT --server tls:ip6-localhost:$TLS --ca $CA ping");
	ck_assert_int_eq(ran.status, 69);
	/* Neither for plain text. */
	ran = shell_tls(s, folder, "$LEAT --server tls:localhost:$PORT --ca $CA ping");
	ck_assert_int_eq(ran.status, 69);
	ran = shell_tls(s, folder, "$LEAT --server tls:localhost:$TLS --ca /etc/passwd ping");
	assert_has(ran.err, "--ca does not hold certificates");
}
END_TEST

START_TEST(streams_pass_through_tls_and_memory_does_not_grow_with_them)
{
	const char *folder = make_ca();
	struct server *s;
	size_t before;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	/* Its own memory for the first connection. */
	assert_said(shell_tls(s, folder, "$LEAT --server tls:localhost:$TLS --ca $CA run --stream pass hello"), "hello");
	before = memory_of(s->pid, "VmHWM");
	assert_said(shell_tls(s, folder, "head -c 50M /dev/zero | $LEAT --server tls:localhost:$TLS --ca $CA run --stream pass | "
			      "cmp -n 52428800 - /dev/zero && echo same"), "same\n");
	assert_said(shell_tls(s, folder, "head -c 5M /dev/zero | curl -sS --cacert $CA -X POST -T - \"https://localhost:$TLS/v1/run/pass?stream=1\" | "
			      "cmp -n 5242880 - /dev/zero && echo same"), "same\n");
	if (!IS_SANITIZED)
		ck_assert_uint_lt(memory_of(s->pid, "VmHWM") - before, (size_t)4 << 20);
}
END_TEST

START_TEST(a_leat_that_is_interrupted_over_tls_cancels_its_job)
{
	const char *folder = make_ca();
	struct server *s;
	pid_t leat;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	leat = shell_start(s, scratchf("exec $LEAT --server tls:localhost:%s --ca %s/ca.pem run nap x --id over-tls", tls_port(s), folder));
	await(commands_of("over-tls") == 1);
	kill(leat, SIGTERM);
	wait_for(leat);
	await(commands_of("over-tls") == 0);
	await(stat_of(s, "nap", "canceled") == 1);
}
END_TEST

/* --- Versions and ciphers --- */

START_TEST(old_versions_and_weak_ciphers_are_refused)
{
	static const struct {
		const char *options;
		bool accepted;
	} rows[] = {
		{ "-tls1_3", true }, { "-tls1_2", true }, { "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", true },
		{ "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305", true },
		{ "-tls1_1 -cipher DEFAULT@SECLEVEL=0", false }, { "-tls1 -cipher DEFAULT@SECLEVEL=0", false },
		{ "-tls1_2 -cipher AES128-SHA@SECLEVEL=0", false }, { "-tls1_2 -cipher AES128-GCM-SHA256@SECLEVEL=0", false },
		{ "-tls1_2 -cipher ECDHE-RSA-AES128-SHA@SECLEVEL=0", false }, { "-tls1_2 -cipher ECDHE-RSA-AES256-SHA384@SECLEVEL=0", false },
		{ "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384@SECLEVEL=0", false }, { "-tls1_2 -cipher ECDHE-RSA-NULL-SHA@SECLEVEL=0", false },
		{ "-tls1_2 -cipher AECDH-AES128-SHA@SECLEVEL=0", false },
	};
	const char *folder = make_ca();
	struct server *s;

	make_certificate(folder, "server", "rsa:2048");
	s = start_tls(folder, "");
	for (size_t i = 0; i < countof(rows); i++) {
		struct ran ran = shell_tls(s, folder, scratchf("printf 'PING\\r\\nQUIT\\r\\n' | openssl s_client -quiet -ign_eof -CAfile $CA -connect localhost:$TLS %s",
							       rows[i].options));

		ck_assert_msg((strcmp(ran.out, "+PONG\r\n+OK\r\n") == 0) == rows[i].accepted, "%s\n%s\n%s", rows[i].options, ran.out, ran.err);
		/* It was the server that refused, not a client that could not even offer it. */
		if (!rows[i].accepted)
			assert_match(ran.err, "alert (handshake failure|protocol version)");
	}
}
END_TEST

START_TEST(a_client_that_wants_another_protocol_or_to_negotiate_again_is_refused)
{
	static const unsigned char h2_only[] = "\x02h2", both[] = "\x02h2\x08http/1.1";
	const char *folder = make_ca();
	SSL_CTX *context;
	struct server *s;
	struct veil *v;
	const unsigned char *chosen;
	unsigned len;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 10000);
	SSL_set_alpn_protos(v->ssl, h2_only, sizeof(h2_only) - 1);
	ck_assert(!veil_handshake(v));
	veil_free(v);
	v = veil_dial(s, context, 10000);
	SSL_set_alpn_protos(v->ssl, both, sizeof(both) - 1);
	ck_assert(veil_handshake(v));
	SSL_get0_alpn_selected(v->ssl, &chosen, &len);
	ck_assert_mem_eq(chosen, "http/1.1", len);
	veil_free(v);
	v = veil_dial(s, context, 10000);
	SSL_set_max_proto_version(v->ssl, TLS1_2_VERSION);
	ck_assert(veil_handshake(v));
	if (SSL_renegotiate(v->ssl) == 1)
		ck_assert(!veil_handshake(v) || SSL_renegotiate_pending(v->ssl));
	veil_free(v);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(a_session_is_resumed_by_its_ticket)
{
	const char *folder = make_ca();
	struct server *s;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	for (int version = 2; version <= 3; version++) {
		struct ran ran = shell_tls(s, folder, scratchf("(printf 'PING\\r\\nQUIT\\r\\n') | openssl s_client -tls1_%d -ign_eof -CAfile $CA -sess_out $D/session "
							       "-connect localhost:$TLS >/dev/null 2>&1; printf 'QUIT\\r\\n' | openssl s_client -tls1_%d -ign_eof "
							       "-CAfile $CA -sess_in $D/session -connect localhost:$TLS 2>&1 | grep -m1 -o '^Reused'",
							       version, version));

		assert_said(ran, "Reused\n");
	}
}
END_TEST

/* --- Bytes --- */

START_TEST(byte_by_byte_and_in_pieces_the_answers_are_the_same)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 7, 100, 1000, 1000000 };
	const char *folder = make_ca();
	SSL_CTX *context;
	struct server *s;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	for (size_t i = 0; i < countof(pieces) * 2; i++) {
		struct veil *v = veil_dial(s, context, pieces[i / 2]);

		SSL_set_max_proto_version(v->ssl, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
		ck_assert(veil_handshake(v));
		veil_say(v, "RUN upper abc\r\nPI");
		veil_say(v, "NG\r\nRUN echo xyz\r\n");
		ck_assert(veil_hear(v, 9 + 7 + 9));
		ck_assert_str_eq(v->heard, "$3\r\nABC\r\n+PONG\r\n$3\r\nxyz\r\n");
		veil_say(v, "QUIT\r\n");
		ck_assert(veil_hear_end(v));
		ck_assert_str_eq(v->heard + 25, "+OK\r\n");
		veil_free(v);
	}
	SSL_CTX_free(context);
}
END_TEST

START_TEST(thousands_of_pipelined_requests_are_all_answered)
{
	enum { REQUESTS = 20000 };
	const char *folder = make_ca();
	char *requests = scratch((size_t)REQUESTS * 24 + 1), *expected = scratch((size_t)REQUESTS * 24 + 1), *at = requests, *to = expected;
	SSL_CTX *context;
	struct server *s;
	struct veil *v;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 1000000);
	ck_assert(veil_handshake(v));
	for (int i = 0; i < REQUESTS; i++) {
		at += sprintf(at, "RUN echo %06d\r\n", i);
		to += sprintf(to, "$6\r\n%06d\r\n", i);
	}
	/* All in one go: more than is read at once, in TLS's buffers as well as in the socket's. */
	veil_say(v, requests);
	ck_assert(veil_hear(v, strlen(expected)));
	ck_assert_str_eq(v->heard, expected);
	veil_free(v);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(a_long_answer_reaches_a_reader_who_takes_his_time)
{
	const char *folder = make_ca();
	struct ran ran = run("/bin/sh", "-c", "seq 1 800000");
	SSL_CTX *context;
	struct server *s;
	struct veil *v;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 1000000);
	ck_assert(veil_handshake(v));
	veil_say(v, "RUN long\r\n");
	/* The socket is full by then, and leatd waits to write. */
	await(stat_of(s, "long", "submitted") == 1);
	await(stat_of(s, "long", "done") == 1);
	/* What comes in meanwhile is read while the answer is on its way. */
	veil_say(v, "RUN echo x\r\nRUN long\r\nQUIT\r\n");
	ck_assert(veil_hear_end(v));
	ck_assert_uint_eq(v->len, 2 * (ran.out_len + 12) + 7 + 5 - (ran.out_len < 1000000 ? 2 : 0));
	ck_assert_mem_eq(v->heard + 10, ran.out, ran.out_len);
	veil_free(v);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(who_says_that_no_more_comes_gets_the_answers_and_who_speaks_http_is_cancelled)
{
	const char *folder = make_ca();
	SSL_CTX *context;
	struct server *s;
	struct veil *v;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 10000);
	ck_assert(veil_handshake(v));
	veil_say(v, "RUN upper abc\r\nRUN upper def\r\n");
	veil_end_saying(v);
	ck_assert(veil_hear_end(v));
	ck_assert_str_eq(v->heard, "$3\r\nABC\r\n$3\r\nDEF\r\n");
	veil_free(v);
	v = veil_dial(s, context, 10000);
	ck_assert(veil_handshake(v));
	veil_say(v, "POST /v1/run/nap HTTP/1.1\r\nHost: localhost\r\nLeat-Id: tls-1\r\nContent-Length: 0\r\n\r\n");
	await(commands_of("tls-1") == 1);
	veil_end_saying(v);
	await(commands_of("tls-1") == 0);
	await(stat_of(s, "nap", "canceled") == 1);
	veil_free(v);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(a_handshake_that_does_not_come_to_its_end_is_cut_off)
{
	const char *folder = make_ca();
	struct base_line base;
	SSL_CTX *context;
	struct server *s, secure;
	struct veil *v;
	struct client *c;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "header_timeout = 300ms\n");
	base = base_line_of(s);
	secure = *s;
	secure.port = tls_port(s);
	/* Silence, half a hello, other things, and one that says a byte now and then. */
	hear_end(dial(&secure));
	c = dial(&secure);
	say_bytes(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9);
	hear_end(c);
	c = dial(&secure);
	say(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	await(is_over(c));
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 1);
	SSL_do_handshake(v->ssl);
	for (char byte; !is_over(v->c) && BIO_read(v->out, &byte, 1) == 1; poll(NULL, 0, 5)) {
		if (send(v->c->fd, &byte, 1, MSG_NOSIGNAL) < 0)
			break;
	}
	await(is_over(v->c));
	veil_free(v);
	/* The other way round: a TLS client that comes to the plain address. */
	c = dial(s);
	say_bytes(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
	hear_match(c, "^-ERR a NUL");
	clients_reset();
	s->control = NULL;
	base.descriptors--;
	await_base_line(s, base, 0);
	SSL_CTX_free(context);
}
END_TEST

/* --- Certificates --- */

/* One whose handshake is done, or NULL: it was closed. */
static struct veil *enter(struct server *s, SSL_CTX *context)
{
	struct veil *v = veil_dial(s, context, 65536);

	if (veil_handshake(v))
		return v;
	veil_free(v);
	return NULL;
}

START_TEST(no_more_connections_are_let_in_than_there_is_memory_for)
{
	enum { MANY = 400 };
	const char *folder = make_ca();
	struct veil *all[MANY], *more;
	SSL_CTX *context;
	struct server *s;
	size_t n = 0;

	make_certificate(folder, "server", EC);
	context = veil_context(scratchf("%s/ca.pem", folder));
	s = start_tls(folder, "max_memory = 2M\nloops = 1\n");
	while (n < MANY && (all[n] = enter(s, context)))
		n++;
	ck_assert_uint_gt(n, 50);
	ck_assert_uint_lt(n, 150);
	ck_assert_uint_le(metric(s, "leat_memory_bytes"), 2 << 20);
	ck_assert_uint_ge(metric(s, "leat_connections_refused_total"), 1);
	/* Those that are there are served. */
	veil_say(all[0], "PING\r\n");
	ck_assert(veil_hear(all[0], 7));
	for (size_t i = 0; i < 10; i++)
		veil_free(all[i]);
	await((more = enter(s, context)));
	veil_free(more);
	for (size_t i = 10; i < n; i++)
		veil_free(all[i]);
	SSL_CTX_free(context);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

/* A client that comes so far and no further. */
static struct veil *come(struct server *s, SSL_CTX *context, int state)
{
	struct veil *v = veil_dial(s, context, 65536);

	if (state == 1)
		say_bytes(v->c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
	if (state < 2)
		return v;
	ck_assert(veil_handshake(v));
	veil_say(v, "PING\r\n");
	ck_assert(veil_hear(v, 7));
	/* The beginning of a record. */
	if (state == 3)
		say_bytes(v->c, "\x17\x03\x03\x3f\xff....", 9);
	return v;
}

static void check_accounted(struct server *s, SSL_CTX *context, int state)
{
	enum { WARM = 50, MORE = 200 };
	struct veil *all[WARM + MORE];
	size_t resident = 0, accounted = 0;

	for (size_t i = 0; i < WARM + MORE; i++) {
		if (i == WARM) {
			await(metric(s, "leat_connections") == WARM + 1);
			resident = memory_of(s->pid, "VmRSS");
			accounted = metric(s, "leat_memory_bytes");
		}
		all[i] = come(s, context, state);
	}
	await(metric(s, "leat_connections") == WARM + MORE + 1);
	/* What was said may have to be read yet. */
	await(IS_SANITIZED || memory_of(s->pid, "VmRSS") - resident < metric(s, "leat_memory_bytes") - accounted + 256 * 1024);
	for (size_t i = 0; i < WARM + MORE; i++)
		veil_free(all[i]);
	await(metric(s, "leat_memory_bytes") == 0);
}

START_TEST(what_tls_holds_is_accounted_for_however_far_a_client_comes)
{
	const char *folder = make_ca();
	SSL_CTX *context;

	make_certificate(folder, "server", EC);
	context = veil_context(scratchf("%s/ca.pem", folder));
	/* Memory that the one has left would hide what the next takes. */
	for (int state = 0; state < 4; state++)
		check_accounted(start_tls(folder, "loops = 1\nheader_timeout = 5m\n"), context, state);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(clients_are_asked_for_a_certificate_which_may_stand_for_a_token)
{
	const char *folder = make_ca(), *other = make_ca(), *tokens = new_file("web cert:web run:upper\n");
	struct server *s;

	make_certificate(folder, "server", EC);
	make_certificate(folder, "web", EC);
	make_certificate(folder, "unknown", EC);
	make_certificate(other, "web", EC);
	chmod(tokens, 0600);
	s = start_tls(folder, scratchf("tls_ca = %s/ca.pem\ntokens = %s\n", folder, tokens));
	assert_said(shell_tls(s, folder, "curl -sS --cacert $CA --cert $D/web.pem --key $D/web.key -d x https://localhost:$TLS/v1/run/upper"), "X");
	assert_said(shell_tls(s, folder, "curl -sS -o /dev/null -w %{http_code} --cacert $CA --cert $D/web.pem --key $D/web.key -d x "
			      "https://localhost:$TLS/v1/run/echo"), "403");
	assert_said(shell_tls(s, folder, "redis-cli --tls --cacert $CA --cert $D/web.pem --key $D/web.key -h localhost -p $TLS RUN upper x"), "X\n");
	assert_said(shell_tls(s, folder, "curl -sS -o /dev/null -w %{http_code} --cacert $CA --cert $D/unknown.pem --key $D/unknown.key -d x "
			      "https://localhost:$TLS/v1/run/upper"), "401");
	/* None, and one that somebody else has signed. */
	ck_assert_int_ne(shell_tls(s, folder, "curl -sS --cacert $CA https://localhost:$TLS/healthz").status, 0);
	ck_assert_int_ne(shell_tls(s, folder, scratchf("curl -sS --cacert $CA --cert %s/web.pem --key %s/web.key https://localhost:$TLS/healthz", other, other)).status, 0);
}
END_TEST

static const char *shown_certificate(struct server *s, const char *folder)
{
	return shell_tls(s, folder, "openssl s_client -CAfile $CA -connect localhost:$TLS </dev/null 2>/dev/null | openssl x509 -noout -serial").out;
}

START_TEST(sighup_changes_the_certificate_and_loses_no_connection)
{
	const char *folder = make_ca(), *first, *second;
	SSL_CTX *context;
	struct server *s;
	struct veil *v;

	make_certificate(folder, "server", EC);
	s = start_tls(folder, "");
	context = veil_context(scratchf("%s/ca.pem", folder));
	v = veil_dial(s, context, 10000);
	ck_assert(veil_handshake(v));
	first = shown_certificate(s, folder);
	assert_match(first, "^serial=[0-9A-F]+\n");
	/* One half of the pair only. */
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("cd %s && cp server.key old.key", folder)).status, 0);
	make_certificate(folder, "server", EC);
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("cd %s && cp server.key new.key && cp old.key server.key", folder)).status, 0);
	kill(s->pid, SIGHUP);
	await(server_logged(s, "is not the key of tls_cert"));
	ck_assert_str_eq(shown_certificate(s, folder), first);
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("cd %s && cp new.key server.key", folder)).status, 0);
	for (int i = 0; i < 20; i++)
		kill(s->pid, SIGHUP);
	await(strcmp(shown_certificate(s, folder), first) != 0);
	second = shown_certificate(s, folder);
	assert_match(second, "^serial=[0-9A-F]+\n");
	veil_say(v, "RUN upper still\r\n");
	ck_assert(veil_hear(v, 11));
	ck_assert_str_eq(v->heard, "$5\r\nSTILL\r\n");
	veil_free(v);
	SSL_CTX_free(context);
}
END_TEST

START_TEST(a_key_that_everybody_may_read_or_that_wants_a_password_is_refused)
{
	const char *folder = make_ca();
	struct ran ran;
	const char *const start[] = { leatd_path(), "--check-config", "-o", scratchf("server.tls_cert=%s/server.pem", folder), "-o",
				      scratchf("server.tls_key=%s/server.key", folder), NULL };

	make_certificate(folder, "server", EC);
	ck_assert_int_eq(run_program(start).status, 0);
	chmod(scratchf("%s/server.key", folder), 0640);
	ck_assert_int_eq(run_program(start).status, 0);
	chmod(scratchf("%s/server.key", folder), 0644);
	ran = run_program(start);
	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, "has mode 0644");
	run("/bin/sh", "-c", scratchf("cd %s && openssl ec -in server.key -aes128 -passout pass:x -out locked && chmod 600 locked && mv locked server.key", folder));
	ran = run_program(start);
	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, "is not a private key in PEM, without a password");
}
END_TEST

Suite *tls_suite(void)
{
	const TTest *tests[] = {
		the_usual_clients_speak_tls,
		leat_speaks_tls_and_looks_who_is_there,
		streams_pass_through_tls_and_memory_does_not_grow_with_them,
		a_leat_that_is_interrupted_over_tls_cancels_its_job,
		old_versions_and_weak_ciphers_are_refused,
		a_client_that_wants_another_protocol_or_to_negotiate_again_is_refused,
		a_session_is_resumed_by_its_ticket,
		byte_by_byte_and_in_pieces_the_answers_are_the_same,
		thousands_of_pipelined_requests_are_all_answered,
		a_long_answer_reaches_a_reader_who_takes_his_time,
		who_says_that_no_more_comes_gets_the_answers_and_who_speaks_http_is_cancelled,
		a_handshake_that_does_not_come_to_its_end_is_cut_off,
		no_more_connections_are_let_in_than_there_is_memory_for,
		what_tls_holds_is_accounted_for_however_far_a_client_comes,
		clients_are_asked_for_a_certificate_which_may_stand_for_a_token,
		sighup_changes_the_certificate_and_loses_no_connection,
		a_key_that_everybody_may_read_or_that_wants_a_password_is_refused,
	};
	return wire_suite("tls", tests, countof(tests));
}
