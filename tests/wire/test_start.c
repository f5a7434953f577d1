/* The command line, addresses, and what systemd hands over. */
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char echo[] = "[job echo]\nbuiltin = echo\n";

START_TEST(help_and_version_are_printed)
{
	struct ran ran = leatd("--help");

	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^Usage: leatd .*--check-config.*--print-config.*Exit status: 0 orderly stop");
	ck_assert_str_eq(leatd("-h").out, ran.out);
	ran = leatd("--version");
	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^leatd [0-9]+\\.[0-9]+\\.[0-9]+\n$");
	ck_assert_str_eq(ran.err, "");
}
END_TEST

START_TEST(a_bad_command_line_is_64)
{
	ck_assert_int_eq(leatd("--nope").status, 64);
	ck_assert_int_eq(leatd("-x").status, 64);
	ck_assert_int_eq(leatd("word").status, 64);
	ck_assert_int_eq(leatd("-c").status, 64);
	ck_assert_int_eq(leatd("-o").status, 64);
	assert_match(leatd("--nope").err, "leatd --help");
}
END_TEST

static struct ran start_another(const char *address)
{
	return leatd("-c", new_file(echo), "-o", scratchf("server.listen=%s", address));
}

START_TEST(an_address_in_use_is_71_and_the_first_goes_on)
{
	struct server *s = server_start(echo);
	struct ran tcp = start_another(scratchf("%s:%s", s->host, s->port));
	struct ran unix_socket = start_another(scratchf("unix:%s", s->unix_path));
	struct ran both = start_another(scratchf("127.0.0.1:0, %s:%s", s->host, s->port));
	struct client *c;

	ck_assert_int_eq(tcp.status, 71);
	assert_match(tcp.err, scratchf("level=error .*127\\.0\\.0\\.1:%s.*Address already in use", s->port));
	ck_assert_int_eq(unix_socket.status, 71);
	assert_match(unix_socket.err, "level=error .*Address already in use");
	ck_assert_int_eq(both.status, 71);
	c = dial(s);
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
	c = dial_unix(s);
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(an_address_that_another_program_has_is_71)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	/* Even one that would share it. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	ck_assert_int_eq(start_another(scratchf("127.0.0.1:%d", ntohs(address.sin_port))).status, 71);
	close(fd);
}
END_TEST

START_TEST(a_socket_that_nobody_listens_on_is_replaced_and_another_file_is_not)
{
	struct server *s = server_start(echo), *next;
	const char *file = new_file("precious\n");
	struct client *c;

	server_kill(s);
	ck_assert_int_eq(access(s->unix_path, F_OK), 0);
	next = server_launch(&(struct launch){ .config = echo, .unix_path = s->unix_path });
	c = dial_unix(next);
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
	ck_assert_int_eq(start_another(scratchf("unix:%s", file)).status, 71);
	ck_assert_str_eq(read_file(file, NULL), "precious\n");
	ck_assert_int_eq(start_another("unix:/no/such/folder/socket").status, 71);
}
END_TEST

START_TEST(a_port_can_be_used_again_at_once)
{
	struct server *s = server_start(echo);
	struct client *c = dial(s);
	pid_t again;
	const char *folder = new_folder(), *log = scratchf("%s/log", folder);

	/* The side that closes first keeps the port busy for a while. */
	say(c, "QUIT\r\n");
	hear(c, "+OK\r\n");
	hear_end(c);
	server_stop(s);
	again = start_program((char *[]){ scratchf("%s", leatd_path()), scratchf("-o"), scratchf("server.listen=%s:%s", s->host, s->port), NULL },
			      environment_with(NULL), "/dev/null", log, -1);
	await(strstr(read_file(log, NULL), "msg=ready"));
	kill(again, SIGTERM);
	ck_assert_int_eq(wait_for(again), 0);
}
END_TEST

START_TEST(all_addresses_are_served)
{
	const char *folder = new_folder();
	struct server *s = server_launch(&(struct launch){
		.config = echo, .listen = scratchf("127.0.0.1:0, localhost:0,127.0.0.2:0 , unix:%s/a, unix:%s/b", folder, folder) });
	char *log;

	await(server_logged(s, scratchf("msg=ready listen=unix:%s/b\n", folder)));
	log = server_log(s);
	for (int i = 0; i < 5; i++) {
		char *address = strstr(log, "msg=ready listen=") + strlen("msg=ready listen="), *end = strchr(address, '\n');

		*end = '\0';
		ck_assert_str_eq(run(leat_path(), "--server", address, "run", "echo", "x").out, "x");
		log = end + 1;
	}
	s->unix_path = scratchf("%s/a", folder);
}
END_TEST

