/* Who may ask for what: tokens with rights on both protocols, users of unix sockets, and what a stranger is told. */
#include "wire.h"

#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNNER "runner-token-0123456789"
#define OPERATOR "operator-token-0123456789"
#define LOOKER "looker-token-0123456789"
#define WRONG "wrong-token-0123456789"

static const char config[] = "[job echo]\nbuiltin = echo\n[job upper]\nexec = tr a-z A-Z\n";

/* The digest that leatd prints for a token. */
static const char *digest_of(const char *token)
{
	struct ran ran = run("/bin/sh", "-c", scratchf("printf %%s '%s' | %s --hash-token", token, leatd_path()));

	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^client [0-9a-f]{64} run:\\*\n$");
	return scratchf("%.64s", strchr(ran.out, ' ') + 1);
}

static const char *secret_file(const char *text)
{
	const char *path = new_file(text);

	ck_assert_int_eq(chmod(path, 0600), 0);
	return path;
}

static const char *usual_tokens(void)
{
	return scratchf("# who may come\n\nrun %s run:upper,echo   ; both\n\trunupper %s run:upper\nops %s ops\nlook %s look\n", digest_of(RUNNER),
			digest_of("upper-token-0123456789"), digest_of(OPERATOR), digest_of(LOOKER));
}

static struct server *start_with(const char *tokens)
{
	return server_start(scratchf("[server]\ntokens = %s\n%s", secret_file(tokens), config));
}

/* The books cannot be asked for by server.c's own means, which has no token. */
static const char *line_answer(struct server *s, const char *token, const char *command)
{
	struct client *c = dial(s);

	if (token) {
		sayf(c, "AUTH %s\r\n", token);
		hear(c, "+OK\r\n");
	}
	say(c, command);
	return hear_reply(c);
}

static const struct response *http_answer(struct server *s, const char *token, const char *method, const char *path, const char *body)
{
	return ask(s, scratchf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s%s%s", method, path,
			       token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
			       body ? scratchf("Content-Length: %zu\r\n\r\n", strlen(body)) : "\r\n", body ? body : ""));
}

/* --- What each address and each command answers to whom --- */

START_TEST(each_address_answers_each_token_as_its_rights_say)
{
	static const struct {
		const char *method, *path, *body;
		int stranger, wrong, runner, looker;
	} rows[] = {
		{ "GET", "/healthz", NULL, 200, 200, 200, 200 },
		{ "GET", "/", NULL, 200, 200, 200, 200 },
		{ "GET", "/readyz", NULL, 401, 401, 200, 200 },
		{ "POST", "/v1/drain", "", 401, 401, 403, 403 },
		{ "GET", "/v1/jobs", NULL, 401, 401, 200, 200 },
		{ "GET", "/metrics", NULL, 401, 401, 200, 200 },
		{ "POST", "/v1/run/upper", "x", 401, 401, 200, 403 },
		{ "POST", "/v1/run/nope", "x", 401, 401, 403, 403 },
		{ "GET", "/v1/run/upper", NULL, 401, 401, 405, 405 },
		{ "OPTIONS", "/v1/run/upper", NULL, 204, 401, 204, 204 },
		{ "OPTIONS", "/v1/run/upper", "x", 401, 401, 204, 204 },
		{ "GET", "/nothing", NULL, 401, 401, 404, 404 },
		{ "DELETE", "/nothing", NULL, 401, 401, 404, 404 },
	};
	struct server *s = start_with(usual_tokens());

	for (size_t i = 0; i < countof(rows); i++) {
		static const char *const tokens[] = { NULL, WRONG, RUNNER, LOOKER };
		const int wanted[] = { rows[i].stranger, rows[i].wrong, rows[i].runner, rows[i].looker };

		for (size_t j = 0; j < countof(tokens); j++) {
			const struct response *r;

			r = http_answer(s, tokens[j], rows[i].method, rows[i].path, rows[i].body);
			ck_assert_msg(r->status == wanted[j], "%s %s with token %s: %d instead of %d", rows[i].method, rows[i].path,
				      tokens[j] ? tokens[j] : "none", r->status, wanted[j]);
			if (r->status == 401 || r->status == 403)
				assert_problem(r, r->status, "NOAUTH");
			if (r->status == 401)
				ck_assert_str_eq(header(r, "WWW-Authenticate"), "Bearer");
			else
				ck_assert_ptr_null(header(r, "WWW-Authenticate"));
		}
	}
}
END_TEST

