#include "catalogue.h"
#include "cgroup.h"
#include "clients.h"
#include "config.h"
#include "controllers.h"
#include "ids.h"
#include "inquiry.h"
#include "leatd.h"
#include "listen.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "reload.h"
#include "page.h"
#include "signals.h"
#include "tokens.h"
#include "trim.h"
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
	OVERRIDES_MAX = 256,
	/* Clients that ask for one while another is under way; one of each loop at most. */
	RELOADS_WAITING = 256,
};

static const char usage[] =
	"Usage: leatd [-c FILE] [-o SECTION.KEY=VALUE]... [--check-config | --print-config | --hash-token]\n"
	"\n"
	"Takes jobs over TCP, runs them on a bounded pool and answers by the deadline.\n"
	"\n"
	"  -c, --config FILE     read FILE (default: " LEAT_SYSCONFDIR "/leat/leatd.ini if it is there, else a built-in one)\n"
	"  -o SECTION.KEY=VALUE  override one key; may repeat: -o server.listen=127.0.0.1:0 -o 'job echo.queue=8'\n"
	"      --check-config    say whether the configuration is right, and end\n"
	"      --print-config    print the configuration in force with what each key means, and end\n"
	"      --hash-token      read a token from stdin, print its line for the tokens file, and end\n"
	"  -V, --version         print the version, and end\n"
	"  -h, --help            print this, and end\n"
	"\n"
	"Try it:\n"
	"  printf 'RUN upper \"hello world\"\\r\\nQUIT\\r\\n' | nc 127.0.0.1 5328\n"
	"  curl --data-binary @FILE http://127.0.0.1:5328/v1/run/sha256\n"
	"\n"
	"SIGHUP: the configuration is read again, with the files of tokens and of the certificate; a broken one changes nothing.\n"
	"SIGTERM and SIGINT: no new jobs, those accepted are finished within drain_timeout; a second one cancels them.\n"
	"Exit status: 0 orderly stop; 64 bad command line; 78 bad configuration; 71 cannot start.\n";

struct arguments {
	const char *config_path;
	const char *overrides[OVERRIDES_MAX];
	size_t override_count;
	bool check, print, hash;
};

static void usage_error(const char *what)
{
	fprintf(stderr, "leatd: %s\nTry `leatd --help`.\n", what);
	exit(EX_USAGE);
}

static void parse_arguments(struct arguments *args, int argc, char **argv)
{
	enum { CHECK = 256, PRINT, HASH };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "check-config", no_argument, NULL, CHECK },
		{ "print-config", no_argument, NULL, PRINT }, { "hash-token", no_argument, NULL, HASH },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:o:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->config_path = optarg;
			break;
		case 'o':
			if (args->override_count == OVERRIDES_MAX)
				usage_error("more than 256 overrides");
			args->overrides[args->override_count++] = optarg;
			break;
		case CHECK:
			args->check = true;
			break;
		case PRINT:
			args->print = true;
			break;
		case HASH:
			args->hash = true;
			break;
		case 'V':
			puts("leatd " LEAT_VERSION);
			exit(EX_OK);
		case 'h':
			fputs(usage, stdout);
			exit(EX_OK);
		default:
			fputs("Try `leatd --help`.\n", stderr);
			exit(EX_USAGE);
		}
	}
	if (optind < argc)
		usage_error("takes options only");
}

static struct config *load_config(const struct config_source *source)
{
	struct buf errors = { 0 };
	struct config *config = config_source_load(source, &errors);

	if (!config) {
		fwrite(errors.at, 1, errors.len, stderr);
		exit(EX_CONFIG);
	}
	buf_free(&errors);
	return config;
}

