/* What lib/ asks of the C library and the kernel, simulated: memory, descriptors, the number of CPUs. The linker puts these
 * in their place (--wrap); outside of a run they pass on. Memory is at the same addresses in each run. */
#include "explore_impl.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum { ARENA = 1 << 20, GRAIN = 64, BLOCKS = 1024, FDS = 16, FIRST_FD = 1 << 20, FREED = 0xdd };

struct block {
	size_t at, bytes;
	bool freed;
};

struct fake_fd {
	bool open, timer;
	uint64_t count;
	moment due;
};

static struct {
	bool running;
	int cpus;
	size_t used;
	struct block blocks[BLOCKS];
	int count;
	int16_t owner[ARENA / GRAIN];   /* the block of each grain */
	struct fake_fd fds[FDS];
	int fd_count;
	unsigned writes;
	_Alignas(4096) unsigned char arena[ARENA];
} w;

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_aligned_alloc(size_t, size_t);
void __real_free(void *);
int __real_close(int);
int __real_sched_getaffinity(pid_t, size_t, cpu_set_t *);
int __real_sched_yield(void);
int __real_eventfd(unsigned, int);
int __real_timerfd_create(int, int);

void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_aligned_alloc(size_t, size_t);
void __wrap_free(void *);
int __wrap_close(int);
int __wrap_sched_getaffinity(pid_t, size_t, cpu_set_t *);
int __wrap_sched_yield(void);
int __wrap_eventfd(unsigned, int);
int __wrap_eventfd_read(int, eventfd_t *);
int __wrap_eventfd_write(int, eventfd_t);
int __wrap_timerfd_create(int, int);
int __wrap_timerfd_settime(int, int, const struct itimerspec *, struct itimerspec *);

void world_begin(int cpus)
{
	w.running = true;
	w.cpus = cpus;
	w.used = 0;
	w.count = 0;
	w.fd_count = 0;
	w.writes = 0;
	memset(w.fds, 0, sizeof(w.fds));
}

void world_end(void)
{
	w.running = false;
}

static bool in_arena(const volatile void *at)
{
	return (uintptr_t)at - (uintptr_t)w.arena < ARENA;
}

static struct block *block_of(const volatile void *at)
{
	size_t offset = (uintptr_t)at - (uintptr_t)w.arena;

	return offset < w.used ? &w.blocks[w.owner[offset / GRAIN]] : NULL;
}

bool world_is_freed(const volatile void *at)
{
	return in_arena(at) && block_of(at) && block_of(at)->freed;
}

static void *allocate(size_t align, size_t bytes)
{
	size_t at, i;

	align = align < GRAIN ? GRAIN : align;
	at = (w.used + align - 1) / align * align;
	if (at + bytes + GRAIN > ARENA || w.count == BLOCKS)
		explore_fail("the program needs too much memory");
	for (i = w.used / GRAIN; i < (at + bytes) / GRAIN + 1; i++)
		w.owner[i] = (int16_t)w.count;
	w.used = (at + bytes + GRAIN) / GRAIN * GRAIN;
	w.blocks[w.count++] = (struct block){ .at = at, .bytes = bytes };
	memset(w.arena + at, 0xaa, bytes);
	return w.arena + at;
}

void *__wrap_malloc(size_t bytes)
{
	return w.running ? allocate(GRAIN, bytes) : __real_malloc(bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
	return w.running ? allocate(align, bytes) : __real_aligned_alloc(align, bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return w.running ? memset(allocate(GRAIN, n * bytes), 0, n * bytes) : __real_calloc(n, bytes);
}

void __wrap_free(void *at)
{
	struct block *block;

	if (!in_arena(at)) {
		__real_free(at);
		return;
	}
	block = block_of(at);
	if (!block || block->at != (size_t)((unsigned char *)at - w.arena) || block->freed)
		explore_fail("free() of what is freed, or was never allocated");
	block->freed = true;
	memset(at, FREED, block->bytes);
}

void world_check(void)
{
	int i;

	for (i = 0; i < w.count; i++) {
		const struct block *block = &w.blocks[i];
		const unsigned char *at = w.arena + block->at;
		if (!block->freed)
			explore_fail("%zu bytes were never freed, the allocation number %d", block->bytes, i);
		if (block->bytes && (at[0] != FREED || memcmp(at, at + 1, block->bytes - 1) != 0))
			explore_fail("%zu bytes were written to after they were freed, the allocation number %d", block->bytes, i);
	}
	for (i = 0; i < w.fd_count; i++)
		if (w.fds[i].open)
			explore_fail("descriptor %d was never closed", i);
}

static int new_fd(bool timer)
{
	if (w.fd_count == FDS)
		explore_fail("too many descriptors");
	w.fds[w.fd_count] = (struct fake_fd){ .open = true, .timer = timer, .due = FOREVER };
	return FIRST_FD + w.fd_count++;
}

static struct fake_fd *fd_of(int fd, const char *what)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + w.fd_count || !w.fds[fd - FIRST_FD].open)
		explore_fail("%s of a descriptor that is closed", what);
	return &w.fds[fd - FIRST_FD];
}

int __wrap_eventfd(unsigned count, int flags)
{
	return w.running ? new_fd(false) : __real_eventfd(count, flags);
}

int __wrap_timerfd_create(int clock, int flags)
{
	return w.running ? new_fd(true) : __real_timerfd_create(clock, flags);
}

int __wrap_eventfd_write(int fd, eventfd_t n)
{
	explore_step("eventfd_write");
	fd_of(fd, "write")->count += n;
	w.writes++;
	return 0;
}

int __wrap_eventfd_read(int fd, eventfd_t *n)
{
	struct fake_fd *f;

	explore_step("eventfd_read");
	f = fd_of(fd, "read");
	if (f->count == 0) {
		errno = EAGAIN;
		return -1;
	}
	*n = f->count;
	f->count = 0;
	return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *was)
{
	moment when = at->it_value.tv_sec * SECONDS + at->it_value.tv_nsec;

	(void)flags;
	(void)was;
	explore_step("timerfd_settime");
	fd_of(fd, "timerfd_settime()")->due = when ? when : FOREVER;
	return 0;
}

int __wrap_close(int fd)
{
	if (fd < FIRST_FD)
		return __real_close(fd);
	explore_step("close");
	fd_of(fd, "close")->open = false;
	return 0;
}

bool world_readable(int fd, moment now)
{
	struct fake_fd *f = fd_of(fd, "poll");

	return f->timer ? f->due <= now : f->count > 0;
}

moment world_due(int fd)
{
	struct fake_fd *f = fd_of(fd, "poll");

	return f->timer ? f->due : FOREVER;
}

unsigned explore_writes(void)
{
	return w.writes;
}

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	int i;

	if (!w.running)
		return __real_sched_getaffinity(pid, size, set);
	CPU_ZERO_S(size, set);
	for (i = 0; i < w.cpus; i++)
		CPU_SET_S(i, size, set);
	return 0;
}

int __wrap_sched_yield(void)
{
	if (!w.running)
		return __real_sched_yield();
	explore_pause();
	return 0;
}
