/* Reload: SIGHUP, RELOAD, POST /v1/reload, `leat reload`. What changes, what stays, and that nobody notices. */
#include "wire.h"

#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define ECHO "[job echo]\nbuiltin = echo\n"
#define SLEEP "[job sleep]\nbuiltin = sleep\ndeadline = 1m\n"

/* The file is another one from now on, all at once. */
static void write_config(struct server *s, const char *text)
{
	ck_assert_int_eq(rename(new_file(text), s->config_path), 0);
}

/* What RELOAD answers when the file says this. */
static const char *reload(struct server *s, const char *text)
{
	struct client *c = dial(s);
	const char *reply;

	write_config(s, text);
	say(c, "RELOAD\r\n");
	reply = hear_reply(c);
	hang_up(c);
	return reply;
}

static void start_sleeping(struct server *s, struct client *c, int concurrency, int waiting)
{
	for (int i = 0; i < concurrency + waiting; i++)
		sayf(c, "RUN sleep 60000 ID s%d\r\n", i);
	await(stat_of(s, "sleep", "running") == (uint64_t)concurrency && stat_of(s, "sleep", "waiting") == (uint64_t)waiting);
}

static void cancel_all(struct server *s, int count)
{
	struct client *c = dial(s);

	/* The last ones first, or they would begin to run. */
	for (int i = count - 1; i >= 0; i--) {
		sayf(c, "CANCEL s%d\r\n", i);
		hear(c, ":1\r\n");
	}
	hang_up(c);
}

/* --- Jobs --- */

START_TEST(jobs_are_added_changed_and_removed_and_the_answer_says_how_many)
{
	struct server *s = server_start(ECHO SLEEP "[job old]\nbuiltin = echo\n");
	struct client *c = dial(s);

	say(c, "RUN new x\r\n");
	hear_match(c, "^-NOJOB ");
	ck_assert_str_eq(reload(s, ECHO SLEEP "queue = 3\n[job new]\nbuiltin = echo\n[job newer]\nbuiltin = echo\n"),
			 "+OK 2 added, 1 changed, 1 removed\r\n");
	say(c, "RUN new x\r\nRUN echo y\r\nRUN old z\r\n");
	hear(c, "$1\r\nx\r\n$1\r\ny\r\n");
	hear_match(c, "^-NOJOB ");
	ck_assert_str_eq(reload(s, ECHO SLEEP "queue = 3\n[job new]\nbuiltin = echo\n[job newer]\nbuiltin = echo\n"),
			 "+OK 0 added, 0 changed, 0 removed\r\n");
	assert_match(get(s, "/v1/jobs")->body, "\"job\":\"sleep\",.*\"queue\":3,");
}
END_TEST

START_TEST(what_waits_and_runs_of_a_job_that_is_removed_ends_as_it_was_promised)
{
	struct server *s = server_start(ECHO SLEEP "concurrency = 1\nqueue = 2\n");
	struct client *c = dial(s), *other = dial(s);

	start_sleeping(s, c, 1, 1);
	say(c, "RUN sleep 5\r\n");
	await(stat_of(s, "sleep", "waiting") == 2);
	ck_assert_str_eq(reload(s, ECHO), "+OK 0 added, 0 changed, 1 removed\r\n");
	say(other, "RUN sleep 1\r\n");
	hear_match(other, "^-NOJOB ");
	say(other, "PS\r\n");
	assert_match(hear_reply(other), "sleep");
	cancel_all(s, 2);
	hear_match(c, "^-CANCELED .*state=running");
	hear_match(c, "^-CANCELED .*state=waiting");
	hear(c, "$0\r\n\r\n");
}
END_TEST

START_TEST(a_changed_job_goes_by_its_new_limits_and_the_places_of_both_are_counted_together)
{
	struct server *s = server_start(ECHO SLEEP "concurrency = 1\nqueue = 1\n");
	struct client *c = dial(s), *other = dial(s);

	start_sleeping(s, c, 1, 1);
	ck_assert_str_eq(reload(s, ECHO SLEEP "concurrency = 2\nqueue = 1\n"), "+OK 0 added, 1 changed, 0 removed\r\n");
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), 2);
	say(other, "RUN sleep 60000 ID s2\r\n");
	/* The new runners are free, whatever waits for the old one. */
	await(stat_of(s, "sleep", "running") == 2);
	say(c, "RUN sleep 1\r\n");
	await(stat_of(s, "sleep", "refused_queue_full") == 1);
	cancel_all(s, 3);
	hear_match(c, "^-CANCELED ");
	hear_match(c, "^-CANCELED ");
	hear_match(c, "^-BUSY .*queue_full");
	hear_match(other, "^-CANCELED ");
	await(stat_of(s, "sleep", "canceled") == 3);
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), 4);
	ck_assert_uint_eq(inside(s, "sleep"), 0);
}
END_TEST

