#include "testing.h"

#include "../../lib/chan.h"
#include "../../lib/ctx.h"
#include "../../lib/gate.h"
#include "../../lib/shim.h"

struct walker {
	struct gate *gate;
	struct ctx *ctx;
	moment deadline;
	enum chan_status status;
	shim_u32 through;
	int times;
	pthread_t thread;
};

static void *walk(void *arg)
{
	struct walker *w = arg;

	for (int i = 0; i < w->times; i++) {
		w->status = gate_pass(w->gate, w->ctx, w->deadline);
		shim_add(&w->through, 1, release);
	}
	return NULL;
}

START_TEST(an_open_gate_is_passed_even_by_who_is_in_no_hurry_any_more)
{
	struct gate *gate = gate_new();
	struct ctx *ctx = ctx_with_cancel(NULL);

	ctx_cancel(ctx);
	ck_assert(!gate_is_shut(gate));
	ck_assert_status(gate_pass(gate, ctx, NOW), CHAN_OK);
	gate_open(gate);
	ck_assert_status(gate_pass(gate, NULL, FOREVER), CHAN_OK);
	ctx_unref(ctx);
	gate_unref(gate);
}
END_TEST

START_TEST(all_who_wait_go_when_it_is_opened_and_it_can_be_shut_again)
{
	struct gate *gate = gate_new();

	for (int round = 0; round < 20; round++) {
		struct walker w[4];

		ck_assert_status(gate_shut(gate), CHAN_OK);
		ck_assert_status(gate_shut(gate), CHAN_OK);
		ck_assert(gate_is_shut(gate));
		for (size_t i = 0; i < countof(w); i++) {
			w[i] = (struct walker){ .gate = gate, .deadline = SOON, .times = 1 };
			w[i].thread = thread_start(walk, &w[i]);
		}
		ck_assert_status(gate_pass(gate, NULL, NOW), CHAN_WOULD_BLOCK);
		for (size_t i = 0; i < countof(w); i++)
			ck_assert_uint_eq(shim_load(&w[i].through, acquire), 0);
		gate_open(gate);
		for (size_t i = 0; i < countof(w); i++) {
			thread_join(w[i].thread);
			ck_assert_status(w[i].status, CHAN_OK);
		}
	}
	gate_unref(gate);
}
END_TEST

START_TEST(waiting_ends_with_the_time_or_the_ctx)
{
	struct gate *gate = gate_new();
	struct ctx *canceled = ctx_with_cancel(NULL), *late = ctx_with_deadline(NULL, moment_in(5 * MILLISECONDS));
	struct walker w = { .gate = gate, .ctx = canceled, .deadline = SOON, .times = 1 };

	ck_assert_status(gate_shut(gate), CHAN_OK);
	ck_assert_status(gate_pass(gate, NULL, moment_in(5 * MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(gate_pass(gate, late, FOREVER), CHAN_DEADLINE);
	w.thread = thread_start(walk, &w);
	ctx_cancel(canceled);
	thread_join(w.thread);
	ck_assert_status(w.status, CHAN_CANCELED);
	ck_assert(gate_is_shut(gate));
	ctx_unref(canceled);
	ctx_unref(late);
	gate_unref(gate);
}
END_TEST

START_TEST(nobody_is_left_behind_however_often_it_is_shut_and_opened)
{
	struct gate *gate = gate_new();
	struct walker w[4];

	for (size_t i = 0; i < countof(w); i++) {
		w[i] = (struct walker){ .gate = gate, .deadline = SOON, .times = 2000 };
		w[i].thread = thread_start(walk, &w[i]);
	}
	for (int i = 0; i < 2000; i++) {
		ck_assert_status(gate_shut(gate), CHAN_OK);
		gate_open(gate);
	}
	for (size_t i = 0; i < countof(w); i++) {
		thread_join(w[i].thread);
		ck_assert_status(w[i].status, CHAN_OK);
		ck_assert_uint_eq(shim_load(&w[i].through, acquire), 2000);
	}
	gate_unref(gate_ref(gate));
	gate_unref(gate);
}
END_TEST

Suite *gate_suite(void);

Suite *gate_suite(void)
{
	const TTest *tests[] = {
		an_open_gate_is_passed_even_by_who_is_in_no_hurry_any_more,
		all_who_wait_go_when_it_is_opened_and_it_can_be_shut_again,
		waiting_ends_with_the_time_or_the_ctx,
		nobody_is_left_behind_however_often_it_is_shut_and_opened,
	};
	return suite_of("gate", tests, countof(tests));
}
