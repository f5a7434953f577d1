#include "builtin.h"

#include "job.h"
#include "text.h"

void builtin_echo(struct job *job)
{
	job_set_done(job, job->payload);
}

void builtin_sleep(struct job *job)
{
	int64_t ns;
	char shown[64];

	if (!text_duration(job->payload, &ns)) {
		text_printable(job->payload, shown, sizeof(shown));
		job_set_failure(job, CODE_FAILED, "'%s' is not a duration such as 250ms or 5s", shown);
		answer_fact(&job->answer, "status", 64);
		return;
	}
	/* Nothing ever comes over the nil channel: this waits for the time or the context, whichever ends first. */
	if (chan_recv(NULL, NULL, job->ctx, moment_in(ns)) == CHAN_TIMED_OUT)
		job_set_done(job, SLICE(""));
	else
		job_cut_short(job);
}
