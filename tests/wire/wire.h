/* What every wire test uses: a real leatd, clients that talk to it, and ways to wait for what is not ours to cause. */
#ifndef LEAT_WIRE_H
#define LEAT_WIRE_H

#include "proc.h"
#include "scratch.h"
#include "server.h"
#include "shell.h"
#include "talk.h"
#include "web.h"

#include "../../lib/moment.h"
#include "../../lib/sanitized.h"

#include <check.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for any machine and any sanitizer, short enough to see that it hangs. */
#define SOON moment_in(30 * SECONDS)

/* Fails the test if the condition has not come true by the deadline. Looks a thousand times a second, and leaves the CPU to the
 * process that is waited for. */
#define wait_until(condition, deadline) \
	do { \
		moment until_ = (deadline); \
		while (!(condition)) { \
			ck_assert_msg(!moment_reached(until_), "never came true: %s", #condition); \
			poll(NULL, 0, 1); \
		} \
	} while (0)

#define await(condition) wait_until(condition, SOON)

/* Asserts that a text matches an extended regular expression. */
#define assert_match(text, pattern) do { const char *heard_ = (text); \
	ck_assert_msg(text_matches(heard_, pattern), "'%s' does not match '%s'", heard_, pattern); } while (0)
/* Asserts that a text holds another. */
#define assert_has(text, part) \
	ck_assert_msg(strstr(text, part) != NULL, "'%s' does not hold '%s'", text, part)

/* A suite of one case. Each test ends with the orderly stop of every leatd that it started (server_stop()). */
Suite *wire_suite(const char *name, const TTest *const *tests, size_t n);

#define SUITE(name) Suite *name##_suite(void);
#define SUITE_ALONE SUITE
#include "suites.def"
#undef SUITE_ALONE
#undef SUITE

#endif
