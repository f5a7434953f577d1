#include "../../daemon/purse.h"
#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

static uint64_t charged(const struct mill *m)
{
	return shim_load(&m->leatd.memory_bytes, relaxed);
}

START_TEST(small_sums_do_not_touch_the_budget)
{
	struct mill *m = mill_start(NULL, 0);
	struct purse p;
	uint64_t taken;

	purse_init(&p, &m->leatd);
	ck_assert(purse_spend(&p, 100));
	taken = charged(m);
	ck_assert_uint_ge(taken, 100);
	for (int i = 0; i < 100; i++) {
		ck_assert(purse_spend(&p, 500));
		ck_assert_uint_eq(charged(m), taken);
		purse_return(&p, 500);
		ck_assert_uint_eq(charged(m), taken);
	}
	purse_return(&p, 100);
	purse_empty(&p);
	ck_assert_uint_eq(charged(m), 0);
	mill_stop(m);
}
END_TEST

START_TEST(large_sums_go_back_at_once)
{
	struct mill *m = mill_start(NULL, 0);
	struct purse p;

	purse_init(&p, &m->leatd);
	ck_assert(purse_spend(&p, 10 << 20));
	ck_assert_uint_ge(charged(m), 10 << 20);
	purse_return(&p, 10 << 20);
	ck_assert_uint_le(charged(m), 2 * p.slab_bytes);
	purse_empty(&p);
	mill_stop(m);
}
END_TEST

START_TEST(new_work_leaves_the_rest_of_the_budget_to_what_was_accepted)
{
	struct mill *m = mill_start(OVERRIDES("server.max_memory=8M"));
	struct purse p;
	size_t spent = 0;

	purse_init(&p, &m->leatd);
	ck_assert(!purse_is_scarce(&p));
	while (purse_spend(&p, 64 << 10))
		spent += 64 << 10;
	ck_assert_uint_le(charged(m), 7 << 20);
	ck_assert_uint_gt(charged(m), (7 << 20) - (128 << 10));
	ck_assert(purse_is_scarce(&p));
	/* A job still gets something. */
	ck_assert(leatd_charge(&m->leatd, 900 << 10));
	leatd_discharge(&m->leatd, 900 << 10);
	/* And when much has been given back, new work does again. */
	purse_return(&p, spent / 2);
	ck_assert(!purse_is_scarce(&p));
	ck_assert(purse_spend(&p, 64 << 10));
	purse_return(&p, spent - spent / 2 + (64 << 10));
	purse_empty(&p);
	ck_assert_uint_eq(charged(m), 0);
	mill_stop(m);
}
END_TEST

START_TEST(what_cannot_be_refused_may_go_over_it_but_not_for_ever)
{
	struct mill *m = mill_start(OVERRIDES("server.max_memory=1M"));
	struct purse p;
	size_t spent = 0;

	purse_init(&p, &m->leatd);
	while (purse_overdraw(&p, 64 << 10))
		spent += 64 << 10;
	ck_assert_uint_gt(spent, 1 << 20);
	ck_assert_uint_lt(spent, 64 << 20);
	ck_assert(!purse_spend(&p, 1));
	purse_return(&p, spent);
	purse_empty(&p);
	ck_assert_uint_eq(charged(m), 0);
	mill_stop(m);
}
END_TEST

Suite *purse_suite(void);
Suite *purse_suite(void)
{
	const TTest *const tests[] = {
		small_sums_do_not_touch_the_budget, large_sums_go_back_at_once, new_work_leaves_the_rest_of_the_budget_to_what_was_accepted,
		what_cannot_be_refused_may_go_over_it_but_not_for_ever,
	};

	return suite_of("purse", tests, countof(tests));
}
