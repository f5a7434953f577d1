/* Preloaded into leatd: the n-th allocation from now on fails, whoever asks, and so do as many accept4(); and event loops can be frozen. The
 * test says so, and reads what is allocated, through a page that both have mapped: the file that FAILING_FILE names. */
#include "failing.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, below those that are replaced here. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static struct failing private_page;
static struct failing *page = &private_page;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FAILING_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared = fd >= 0 ? mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (shared != MAP_FAILED)
		page = shared;
	if (fd >= 0)
		close(fd);
}

/* Whether it is this one's turn. */
static int fails(void)
{
	if (atomic_load(&page->countdown) <= 0 || atomic_fetch_sub(&page->countdown, 1) != 1)
		return 0;
	atomic_fetch_add(&page->failed, 1);
	errno = ENOMEM;
	return 1;
}

static void *counted(void *at)
{
	if (at)
		atomic_fetch_add(&page->live, 1);
	return at;
}

void *malloc(size_t bytes)
{
	return fails() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t n, size_t bytes)
{
	return fails() ? NULL : counted(__libc_calloc(n, bytes));
}

void *realloc(void *old, size_t bytes)
{
	void *at;

	if (fails())
		return NULL;
	at = __libc_realloc(old, bytes);
	return old ? at : counted(at);
}

void *memalign(size_t align, size_t bytes)
{
	return fails() ? NULL : counted(__libc_memalign(align, bytes));
}

void *aligned_alloc(size_t align, size_t bytes)
{
	return memalign(align, bytes);
}

int posix_memalign(void **to, size_t align, size_t bytes)
{
	*to = memalign(align, bytes);
	return *to ? 0 : ENOMEM;
}

void free(void *at)
{
	if (at)
		atomic_fetch_sub(&page->live, 1);
	__libc_free(at);
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	atomic_fetch_add(&page->accepts, 1);
	if (atomic_load(&page->accept_failures) == 0)
		return (int)syscall(SYS_accept4, fd, from, len, flags);
	if (atomic_load(&page->accept_failures) > 0)
		atomic_fetch_sub(&page->accept_failures, 1);
	errno = (int)atomic_load(&page->accept_error);
	return -1;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	while (atomic_load(&page->frozen))
		poll(NULL, 0, 1);
	return (int)syscall(SYS_epoll_pwait, fd, events, most, timeout, NULL, 0);
}
