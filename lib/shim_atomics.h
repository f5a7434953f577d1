/* The part of the shim that programs outside of lib/ may see, since what is inlined into them needs it: atomics. The manual
 * is in shim.h. */
#ifndef LEAT_SHIM_ATOMICS_H
#define LEAT_SHIM_ATOMICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic(uint32_t) shim_u32;
typedef _Atomic(uint64_t) shim_u64;
typedef _Atomic(int64_t) shim_i64;
typedef _Atomic(size_t) shim_size;

#ifdef LEAT_SHIM
#include LEAT_SHIM
#endif
#ifndef SHIM_POINT
#define SHIM_POINT() ((void)0)
#endif

#ifndef SHIM_OWN_ATOMICS
/* The last argument is the memory order: relaxed, acquire, release, acq_rel or seq_cst. */
#define shim_load(word, order) (SHIM_POINT(), atomic_load_explicit((word), memory_order_##order))
#define shim_store(word, value, order) (SHIM_POINT(), atomic_store_explicit((word), (value), memory_order_##order))
#define shim_xchg(word, value, order) (SHIM_POINT(), atomic_exchange_explicit((word), (value), memory_order_##order))
#define shim_add(word, value, order) (SHIM_POINT(), atomic_fetch_add_explicit((word), (value), memory_order_##order))
#define shim_sub(word, value, order) (SHIM_POINT(), atomic_fetch_sub_explicit((word), (value), memory_order_##order))
#define shim_or(word, value, order) (SHIM_POINT(), atomic_fetch_or_explicit((word), (value), memory_order_##order))
#define shim_and(word, value, order) (SHIM_POINT(), atomic_fetch_and_explicit((word), (value), memory_order_##order))
/* True if *word was *expected and is `value` now; otherwise *expected is what it was. */
#define shim_cas(word, expected, value, order) \
	(SHIM_POINT(), atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_##order, \
		memory_order_relaxed))
/* The compiler leaves what is before it before it. The processor need not: that is what shim_membarrier() is for. */
#define shim_keep_order() __asm__ volatile("" ::: "memory")
#endif
/* What no other thread can see yet. */
#define shim_init(word, value) atomic_init((word), (value))

#endif
