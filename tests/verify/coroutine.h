/* Threads inside a thread: each has a stack and its own copy of the thread-local variables of the program. After the first
 * entry a switch is a _longjmp(). */
#ifndef LEAT_VERIFY_COROUTINE_H
#define LEAT_VERIFY_COROUTINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

enum { COROUTINE_STACK = 256 * 1024, COROUTINE_TLS = 1024 };

struct coroutine {
	jmp_buf at;
	bool started;          /* it stands in its loop, or in run() */
	char *stack;
	char *top;             /* of the frames, while it is switched out: what is below is dead */
	char tls[COROUTINE_TLS];
	void (*run)(void *);
	void *arg;
};

/* The next entry runs run(arg). */
void coroutine_prepare(struct coroutine *, void (*run)(void *), void *arg);

/* From outside into the first; comes back when one calls coroutine_leave(). */
void coroutine_enter(struct coroutine *);

/* From one to another. */
void coroutine_switch(struct coroutine *from, struct coroutine *to);
void coroutine_leave(struct coroutine *from);

/* Whether the address is on its stack; and whether it is below its frames there. */
bool coroutine_owns(const struct coroutine *, const volatile void *);
bool coroutine_is_dead(const struct coroutine *, const volatile void *, bool running);

/* Overwrites the frames that have just died: who still reads them shall notice. */
void coroutine_scrub(void);

/* After a _longjmp() out of one: none will be continued. */
void coroutine_abandon_all(void);

/* Thread-local variables are as at the start of the program, for the caller and for all that are prepared from now on. */
void coroutine_reset_tls(void);

#endif