/* Of a token on stdin. */
static int hash_token(void)
{
	char room[TOKEN_LEN_MAX + 3];
	size_t len = fread(room, 1, sizeof(room), stdin);
	struct buf line = { 0 };
	const char *wrong;

	if (len > 0 && room[len - 1] == '\n')
		len--;
	if (len > 0 && room[len - 1] == '\r')
		len--;
	wrong = token_fault((struct slice){ room, len });
	if (wrong) {
		fprintf(stderr, "leatd: %s\n", wrong);
		return EX_DATAERR;
	}
	if (len < TOKEN_LEN_GOOD)
		fprintf(stderr, "leatd: warning: a token of %zu characters can be guessed; `openssl rand -hex 32` makes a good one\n", len);
	if (!token_line((struct slice){ room, len }, "client", &line) || fwrite(line.at, 1, line.len, stdout) != line.len || fflush(stdout) != 0)
		return EX_OSERR;
	buf_free(&line);
	explicit_bzero(room, sizeof(room));
	return EX_OK;
}

static int print_config(const struct config *config)
{
	struct buf text = { 0 };

	config_print(config, &text);
	if (text.failed || fwrite(text.at, 1, text.len, stdout) != text.len)
		return EX_OSERR;
	buf_free(&text);
	return EX_OK;
}

/* --- What is set up before the first thread --- */

/* A descriptor that leatd opens must never be 0, 1 or 2: the child's would be closed over it. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* As many descriptors as we may have: each connection is one. Commands get what we had: some walk through all they might have. */
static void raise_descriptor_limit(struct rlimit *before)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, before);
	limit = *before;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* One for every two CPUs: the others are for what runs. With more, each has less to do at a time, and the CPUs change hands more often. */
static size_t usual_loops(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? ((size_t)CPU_COUNT(&set) + 1) / 2 : 1;
}

struct hosts {
	char **names;
	size_t count;
};

static bool add_host(struct slice name, void *arg)
{
	struct hosts *hosts = arg;
	char **names = reallocarray(hosts->names, hosts->count + 2, sizeof(*names));

	if (!names)
		return false;
	hosts->names = names;
	names[hosts->count] = strndup(name.at, name.len);
	if (!names[hosts->count])
		return false;
	names[++hosts->count] = NULL;
	return true;
}

/* What a Host header may say besides what the configuration adds: this machine's own names, and the addresses. */
static bool collect_hosts(struct leatd *leatd, const struct listen_sockets *sockets)
{
	struct hosts hosts = { NULL, 0 };
	bool ok = config_each("localhost, 127.0.0.1, [::1]", add_host, &hosts);

	for (size_t i = 0; i < sockets->address_count && ok; i++) {
		const char *text = sockets->texts[i] + (sockets->tls[i] ? strlen("tls:") : 0);
		const char *colon = strrchr(text, ':');

		if (strncmp(text, "unix:", 5) != 0)
			ok = add_host((struct slice){ text, (size_t)(colon - text) }, &hosts);
	}
	leatd->hosts = hosts.names;
	return ok;
}

/* The keys that limit the whole tree of a job, and not each process by itself. */
static void name_tree_limits(const struct cgroup *cgroup, struct buf *to)
{
	for (size_t i = 0; i < CONTROLLERS; i++) {
		if (!(cgroup_controllers(cgroup) & controllers_row(i)->bit))
			continue;
		buf_add_slice(to, to->len > 0 ? SLICE(", ") : SLICE(""));
		buf_add_slice(to, slice_of(controllers_row(i)->key));
	}
	if (to->len == 0)
		buf_add_slice(to, SLICE("none"));
}

static void say_proof(const struct leatd *leatd, const char *why)
{
	const struct cgroup *cgroup = leatd->trees.cgroup;
	struct log_field path = log_text("path", slice_of(cgroup_path(cgroup)));
	char room[64];
	struct buf limits = buf_on(room);

	name_tree_limits(cgroup, &limits);
	if (*why)
		log_notice(leatd->log, "proof of death: cgroup", path, log_text("tree_limits", buf_slice(&limits)), log_text("why", slice_of(why)));
	else
		log_notice(leatd->log, "proof of death: cgroup", path, log_text("tree_limits", buf_slice(&limits)));
}