START_TEST(each_command_answers_each_token_as_its_rights_say)
{
	static const struct {
		const char *command, *stranger, *runner, *looker;
	} rows[] = {
		{ "PING", "^-NOAUTH", "^\\+PONG", "^\\+PONG" },
		{ "RUN upper x", "^-NOAUTH", "^\\$1\r\nX", "^-NOAUTH .* token=look right=run job=upper\r\n" },
		{ "RUN nope x", "^-NOAUTH", "^-NOAUTH .* token=run right=run job=nope\r\n", "^-NOAUTH" },
		{ "DRAIN", "^-NOAUTH", "^-NOAUTH", "^-NOAUTH" },
		{ "JOBS", "^-NOAUTH", "^\\*2", "^\\*2" },
		{ "STATS", "^-NOAUTH", "^\\*2", "^\\*2" },
		{ "STATS nope", "^-NOAUTH", "^-NOJOB", "^-NOJOB" },
		{ "INFO", "^-NOAUTH", "^\\$", "^\\$" },
		{ "HELLO 3", "^-NOAUTH", "^%7", "^%7" },
		{ "CLIENT ID", "^-NOAUTH", "^:", "^:" },
		{ "COMMAND", "^-NOAUTH", "^\\*[1-9]", "^\\*[1-9]" },
		{ "CONFIG GET save", "^-NOAUTH", "^\\*2", "^\\*2" },
		{ "SELECT 0", "^-NOAUTH", "^\\+OK", "^\\+OK" },
		{ "NOSUCH", "^-NOAUTH", "^-ERR unknown", "^-ERR unknown" },
		{ "RUN", "^-NOAUTH", "^-ERR wrong number", "^-ERR wrong number" },
		{ "AUTH " WRONG, "^-NOAUTH wrong token\r\n", "^-NOAUTH wrong token\r\n", "^-NOAUTH wrong token\r\n" },
		{ "HELLO 3 AUTH default " WRONG, "^-NOAUTH wrong token\r\n", "^-NOAUTH wrong token\r\n", "^-NOAUTH wrong token\r\n" },
		{ "HELLO 3 AUTH default " RUNNER, "^%7", "^%7", "^%7" },
		{ "HELLO 4 AUTH default " RUNNER, "^-NOPROTO", "^-NOPROTO", "^-NOPROTO" },
		{ "AUTH anybody " RUNNER, "^\\+OK", "^\\+OK", "^\\+OK" },
		{ "QUIT", "^\\+OK", "^\\+OK", "^\\+OK" },
	};
	struct server *s = start_with(usual_tokens());

	for (size_t i = 0; i < countof(rows); i++) {
		const char *command = scratchf("%s\r\n", rows[i].command);

		assert_match(line_answer(s, NULL, command), rows[i].stranger);
		assert_match(line_answer(s, RUNNER, command), rows[i].runner);
		assert_match(line_answer(s, LOOKER, command), rows[i].looker);
	}
}
END_TEST

