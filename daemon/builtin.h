/* Jobs that leatd does itself, on the runner's thread: to try it out, to measure it, to test clients. */
#ifndef LEAT_BUILTIN_H
#define LEAT_BUILTIN_H

struct job;

/* The payload is the output. */
void builtin_echo(struct job *);

/* Takes as long as the payload says (a duration), or until the deadline or the client's going away; the output is empty. */
void builtin_sleep(struct job *);

#endif
