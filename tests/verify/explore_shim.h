/* The shim of the explorer: every operation of lib/ on a word is a point where another thread may come first, waiting is
 * simulated, and so is time. A store that is not seq_cst may become visible late, as on x86 (and no sooner than the stores
 * before it): at the latest with the thread's next read-modify-write, seq_cst store or futex call, or anybody's membarrier. */
#ifndef LEAT_VERIFY_EXPLORE_SHIM_H
#define LEAT_VERIFY_EXPLORE_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define SHIM_OWN_ATOMICS
#define SHIM_OWN_WAITING
#define SHIM_OWN_MEMBARRIER

struct explore_place {
	const char *file, *what;
	int line;
};

/* In explore.c. They do nothing outside of a run. */
void explore_point(const struct explore_place *, const volatile void *word);
void explore_drain(void);
void explore_store(volatile void *word, const void *value, size_t size, bool now);
void explore_load(const volatile void *word, void *value, size_t size);
int explore_futex_wait(const struct explore_place *, shim_u32 *word, uint32_t expected, moment deadline);
void explore_futex_wake(const struct explore_place *, shim_u32 *word, int n);
void explore_yield(const struct explore_place *);
void explore_membarrier(const struct explore_place *);
moment explore_clock(const struct explore_place *);

#define EXPLORE_HERE(what) ({ static const struct explore_place here_ = { __FILE__, what, __LINE__ }; &here_; })
#define EXPLORE_POINT(what, word) explore_point(EXPLORE_HERE(what " " #word), (word))

#define shim_load(word, order) __extension__({ \
	__typeof__((void)0, *(word)) loaded_; \
	EXPLORE_POINT("load", word); \
	explore_load((word), &loaded_, sizeof(loaded_)); \
	loaded_; \
})
#define shim_store(word, value, order) __extension__({ \
	__typeof__((void)0, *(word)) stored_ = (value); \
	EXPLORE_POINT("store", word); \
	explore_store((word), &stored_, sizeof(stored_), memory_order_##order == memory_order_seq_cst); \
})
#define EXPLORE_CHANGE(what, word, change) __extension__({ \
	EXPLORE_POINT(what, word); \
	explore_drain(); \
	change; \
})
#define shim_xchg(word, value, order) EXPLORE_CHANGE("xchg", word, atomic_exchange((word), (value)))
#define shim_add(word, value, order) EXPLORE_CHANGE("add", word, atomic_fetch_add((word), (value)))
#define shim_sub(word, value, order) EXPLORE_CHANGE("sub", word, atomic_fetch_sub((word), (value)))
#define shim_or(word, value, order) EXPLORE_CHANGE("or", word, atomic_fetch_or((word), (value)))
#define shim_and(word, value, order) EXPLORE_CHANGE("and", word, atomic_fetch_and((word), (value)))
#define shim_cas(word, expected, value, order) \
	EXPLORE_CHANGE("cas", word, atomic_compare_exchange_strong((word), (expected), (value)))
#define shim_init(word, value) atomic_init((word), (value))

#define futex_wait(word, expected, deadline) explore_futex_wait(EXPLORE_HERE("futex_wait " #word), (word), (expected), (deadline))
#define futex_wake(word, n) explore_futex_wake(EXPLORE_HERE("futex_wake " #word), (word), (n))
#define cpu_pause() explore_yield(EXPLORE_HERE("pause"))
#define cpu_yield() explore_yield(EXPLORE_HERE("yield"))
#define shim_has_membarrier() true
#define shim_membarrier() explore_membarrier(EXPLORE_HERE("membarrier"))
#define shim_keep_order() ((void)0)
#define shim_clock() explore_clock(EXPLORE_HERE("clock"))

#endif
