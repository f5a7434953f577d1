/* Jobs that are commands: payload on stdin, output from stdout, the last line of stderr for people. A job with streams has them instead:
 * job->in is its stdin, and what it writes is moved to job->out as it comes (output.h). A stage of a pipe that writes into the next one has
 * job->out for its stdout, and leatd does not see what it writes; its failure does not count when the next one has closed that before.
 *
 * At its deadline less `grace`, or when it is cancelled, a command gets SIGTERM; at the deadline, or one grace after the cancelling,
 * its process group is killed. Whatever way the command ends, exec_run() returns only when its process group is gone, with what
 * its first process left behind. On a runner thread, which it keeps until then.
 *
 * A limitation: the keeper grows the output, and looks at the job's context, with locks of leatd's (those of the heap and of a channel).
 * Should leatd be killed while another of its threads holds one of them, a keeper that wants it waits for ever, and its tree lives on
 * unless there is a cgroup; what the start needs is therefore made before. */
#ifndef LEAT_EXEC_H
#define LEAT_EXEC_H

struct job;

void exec_run(struct job *);

#endif
