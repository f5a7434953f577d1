/* The configuration: read once, checked whole, then never written to, so any thread may read it.
 *
 * What the keys are is in options.def and nowhere else. All errors are collected, so that they can be shown at once:
 * `FILE:LINE: [SECTION] KEY: 'VALUE' is not ...`. */
#ifndef LEAT_CONFIG_H
#define LEAT_CONFIG_H

#include "access.h"
#include "buf.h"
#include "../lib/compiler.h"
#include "../lib/shim.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint64_t config_COUNT;
typedef uint64_t config_SIZE;           /* bytes */
typedef int64_t config_DURATION;        /* nanoseconds */
typedef bool config_YESNO;
typedef char *config_TEXT;              /* owned, never NULL */

struct arg_rule;
struct cmdline;

struct server_config {
#define OPTION(section, key, type, ...) OPTION_IN_##section(config_##type key;)
#define LIMIT(key, type, ...) OPTION_IN_job(config_##type limit_##key;)
#define OPTION_IN_server(field) field
#define OPTION_IN_job(field)
#define OPTION_IN_semaphore(field)
#include "options.def"
#undef OPTION_IN_server
#undef OPTION_IN_job
#undef OPTION_IN_semaphore
};

/* Where commands are looked for, and their own PATH. */
#define COMMAND_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { LISTEN_ADDRESSES_MAX = 64 };

enum { ACCOUNT_GROUPS_MAX = 64 };

/* Semaphores that there may be, and that one job may use. */
enum { SEMAPHORES_MAX = 256, USES_MAX = 8 };

/* Whom a command runs as. */
struct account {
	bool known;             /* false: it is not clear whom it means, and nothing may be run for it */
	bool change;            /* false: as leatd itself */
	uid_t uid;
	gid_t gid;
	gid_t groups[ACCOUNT_GROUPS_MAX];
	size_t group_count;
	char *home;             /* owned */
};

enum job_kind { KIND_BUILTIN_ECHO, KIND_BUILTIN_SLEEP, KIND_EXEC, KIND_WORKER, KIND_PLUGIN, KIND_PLUGIN_HOST, KIND_PIPELINE };

/* Of one pipe, at least and at most. */
enum { PIPE_STAGES_MIN = 2, PIPE_STAGES_MAX = 16 };

struct job_config {
	char *name;
#define OPTION_IN_server(field)
#define OPTION_IN_job(field) field
#define OPTION_IN_semaphore(field)
#include "options.def"
#undef OPTION_IN_server
#undef OPTION_IN_job
#undef OPTION_IN_semaphore
	enum job_kind kind;
	/* Of a kind that runs programs: */
	struct cmdline *cmdline;        /* argv[0] as written; see args.h */
	char *path;             /* the executable that argv[0] names */
	struct account account;
	char *plugin_path;      /* the shared object, of KIND_PLUGIN, on threads of ours, and KIND_PLUGIN_HOST, in workers */
	char **env;             /* the `env.*` keys as NAME=VALUE, ended by NULL, or NULL */
	size_t env_count;
	struct arg_rule **args; /* the `arg.*` keys; at most ARGS_MAX */
	size_t arg_count;
	bool streams_stdin;     /* what `stdin` says */
	uint64_t success_bits[4];       /* the exit statuses of `success`, a bit each */
	size_t uses_index[USES_MAX];    /* of config->semaphores, sorted: the order in which they are taken */
	size_t uses_count;
	const struct job_config *stages[PIPE_STAGES_MAX];       /* of KIND_PIPELINE, in their order; borrowed */
	size_t stage_count;
	bool ends;              /* none of them leads back to it */
	struct config_origin *origin;   /* where each key was set; for messages, private to config.c */
};

/* What runs of several jobs share: see semaphores.h. */
struct semaphore_config {
	char *name;
#define OPTION_IN_server(field)
#define OPTION_IN_job(field)
#define OPTION_IN_semaphore(field) field
#include "options.def"
#undef OPTION_IN_server
#undef OPTION_IN_job
#undef OPTION_IN_semaphore
#undef OPTION
#undef LIMIT
	struct config_origin *origin;   /* as above */
};

/* The file of a unix socket. */
struct unix_file {
	bool set_mode;
	mode_t mode;
	uid_t uid;              /* -1: left alone */
	gid_t gid;
};

struct config {
	shim_u64 references;
	struct server_config server;
	struct unix_file unix_file;     /* what the unix_* keys say */
	struct access *access;          /* what the files said when the configuration was read; owned, until a catalogue takes it */
	struct job_config **jobs;       /* sorted by name */
	size_t job_count;
	struct semaphore_config **semaphores;   /* sorted by name */
	size_t semaphore_count;
	struct config_origin *origin;   /* as above, of [server] */
	struct job_config pipes;        /* of the pipes that clients put together: see pipe.h */
};

/* A section's name with its kind is of at most 49 characters: see config.c. */
enum { JOB_NAME_MAX = 40, SEMAPHORE_NAME_MAX = 39 };

/* Reads `path` (NULL: the built-in default), then each of `overrides` (`SECTION.KEY=VALUE`), and checks the whole. NULL when
 * anything is wrong; a line for each fault is then added to `errors`. Free with config_free(). */
must_check struct config *config_load(const char *path, const char *const *overrides, size_t override_count, struct buf *errors);
void config_free(struct config *);

/* What config_load() gives is one reference. It is freed with the last of them; config_free() is for who has the only one. */
struct config *config_ref(struct config *);
void config_unref(struct config *);

/* The configuration as a file that reads back to the same: every [server] key, the semaphores, the keys of each job that are
 * not at their default, and what each key means. */
void config_print(const struct config *, struct buf *);

/* The built-in default: the text of conf/leatd.ini. */
struct slice config_default_text(void);

/* "builtin", "exec", "worker", "plugin" or "pipeline", as in the configuration. */
const char *config_kind_name(enum job_kind);

/* Whether its jobs run in long-lived processes: see workers.h. */
static inline bool config_has_workers(const struct job_config *job)
{
	return job->kind == KIND_WORKER || job->kind == KIND_PLUGIN_HOST;
}

/* Whether its jobs run in processes of their own, which are told to end by SIGTERM, and killed. */
static inline bool config_runs_programs(const struct job_config *job)
{
	return job->kind == KIND_EXEC || config_has_workers(job);
}

/* Whether `success` holds that exit status. */
static inline bool config_is_success(const struct job_config *job, int status)
{
	return status >= 0 && status < 256 && (job->success_bits[status / 64] >> (status % 64) & 1) != 0;
}

/* Calls `each` for every entry of a list with commas between, blanks trimmed, empty ones skipped, until it returns false. */
bool config_each(const char *list, bool (*each)(struct slice entry, void *arg), void *arg);

#endif