START_TEST(a_token_runs_the_jobs_of_its_right_and_no_other)
{
	struct server *s = start_with(scratchf("u %s run:upper\nall %s run:*\n", digest_of(RUNNER), digest_of(OPERATOR)));
	const struct response *r = http_answer(s, RUNNER, "POST", "/v1/run/echo", "x");

	assert_problem(r, 403, "NOAUTH");
	assert_has(r->body, "\"token\":\"u\",\"right\":\"run\",\"job\":\"echo\"");
	assert_response(http_answer(s, RUNNER, "POST", "/v1/run/upper", "x"), 200, "X");
	assert_response(http_answer(s, OPERATOR, "POST", "/v1/run/echo", "x"), 200, "x");
	assert_problem(http_answer(s, OPERATOR, "POST", "/v1/run/nope", "x"), 404, "NOJOB");
	/* What was denied never became a job. */
	assert_match(line_answer(s, RUNNER, "STATS echo\r\n"), "\r\nsubmitted\r\n:1\r\n");
	assert_has(http_answer(s, RUNNER, "GET", "/metrics", NULL)->body, "\nleat_denied_total{reason=\"right\"} 1\n");
}
END_TEST

START_TEST(who_has_spoken_goes_on_speaking_when_another_token_is_wrong)
{
	struct server *s = start_with(usual_tokens());
	struct client *c = dial(s);

	say(c, "PING\r\nAUTH " RUNNER "\r\nPING\r\nAUTH " WRONG "\r\nRUN upper x\r\nAUTH " LOOKER "\r\nRUN upper x\r\n");
	hear_match(c, "^-NOAUTH authentication required");
	hear(c, "+OK\r\n+PONG\r\n-NOAUTH wrong token\r\n$1\r\nX\r\n+OK\r\n");
	hear_match(c, "^-NOAUTH .*token=look");
}
END_TEST

START_TEST(the_header_is_read_as_http_has_it)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ "Authorization: Bearer " RUNNER, 200 }, { "authorization:bearer   " RUNNER, 200 }, { "Authorization: BEARER " RUNNER " ", 200 },
		{ "Authorization: " RUNNER, 401 }, { "Authorization: Basic " RUNNER, 401 }, { "Authorization: Bearer", 401 },
		{ "Authorization: Bearer ", 401 }, { "Authorization: Bearer x" RUNNER, 401 }, { "Authorization: Bearer " RUNNER "x", 401 },
		{ "Authorization:", 401 }, { "X-Authorization: Bearer " RUNNER, 401 },
		{ "Authorization: Bearer " RUNNER "\r\nAuthorization: Bearer " RUNNER, 400 },
	};
	struct server *s = start_with(usual_tokens());

	for (size_t i = 0; i < countof(rows); i++) {
		const struct response *r = ask(s, scratchf("GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n\r\n", rows[i].line));

		ck_assert_msg(r->status == rows[i].status, "%s: %d", rows[i].line, r->status);
	}
}
END_TEST

START_TEST(without_tokens_auth_is_an_error_and_a_header_does_not_matter)
{
	struct server *s = server_start(config);

	assert_match(line_answer(s, NULL, "AUTH x\r\n"), "^-ERR AUTH was sent, but no tokens are configured");
	assert_match(line_answer(s, NULL, "HELLO 3 AUTH a x\r\n"), "^-ERR AUTH was sent, but no tokens are configured");
	assert_response(http_answer(s, WRONG, "POST", "/v1/run/upper", "x"), 200, "X");
}
END_TEST

/* --- Strangers --- */

START_TEST(a_stranger_may_send_ten_elements_and_sixteen_kilobytes)
{
	struct server *s = start_with(usual_tokens());
	const char *long_text = scratchf("%016000d", 0), *too_long = scratchf("%017000d", 0);

	assert_match(line_answer(s, NULL, "*10\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
					  "$1\r\na\r\n$1\r\na\r\n"), "^-NOAUTH");
	assert_match(line_answer(s, NULL, "*11\r\n"), "^-ERR too many arguments");
	assert_match(line_answer(s, NULL, scratchf("RUN upper %s\r\n", long_text)), "^-NOAUTH");
	assert_match(line_answer(s, NULL, scratchf("RUN upper %s\r\n", too_long)), "^-ERR the inline command is too long");
	assert_match(line_answer(s, NULL, "*2\r\n$4\r\nAUTH\r\n$17000\r\n"), "^-ERR the command is too long");
	assert_match(line_answer(s, NULL, scratchf("*3\r\n$4\r\nAUTH\r\n$10000\r\n%010000d\r\n$10000\r\n", 0)), "^-ERR the command is too long");
	/* Who has a token may send what anybody may without tokens. */
	assert_match(line_answer(s, RUNNER, scratchf("RUN echo %s\r\n", too_long)), "^\\$17000\r\n");
	assert_match(line_answer(s, RUNNER, scratchf("*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$100000\r\n%0100000d\r\n", 0)), "^\\$100000\r\n");
}
END_TEST

