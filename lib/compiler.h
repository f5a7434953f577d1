/* Short names for what the compiler can check for us (gcc 12, clang 14). */
#ifndef LEAT_COMPILER_H
#define LEAT_COMPILER_H

#define must_check __attribute__((warn_unused_result))
#define printf_like(text, first) __attribute__((format(printf, text, first)))
#define inline_always inline __attribute__((always_inline))
#define never_inline __attribute__((noinline))
#define unused_arg __attribute__((unused))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A false sharing line: two of them, since x86-64 fetches lines in pairs. */
#define CACHE_LINE 128
#define cache_aligned __attribute__((aligned(CACHE_LINE)))

#define countof(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#endif
