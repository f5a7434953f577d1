/* Plugins of leatd: jobs that are functions of a shared object. This header is all that a plugin needs; it links against nothing of
 * leat. A whole one:
 *
 *	#include <leat_plugin.h>
 *
 *	static int run(struct leat_call *call)
 *	{
 *		return leat_write(call, call->payload, call->payload_len) ? 0 : -1;
 *	}
 *
 *	LEAT_PLUGIN(.name = "copy", .run = run);
 *
 *	cc -shared -fPIC -o copy.so copy.c
 *
 *	[job copy]
 *	plugin = /path/to/copy.so
 *
 * Where it runs. With `isolate = yes`, the default, in host processes of its own, `concurrency` of them, each of one thread that runs
 * one call at a time: whatever happens there ends one call, and a call that is late is killed with its process and all that it started.
 * With `isolate = no`, on threads of leatd, up to `concurrency` of them in run() at once: the cheaper way, for code that you trust as
 * you trust leatd. There a crash, exit() or a broken heap is that of leatd and of all its jobs; a call that does not return cannot be
 * stopped, is answered TIMEOUT at its deadline, and keeps its place until it does return; a thread has 1 MiB of stack; signals,
 * umask, current folder, locale and environment are not the plugin's to change.
 *
 * Time. A call is to end when leat_cancelled() says so: its client has gone, somebody has cancelled it, or its time is up, which
 * is `grace` before its deadline. Look now and then, and return anything but 0. What is done by the deadline counts all the same.
 *
 * stdout: what is printed there is no output. In a host process it goes to the log of leatd, line by line, as stderr does.
 *
 * What stays. An object that was built with this header works with every leatd of the same LEAT_PLUGIN_ABI, older or newer: structs
 * only grow at their ends, and each that may grow says its size. Another number means that it has to be built anew. */
#ifndef LEAT_PLUGIN_H
#define LEAT_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_PLUGIN_ABI 1

struct leat_call;

/* What a call can ask of its host. Use the functions below, which are easier to read. */
struct leat_host {
	uint32_t size;          /* of this struct, as the host knows it */
	bool (*write)(struct leat_call *, const void *bytes, size_t len);
	bool (*flush)(struct leat_call *);
	bool (*cancelled)(struct leat_call *);
	int64_t (*time_left_ms)(struct leat_call *);
	void (*fail)(struct leat_call *, const char *format, va_list);
};

/* One job. The host makes it; it and all that it points to is there until run() returns, and only the thread that run() was called
 * on may use it. */
struct leat_call {
	uint32_t size;                  /* of this struct, as the host knows it */
	const struct leat_host *host;
	void *state;                    /* what open() has made */
	const char *payload;            /* not ended by NUL, and not to be written to */
	size_t payload_len;
	const char *id;                 /* of the job */
	const char *traceparent;        /* W3C Trace Context, or "" */
};

struct leat_plugin {
	uint32_t abi, size;             /* LEAT_PLUGIN() sets them */
	const char *name;               /* for people */

	/* Once, before the first run() of a process. `config` is `plugin_config` of the job, or ""; it stays. *state is handed to every
	 * call. 0, or anything else with the reason as a line in `why`: in process leatd then does not start, and a host process is
	 * tried again later. NULL: there is nothing to do. */
	int (*open)(const char *config, void **state, char *why, size_t why_size);

	/* The work. 0: done, and what was written is the output. Anything else: failed, and nothing was (but for what a client that
	 * reads along has seen). In process several threads are in here at once, with the same state. */
	int (*run)(struct leat_call *);

	/* Once, after the last run(), if open() was done; not in a process that is killed. May be NULL. */
	void (*close)(void *state);
};

/* What a shared object has to show: the one symbol that is looked for. */
#ifdef __cplusplus
#define LEAT_PLUGIN_EXTERN extern "C"
#else
#define LEAT_PLUGIN_EXTERN extern
#endif
#define LEAT_PLUGIN(...) \
	LEAT_PLUGIN_EXTERN __attribute__((visibility("default"))) const struct leat_plugin leat_plugin; \
	const struct leat_plugin leat_plugin = { .abi = LEAT_PLUGIN_ABI, .size = sizeof(struct leat_plugin), __VA_ARGS__ }

/* Appends to the output; the bytes are copied. They may be gathered for a while. False: nobody wants any more, since the call is cancelled
 * or the output is over `max_output` (and then a host process may be killed at once). Return, with anything but 0. */
static inline bool leat_write(struct leat_call *call, const void *bytes, size_t len)
{
	return call->host->write(call, bytes, len);
}

/* Sends what was written on its way to a client that reads along, before something that takes long. False: as above. */
static inline bool leat_flush(struct leat_call *call)
{
	return call->host->flush(call);
}

/* Whether the call is to end. Costs a look at the clock and no system call: a thousand times a second is nothing. */
static inline bool leat_cancelled(struct leat_call *call)
{
	return call->host->cancelled(call);
}

/* Until leat_cancelled() says so by itself; 0: it does. */
static inline int64_t leat_time_left_ms(struct leat_call *call)
{
	return call->host->time_left_ms(call);
}

/* The call has failed, with words for people: one line, cut after 255 bytes; the last one counts. Always -1:
 * `return leat_fail(call, "no such size: %d", size);` */
#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static inline int leat_fail(struct leat_call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	call->host->fail(call, format, args);
	va_end(args);
	return -1;
}

#ifdef __cplusplus
}
#endif

#endif
