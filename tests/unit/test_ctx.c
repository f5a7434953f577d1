#include "blocked.h"

START_TEST(the_background_never_ends)
{
	ck_assert_status(ctx_error(NULL), CHAN_OK);
	ck_assert_int_eq(ctx_deadline(NULL), FOREVER);
	ck_assert_ptr_null(ctx_done(NULL));
	ck_assert_ptr_null(ctx_ref(NULL));
	ctx_cancel(NULL);
	ctx_unref(NULL);
}
END_TEST

START_TEST(cancelling_ends_all_below_and_nothing_above)
{
	struct ctx *root = ctx_with_cancel(NULL), *middle = ctx_with_cancel(root), *leaf = ctx_with_cancel(middle);
	struct ctx *beside = ctx_with_cancel(root);

	ctx_cancel(middle);
	ctx_cancel(middle);
	ck_assert_status(ctx_error(root), CHAN_OK);
	ck_assert_status(ctx_error(beside), CHAN_OK);
	ck_assert_status(ctx_error(middle), CHAN_CANCELED);
	ck_assert_status(ctx_error(leaf), CHAN_CANCELED);
	ctx_cancel(root);
	ck_assert_status(ctx_error(beside), CHAN_CANCELED);
	ctx_unref(root);
	ctx_unref(beside);
	ctx_unref(middle);
	ctx_unref(leaf);
}
END_TEST

START_TEST(the_deadline_is_the_earliest_of_the_ancestors)
{
	moment early = moment_in(1000 * SECONDS), late = moment_in(2000 * SECONDS);
	struct ctx *root = ctx_with_deadline(NULL, early), *later = ctx_with_deadline(root, late);
	struct ctx *plain = ctx_with_cancel(later), *earlier = ctx_with_deadline(plain, early - 1);

	ck_assert_int_eq(ctx_deadline(root), early);
	ck_assert_int_eq(ctx_deadline(later), early);
	ck_assert_int_eq(ctx_deadline(plain), early);
	ck_assert_int_eq(ctx_deadline(earlier), early - 1);
	ctx_unref(root);
	ctx_unref(later);
	ctx_unref(plain);
	ctx_unref(earlier);
}
END_TEST

START_TEST(a_deadline_passes_by_itself)
{
	struct ctx *past = ctx_with_deadline(NULL, NOW), *soon = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	struct ctx *child = ctx_with_cancel(soon);

	ck_assert_status(ctx_error(past), CHAN_DEADLINE);
	ck_assert_status(chan_recv(ctx_done(child), NULL, NULL, SOON), CHAN_CLOSED);
	ck_assert_status(ctx_error(soon), CHAN_DEADLINE);
	ck_assert_status(ctx_error(child), CHAN_DEADLINE);
	ctx_unref(soon);
	ctx_unref(child);
	ctx_unref(past);
}
END_TEST

START_TEST(the_first_reason_stays)
{
	struct ctx *late = ctx_with_deadline(NULL, NOW), *cancelled = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	struct ctx *root = ctx_with_cancel(NULL), *below = ctx_with_deadline(root, NOW);

	ctx_cancel(late);
	ck_assert_status(ctx_error(late), CHAN_DEADLINE);
	ctx_cancel(root);
	ck_assert_status(ctx_error(root), CHAN_CANCELED);
	ck_assert_status(ctx_error(below), CHAN_DEADLINE);
	ctx_cancel(cancelled);
	if (ctx_error(cancelled) == CHAN_CANCELED) {   /* unless we were too slow */
		wait_until(moment_reached(ctx_deadline(cancelled)), SOON);
		ck_assert_status(ctx_error(cancelled), CHAN_CANCELED);
	}
	ctx_unref(late);
	ctx_unref(cancelled);
	ctx_unref(root);
	ctx_unref(below);
}
END_TEST

START_TEST(a_child_of_an_ended_context_has_ended)
{
	struct ctx *root = ctx_with_cancel(NULL), *child;
	struct ctx *late = ctx_with_deadline(NULL, NOW), *late_child;

	ctx_cancel(root);
	child = ctx_with_cancel(root);
	late_child = ctx_with_cancel(late);
	ck_assert_status(ctx_error(child), CHAN_CANCELED);
	ck_assert_status(ctx_error(late_child), CHAN_DEADLINE);
	ck_assert_status(chan_try_recv(ctx_done(child), NULL), CHAN_CLOSED);
	ctx_cancel(child);
	ctx_unref(root);
	ctx_unref(child);
	ctx_unref(late);
	ctx_unref(late_child);
}
END_TEST