START_TEST(a_stranger_is_told_so_before_he_has_sent_the_body)
{
	struct server *s = start_with(usual_tokens());
	const char *head = "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n";
	struct client *c = dial(s);

	sayf(c, "%s\r\n", head);
	assert_problem(hear_response(c), 401, "NOAUTH");
	hear_end(c);
	c = dial(s);
	sayf(c, "%sExpect: 100-continue\r\n\r\n", head);
	assert_problem(hear_response(c), 401, "NOAUTH");
	hear_end(c);
	c = dial(s);
	sayf(c, "%sExpect: 100-continue\r\nAuthorization: Bearer " RUNNER "\r\n\r\n", head);
	hear(c, "HTTP/1.1 100 Continue\r\n\r\n");
	sayf(c, "%01000000d", 0);
	ck_assert_int_eq(hear_response(c)->status, 200);
}
END_TEST

START_TEST(in_pieces_the_answers_are_the_same)
{
	static const char *const requests[] = {
		"POST /v1/run/upper HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabcGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /v1/run/upper HTTP/1.1\r\nHost: other\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"AUTH " RUNNER "\r\nRUN upper abc\r\nQUIT\r\n",
		"*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n*3\r\n$3\r\nRUN\r\n$5\r\nupper\r\n$1\r\na\r\n*1\r\n$4\r\nQUIT\r\n",
	};
	struct server *s = start_with(usual_tokens());

	for (size_t i = 0; i < countof(requests); i++) {
		size_t whole_len, len;
		struct client *c = dial(s);
		char *whole, *pieces;

		say(c, requests[i]);
		whole = hear_rest(c, &whole_len);
		for (size_t at = 1; at < strlen(requests[i]); at++) {
			c = dial_unix(s);
			say_bytes(c, requests[i], at);
			await(is_read(c) || is_over(c));
			say(c, requests[i] + at);
			pieces = hear_rest(c, &len);
			/* All but the date. */
			ck_assert_msg(len == whole_len && strcmp(whole + whole_len / 2, pieces + len / 2) == 0 && memcmp(whole, pieces, 20) == 0,
				      "cut at %zu:\n%s\ninstead of\n%s", at, pieces, whole);
			hang_up(c);
		}
	}
}
END_TEST

/* --- Unix sockets --- */