START_TEST(a_job_that_waits_keeps_the_configuration_that_it_was_admitted_with)
{
	struct server *s = server_start(ECHO "[job say]\nexec = /bin/sh -c 'sleep 0.2; echo $WHAT'\nenv.WHAT = old\nconcurrency = 1\n");
	struct client *c = dial(s), *other = dial(s);

	say(c, "RUN say\r\nRUN say\r\nRUN say\r\n");
	await(stat_of(s, "say", "submitted") == 3);
	ck_assert_str_eq(reload(s, ECHO "[job say]\nexec = /bin/sh -c 'sleep 0.2; echo $WHAT'\nenv.WHAT = new\nconcurrency = 1\n"),
			 "+OK 0 added, 1 changed, 0 removed\r\n");
	say(other, "RUN say\r\n");
	for (int i = 0; i < 3; i++)
		hear(c, "$4\r\nold\n\r\n");
	hear(other, "$4\r\nnew\n\r\n");
}
END_TEST

START_TEST(a_paused_job_stays_paused_and_what_waits_for_the_old_one_goes_on_with_it)
{
	struct server *s = server_start(ECHO SLEEP "concurrency = 1\n");
	struct client *c = dial(s), *other = dial(s);

	start_sleeping(s, c, 1, 0);
	say(other, "PAUSE sleep\r\nRUN sleep 1\r\n");
	hear(other, "+OK\r\n");
	hear_match(other, "^-BUSY .*reason=paused");
	say(other, "RESUME sleep\r\n");
	hear(other, "+OK\r\n");
	say(c, "RUN sleep 1\r\n");
	await(stat_of(s, "sleep", "waiting") == 1);
	say(other, "PAUSE sleep\r\n");
	hear(other, "+OK\r\n");
	ck_assert_str_eq(reload(s, ECHO SLEEP "concurrency = 2\n"), "+OK 0 added, 1 changed, 0 removed\r\n");
	say(other, "RUN sleep 1\r\n");
	hear_match(other, "^-BUSY .*reason=paused");
	cancel_all(s, 1);
	hear_match(c, "^-CANCELED ");
	ck_assert_uint_eq(stat_of(s, "sleep", "waiting"), 1);
	say(other, "RESUME sleep\r\nRUN sleep 1\r\n");
	hear(other, "+OK\r\n$0\r\n\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

static const char *pid_of(struct client *c)
{
	say(c, "RUN w x\r\n");
	return hear_reply(c);
}

#define WORKER "[job w]\nworker = %s\nconcurrency = 1\nenv.MARK = r%d\n"

START_TEST(workers_go_on_unless_their_job_has_changed_and_then_the_old_ones_end)
{
	static const char script[] = "#!/bin/sh\necho READY\nwhile read -r word id left length rest; do head -c \"$length\" >/dev/null; "
				     "printf 'DONE %d\\n%s' ${#$} $$; done\n";
	const char *jobs = scratchf(WORKER, new_file(script), (int)getpid());
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const char *first = pid_of(c), *second;

	ck_assert_str_eq(reload(s, scratchf("%s" ECHO, jobs)), "+OK 1 added, 0 changed, 0 removed\r\n");
	ck_assert_str_eq(pid_of(c), first);
	ck_assert_str_eq(reload(s, scratchf("%squeue = 7\n" ECHO, jobs)), "+OK 0 added, 1 changed, 0 removed\r\n");
	second = pid_of(c);
	ck_assert_str_ne(second, first);
	await(processes_with(scratchf("MARK=r%d", (int)getpid())) == 1);
	ck_assert_str_eq(pid_of(c), second);
	ck_assert_str_eq(reload(s, ECHO), "+OK 0 added, 0 changed, 1 removed\r\n");
	await(processes_with(scratchf("MARK=r%d", (int)getpid())) == 0);
}
END_TEST

static const char *built(const char *name)
{
	const char *slash = strrchr(leatd_path(), '/');
	char path[PATH_MAX];

	ck_assert_ptr_nonnull(realpath(scratchf("%.*s/plugins/%s.so", (int)(slash - leatd_path()), leatd_path(), name), path));
	return scratchf("%s", path);
}

static const char *plugin_config(const char *user, const char *isolate, int queue)
{
	return scratchf("[server]\nuser = %s\n" ECHO "[job copy]\nplugin = %s\nisolate = %s\nqueue = %d\nconcurrency = 2\n", user, built("copy"),
			isolate, queue);
}

/* From and to each of them, and with other limits. */
static void change_plugins(struct server *s, struct client *c, const char *user)
{
	static const char *const isolate[] = { "no", "yes", "yes", "no", "no" };

	for (size_t i = 0; i < countof(isolate); i++) {
		assert_match(reload(s, plugin_config(user, isolate[i], (int)i + 10)), "^\\+OK 0 added, 1 changed, 0 removed\r\n$");
		for (int j = 0; j < 20; j++) {
			sayf(c, "RUN copy %d\r\n", 100 + j);
			hear(c, scratchf("$3\r\n%d\r\n", 100 + j));
		}
	}
}

START_TEST(a_pipeline_goes_through_its_stages_as_they_are_now)
{
	static const char stages[] = "[job loud]\npipeline = up tail\n[job louder]\npipeline = loud tail\n[job up]\nexec = tr a-z A-Z\n[job tail]\n";
	struct server *s = server_start(scratchf("%sexec = sed 's/$/1/'\n", stages));
	struct client *c = dial(s);

	say(c, "RUN louder abc\r\nPIPE 2 up tail abc\r\n");
	hear(c, "$5\r\nABC11\r\n$4\r\nABC1\r\n");
	/* With the stage those change that lead through it, however far. */
	assert_match(reload(s, scratchf("%sexec = sed 's/$/2/'\n", stages)), "^\\+OK 0 added, 3 changed, 0 removed\r\n$");
	say(c, "RUN louder abc\r\nRUN loud abc\r\nPIPE 2 up tail abc\r\n");
	hear(c, "$5\r\nABC22\r\n$4\r\nABC2\r\n$4\r\nABC2\r\n");
	/* And with none of them none. */
	assert_match(reload(s, scratchf("%sexec = sed 's/$/2/'\n[server]\nmax_pipes = 3\n", stages)), "^\\+OK 0 added, 0 changed, 0 removed\r\n$");
	say(c, "RUN louder abc\r\nPIPE 2 up tail abc\r\n");
	hear(c, "$5\r\nABC22\r\n$4\r\nABC2\r\n");
}
END_TEST

START_TEST(plugins_change_in_process_and_isolated)
{
	const char *user = getpwuid(geteuid())->pw_name;
	struct server *s = server_start(plugin_config(user, "no", 9));
	struct client *c = dial(s);

	change_plugins(s, c, user);
	await(children_of(s->pid) == 0);
	ck_assert_uint_eq(stat_of(s, "copy", "done"), 100);
}
END_TEST

static const char *with_permits(int permits, int queue)
{
	return scratchf("[semaphore db]\npermits = %d\n[semaphore other]\npermits = 1\n" SLEEP "uses = db\n" ECHO "uses = other\nqueue = %d\n",
			permits, queue);
}

START_TEST(semaphores_keep_what_is_held_and_new_permits_are_for_new_jobs)
{
	struct server *s = server_start(with_permits(1, 10));
	struct client *c = dial(s), *other = dial(s);

	say(c, "RUN sleep 60000 ID s0\r\n");
	await(metric(s, "leat_semaphore_in_use{semaphore=\"db\"}") == 1);
	/* Another job has changed. */
	ck_assert_str_eq(reload(s, with_permits(1, 11)), "+OK 0 added, 1 changed, 0 removed\r\n");
	ck_assert_uint_eq(metric(s, "leat_semaphore_in_use{semaphore=\"db\"}"), 1);
	/* Other permits: the jobs that use them are of a new type. */
	ck_assert_str_eq(reload(s, with_permits(2, 11)), "+OK 0 added, 1 changed, 0 removed\r\n");
	ck_assert_uint_eq(metric(s, "leat_semaphore_permits{semaphore=\"db\"}"), 2);
	ck_assert_uint_eq(metric(s, "leat_semaphore_in_use{semaphore=\"db\"}"), 0);
	say(other, "RUN sleep 1\r\nRUN echo x\r\n");
	hear(other, "$0\r\n\r\n$1\r\nx\r\n");
	cancel_all(s, 1);
	hear_match(c, "^-CANCELED ");
}
END_TEST

/* --- The server --- */

START_TEST(limits_and_the_log_level_hold_at_once_also_on_open_connections)
{
	struct server *s = server_start(ECHO);
	struct client *c = dial(s);

	say(c, "RUN echo 123456789\r\n");
	hear(c, "$9\r\n123456789\r\n");
	ck_assert_str_eq(reload(s, "[server]\nmax_payload = 8\nlog = jobs\nmax_memory = 64M\n" ECHO), "+OK 0 added, 0 changed, 0 removed\r\n");
	say(c, "RUN echo 1234\r\nINFO memory\r\n*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$9\r\n123456789\r\n");
	hear(c, "$4\r\n1234\r\n");
	assert_match(hear_reply(c), "maxmemory:67108864");
	hear_match(c, "^-TOOBIG .*max_payload=8");
	await(server_logged(s, "job ended"));
}
END_TEST

START_TEST(host_names_and_origins_change_and_an_answer_on_its_way_goes_by_the_new_ones)
{
	const char *jobs = "[server]\nserver_names = old.example\nallow_origins = https://old.example\n" SLEEP;
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *other = dial(s);
	const struct response *r;

	say_post(c, "/v1/run/sleep", "Origin: https://old.example\r\nLeat-Id: s0\r\n", "60000");
	await(stat_of(s, "sleep", "running") == 1);
	ck_assert_int_eq(ask(s, "GET /v1/jobs HTTP/1.1\r\nHost: new.example\r\n\r\n")->status, 421);
	ck_assert_str_eq(reload(s, "[server]\nserver_names = new.example\nallow_origins = https://new.example\n" SLEEP),
			 "+OK 0 added, 0 changed, 0 removed\r\n");
	ck_assert_int_eq(ask(s, "GET /v1/jobs HTTP/1.1\r\nHost: new.example\r\n\r\n")->status, 200);
	ck_assert_int_eq(ask(s, "GET /v1/jobs HTTP/1.1\r\nHost: old.example\r\n\r\n")->status, 421);
	/* Also the answer to the reload itself. */
	write_config(s, jobs);
	say_post(other, "/v1/reload", "Origin: https://new.example\r\n", "");
	r = hear_response(other);
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
	say_post(other, "/v1/reload", "Origin: https://old.example\r\n", "");
	ck_assert_str_eq(header(hear_response(other), "Access-Control-Allow-Origin"), "https://old.example");
	cancel_all(s, 1);
	r = hear_response(c);
	ck_assert_int_eq(r->status, 499);
	ck_assert_ptr_null(header(r, "Access-Control-Allow-Origin"));
}
END_TEST

START_TEST(what_takes_effect_at_a_restart_only_is_named_and_the_rest_is_in_force)
{
	struct server *s = server_start("[server]\nloops = 2\n" ECHO);
	const char *text = "[server]\nloops = 7\ncgroup = off\nmax_connections = 20000\nmax_payload = 8\n" ECHO;

	/* The address of the command line holds: what the file says of it is nobody's. */
	ck_assert_str_eq(reload(s, text), "+OK 0 added, 0 changed, 0 removed; at a restart only: loops, cgroup, max_connections\r\n");
	await(server_logged(s, "these take effect at a restart only"));
	assert_match(post(s, "/v1/reload", "")->body, "^\\{\"added\":0,\"changed\":0,\"removed\":0,\"at_restart\":\"loops, cgroup, max_connections\"\\}\n$");
	assert_problem(post(s, "/v1/run/echo", "123456789"), 413, "TOOBIG");
	ck_assert_str_eq(reload(s, "[server]\nloops = 2\n" ECHO), "+OK 0 added, 0 changed, 0 removed\r\n");
}
END_TEST

START_TEST(a_broken_file_changes_nothing_and_all_that_is_wrong_is_told)
{
	struct server *s = server_start(ECHO);
	const char *broken = "[job echo]\nbuiltin = echo\nqueue = many\n[job new]\nbuiltin = echo\nconcurency = 3\n", *reply;
	const struct response *r;
	struct ran ran;

	reply = reload(s, broken);
	assert_match(reply, "^-ERR [^\r\n]*:3: \\[job echo\\] queue: 'many' is not [^;]*; [^\r\n]*:6: \\[job new\\] concurency: unknown key[^\r\n]*\r\n$");
	await(server_logged(s, "what was read before stays"));
	r = post(s, "/v1/reload", "");
	assert_problem(r, 400, "ERR");
	assert_match(r->body, "'many' is not .*unknown key");
	ran = shell(s, "\"$LEAT\" reload");
	ck_assert_int_ne(ran.status, 0);
	assert_match(ran.err, "'many' is not .*unknown key");
	kill(s->pid, SIGHUP);
	assert_problem(post(s, "/v1/run/new", "x"), 404, "NOJOB");
	assert_response(post(s, "/v1/run/echo", "x"), 200, "x");
	/* Neither does one that is not there, */
	ck_assert_int_eq(rename(s->config_path, scratchf("%s.away", s->config_path)), 0);
	assert_problem(post(s, "/v1/reload", ""), 400, "ERR");
	/* nor one whose job cannot be started. */
	write_config(s, ECHO "[job p]\nplugin = /no/such.so\n");
	assert_problem(post(s, "/v1/reload", ""), 400, "ERR");
	assert_response(post(s, "/v1/run/echo", "x"), 200, "x");
}
END_TEST

START_TEST(leat_reload_says_what_has_changed)
{
	struct server *s = server_start(ECHO);
	struct ran ran;

	write_config(s, ECHO SLEEP);
	ran = shell(s, "\"$LEAT\" reload");
	ck_assert_int_eq(ran.status, 0);
	ck_assert_str_eq(ran.out, "1 added, 0 changed, 0 removed\n");
	ran = shell(s, "\"$LEAT\" reload --json");
	ck_assert_int_eq(ran.status, 0);
	ck_assert_str_eq(ran.out, "{\"reloaded\":true,\"detail\":\"0 added, 0 changed, 0 removed\"}\n");
}
END_TEST

START_TEST(it_takes_the_right_ops)
{
	const char *tokens = new_file("a 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 run:*\n");
	struct server *s;
	struct client *c;

	chmod(tokens, 0600);
	s = server_start(scratchf("[server]\ntokens = %s\n" ECHO, tokens));
	c = dial(s);
	say(c, "RELOAD\r\nAUTH test\r\nRELOAD\r\n");
	hear_match(c, "^-NOAUTH ");
	hear(c, "+OK\r\n");
	hear_match(c, "^-NOAUTH .*right=ops");
	ck_assert(!server_logged(s, "read again"));
}
END_TEST

START_TEST(many_at_once_are_all_answered)
{
	struct server *s = server_start(ECHO);
	struct client *clients[20];

	for (size_t i = 0; i < countof(clients); i++) {
		clients[i] = dial(s);
		say(clients[i], "RELOAD\r\nRUN echo x\r\nRELOAD\r\n");
	}
	/* One goes away before it is answered. */
	reset(clients[0]);
	for (size_t i = 1; i < countof(clients); i++)
		hear(clients[i], "+OK 0 added, 0 changed, 0 removed\r\n$1\r\nx\r\n+OK 0 added, 0 changed, 0 removed\r\n");
}
END_TEST

/* --- The storm --- */

/* Somebody who is served all the time. */
struct caller {
	struct client *client;
	bool http;
	size_t answered;
	const char *wrong;              /* the first answer that was not the job's result */
};

/* Requests that one has under way at a time. */
enum { DEPTH = 5 };

static void call(struct caller *caller)
{
	for (int i = 0; i < DEPTH; i++) {
		if (caller->http)
			say_post(caller->client, i % 2 ? "/v1/run/upper" : "/v1/run/echo", "", "hello");
		else
			say(caller->client, i % 2 ? "RUN upper hello\r\n" : "RUN echo hello\r\n");
	}
}

static void hear_result(struct caller *caller)
{
	if (caller->http) {
		const struct response *r = hear_response(caller->client);

		if (r->status != 200 || strcasecmp(r->body, "hello") != 0)
			caller->wrong = scratchf("%s\n%s", r->head, r->body);
	} else {
		const char *reply = hear_reply(caller->client);

		if (strcasecmp(reply, "$5\r\nhello\r\n") != 0)
			caller->wrong = reply;
	}
	caller->answered++;
}

static void hear_results(struct caller *caller)
{
	for (int i = 0; i < DEPTH; i++) {
		hear_result(caller);
		ck_assert_msg(!caller->wrong, "%s", caller->wrong);
	}
}

static const char *storm_config(int i, const char *worker)
{
	static const char *const variants[] = {
		"", "[job extra]\nbuiltin = echo\n", "[job extra]\nbuiltin = echo\nqueue = 3\n[job more]\nbuiltin = sleep\n",
		"[job broken\n", "[job extra]\nbuiltin = nothing\n",
	};

	return scratchf("[server]\nclient_connections = 0\n[semaphore s]\npermits = %d\n[job echo]\nbuiltin = echo\nqueue = %d\nuses = s\ndeadline = 1m\n"
			"[job upper]\nworker = %s\nconcurrency = 2\nqueue = %d\ndeadline = 1m\n%s", 20 + i % 3, 64 + i % 2, worker, 100 + i / 10, variants[i % 5]);
}

START_TEST(a_hundred_sighups_under_load_fail_no_request_and_leave_nothing_behind)
{
	enum { CALLERS = 6, SIGHUPS = IS_SANITIZED ? 25 : 100 };
	const char *worker = new_file(read_file("docs/workers/upper.sh", NULL));
	struct server *s = server_start(storm_config(0, worker));
	struct caller callers[CALLERS] = { 0 };
	struct base_line base;
	size_t answered = 0;

	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].client = dial(s);
		callers[i].http = i % 2;
		call(&callers[i]);
	}
	for (size_t i = 0; i < CALLERS; i++)
		hear_results(&callers[i]);
	base = base_line_of(s);
	for (int i = 0; i < SIGHUPS; i++) {
		for (size_t j = 0; j < CALLERS; j++)
			call(&callers[j]);
		write_config(s, storm_config(i, worker));
		kill(s->pid, SIGHUP);
		for (size_t j = 0; j < CALLERS; j++)
			hear_results(&callers[j]);
	}
	assert_match(reload(s, storm_config(0, worker)), "^\\+OK ");
	for (size_t i = 0; i < CALLERS; i++)
		answered += callers[i].answered;
	ck_assert_uint_eq(stat_of(s, "echo", "done") + stat_of(s, "upper", "done"), answered);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted") + stat_of(s, "upper", "submitted"), answered);
	ck_assert_uint_eq(inside(s, "echo") + inside(s, "upper"), 0);
	/* Workers that are idle are part of neither. */
	assert_match(reload(s, "[job echo]\nbuiltin = echo\n"), "^\\+OK 0 added, 1 changed, 1 removed");
	await(children_of(s->pid) == 0);
	await(threads_of(s->pid) <= base.threads);
	await(descriptors_of(s->pid) <= base.descriptors);
	ck_assert(server_logged(s, "what was read before stays"));
}
END_TEST