START_TEST(done_is_closed_when_the_context_has_ended_and_only_then)
{
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct chan *done = ctx_done(ctx);
	struct blocked b = { .op = CHAN_OP_RECV, .chan = done, .deadline = FOREVER };
	int nothing = 0;

	ck_assert_uint_eq(chan_elem_size(done), 0);
	ck_assert_status(chan_try_recv(done, NULL), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_recv(done, NULL, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(chan_send(done, &nothing, NULL, FOREVER), CHAN_INVALID);
	ck_assert_status(chan_try_send(done, &nothing), CHAN_INVALID);
	ck_assert_status(chan_close(done), CHAN_INVALID);
	blocked_start(&b);
	ctx_cancel(ctx);
	ck_assert_status(blocked_end(&b), CHAN_CLOSED);
	ck_assert_status(chan_try_recv(done, NULL), CHAN_CLOSED);
	ck_assert(chan_is_closed(done));
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_reference_on_done_is_one_on_the_context)
{
	struct ctx *ctx = ctx_with_cancel(NULL), *child = ctx_with_cancel(ctx);
	struct chan *done = chan_ref(ctx_done(child));

	ctx_unref(child);
	ctx_cancel(ctx);
	ctx_unref(ctx);
	ck_assert_status(chan_try_recv(done, NULL), CHAN_CLOSED);
	chan_unref(done);
}
END_TEST

START_TEST(a_long_chain_ends_and_goes_without_recursion)
{
	enum { LONG = 20000 };
	struct ctx *root = ctx_with_cancel(NULL), *last = ctx_ref(root), *next;
	int i;

	for (i = 0; i < LONG; i++) {
		next = ctx_with_cancel(last);
		ctx_unref(last);
		last = next;
	}
	ctx_cancel(root);
	ck_assert_status(ctx_error(last), CHAN_CANCELED);
	ctx_unref(root);
	ctx_unref(last);
}
END_TEST

enum { WAITERS = 200 };

START_TEST(one_cancellation_wakes_every_waiter)
{
	struct ctx *root = ctx_with_cancel(NULL), *children[4];
	struct chan *c = chan_new(sizeof(int), 0);
	static struct blocked b[WAITERS];
	size_t i;

	for (i = 0; i < countof(children); i++)
		children[i] = ctx_with_cancel(root);
	for (i = 0; i < WAITERS; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_RECV, .chan = c, .ctx = children[i % 4], .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	ctx_cancel(root);
	for (i = 0; i < WAITERS; i++)
		ck_assert_status(blocked_end(&b[i]), CHAN_CANCELED);
	ck_assert_uint_eq(receivers_of(c), 0);
	for (i = 0; i < countof(children); i++)
		ctx_unref(children[i]);
	ctx_unref(root);
	chan_unref(c);
}
END_TEST

enum { FAMILIES = 400, RACERS = 4 };

struct family {
	struct ctx *root, *middle[2];
	shim_u32 at_start, wrong;
};

static void meet(struct family *f)
{
	shim_add(&f->at_start, 1, acq_rel);
	while (shim_load(&f->at_start, acquire) < RACERS)
		sched_yield();
}

/* Makes children, cancels at different heights, lets go in different orders. */
static void *race(void *arg)
{
	struct family *f = arg;
	struct ctx *mine, *below;
	uint32_t who;

	who = shim_add(&f->at_start, 1, acq_rel);
	mine = ctx_with_cancel(f->middle[who % 2]);
	below = ctx_with_deadline(mine, who == 3 ? moment_in(10 * MICROSECONDS) : SOON);
	shim_sub(&f->at_start, 1, acq_rel);
	meet(f);
	if (who == 0)
		ctx_cancel(f->root);
	if (who == 1)
		ctx_cancel(f->middle[1]);
	if (who < 2 && (ctx_error(below) == CHAN_OK || ctx_error(mine) != CHAN_CANCELED))
		shim_store(&f->wrong, 1, relaxed);
	if (who == 2)
		ctx_unref(mine);
	chan_recv(ctx_done(below), NULL, NULL, FOREVER);
	if (ctx_error(below) == CHAN_OK)
		shim_store(&f->wrong, 1, relaxed);
	ctx_unref(below);
	if (who != 2)
		ctx_unref(mine);
	return NULL;
}

START_TEST(cancelling_while_others_come_and_go_ends_everyone)
{
	int i, k;

	for (i = 0; i < FAMILIES; i++) {
		struct family f = { .root = ctx_with_cancel(NULL) };
		pthread_t threads[RACERS];
		for (k = 0; k < 2; k++)
			f.middle[k] = ctx_with_cancel(f.root);
		for (k = 0; k < RACERS; k++)
			threads[k] = thread_start(race, &f);
		for (k = 0; k < RACERS; k++)
			thread_join(threads[k]);
		ck_assert_uint_eq(shim_load(&f.wrong, relaxed), 0);
		ctx_unref(f.root);
		for (k = 0; k < 2; k++)
			ctx_unref(f.middle[k]);
	}
}
END_TEST

Suite *ctx_suite(void);

Suite *ctx_suite(void)
{
	const TTest *tests[] = {
		the_background_never_ends,
		cancelling_ends_all_below_and_nothing_above,
		the_deadline_is_the_earliest_of_the_ancestors,
		a_deadline_passes_by_itself,
		the_first_reason_stays,
		a_child_of_an_ended_context_has_ended,
		done_is_closed_when_the_context_has_ended_and_only_then,
		a_reference_on_done_is_one_on_the_context,
		a_long_chain_ends_and_goes_without_recursion,
		one_cancellation_wakes_every_waiter,
		cancelling_while_others_come_and_go_ends_everyone,
	};
	return suite_of("ctx", tests, countof(tests));
}
