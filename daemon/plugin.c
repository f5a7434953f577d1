#include "plugin.h"

#include "job.h"
#include "log.h"
#include "output.h"
#include "plugin_object.h"
#include "program.h"
#include "type.h"

#include <stdlib.h>

/* One run: what the plugin sees of it, and what is behind that. */
struct run {
	struct leat_call call;
	struct job *job;
	struct output output;
	size_t gathered;                /* bytes that are not in `output` yet, in `room`, if no more than that is written */
	moment end_by;
	bool failed;
	char traceparent[JOB_TRACE_MAX + 1];
	char room[4096];
};

static struct run *run_of(struct leat_call *call)
{
	return container_of(call, struct run, call);
}

/* --- What a plugin asks of us --- */

static bool host_cancelled(struct leat_call *call)
{
	struct run *run = run_of(call);

	return moment_now() >= run->end_by || ctx_error(run->job->ctx) != CHAN_OK;
}

/* A small output is kept here until the end, since memory that is got on one thread and given back on another is dear. */
static bool gather(struct run *run, const void *bytes, size_t len)
{
	if (run->output.len > 0 || len > sizeof(run->room) - run->gathered || run->gathered + len > run->job->type->config->max_output)
		return false;
	if (len > 0)
		memcpy(run->room + run->gathered, bytes, len);
	run->gathered += len;
	return true;
}

static bool pass_on(struct run *run)
{
	size_t len = run->gathered;

	run->gathered = 0;
	return output_add(&run->output, run->room, len);
}

static bool host_write(struct leat_call *call, const void *bytes, size_t len)
{
	struct run *run = run_of(call);

	if (gather(run, bytes, len))
		return true;
	return pass_on(run) && output_add(&run->output, bytes, len) && !ctx_is_canceled(run->job->ctx);
}

static bool host_flush(struct leat_call *call)
{
	return pass_on(run_of(call)) && !host_cancelled(call);
}

static int64_t host_time_left_ms(struct leat_call *call)
{
	int64_t left = run_of(call)->end_by - moment_now();

	return host_cancelled(call) ? 0 : left / MILLISECONDS + 1;
}

printf_like(2, 0) static void host_fail(struct leat_call *call, const char *format, va_list args)
{
	struct run *run = run_of(call);

	plugin_words(run->job->last_error, sizeof(run->job->last_error), format, args);
	run->failed = true;
}

static const struct leat_host host = {
	.size = sizeof(host),
	.write = host_write,
	.flush = host_flush,
	.cancelled = host_cancelled,
	.time_left_ms = host_time_left_ms,
	.fail = host_fail,
};

/* --- The run --- */

static const char *traceparent(struct run *run)
{
	const struct slice text = run->job->traceparent;

	if (text.len > 0)
		memcpy(run->traceparent, text.at, text.len);
	run->traceparent[text.len] = '\0';
	return run->traceparent;
}

static void answer_failed(struct job *job, int status)
{
	job_set_failure(job, CODE_FAILED, "the plugin failed");
	answer_fact(&job->answer, "status", status);
	if (*job->last_error)
		answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

static void answer_done(struct run *run)
{
	bool is_all = run->output.len == 0 ? output_answer_whole(&run->output, run->room, run->gathered) : pass_on(run);

	if (!is_all)
		output_answer_limit(&run->output);
	else if (run->output.len > 0)
		output_answer_done(&run->output);
}

static void answer(struct run *run, int status)
{
	struct job *job = run->job;

	if (run->output.limit != OUTPUT_FITS)
		output_answer_limit(&run->output);
	else if (ctx_is_canceled(job->ctx))
		job_cut_short(job);
	else if (status == 0 && !run->failed)
		answer_done(run);
	else if (!run->failed && host_cancelled(&run->call))
		job_cut_short(job);
	else
		answer_failed(job, status);
}

void plugin_run(struct job *job)
{
	const struct plugin_object *object = job->type->plugin;
	struct run run;

	run.job = job;
	run.end_by = job->deadline - program_grace(job);
	run.failed = false;
	run.gathered = 0;
	output_init(&run.output, job);
	run.call = (struct leat_call){ .size = sizeof(run.call), .host = &host, .state = object->state, .payload = job->payload.at,
				       .payload_len = job->payload.len, .id = job->id, .traceparent = traceparent(&run) };
	answer(&run, object->plugin->run(&run.call));
}

/* --- Start and stop --- */

struct plugin_object *plugin_start(const struct job_config *config, struct log *log)
{
	struct plugin_object *object = calloc(1, sizeof(*object));
	char why[PLUGIN_WHY_MAX] = "no memory";

	if (object && plugin_object_load(object, config->plugin_path, why) && plugin_object_open(object, config->plugin_config, why))
		return object;
	log_error(log, "a plugin cannot be used", log_text("job", slice_of(config->name)), log_text("plugin", slice_of(config->plugin_path)),
		  log_text("why", slice_of(why)));
	plugin_stop(object);
	return NULL;
}

void plugin_stop(struct plugin_object *object)
{
	if (object)
		plugin_object_close(object);
	free(object);
}