START_TEST(a_user_of_a_unix_socket_needs_no_token)
{
	struct server *s = start_with(scratchf("me uid:%u run:upper\nrun %s run:*\n", (unsigned)getuid(), digest_of(RUNNER)));
	struct client *c = dial_unix(s);

	say(c, "RUN upper x\r\nRUN echo x\r\n");
	hear(c, "$1\r\nX\r\n");
	hear_match(c, "^-NOAUTH .* token=me right=run job=echo$");
	say(c, "AUTH " RUNNER "\r\nRUN echo x\r\n");
	hear(c, "+OK\r\n$1\r\nx\r\n");
	/* HTTP as well; and what is said goes before what is known. */
	c = dial_unix(s);
	say(c, "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(hear_response(c)->status, 200);
	say(c, "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " WRONG "\r\n\r\n");
	ck_assert_int_eq(hear_response(c)->status, 401);
	/* Over TCP nobody knows who he is. */
	assert_match(line_answer(s, NULL, "RUN upper x\r\n"), "^-NOAUTH");
}
END_TEST

START_TEST(another_user_of_a_unix_socket_needs_one)
{
	struct server *s = start_with(scratchf("other uid:%u run:*\nnobody uid:nobody look\n", (unsigned)getuid() + 1));
	struct client *c = dial_unix(s);

	say(c, "PING\r\n");
	hear_match(c, "^-NOAUTH");
}
END_TEST

START_TEST(a_unix_socket_has_the_mode_and_the_owner_that_were_asked_for)
{
	struct server *s = server_start(scratchf("[server]\nunix_mode = 0606\n%s", config));
	const struct passwd *user = getpwnam("nobody");
	struct stat st;

	ck_assert_int_eq(stat(s->unix_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0606);
	if (getuid() != 0)
		return;
	s = server_start(scratchf("[server]\nunix_mode = 660\nunix_user = nobody\nunix_group = %s\n%s", getgrgid(user->pw_gid)->gr_name, config));
	ck_assert_int_eq(stat(s->unix_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert_int_eq(st.st_uid, user->pw_uid);
	ck_assert_int_eq(st.st_gid, user->pw_gid);
}
END_TEST

/* --- The file --- */

START_TEST(all_that_is_wrong_with_the_tokens_is_told_at_once)
{
	const char *digest = digest_of(RUNNER);
	const char *path = secret_file(scratchf("ok %s run:*\n"
						"short abcdef run:*\n"
						"plain " RUNNER " run:*\n"
						RUNNER "/x\n"
						"none uid:7\n"
						"what uid:8 walk run: run:a/b run:a,,b\n"
						"again %s look\n"
						"who uid:nosuchuser ops\n"
						"alone\n"
						"%05000d\n", digest, digest, 0));
	static const char *const errors[] = {
		":2: after the name comes the SHA-256 of the token in 64 hex digits", ":3: after the name comes",
		":4: a line is NAME CREDENTIAL RIGHT...", ":5: 'none' has no right: run:*, run:JOB,JOB, ops, or look",
		":6: 'walk' is not a right: run:*, run:JOB,JOB, ops, or look", ":6: run: '' is not the name of a job", ":6: run: 'a/b' is not",
		":7: the same credential as in line 1", ":8: there is no user 'nosuchuser'", ":9: after the name comes", ":9: 'alone' has no right",
		":10: a line of more than 4096 characters",
	};
	struct ran ran = leatd("-c", new_file(scratchf("[server]\nloops = x\ntokens = %s\n%s", path, config)), "--check-config");
	size_t lines = 0;

	ck_assert_int_eq(ran.status, 78);
	for (size_t i = 0; i < countof(errors); i++)
		assert_has(ran.err, scratchf("%s%s", path, errors[i]));
	assert_has(ran.err, ":2: [server] loops: 'x' ");
	for (const char *at = ran.err; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_uint_eq(lines, countof(errors) + 2);
	/* What stands where it does not belong may be a token. */
	ck_assert_msg(!strstr(ran.err, RUNNER), "%s", ran.err);
}
END_TEST

START_TEST(a_file_without_a_token_or_that_others_may_read_is_refused)
{
	static const struct {
		int mode;
		const char *text, *error;
	} rows[] = {
		{ 0600, "# nobody\n\n", "holds no token" }, { 0600, "", "holds no token" }, { 0640, "a uid:1 ops\n", "has mode 0640" },
		{ 0604, "a uid:1 ops\n", "has mode 0604" }, { 0620, "a uid:1 ops\n", "has mode 0620" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		const char *path = new_file(rows[i].text);
		struct ran ran;

		chmod(path, rows[i].mode);
		ran = leatd("-o", scratchf("server.tokens=%s", path), "--check-config");
		ck_assert_int_eq(ran.status, 78);
		assert_has(ran.err, rows[i].error);
		assert_has(ran.err, path);
	}
}
END_TEST

START_TEST(a_credential_of_systemd_is_found)
{
	const char *folder = new_folder();
	FILE *file = fopen(scratchf("%s/who", folder), "w");
	struct server *s;

	fprintf(file, "run %s run:*\n", digest_of(RUNNER));
	fclose(file);
	/* As systemd leaves it, with an access list that shows as the rights of the group. */
	chmod(scratchf("%s/who", folder), 0440);
	s = server_launch(&(struct launch){ .config = scratchf("[server]\ntokens = credential:who\n%s", config),
					    .environment = (const char *const[]){ scratchf("CREDENTIALS_DIRECTORY=%s", folder), NULL } });
	assert_match(line_answer(s, RUNNER, "RUN upper x\r\n"), "^\\$1\r\nX");
}
END_TEST

START_TEST(with_tokens_leatd_may_listen_to_other_machines)
{
	const char *path = secret_file(usual_tokens());
	struct server *s = server_launch(&(struct launch){ .config = scratchf("[server]\ntokens = %s\n%s", path, config), .listen = "0.0.0.0:0",
							   .unix_path = "/nonexistent" });
	struct ran ran = leatd("-o", "server.listen=0.0.0.0:0");

	assert_match(line_answer(s, RUNNER, "RUN upper x\r\n"), "^\\$1\r\nX");
	await(server_logged(s, "tokens travel"));
	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, "needs tokens: set `tokens = FILE`");
}
END_TEST

START_TEST(a_host_may_be_the_address_that_the_client_came_to_and_no_other)
{
	static const struct {
		const char *host;
		int status;
	} rows[] = {
		{ "127.0.0.2", 200 }, { "127.0.0.2:99", 200 }, { "127.0.0.1", 200 }, { "0.0.0.0", 200 }, { "127.0.0.3", 421 }, { "127.0.0.22", 421 },
		{ "127.0.0", 421 }, { "[127.0.0.2]", 421 }, { "127.0.0.2.evil.example", 421 }, { "evil.example", 421 }, { "", 421 },
	};
	struct server *s = server_launch(&(struct launch){ .config = scratchf("[server]\ntokens = %s\n%s", secret_file(usual_tokens()), config),
							   .listen = "0.0.0.0:0", .unix_path = "/nonexistent" });
	struct server other = *s;

	other.host = "127.0.0.2";
	for (size_t i = 0; i < countof(rows); i++) {
		const struct response *r = ask(&other, scratchf("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n", rows[i].host));

		ck_assert_msg(r->status == rows[i].status, "%s: %d", rows[i].host, r->status);
	}
}
END_TEST

/* As systemd opens ListenStream=5328. */
static int socket_for_everybody(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	return fd;
}

static struct server *start_for_everybody(int fd, const char *server)
{
	return server_launch(&(struct launch){ .config = scratchf("[server]\ntokens = %s\n%s\n%s", secret_file(usual_tokens()), server, config),
					       .shell = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", .descriptor_3 = fd });
}

START_TEST(on_a_socket_that_speaks_ipv6_too_an_ipv4_address_is_a_host_as_it_is_written)
{
	static const struct {
		const char *to, *host;
		int status;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:5328", 200 }, { "127.0.0.1", "localhost", 200 }, { "127.0.0.1", "[::1]:5328", 200 },
		{ "127.0.0.2", "127.0.0.2", 200 }, { "127.0.0.2", "127.0.0.3", 421 }, { "127.0.0.2", "evil.example", 421 },
		{ "::1", "[::1]:5328", 200 }, { "::1", "127.0.0.1", 200 }, { "::1", "LOCALHOST:1", 200 }, { "::1", "127.0.0.2", 421 },
	};
	int fd = socket_for_everybody();
	struct server *s = start_for_everybody(fd, "");
	struct server other = *s;

	for (size_t i = 0; i < countof(rows); i++) {
		const struct response *r;

		other.host = rows[i].to;
		r = ask(&other, scratchf("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n", rows[i].host));
		ck_assert_msg(r->status == rows[i].status, "%s at %s: %d", rows[i].host, rows[i].to, r->status);
	}
	close(fd);
}
END_TEST

START_TEST(on_a_socket_that_speaks_ipv6_too_each_ipv4_address_is_a_client)
{
	int fd = socket_for_everybody();
	struct server *s = start_for_everybody(fd, "client_connections = 1");
	struct server four = *s, six = *s;
	struct client *c, *surplus;

	four.host = "127.0.0.1";
	six.host = "::1";
	c = dial(&four);
	say(c, "AUTH " OPERATOR "\r\nPS\r\n");
	hear(c, "+OK\r\n*0\r\n");
	surplus = dial(&four);
	say(surplus, "PING\r\n");
	hear_match(surplus, "^-BUSY too many connections of this client");
	c = dial(&six);
	say(c, "AUTH " RUNNER "\r\nRUN echo x\r\n");
	hear(c, "+OK\r\n$1\r\nx\r\n");
	close(fd);
}
END_TEST

START_TEST(sighup_brings_new_tokens_and_a_broken_file_changes_nothing)
{
	const char *first = scratchf("a %s run:upper\n", digest_of(RUNNER)), *second = scratchf("a %s run:*\nb %s run:*\n", digest_of(RUNNER),
												  digest_of(OPERATOR));
	const char *path = secret_file(first);
	struct server *s = server_start(scratchf("[server]\ntokens = %s\n%s", path, config));
	struct client *c = dial(s);

	say(c, "AUTH " RUNNER "\r\nRUN echo x\r\n");
	hear(c, "+OK\r\n");
	hear_match(c, "^-NOAUTH");
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("echo rubbish >%s", path)).status, 0);
	kill(s->pid, SIGHUP);
	await(server_logged(s, "what was read before stays"));
	say(c, "RUN upper x\r\n");
	hear(c, "$1\r\nX\r\n");
	assert_match(line_answer(s, RUNNER, "PING\r\n"), "^\\+PONG");
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("printf '%s' >%s", second, path)).status, 0);
	kill(s->pid, SIGHUP);
	await(strstr(line_answer(s, NULL, "AUTH " OPERATOR "\r\n"), "+OK"));
	/* Who is connected has the new rights, */
	await((say(c, "RUN echo x\r\n"), strstr(hear_reply(c), "$1")));
	/* and none when the token has been taken away. */
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("echo 'b %s run:*' >%s", digest_of(OPERATOR), path)).status, 0);
	kill(s->pid, SIGHUP);
	await((say(c, "RUN echo x\r\n"), strstr(hear_reply(c), "-NOAUTH authentication required")));
	say(c, "*11\r\n");
	hear_match(c, "^-ERR too many");
}
END_TEST

/* --- The programs --- */

START_TEST(hash_token_prints_the_line_of_a_token)
{
	struct ran ran = run("/bin/sh", "-c", scratchf("printf abc | %s --hash-token", leatd_path()));

	/* Known from FIPS 180. */
	ck_assert_str_eq(ran.out, "client ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad run:*\n");
	assert_has(ran.err, "can be guessed");
	ck_assert_int_eq(ran.status, 0);
	ran = run("/bin/sh", "-c", scratchf("printf '%s\\n' | %s --hash-token", RUNNER, leatd_path()));
	ck_assert_str_eq(ran.err, "");
	ck_assert_str_eq(ran.out, scratchf("client %s run:*\n", digest_of(RUNNER)));
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("printf '' | %s --hash-token", leatd_path())).status, 65);
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("printf 'two words' | %s --hash-token", leatd_path())).status, 65);
	ck_assert_int_eq(run("/bin/sh", "-c", scratchf("head -c 600 /dev/zero | tr '\\0' x | %s --hash-token", leatd_path())).status, 65);
}
END_TEST

