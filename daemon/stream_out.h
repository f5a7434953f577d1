/* An answer that begins before its job is over: what the job writes to its stream (stream.h), as it comes.
 *
 * The head goes with the first byte of output, or at the end of a job that wrote none and is done; a job that fails before it has
 * written anything is answered as without a stream. Behind the head the status is 200 whatever happens, and the trailer says how the job
 * ended. It is read from the stream only while little waits to be sent, so a client that does not read makes the job wait.
 *
 * HTTP/1.0 has no chunks and no trailer: the body ends with the connection, which is reset if the job was not done.
 * One of the struct parts of an exchange. On the thread of the loop. */
#ifndef LEAT_STREAM_OUT_H
#define LEAT_STREAM_OUT_H

#include "../lib/compiler.h"

#include <stdbool.h>

struct answer;
struct exchange;
struct job;

/* Makes it the answer of an exchange that is kept in the line, whose job has just been submitted; its reading end is taken over. False: no memory. */
must_check bool stream_out_start(struct exchange *, struct job *);

/* The job is not waited for any longer: puts what ends the answer into ex->bytes, and reads no more of the stream. */
void stream_out_abandon(struct exchange *, struct job *, const struct answer *);

#endif
