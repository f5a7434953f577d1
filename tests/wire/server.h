/* A real leatd, on a free port and on a unix socket of its own. */
#ifndef LEAT_SERVER_H
#define LEAT_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

struct server {
	pid_t pid;
	const char *host, *port;
	const char *unix_path;
	const char *config_path;        /* the file of its configuration */
	const char *log_path;           /* its stderr */
	struct client *control;         /* a connection to ask for the books; NULL until it is used */
	struct server *next;
};

/* How to start one. */
struct launch {
	const char *config;             /* the text of its file; NULL: conf/leatd.ini */
	const char *listen;             /* NULL: a free port, and the unix socket */
	const char *unix_path;          /* NULL: one in a new folder */
	const char *const *environment; /* more variables, ended by NULL; NULL: none */
	const char *shell;              /* a line of shell that becomes leatd by `exec "$@"`; NULL: started without one */
	int descriptor_3;               /* what it has there; 0: nothing */
};

/* Starts leatd and waits until it is ready. */
struct server *server_start(const char *config);
struct server *server_launch(const struct launch *);

/* Stops it with SIGTERM, and asserts that it ends 0 and that no sanitizer and no error was heard of. */
void server_stop(struct server *);
/* The same for all that a test started, after all its clients have hung up. */
void servers_stop(void);

/* For tests that send the signal themselves: waits for the end, with the assertions of server_stop(). */
void server_wait(struct server *);
/* For tests that have seen it end. */
void server_forget(struct server *);
/* Kills it as the kernel would when memory is short. */
void server_kill(struct server *);

/* What it has logged so far. */
char *server_log(const struct server *);
bool server_logged(const struct server *, const char *part);

/* A number of the books: `field` as in STATS. */
uint64_t stat_of(struct server *, const char *job, const char *field);
/* How many jobs of a type wait or run. */
uint64_t inside(struct server *, const char *job);
/* A sample of /metrics by its whole name with labels. */
uint64_t metric(struct server *, const char *sample);

/* What comes back to it when all is over. */
struct base_line {
	size_t descriptors, threads;
};
struct base_line base_line_of(struct server *);
/* Waits until it is there again; runners that wait for more work, at most `idle_runners`, may have been added. */
void await_base_line(struct server *, struct base_line, size_t idle_runners);

#endif
