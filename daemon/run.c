#include "run.h"

#include "builtin.h"
#include "exec.h"
#include "job.h"
#include "leatd.h"
#include "log.h"
#include "type.h"

/* How each kind runs. It sets job->answer and job->outcome, and returns when nothing of the job is left. */
static void (*const kinds[])(struct job *) = {
	[KIND_BUILTIN_ECHO] = builtin_echo,
	[KIND_BUILTIN_SLEEP] = builtin_sleep,
	[KIND_EXEC] = exec_run,
};

static void log_ended(const struct job *job)
{
	struct log *log = job->type->leatd->log;

	if (log_wants(log, LOG_LEVEL_JOBS))
		log_put(log, LOG_LEVEL_JOBS, "job ended", (struct log_field[]){
			log_text("job", job->type->name), log_text("id", slice_of(job->id)),
			log_text("outcome", slice_of(outcome_name(job->outcome))),
			log_number("queue_us", (job->started - job->arrived) / MICROSECONDS),
			log_number("run_us", (job->ended - job->started) / MICROSECONDS), { 0 } });
}

/* Ends what is not worth starting: its time is up, or nobody wants it any more. */
static bool end_unstarted(struct job *job, moment now)
{
	if (shim_load(&job->type->leatd->cancelling, relaxed) || ctx_error(job->ctx) == CHAN_CANCELED)
		return job_end_waiting(job, CODE_CANCELED, now);
	return now >= job->deadline && job_end_waiting(job, CODE_TIMEOUT, now);
}

void run_job(void *elem, void *unused unused_arg)
{
	struct job *job = *(struct job **)elem;
	moment now = moment_now();

	if (end_unstarted(job, now)) {
		chan_send(job->home, &job, NULL, FOREVER);
		return;
	}
	if (!job_start(job, now)) {
		/* It gave its place up while it waited, and has been answered. */
		job_bury(job);
		return;
	}
	kinds[job->type->config->kind](job);
	/* The place is free before anybody can read the answer. */
	if (!job_end_running(job, moment_now()))
		return;
	log_ended(job);
	chan_send(job->home, &job, NULL, FOREVER);
}