START_TEST(sighup_is_survived)
{
	struct server *s = server_start(echo);
	struct client *c = dial(s);

	for (int i = 0; i < 10; i++)
		kill(s->pid, SIGHUP);
	await(server_logged(s, "the configuration was read again"));
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(leatd_starts_without_standard_descriptors)
{
	struct server *s = server_launch(&(struct launch){ .config = "[job cat]\nexec = cat\n", .shell = "exec \"$@\" <&- >&-" });
	struct client *c = dial(s);

	for (int i = 0; i < 10; i++) {
		say(c, "RUN cat hello\r\n");
		hear(c, "$5\r\nhello\r\n");
	}
}
END_TEST

/* --- systemd --- */

static int listening_socket(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	return fd;
}

START_TEST(a_socket_that_is_handed_over_is_served)
{
	int fd = listening_socket();
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	struct server *s = server_launch(&(struct launch){
		.config = echo, .shell = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", .descriptor_3 = fd });
	struct client *c = dial(s);

	getsockname(fd, (struct sockaddr *)&address, &len);
	ck_assert_int_eq(atoi(s->port), ntohs(address.sin_port));
	/* It takes the place of what the configuration says. */
	ck_assert_int_ne(access(s->unix_path, F_OK), 0);
	say(c, "RUN echo x\r\n");
	hear(c, "$1\r\nx\r\n");
	assert_response(get(s, "/readyz"), 200, "ok\n");
	server_stop(s);
	/* Who comes between two leatds waits in the socket. */
	c = dial(s);
	say(c, "PING\r\n");
	s = server_launch(&(struct launch){ .config = echo, .shell = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", .descriptor_3 = fd });
	hear(c, "+PONG\r\n");
	close(fd);
}
END_TEST

static int socket_that_speaks_both(const char *address_text)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

	ck_assert_int_eq(inet_pton(AF_INET6, address_text, &address.sin6_addr), 1);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	return fd;
}

START_TEST(an_ipv4_address_is_the_same_one_where_the_socket_speaks_ipv6)
{
	int fd = socket_that_speaks_both("::ffff:127.0.0.1");
	/* Nobody but this machine can reach it, so it needs no tokens. */
	struct server *s = server_launch(&(struct launch){
		.config = "[job sleep]\nbuiltin = sleep\ndeadline = 1m\n", .shell = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", .descriptor_3 = fd });
	struct client *c = dial(s);

	ck_assert_str_eq(s->host, "127.0.0.1");
	say(c, "RUN sleep 60000\r\n");
	await(text_matches(get(s, "/v1/ps")->body, "\"peer\":\"127\\.0\\.0\\.1:[0-9]+\""));
	close(fd);
}
END_TEST

START_TEST(a_socket_that_speaks_both_and_that_others_can_reach_needs_tokens)
{
	const char *folder = new_folder(), *log = scratchf("%s/log", folder);
	int fd = socket_that_speaks_both("::");
	char *argv[] = { scratchf("/bin/sh"), scratchf("-c"), scratchf("LISTEN_FDS=1 LISTEN_PID=$$ exec %s", leatd_path()), NULL };

	ck_assert_int_eq(wait_for(start_program(argv, environment_with(NULL), "/dev/null", log, fd)), 78);
	assert_has(read_file(log, NULL), "from systemd can be reached from other machines, which needs tokens");
	close(fd);
}
END_TEST

START_TEST(sockets_for_another_process_are_not_taken)
{
	int fd = listening_socket();
	struct server *s = server_launch(&(struct launch){
		.config = echo, .shell = "LISTEN_FDS=1 LISTEN_PID=1 exec \"$@\"", .descriptor_3 = fd });
	struct client *c = dial_unix(s);

	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
	close(fd);
}
END_TEST

START_TEST(what_is_handed_over_and_is_no_listening_socket_is_71)
{
	const char *folder = new_folder(), *log = scratchf("%s/log", folder);
	char *argv[] = { scratchf("/bin/sh"), scratchf("-c"), scratchf("LISTEN_FDS=1 LISTEN_PID=$$ exec %s 3</dev/null", leatd_path()), NULL };

	ck_assert_int_eq(wait_for(start_program(argv, environment_with(NULL), "/dev/null", log, -1)), 71);
	assert_has(read_file(log, NULL), "not a listening stream socket");
}
END_TEST

/* The next message that systemd would get; fails the test if there is none. */
static const char *next_notice(int fd)
{
	char *notice = scratch(4096);
	struct pollfd waiting = { fd, POLLIN, 0 };

	ck_assert_int_eq(poll(&waiting, 1, 30000), 1);
	ck_assert_int_gt(recv(fd, notice, 4095, 0), 0);
	return notice;
}

START_TEST(systemd_is_told_of_readiness_and_of_the_end)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct server *s;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", new_folder());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	s = server_launch(&(struct launch){
		.config = echo, .environment = (const char *const[]){ scratchf("NOTIFY_SOCKET=%s", address.sun_path), NULL } });
	assert_match(next_notice(fd), "^READY=1(\n|$)");
	server_stop(s);
	assert_match(next_notice(fd), "^STOPPING=1(\n|$)");
	close(fd);
}
END_TEST

Suite *start_suite(void)
{
	const TTest *tests[] = {
		help_and_version_are_printed,
		a_bad_command_line_is_64,
		an_address_in_use_is_71_and_the_first_goes_on,
		an_address_that_another_program_has_is_71,
		a_socket_that_nobody_listens_on_is_replaced_and_another_file_is_not,
		a_port_can_be_used_again_at_once,
		all_addresses_are_served,
		sighup_is_survived,
		leatd_starts_without_standard_descriptors,
		a_socket_that_is_handed_over_is_served,
		an_ipv4_address_is_the_same_one_where_the_socket_speaks_ipv6,
		a_socket_that_speaks_both_and_that_others_can_reach_needs_tokens,
		sockets_for_another_process_are_not_taken,
		what_is_handed_over_and_is_no_listening_socket_is_71,
		systemd_is_told_of_readiness_and_of_the_end,
	};
	return wire_suite("start", tests, countof(tests));
}