START_TEST(leat_and_other_clients_send_a_token)
{
	struct server *s = start_with(usual_tokens());
	const char *file = secret_file(RUNNER "\n"), *wrong = secret_file(WRONG), *empty = secret_file("\n");
	struct ran ran = shell(s, scratchf("$LEAT --token-file %s run upper x; LEAT_TOKEN_FILE=%s $LEAT run upper y", file, file));

	ck_assert_msg(strcmp(ran.out, "XY") == 0 && ran.status == 0, "%s\n%s", ran.out, ran.err);
	ran = shell(s, "$LEAT run upper x");
	ck_assert_int_eq(ran.status, 77);
	assert_has(ran.err, "NOAUTH authentication required");
	ran = shell(s, scratchf("head -c 10M /dev/zero | $LEAT --token-file %s run upper", wrong));
	ck_assert_int_eq(ran.status, 77);
	assert_has(ran.err, "NOAUTH wrong token");
	ran = shell(s, scratchf("$LEAT --token-file %s ping", empty));
	ck_assert_int_eq(ran.status, 64);
	assert_has(ran.err, "does not hold a token");
	ck_assert_int_eq(shell(s, "$LEAT --token-file /no/such ping").status, 64);
	ck_assert_str_eq(shell(s, "redis-cli -h $HOST -p $PORT --no-auth-warning -a " RUNNER " RUN upper x").out, "X\n");
	ck_assert_str_eq(shell(s, "redis-cli -3 -h $HOST -p $PORT --no-auth-warning --user me --pass " RUNNER " RUN upper x").out, "X\n");
	ck_assert_str_eq(shell(s, "curl -sS --oauth2-bearer " RUNNER " -d x http://$HOST:$PORT/v1/run/upper").out, "X");
	/* A server that has no tokens takes no offence. */
	s = server_start(config);
	ck_assert_str_eq(shell(s, scratchf("$LEAT --token-file %s run upper x", file)).out, "X");
}
END_TEST