Suite *reload_suite(void);
Suite *reload_suite(void)
{
	const TTest *const tests[] = {
		jobs_are_added_changed_and_removed_and_the_answer_says_how_many,
		what_waits_and_runs_of_a_job_that_is_removed_ends_as_it_was_promised,
		a_changed_job_goes_by_its_new_limits_and_the_places_of_both_are_counted_together,
		a_job_that_waits_keeps_the_configuration_that_it_was_admitted_with,
		a_paused_job_stays_paused_and_what_waits_for_the_old_one_goes_on_with_it,
		workers_go_on_unless_their_job_has_changed_and_then_the_old_ones_end,
		a_pipeline_goes_through_its_stages_as_they_are_now,
		plugins_change_in_process_and_isolated,
		semaphores_keep_what_is_held_and_new_permits_are_for_new_jobs,
		limits_and_the_log_level_hold_at_once_also_on_open_connections,
		host_names_and_origins_change_and_an_answer_on_its_way_goes_by_the_new_ones,
		what_takes_effect_at_a_restart_only_is_named_and_the_rest_is_in_force,
		a_broken_file_changes_nothing_and_all_that_is_wrong_is_told,
		leat_reload_says_what_has_changed, it_takes_the_right_ops, many_at_once_are_all_answered,
		a_hundred_sighups_under_load_fail_no_request_and_leave_nothing_behind,
	};

	return wire_suite("reload", tests, countof(tests));
}
