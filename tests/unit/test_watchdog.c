#include "testing.h"

#include "../../daemon/watchdog.h"

START_TEST(a_pool_whose_runner_leaves_work_lying_does_not_move)
{
	const struct pool_stand idle = { .begun = 7, .idle = true }, busy = { .begun = 7, .idle = false };

	ck_assert(!pool_moves(idle, idle));
	/* Work that waits for the runners that are busy, or that has just come, is no fault. */
	ck_assert(pool_moves(busy, busy));
	ck_assert(pool_moves(busy, idle));
	ck_assert(pool_moves(idle, busy));
	ck_assert(pool_moves(idle, (struct pool_stand){ .begun = 8, .idle = true }));
}
END_TEST

Suite *watchdog_suite(void);
Suite *watchdog_suite(void)
{
	const TTest *const tests[] = { a_pool_whose_runner_leaves_work_lying_does_not_move };

	return suite_of("watchdog", tests, countof(tests));
}
