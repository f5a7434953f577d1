/* The page that a test shares with a leatd into which failing.so is preloaded. All zeros: nothing fails. */
#ifndef LEAT_TESTS_FAILING_H
#define LEAT_TESTS_FAILING_H

#include <stdatomic.h>
#include <stdint.h>

struct failing {
	_Atomic(int64_t) countdown;     /* the allocation that fails, counted from now; 0: none */
	_Atomic(int64_t) failed;        /* that have */
	_Atomic(int64_t) live;          /* allocated and not freed */
	_Atomic(int64_t) accept_failures;       /* so many more calls of accept4() fail; -1: all */
	_Atomic(int64_t) accept_error;          /* with this errno */
	_Atomic(int64_t) accepts;               /* calls of accept4() */
	_Atomic(int64_t) frozen;        /* 1: an event loop that waits for events, waits until this is 0 */
};

#endif
