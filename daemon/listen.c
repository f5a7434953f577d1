#include "listen.h"

#include "clients.h"
#include "conn.h"
#include "leatd.h"
#include "log.h"
#include "loop_impl.h"
#include "peer.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum {
	BACKLOG = 4096,
	/* Connections accepted before other events get their turn. */
	ACCEPT_BATCH = 64,
	/* Beyond max_connections: so many more are told BUSY, the rest are closed without a word. */
	SURPLUS_MAX = 256,
	/* The same beyond client_connections. */
	CLIENT_SURPLUS_MAX = 16,
};

size_t listen_most_connections(const struct leatd *leatd)
{
	return leatd->max_connections + SURPLUS_MAX;
}

/* --- Opening --- */

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int bind_socket(const struct listen_address *a, bool share)
{
	int fd = socket(a->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && share)
		r = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0 && a->socket.ss_family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0 && bind(fd, (const struct sockaddr *)&a->socket, a->len) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Another leatd with SO_REUSEPORT would let us share its address: a bind without it is refused whoever has it. */
static int probe(const struct listen_address *a)
{
	int fd = bind_socket(a, false);
	int r = 0;

	if (fd < 0)
		return fd;
	if (listen(fd, 1) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Listens, and writes the address with the port that was picked back to *a. */
static int start_listening(int fd, struct listen_address *a)
{
	socklen_t len = sizeof(a->socket);

	if (listen(fd, BACKLOG) < 0)
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&a->socket, &len) < 0)
		return -errno;
	a->len = len;
	return 0;
}

/* A socket file that nobody listens on any more is in the way. */
static int remove_stale(const struct listen_address *a)
{
	const struct sockaddr_un *un = (const void *)&a->socket;
	struct stat st;
	int fd, r;

	if (lstat(un->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Whatever else it says, somebody is behind it. */
	r = connect(fd, (const struct sockaddr *)&a->socket, a->len) < 0 && errno == ECONNREFUSED ? 0 : -EADDRINUSE;
	close(fd);
	if (r == 0 && unlink(un->sun_path) < 0)
		r = -errno;
	return r;
}

/* Before it listens: nobody can have come in by then. */
static int set_file(const struct listen_address *a, const struct unix_file *file)
{
	const char *path = ((const struct sockaddr_un *)(const void *)&a->socket)->sun_path;

	if ((file->uid != (uid_t)-1 || file->gid != (gid_t)-1) && lchown(path, file->uid, file->gid) < 0)
		return -errno;
	return file->set_mode && chmod(path, file->mode) < 0 ? -errno : 0;
}

static int open_unix(struct listen_address *a, const struct unix_file *file, int *fds, size_t n)
{
	int r = remove_stale(a);

	if (r < 0)
		return r;
	fds[0] = bind_socket(a, false);
	if (fds[0] < 0)
		return fds[0];
	r = set_file(a, file);
	if (r == 0 && listen(fds[0], BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		unlink(((const struct sockaddr_un *)(const void *)&a->socket)->sun_path);
		return r;
	}
	for (size_t i = 1; i < n; i++)
		fds[i] = fds[0];
	return 0;
}

static int open_tcp(struct listen_address *a, int *fds, size_t n)
{
	int r = probe(a);

	for (size_t i = 0; i < n && r == 0; i++) {
		fds[i] = bind_socket(a, true);
		r = fds[i] < 0 ? fds[i] : start_listening(fds[i], a);
	}
	return r;
}

/* While the addresses of `listen` are walked through. */
struct opening {
	struct listen_sockets *sockets;
	const struct config *config;
	char *why;
	size_t why_len;
	int error;
};

static bool open_entry(struct slice entry, void *arg)
{
	struct opening *o = arg;
	struct listen_sockets *s = o->sockets;
	struct listen_address a;
	int *fds = s->fds + s->address_count * s->loop_count;

	/* The configuration was checked: it cannot be malformed. */
	if (listen_address_parse(&a, entry))
		return false;
	o->error = a.socket.ss_family == AF_UNIX ? open_unix(&a, &o->config->unix_file, fds, s->loop_count) : open_tcp(&a, fds, s->loop_count);
	if (o->error) {
		snprintf(o->why, o->why_len, "cannot listen on %.*s: %s", (int)entry.len, entry.at, strerror(-o->error));
		return false;
	}
	s->tls[s->address_count] = a.tls;
	listen_address_text(&a, s->texts[s->address_count++]);
	return true;
}

static int take_handed_over(struct listen_sockets *s, const struct config *config, int count, char *const *names, char *why, size_t why_len)
{
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		struct listen_address a = { .len = sizeof(a.socket), .tls = strncmp(names[i], "tls", 3) == 0 };

		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			snprintf(why, why_len, "descriptor %d from systemd is not a listening stream socket", fd);
			return -EINVAL;
		}
		if (getsockname(fd, (struct sockaddr *)&a.socket, &a.len) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			return -errno;
		address_unmap(&a.socket);
		if (!listen_address_is_local(&a) && !*config->server.tokens) {
			listen_address_text(&a, s->texts[0]);
			snprintf(why, why_len, "%s from systemd can be reached from other machines, which needs tokens: set `tokens = FILE` "
				 "(`leatd --hash-token` prints its lines), or ListenStream=127.0.0.1:PORT", s->texts[0]);
			return -ENOKEY;
		}
		if (a.tls && !config->access->tls) {
			snprintf(why, why_len, "a socket from systemd that is named %.40s needs a certificate: set tls_cert and tls_key", names[i]);
			return -ENOKEY;
		}
		s->tls[s->address_count] = a.tls;
		for (size_t l = 0; l < s->loop_count; l++)
			s->fds[s->address_count * s->loop_count + l] = fd;
		listen_address_text(&a, s->texts[s->address_count++]);
	}
	s->handed_over = true;
	return 0;
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int listen_open(struct listen_sockets *s, const struct config *config, size_t loop_count, char *why, size_t why_len)
{
	struct opening o = { .sockets = s, .config = config, .why = why, .why_len = why_len };
	char **names = NULL;
	int handed_over = sd_listen_fds_with_names(1, &names), r;

	*s = (struct listen_sockets){ .loop_count = loop_count };
	s->fds = malloc(LISTEN_ADDRESSES_MAX * loop_count * sizeof(*s->fds));
	s->texts = calloc(LISTEN_ADDRESSES_MAX, sizeof(*s->texts));
	s->tls = calloc(LISTEN_ADDRESSES_MAX, sizeof(*s->tls));
	if (!s->fds || !s->texts || !s->tls || handed_over > LISTEN_ADDRESSES_MAX) {
		snprintf(why, why_len, "%s", handed_over > LISTEN_ADDRESSES_MAX ? "too many sockets from systemd" : strerror(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; i < LISTEN_ADDRESSES_MAX * loop_count; i++)
		s->fds[i] = -1;
	if (handed_over > 0) {
		r = take_handed_over(s, config, handed_over, names, why, why_len);
		free_names(names);
		return r;
	}
	config_each(config->server.listen, open_entry, &o);
	return o.error;
}

void listen_close(struct listen_sockets *s)
{
	for (size_t i = 0; i < s->address_count; i++) {
		if (!s->handed_over && strncmp(s->texts[i], "unix:", 5) == 0)
			unlink(s->texts[i] + 5);
	}
	for (size_t i = 0; s->fds && i < LISTEN_ADDRESSES_MAX * s->loop_count; i++) {
		/* A shared one stands there once for each loop, side by side. */
		if (s->fds[i] >= 0 && (i % s->loop_count == 0 || s->fds[i] != s->fds[i - 1]))
			close(s->fds[i]);
	}
	free(s->fds);
	free(s->texts);
	free(s->tls);
	*s = (struct listen_sockets){ 0 };
}

void listen_of_loop(const struct listen_sockets *s, size_t loop, int *room)
{
	for (size_t i = 0; i < s->address_count; i++)
		room[i] = s->fds[i * s->loop_count + loop];
}

/* --- Accepting, on the loop's thread --- */

struct listener {
	struct loop *loop;
	struct event *event;
	struct event *pause;    /* ends a rest after an error that does not go away by itself */
	bool tls;
	bool complained;
};

/* Of one connection, which is gone already: accept(2) on Linux also says what the network had to say of it. */
static bool is_of_connection(int error)
{
	switch (error) {
	case ECONNABORTED:
	case EINTR:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

static const struct timeval rest_time = { 0, 100 * 1000 };

/* The backlog keeps those who come; without the rest, the loop would spin on what it cannot accept. */
static void rest(struct listener *l, int error)
{
	/* Without the timer it would rest for ever. */
	if (evtimer_add(l->pause, &rest_time) == 0)
		event_del(l->event);
	if (!l->complained)
		log_warning(l->loop->leatd->log, "cannot accept, trying again", log_text("error", slice_of(strerror(error))));
	l->complained = true;
}

static void on_pause_over(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct listener *l = arg;

	if (event_add(l->event, NULL) < 0)
		evtimer_add(l->pause, &rest_time);
}

/* What a new connection finds. */
struct reception {
	const char *surplus;    /* why there is no place for it; NULL: there is */
	bool closed;            /* and there are too many already that are told so */
};

static void receive_client(struct loop *loop, const struct peer *peer, struct reception *r)
{
	struct leatd *leatd = loop->leatd;
	uint64_t most = loop->catalogue->config->server.client_connections, present = clients_add(leatd->clients, peer);

	if (most == 0)
		most = leatd->max_connections;
	if (present > most)
		r->surplus = "too many connections of this client";
	if (present <= most + CLIENT_SURPLUS_MAX)
		return;
	r->closed = true;
	if (present != UINT64_MAX)
		clients_remove(leatd->clients, peer);
}

/* One that is not closed has been counted. */
static struct reception receive(struct loop *loop, const struct peer *peer)
{
	struct leatd *leatd = loop->leatd;
	uint64_t present = shim_add(&leatd->connections, 1, relaxed);
	struct reception r = { 0 };

	if (present >= leatd->max_connections || present >= loop->catalogue->config->server.max_connections)
		r.surplus = "too many connections";
	r.closed = present >= listen_most_connections(leatd);
	if (!r.closed && leatd->clients)
		receive_client(loop, peer, &r);
	if (r.surplus)
		shim_add(&leatd->turned_away, 1, relaxed);
	if (r.closed)
		shim_sub(&leatd->connections, 1, relaxed);
	return r;
}

void listeners_forget(struct loop *loop, const struct peer *peer)
{
	/* In this order, or there could be more clients than connections. */
	if (loop->leatd->clients)
		clients_remove(loop->leatd->clients, peer);
	shim_sub(&loop->leatd->connections, 1, relaxed);
}

static void take(struct loop *loop, int fd, const struct sockaddr_storage *from, bool tls)
{
	struct peer peer = peer_of(fd, from);
	struct reception r = receive(loop, &peer);
	uint64_t number = shim_add(&loop->leatd->accepted, 1, relaxed) + 1;
	int on = 1;

	/* Fails on a unix socket, which has no such delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!r.closed) {
		if (conn_open(loop, fd, &peer, number, r.surplus, tls))
			return;
		listeners_forget(loop, &peer);
		shim_add(&loop->leatd->turned_away, !r.surplus, relaxed);
	}
	close(fd);
}

static void on_acceptable(evutil_socket_t socket, short what unused_arg, void *arg)
{
	struct listener *l = arg;

	loop_enter(l->loop);
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t from_len = sizeof(from);
		int fd = accept4(socket, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			l->complained = false;
			take(l->loop, fd, &from, l->tls);
		} else if (errno == EAGAIN) {
			break;
		} else if (!is_of_connection(errno)) {
			/* No descriptors, no memory, or what nobody has thought of, which must not make us spin either. */
			rest(l, errno);
			break;
		}
	}
	loop_leave(l->loop);
}

int listeners_start(struct loop *loop, const int *sockets, const bool *tls, size_t count)
{
	loop->listeners = calloc(count, sizeof(*loop->listeners));
	if (!loop->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct listener *l = &loop->listeners[loop->listener_count++];

		l->loop = loop;
		l->tls = tls[i];
		l->event = event_new(loop->base, sockets[i], EV_READ | EV_PERSIST, on_acceptable, l);
		l->pause = evtimer_new(loop->base, on_pause_over, l);
		if (!l->event || !l->pause || event_add(l->event, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

void listeners_stop(struct loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++) {
		if (loop->listeners[i].event)
			event_free(loop->listeners[i].event);
		if (loop->listeners[i].pause)
			event_free(loop->listeners[i].pause);
	}
	free(loop->listeners);
	loop->listeners = NULL;
	loop->listener_count = 0;
}
