#include "server.h"

#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the test that runs. */
static struct server *servers;

static void kill_all(void)
{
	for (struct server *s = servers; s; s = s->next)
		kill(s->pid, SIGKILL);
}

static void add(struct server *s)
{
	static bool registered;

	s->next = servers;
	servers = s;
	if (!registered)
		atexit(kill_all);
	registered = true;
}

static void forget(const struct server *gone)
{
	struct server **at = &servers;

	while (*at && *at != gone)
		at = &(*at)->next;
	if (*at)
		*at = gone->next;
}

void server_forget(struct server *s)
{
	forget(s);
}

/* --- Start --- */

char *server_log(const struct server *s)
{
	return read_file(s->log_path, NULL);
}

bool server_logged(const struct server *s, const char *part)
{
	return strstr(server_log(s), part) != NULL;
}

/* The whole line that says where it listens, or NULL. */
static char *ready_line(const struct server *s)
{
	char *line = strstr(server_log(s), "msg=ready listen=");

	return line && strchr(line, '\n') ? line : NULL;
}

static void wait_ready(struct server *s)
{
	char *line = NULL, *host, *colon;

	wait_until((line = ready_line(s)) || waitpid(s->pid, NULL, WNOHANG) != 0, SOON);
	ck_assert_msg(line != NULL, "leatd did not start:\n%s", server_log(s));
	host = strchr(line, '=') + 1;
	host = strchr(host, '=') + 1;
	host[strcspn(host, "\n")] = '\0';
	colon = strrchr(host, ':');
	*colon = '\0';
	s->host = host;
	s->port = colon + 1;
}

static pid_t start(const struct server *s, const struct launch *launch)
{
	const char *listen = launch->listen ? launch->listen : scratchf("127.0.0.1:0, unix:%s", s->unix_path);
	const char *argv[14];
	size_t n = 0;

	if (launch->shell) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-c";
		argv[n++] = launch->shell;
		argv[n++] = "sh";
	}
	argv[n++] = leatd_path();
	argv[n++] = "-c";
	argv[n++] = s->config_path;
	argv[n++] = "-o";
	argv[n++] = scratchf("server.listen=%s", listen);
	/* Connections are to meet in different threads, however few CPUs there are. */
	if (launch->config && !strstr(launch->config, "loops = ")) {
		argv[n++] = "-o";
		argv[n++] = "server.loops=2";
	}
	argv[n] = NULL;
	return start_program((char *const *)(const void *)argv, environment_with(launch->environment), "/dev/null", s->log_path,
			     launch->descriptor_3 ? launch->descriptor_3 : -1);
}

struct server *server_launch(const struct launch *launch)
{
	struct server *s = scratch(sizeof(*s));
	const char *folder = new_folder();

	s->unix_path = launch->unix_path ? launch->unix_path : scratchf("%s/socket", folder);
	s->config_path = launch->config ? new_file(launch->config) : "conf/leatd.ini";
	s->log_path = scratchf("%s/log", folder);
	adopt_orphans();
	s->pid = start(s, launch);
	add(s);
	wait_ready(s);
	return s;
}

struct server *server_start(const char *config)
{
	return server_launch(&(struct launch){ .config = config });
}

/* --- Stop --- */

void server_wait(struct server *s)
{
	int status;
	char *log;

	forget(s);
	status = wait_for(s->pid);
	log = server_log(s);
	ck_assert_msg(!strstr(log, "Sanitizer") && !strstr(log, "runtime error"), "%s", log);
	ck_assert_msg(status == 0, "leatd ended with status %d:\n%s", status, log);
	ck_assert_msg(!strstr(log, "level=error"), "%s", log);
	assert_has(log, "msg=stopped");
	ck_assert_int_ne(access(s->unix_path, F_OK), 0);
}

void server_stop(struct server *s)
{
	ck_assert_int_eq(kill(s->pid, SIGTERM), 0);
	server_wait(s);
}

void servers_stop(void)
{
	clients_reset();
	while (servers)
		server_stop(servers);
}

void server_kill(struct server *s)
{
	kill(s->pid, SIGKILL);
	forget(s);
	wait_for(s->pid);
}

/* --- The books --- */

static const char *ask_control(struct server *s, const char *command)
{
	if (!s->control)
		s->control = dial_unix(s);
	say(s->control, command);
	return hear_reply(s->control);
}

uint64_t stat_of(struct server *s, const char *job, const char *field)
{
	const char *reply = ask_control(s, scratchf("STATS %s\r\n", job)), *at;

	at = strstr(reply, scratchf("\r\n%s\r\n:", field));
	ck_assert_msg(at != NULL, "no %s in %s", field, reply);
	return strtoull(strchr(at, ':') + 1, NULL, 10);
}

uint64_t inside(struct server *s, const char *job)
{
	return stat_of(s, job, "waiting") + stat_of(s, job, "running");
}

uint64_t metric(struct server *s, const char *sample)
{
	const struct response *r = ask(s, "GET /metrics HTTP/1.0\r\n\r\n");
	const char *at = strstr(r->body, scratchf("\n%s ", sample));

	ck_assert_msg(at != NULL, "no %s in\n%s", sample, r->body);
	return strtoull(at + strlen(sample) + 2, NULL, 10);
}

struct base_line base_line_of(struct server *s)
{
	/* The connection for the control is part of it. */
	ask_control(s, "PING\r\n");
	return (struct base_line){ .descriptors = descriptors_of(s->pid), .threads = threads_of(s->pid) };
}

void await_base_line(struct server *s, struct base_line base, size_t idle_runners)
{
	await(children_of(s->pid) == 0);
	await(descriptors_of(s->pid) == base.descriptors);
	await(threads_of(s->pid) <= base.threads + idle_runners);
	ck_assert_uint_ge(threads_of(s->pid), base.threads);
}
