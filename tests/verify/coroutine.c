#include "coroutine.h"

#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SCRUBBED = 4096 };

static struct {
	jmp_buf outside;
	char outside_tls[COROUTINE_TLS], first_tls[COROUTINE_TLS];
	char *tls;             /* the block that the program's variables are in */
	size_t tls_bytes;
	struct coroutine *all[32];
	int count;
} co;

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
	int i;

	(void)size;
	(void)arg;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS) {
			co.tls = info->dlpi_tls_data;
			co.tls_bytes = info->dlpi_phdr[i].p_memsz;
		}
	return 1;   /* the first is the program itself */
}

/* Before main(), when no variable has changed yet. */
__attribute__((constructor)) static void keep_first_tls(void)
{
	dl_iterate_phdr(find_tls, NULL);
	if (co.tls_bytes > COROUTINE_TLS)
		abort();
	if (co.tls)
		memcpy(co.first_tls, co.tls, co.tls_bytes);
}

void coroutine_reset_tls(void)
{
	if (co.tls)
		memcpy(co.tls, co.first_tls, co.tls_bytes);
}

static void swap_tls(void *from, const void *to)
{
	if (!co.tls)
		return;
	memcpy(from, co.tls, co.tls_bytes);
	memcpy(co.tls, to, co.tls_bytes);
}

__attribute__((noinline)) void coroutine_scrub(void)
{
	volatile char dead[SCRUBBED];

	memset((void *)(uintptr_t)dead, 0xd5, sizeof(dead));
}

static void loop(unsigned high, unsigned low)
{
	struct coroutine *me = (struct coroutine *)((uintptr_t)high << 32 | low);

	for (;;) {
		/* run() ends by passing on, and comes back here only when it was prepared again. */
		me->run(me->arg);
	}
}

static void continue_or_start(struct coroutine *to)
{
	ucontext_t context;

	if (to->started)
		_longjmp(to->at, 1);
	to->started = true;
	getcontext(&context);
	context.uc_stack.ss_sp = to->stack;
	context.uc_stack.ss_size = COROUTINE_STACK;
	context.uc_link = NULL;
	makecontext(&context, (void (*)(void))loop, 2, (unsigned)((uintptr_t)to >> 32), (unsigned)(uintptr_t)to);
	setcontext(&context);
	abort();
}

void coroutine_prepare(struct coroutine *c, void (*run)(void *), void *arg)
{
	if (!c->stack) {
		c->stack = mmap(NULL, COROUTINE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (c->stack == MAP_FAILED || co.count == 32)
			abort();
		co.all[co.count++] = c;
	}
	memcpy(c->tls, co.first_tls, co.tls_bytes);
	c->run = run;
	c->arg = arg;
	c->top = c->stack + COROUTINE_STACK;
}

void coroutine_enter(struct coroutine *to)
{
	if (_setjmp(co.outside) == 0) {
		swap_tls(co.outside_tls, to->tls);
		continue_or_start(to);
	}
}

void coroutine_switch(struct coroutine *from, struct coroutine *to)
{
	from->top = __builtin_frame_address(0);
	if (_setjmp(from->at) == 0) {
		swap_tls(from->tls, to->tls);
		continue_or_start(to);
	}
}

void coroutine_leave(struct coroutine *from)
{
	if (_setjmp(from->at) == 0) {
		swap_tls(from->tls, co.outside_tls);
		_longjmp(co.outside, 1);
	}
}

bool coroutine_owns(const struct coroutine *c, const volatile void *at)
{
	return c->stack && (uintptr_t)at - (uintptr_t)c->stack < COROUTINE_STACK;
}

bool coroutine_is_dead(const struct coroutine *c, const volatile void *at, bool running)
{
	uintptr_t top = running ? (uintptr_t)__builtin_frame_address(0) : (uintptr_t)c->top;

	return (uintptr_t)at < top;
}

void coroutine_abandon_all(void)
{
	int i;

	for (i = 0; i < co.count; i++)
		co.all[i]->started = false;
	coroutine_reset_tls();
}
