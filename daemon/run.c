#include "run.h"

#include "builtin.h"
#include "exec.h"
#include "hand.h"
#include "job.h"
#include "leatd.h"
#include "meeting.h"
#include "pipe.h"
#include "plugin.h"
#include "semaphores.h"
#include "type.h"
#include "worker.h"

/* How each kind runs. It sets job->answer and job->outcome, and returns when nothing of the job is left. */
static const struct kind {
	void (*run)(struct job *);
	bool is_short;                  /* it never waits for anything */
} kinds[] = {
	[KIND_BUILTIN_ECHO] = { builtin_echo, true },
	[KIND_BUILTIN_SLEEP] = { builtin_sleep, false },
	[KIND_EXEC] = { exec_run, false },
	[KIND_WORKER] = { worker_run, false },
	[KIND_PLUGIN] = { plugin_run, false },
	[KIND_PLUGIN_HOST] = { worker_run, false },
	[KIND_PIPELINE] = { pipe_run, false },
};

void run_kind(struct job *job)
{
	kinds[job->type->config->kind].run(job);
}

bool run_may_block(const struct type *type)
{
	return !kinds[type->config->kind].is_short;
}

/* Nothing ends a call into a plugin but the plugin. One that streams may be waiting for its reader, and then hears of the deadline. */
bool run_can_be_ended(const struct job *job)
{
	return job->type->config->kind != KIND_PLUGIN || job->streams > 0;
}

/* Not even half of what a run usually takes: it would only take the runner from one that can still end in time. */
static bool is_hopeless(const struct job *job, moment now)
{
	int64_t left = job->deadline - now;

	return left <= 0 || (job->type->config->predict && !job->probe && left < estimate_median(&job->type->estimate) / 2);
}

enum code run_why_not(const struct job *job, moment now)
{
	if (shim_load(&job->type->leatd->cancelling, relaxed) || ctx_is_canceled(job->ctx))
		return CODE_CANCELED;
	return is_hopeless(job, now) ? CODE_TIMEOUT : CODE_OK;
}

/* A kind that has all its output at the end puts it into the answer. */
static void end_streams(struct job *job)
{
	if (job->out.writer >= 0 && !job->is_piped && job->answer.output.len > 0) {
		if (!stream_write(&job->out, job->answer.output.at, job->answer.output.len, job->ctx))
			job_cut_short(job);
		job->answer.output = SLICE("");
	}
	/* The next stage is to take for an end only what is one. */
	if (!job->is_piped || job->outcome == OUTCOME_done)
		stream_close_writer(&job->out);
	stream_close_reader(&job->in);
}

enum turn { TURN_RAN, TURN_ENDED, TURN_WAS_GONE };

/* `why` not, or CODE_OK. While it waited somebody else may have ended and answered it. */
static enum turn take_turn(struct job *job, enum code why, moment now)
{
	if (why != CODE_OK)
		return job_end_waiting(job, why, now) ? TURN_ENDED : TURN_WAS_GONE;
	if (!job_start(job, now))
		return TURN_WAS_GONE;
	run_kind(job);
	end_streams(job);
	return TURN_RAN;
}

/* Gets what it needs besides a runner: permits, or the other stages and permits for all. False: there is nothing to be given back. */
static bool get_ready(struct job *job)
{
	if (!job->meeting)
		return semaphores_take(job);
	meeting_join(job);
	return true;
}

static void give_back(struct job *job)
{
	if (job->meeting)
		meeting_leave(job);
	else
		semaphores_give_back(job->type);
}

void run_go_home(struct job *job)
{
	/* Of a pipe that may be over as soon as it has its last stage back. */
	struct chan *home = job->is_stage ? chan_ref(job->home) : NULL;

	chan_send(job->home, &job, NULL, FOREVER);
	chan_unref(home);
}

static void run_alone(struct job *job)
{
	struct type *type = job->type;
	bool held = false;
	enum turn turn;
	enum code why;
	moment now;

	/* Held here while the type is paused: it has not been claimed, so it waits as it did in the channel. */
	gate_pass(type->gate, job->ctx, FOREVER);
	now = moment_now();
	why = run_why_not(job, now);
	if ((type->uses_count > 0 || job->meeting) && why == CODE_OK) {
		held = get_ready(job);
		now = moment_now();
		/* If it could not, its context has ended, and this says so. */
		why = run_why_not(job, now);
	}
	turn = take_turn(job, why, now);
	/* Permits and place are free before anybody can read the answer. */
	if (held)
		give_back(job);
	if (job->pipe && turn != TURN_RAN)
		pipe_drop(job->pipe);
	if (turn == TURN_WAS_GONE) {
		job_bury(job);
		return;
	}
	if (turn == TURN_RAN && !job_end_running(job, moment_now()))
		return;
	run_go_home(job);
}

void run_job(void *elem, void *unused unused_arg)
{
	struct job *job = *(struct job **)elem;

	if (job->batch)
		hand_run(job);
	else
		run_alone(job);
}