/* Says which proof leatd will have that the tree of a job is gone, and which limits hold for all of it. */
static int choose_proof(struct leatd *leatd, const struct config *config)
{
	char why[300];
	bool error;

	leatd->trees.cgroup = cgroup_open(config->server.cgroup, &error, why, sizeof(why));
	if (leatd->trees.cgroup)
		say_proof(leatd, why);
	else if (error)
		log_error(leatd->log, "cannot use the cgroup", log_text("why", slice_of(why)));
	else
		log_notice(leatd->log, "proof of death: descendants, the weaker one", log_text("why", slice_of(why)));
	return error ? -EINVAL : 0;
}

static int start_catalogue(struct leatd *leatd, struct config *config)
{
	struct catalogue_change change;
	struct buf errors = { 0 };

	leatd->catalogue = catalogue_new(leatd, config_ref(config), NULL, &change, &errors);
	if (!leatd->catalogue)
		log_error(leatd->log, "cannot start", log_text("error", buf_slice(&errors)));
	buf_free(&errors);
	return leatd->catalogue ? 0 : -EINVAL;
}

static int leatd_init(struct leatd *leatd, struct config *config, struct log *log)
{
	leatd->log = log;
	leatd->started_unix = time(NULL);
	leatd->ids = ids_new();
	leatd->page = page_new();
	leatd->reloads = chan_new(sizeof(struct question *), RELOADS_WAITING);
	leatd->max_connections = config->server.max_connections;
	shim_store(&leatd->max_memory, config->server.max_memory, relaxed);
	if (!leatd->ids || !leatd->page || !leatd->reloads)
		return -ENOMEM;
	if (config->server.client_connections > 0) {
		leatd->clients = clients_new(listen_most_connections(leatd));
		if (!leatd->clients)
			return -ENOMEM;
	}
	if (getrandom(&leatd->id_seed, sizeof(leatd->id_seed), 0) != sizeof(leatd->id_seed))
		leatd->id_seed = (uint64_t)moment_now() ^ (uint64_t)getpid() << 48;
	/* What a command may leave behind (leave_children) comes to us, and we see it end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (trees_init(&leatd->trees) < 0)
		return -errno;
	if (choose_proof(leatd, config) < 0)
		return -EINVAL;
	return start_catalogue(leatd, config);
}

/* --- The loops --- */

struct loops {
	struct loop **loops;
	size_t count;
	struct chan *drained;           /* of size_t */
	struct chan *renewed;           /* of const struct catalogue * */
	struct chan **mails;            /* what they ask each other; one of each */
	size_t mail_count;
};

static bool make_mails(struct loops *l, size_t wanted)
{
	l->mails = calloc(wanted, sizeof(*l->mails));
	while (l->mails && l->mail_count < wanted && (l->mails[l->mail_count] = inquiry_mail_new(wanted)))
		l->mail_count++;
	return l->mail_count == wanted;
}

static bool start_loops(struct loops *l, struct leatd *leatd, const struct listen_sockets *sockets)
{
	int *listeners = calloc(sockets->address_count, sizeof(*listeners));
	size_t wanted = sockets->loop_count;
	bool made;

	l->drained = chan_new(sizeof(size_t), wanted);
	l->renewed = chan_new(sizeof(const struct catalogue *), wanted);
	l->loops = calloc(wanted, sizeof(struct loop *));
	made = make_mails(l, wanted) && listeners && l->drained && l->renewed && l->loops;
	while (made && l->count < wanted) {
		struct loop_options options = { .leatd = leatd, .index = l->count, .listeners = listeners, .listeners_tls = sockets->tls,
						.listener_count = sockets->address_count, .drained = l->drained, .renewed = l->renewed,
						.leave_backlog = sockets->handed_over, .mails = l->mails, .mail_count = l->mail_count };

		listen_of_loop(sockets, l->count, listeners);
		l->loops[l->count] = loop_start(&options);
		if (!l->loops[l->count])
			break;
		l->count++;
	}
	free(listeners);
	return l->count == wanted;
}

static void order_all(const struct loops *l, enum loop_order order)
{
	for (size_t i = 0; i < l->count; i++)
		loop_order(l->loops[i], order);
}

static void trim_all(const struct loops *l)
{
	for (size_t i = 0; i < l->count; i++)
		loop_trim(l->loops[i]);
}

static void stop_loops(struct loops *l)
{
	order_all(l, LOOP_QUIT);
	for (size_t i = 0; i < l->count; i++)
		loop_join(l->loops[i]);
}

static void free_loops(struct loops *l)
{
	for (size_t i = 0; i < l->count; i++)
		loop_free(l->loops[i]);
	for (size_t i = 0; i < l->mail_count; i++)
		inquiry_mail_free(l->mails[i]);
	free(l->mails);
	chan_unref(l->drained);
	chan_unref(l->renewed);
	free(l->loops);
}

/* --- Who may come in --- */

static void warn_of_job(struct slice token, struct slice job, void *arg)
{
	const struct leatd *leatd = arg;

	if (!catalogue_type(leatd->catalogue, job))
		log_warning(leatd->log, "a token has the right to run a job that is not there", log_text("token", token), log_text("job", job));
}

/* Who listens on the way hears the token. */
static void warn_of_address(const struct leatd *leatd, const char *text)
{
	struct listen_address address;

	if (leatd->catalogue->access->tokens && !listen_address_parse(&address, slice_of(text)) && !listen_address_is_local(&address) &&
	    !address.tls)
		log_warning(leatd->log, "tokens travel unencrypted to this address", log_text("listen", slice_of(text)));
}

static void warn_of_tokens(struct leatd *leatd)
{
	if (leatd->catalogue->access->tokens)
		tokens_each_job(leatd->catalogue->access->tokens, warn_of_job, leatd);
}

/* --- The course of things --- */

/* What main has while leatd serves and drains. */
struct course {
	struct leatd *leatd;
	struct loops loops;
	struct chan *signals;           /* borrowed */
	struct trim trim;
	struct notify notify;
	struct reload reload;
	struct watchdog *watchdog;      /* NULL: there is none */
};

static void say_ready(struct course *c, const struct listen_sockets *sockets)
{
	struct log *log = c->leatd->log;

	for (size_t i = 0; i < sockets->address_count; i++)
		log_notice(log, "ready", log_text("listen", slice_of(sockets->texts[i])));
	for (size_t i = 0; i < sockets->address_count; i++)
		warn_of_address(c->leatd, sockets->texts[i]);
	notify_ready(&c->notify, c->leatd);
}

/* `question`: of the client that asks for it; NULL: a signal has come. */
static void read_again(struct course *c, struct question *question)
{
	struct inquiry_reload outcome;
	bool draining = shim_load(&c->leatd->draining, relaxed);

	if (!draining)
		notify_reloading();
	if (reload_run(&c->reload, &outcome))
		warn_of_tokens(c->leatd);
	if (!draining)
		notify_reloaded(&c->notify, c->leatd, outcome.done ? NULL : "What was read again is wrong and not in force: see the log.");
	if (question)
		inquiry_answer_reload(question, c->loops.mails, &outcome);
	inquiry_reload_free(&outcome);
}

/* What is not about stopping. What commands left behind are children of this very thread, and the keepers that runners wait for are not. */
static bool is_minor(struct course *c, int signal)
{
	if (signal == SIGHUP)
		read_again(c, NULL);
	while (signal == SIGCHLD && waitpid(-1, NULL, WNOHANG | __WNOTHREAD) > 0)
		;
	return signal == SIGHUP || signal == SIGCHLD;
}

/* What is done now and then, if it is time. Returns when it is again. */
static moment look_around(struct course *c)
{
	if (trim_look(&c->trim, c->leatd))
		trim_all(&c->loops);
	notify_look(&c->notify, c->leatd);
	return moment_min(moment_min(c->trim.next, c->notify.next), reload_look(c->leatd));
}

enum happening { HAPPENED_STOP, HAPPENED_DRAINED, HAPPENED_TIME };

/* Waits for SIGTERM or SIGINT; for a loop to say that it has drained, if `drained` is not nil; for `until`. Meanwhile sees to all else. */
static enum happening await_next(struct course *c, struct chan *drained, moment until)
{
	while (!moment_reached(until)) {
		moment wake = moment_min(until, look_around(c)), tick;
		struct question *question;
		size_t index, part;
		int signal;
		struct chan_case cases[] = { CHAN_RECV_CASE(c->signals, &signal), CHAN_RECV_CASE(drained, &index),
					     CHAN_RECV_CASE(watchdog_ticks(c->watchdog), &tick),
					     CHAN_RECV_CASE(watchdog_beats(c->watchdog), &part),
					     CHAN_RECV_CASE(c->leatd->reloads, &question) };

		switch (chan_select(cases, countof(cases), NULL, wake, NULL)) {
		case 0:
			if (!is_minor(c, signal))
				return HAPPENED_STOP;
			break;
		case 1:
			return HAPPENED_DRAINED;
		case 2:
			watchdog_tick(c->watchdog);
			break;
		case 3:
			watchdog_beat(c->watchdog, part);
			break;
		case 4:
			read_again(c, question);
			break;
		}
	}
	return HAPPENED_TIME;
}

/* Waits until every loop has said that its jobs are over. False: the time is up, or, if they are to be heeded, a second SIGTERM or
 * SIGINT has come. */
static bool wait_drained(struct course *c, size_t *drained, bool heed, moment until)
{
	while (*drained < c->loops.count) {
		switch (await_next(c, c->loops.drained, until)) {
		case HAPPENED_DRAINED:
			++*drained;
			break;
		case HAPPENED_STOP:
			if (heed)
				return false;
			break;
		case HAPPENED_TIME:
			return false;
		}
	}
	return true;
}

static void drain(struct course *c)
{
	struct leatd *leatd = c->leatd;
	int64_t timeout = leatd->catalogue->config->server.drain_timeout;
	moment until = moment_in(timeout);
	size_t drained = 0;

	log_notice(leatd->log, "draining", log_number("timeout_ms", timeout / MILLISECONDS));
	notify_stopping(&c->notify, leatd, until);
	shim_store(&leatd->finish_by, until, release);
	shim_store(&leatd->draining, 1, seq_cst);
	order_all(&c->loops, LOOP_DRAIN);
	if (wait_drained(c, &drained, true, until))
		return;
	log_warning(leatd->log, "cancelling what is left");
	notify_stopping(&c->notify, leatd, FOREVER);
	shim_store(&leatd->cancelling, 1, seq_cst);
	order_all(&c->loops, LOOP_CANCEL);
	/* Every job is killed after its grace; nothing can hurry it more. */
	wait_drained(c, &drained, false, FOREVER);
}

/* All at the same time: each may take its grace. */
static void stop_types(struct leatd *leatd)
{
	if (leatd->catalogue)
		catalogue_retire(leatd->catalogue, NULL);
	catalogue_unref(leatd->catalogue);
	leatd->catalogue = NULL;
	for (struct type *type = leatd->retired; type; type = type->next)
		type_retire(type);
	for (struct type *type = leatd->retired; type; type = type->next)
		type_stop(type);
}

static void leatd_free(struct leatd *leatd)
{
	stop_types(leatd);              /* if it was never run */
	while (leatd->retired) {
		struct type *type = leatd->retired;

		leatd->retired = type->next;
		type_free(type);
	}
	inquiry_mail_free(leatd->reloads);
	ids_free(leatd->ids);
	clients_free(leatd->clients);
	page_free(leatd->page);
	cgroup_close(leatd->trees.cgroup);
	trees_free(&leatd->trees);
	for (char **host = leatd->hosts; host && *host; host++)
		free(*host);
	free(leatd->hosts);
}

static void cannot_start(const struct leatd *leatd, const char *why)
{
	log_error(leatd->log, "cannot start", log_text("error", slice_of(why)));
}

/* No type of its name is left, whose books would count for it. */
static bool is_gone(const struct leatd *leatd, const struct type *type)
{
	const struct type *present = catalogue_type(leatd->catalogue, type->name);

	return !present || present->books != type->books;
}

/* Jobs that could not be stopped still use what we would free: the process ends with them as they are, and workers that are idle are
 * killed by their keepers without having been told. */
static void leave_abandoned(const struct leatd *leatd)
{
	uint64_t abandoned = 0;

	for (size_t i = 0; i < leatd->catalogue->type_count; i++)
		abandoned += books_read(leatd->catalogue->types[i]->books).abandoned;
	abandoned += books_read(leatd->catalogue->pipes->books).abandoned;
	for (const struct type *type = leatd->retired; type; type = type->next)
		abandoned += is_gone(leatd, type) ? books_read(type->books).abandoned : 0;
	if (abandoned == 0)
		return;
	log_warning(leatd->log, "stopped, with jobs that could not be stopped", log_number("abandoned", (int64_t)abandoned));
	log_stop(leatd->log);
	_exit(EX_OK);
}

static int start_serving(struct course *c, struct listen_sockets *sockets)
{
	struct leatd *leatd = c->leatd;
	const struct config *config = leatd->catalogue->config;
	size_t loop_count = config->server.loops ? config->server.loops : usual_loops();
	char why[256] = "no memory or no threads";
	int r = listen_open(sockets, config, loop_count, why, sizeof(why));

	if (r == 0 && collect_hosts(leatd, sockets) && start_loops(&c->loops, leatd, sockets) &&
	    watchdog_start(&c->watchdog, leatd, c->loops.loops, c->loops.count) == 0)
		return EX_OK;
	cannot_start(leatd, why);
	return r == -ENOKEY ? EX_CONFIG : EX_OSERR;
}

static void stop_serving(struct course *c, struct listen_sockets *sockets)
{
	struct leatd *leatd = c->leatd;

	notify_last_answers(leatd, shim_load(&leatd->finish_by, relaxed));
	watchdog_stop(c->watchdog);
	stop_loops(&c->loops);
	listen_close(sockets);
	leave_abandoned(leatd);
	stop_types(leatd);
	free_loops(&c->loops);
}

static int run(struct course *c)
{
	struct leatd *leatd = c->leatd;
	struct listen_sockets sockets;
	int status = start_serving(c, &sockets);

	if (status == EX_OK) {
		warn_of_tokens(leatd);
		say_ready(c, &sockets);
		reload_init(&c->reload, leatd, c->loops.loops, c->loops.count, c->loops.renewed);
		(void)await_next(c, NULL, FOREVER);
		drain(c);
	}
	stop_serving(c, &sockets);
	if (status == EX_OK)
		log_notice(leatd->log, "stopped");
	return status;
}

int main(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct leatd leatd = { 0 };
	struct course course = { .leatd = &leatd };
	struct config_source *source = &course.reload.source;
	struct config *config;
	struct log *log;
	int status = EX_OSERR, error;

	parse_arguments(&args, argc, argv);
	if (args.hash)
		return hash_token();
	*source = (struct config_source){ args.config_path, args.overrides, args.override_count };
	config = load_config(source);
	if (args.check || args.print) {
		status = args.print ? print_config(config) : EX_OK;
		config_unref(config);
		return status;
	}
	trim_init(&course.trim);
	open_standard_descriptors();
	raise_descriptor_limit(&leatd.descriptors);
	signals_block();
	log = log_start(config->server.log, config->server.log_rate);
	course.signals = signals_start();
	if (!log || !course.signals)
		fprintf(stderr, "leatd: cannot start: %s\n", strerror(ENOMEM));
	else if ((error = leatd_init(&leatd, config, log)) < 0)
		log_error(log, "cannot start", log_text("error", slice_of(strerror(-error))));
	else
		status = run(&course);
	leatd_free(&leatd);
	log_stop(log);
	chan_unref(course.signals);
	reload_free(&course.reload);
	config_unref(config);
	return status;
}