START_TEST(no_token_is_ever_logged)
{
	struct server *s = server_start(scratchf("[server]\nlog = jobs\ntokens = %s\n%s", secret_file(usual_tokens()), config));

	line_answer(s, RUNNER, "RUN upper x\r\n");
	line_answer(s, NULL, "AUTH " WRONG "\r\n");
	line_answer(s, NULL, WRONG "\r\n");
	http_answer(s, RUNNER, "POST", "/v1/run/upper", "x");
	http_answer(s, WRONG, "POST", "/v1/run/upper", "x");
	server_stop(s);
	ck_assert_msg(!strstr(server_log(s), "token-0123456789"), "%s", server_log(s));
}
END_TEST

Suite *access_suite(void)
{
	const TTest *tests[] = {
		each_address_answers_each_token_as_its_rights_say,
		each_command_answers_each_token_as_its_rights_say,
		a_token_runs_the_jobs_of_its_right_and_no_other,
		who_has_spoken_goes_on_speaking_when_another_token_is_wrong,
		the_header_is_read_as_http_has_it,
		without_tokens_auth_is_an_error_and_a_header_does_not_matter,
		a_stranger_may_send_ten_elements_and_sixteen_kilobytes,
		a_stranger_is_told_so_before_he_has_sent_the_body,
		in_pieces_the_answers_are_the_same,
		a_user_of_a_unix_socket_needs_no_token,
		another_user_of_a_unix_socket_needs_one,
		a_unix_socket_has_the_mode_and_the_owner_that_were_asked_for,
		all_that_is_wrong_with_the_tokens_is_told_at_once,
		a_file_without_a_token_or_that_others_may_read_is_refused,
		a_credential_of_systemd_is_found,
		with_tokens_leatd_may_listen_to_other_machines,
		a_host_may_be_the_address_that_the_client_came_to_and_no_other,
		on_a_socket_that_speaks_ipv6_too_an_ipv4_address_is_a_host_as_it_is_written,
		on_a_socket_that_speaks_ipv6_too_each_ipv4_address_is_a_client,
		sighup_brings_new_tokens_and_a_broken_file_changes_nothing,
		hash_token_prints_the_line_of_a_token,
		leat_and_other_clients_send_a_token,
		no_token_is_ever_logged,
	};
	return wire_suite("access", tests, countof(tests));
}
