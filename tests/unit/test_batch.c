#include "../../daemon/admit.h"
#include "../../daemon/batch.h"
#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

enum { MOST = 1000 };

static struct batch *submit(struct mill *m, const char *name, const char *payload, size_t count, size_t width, size_t quorum, struct answer *why)
{
	struct request request = { .job = slice_of(name) };
	struct peer peer = { .family = AF_INET, .address.v4.s_addr = 1 };
	struct requester requester = { .ctx = m->client, .home = m->home, .peer = &peer };
	struct slice payloads[MOST];
	struct batch_order order = { .payloads = payloads, .count = count, .bytes = count * strlen(payload), .width = width,
				     .quorum = quorum ? quorum : count };

	for (size_t i = 0; i < count; i++)
		payloads[i] = slice_of(payload);
	return request_submit_batch(m->leatd.catalogue, &request, &order, &requester, moment_now(), why);
}

/* Until so many have been seen to be over, as its loop would. */
static void await_over(struct mill *m, struct batch *b, size_t n)
{
	while (b->seen < n) {
		struct job *whole;

		if (batch_next_over(b))
			continue;
		whole = mill_home(m);
		ck_assert_ptr_eq(whole, b->whole);
		batch_hush(b);
		job_unref(whole);
	}
}

/* All of it is over. */
static void forget(struct mill *m, struct batch *b)
{
	ctx_cancel(b->whole->ctx);
	if (!batch_silence(b))
		job_unref(mill_home(m));
	job_unref(b->whole);
}

static size_t hands_out(struct batch *b)
{
	size_t n;

	lock_acquire(&b->lock);
	n = b->hands_out;
	lock_release(&b->lock);
	return n;
}

START_TEST(all_places_are_taken_in_one_step_or_none)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=4"));
	struct answer why;
	struct batch *b;

	ck_assert_ptr_null(submit(m, "sleep", "60s", 6, 0, 0, &why));
	ck_assert_int_eq(why.code, CODE_BUSY);
	ck_assert_int_eq(answer_number(&why, "places"), 5);
	b = submit(m, "sleep", "60s", 4, 0, 0, &why);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(submit(m, "sleep", "60s", 2, 0, 0, &why));
	ck_assert_int_eq(answer_number(&why, "places"), -1);
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	ck_assert_uint_eq(mill_books(m, "sleep").waiting, 3);
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_queue_full], 8);
	batch_give_up(b, CODE_CANCELED, moment_now());
	ck_assert_uint_eq(mill_books(m, "sleep").waiting, 0);
	ctx_cancel(b->whole->ctx);
	await_over(m, b, 4);
	struct books_copy books = mill_books(m, "sleep");

	expect_balance(&books);
	ck_assert_uint_eq(books.submitted, 12);
	ck_assert_uint_eq(books.ended[OUTCOME_canceled], 4);
	forget(m, b);
	mill_stop(m);
}
END_TEST

START_TEST(each_item_is_done_once_and_counted_once)
{
	struct mill *m = mill_start(OVERRIDES("job echo.concurrency=4", "job echo.queue=20000"));
	struct answer why;

	for (size_t round = 0; round < 200; round++) {
		size_t count = 1 + round * 5 % MOST;
		struct batch *b = submit(m, "echo", "hello", count, 0, 0, &why);

		ck_assert_ptr_nonnull(b);
		await_over(m, b, count);
		for (size_t i = 0; i < count; i++) {
			ck_assert(b->items[i].over);
			ck_assert_int_eq(b->items[i].code, CODE_OK);
			ck_assert(slice_is(b->items[i].output, SLICE("hello")));
		}
		ck_assert_uint_eq(books_inside(b->whole->type->books), 0);
		forget(m, b);
	}
	struct books_copy books = mill_books(m, "echo");

	expect_balance(&books);
	ck_assert_uint_eq(books.submitted, books.ended[OUTCOME_done]);
	mill_stop(m);
}
END_TEST

START_TEST(nothing_is_begun_when_enough_have_succeeded)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=20"));
	struct answer why;
	struct batch *b = submit(m, "sleep", "1ms", 10, 0, 3, &why);

	await_over(m, b, 3);
	wait_until(hands_out(b) == 0, SOON);
	ck_assert_uint_eq(mill_books(m, "sleep").waiting, 7);
	ck_assert_uint_eq(b->succeeded_seen, 3);
	batch_give_up(b, CODE_CANCELED, moment_now());
	await_over(m, b, 10);
	ck_assert_uint_eq(mill_books(m, "sleep").ended[OUTCOME_done], 3);
	ck_assert_uint_eq(mill_books(m, "sleep").ended[OUTCOME_canceled], 7);
	forget(m, b);
	mill_stop(m);
}
END_TEST

START_TEST(one_item_can_be_cancelled_whether_it_waits_or_runs)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=20"));
	char id[JOB_ID_MAX + 1], detail[96];
	struct answer why, a;
	struct batch *b = submit(m, "sleep", "20s", 3, 0, 0, &why);

	wait_until(mill_books(m, "sleep").running == 1, SOON);
	ck_assert(batch_cancel_item(b, &b->items[2], moment_now()));
	ck_assert(!batch_cancel_item(b, &b->items[2], moment_now()));
	await_over(m, b, 1);
	a = batch_item_answer(b, &b->items[2], detail, sizeof(detail));
	ck_assert_int_eq(a.code, CODE_CANCELED);
	ck_assert_str_eq(a.detail, "cancelled while waiting");
	ck_assert(batch_cancel_item(b, &b->items[0], moment_now()));
	await_over(m, b, 2);
	ck_assert_int_eq(b->items[0].code, CODE_CANCELED);
	ck_assert(b->items[0].output.len > 0 && b->items[0].output.at[0] == '-');
	/* Its hand goes on with the next. */
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	batch_item_id(b, &b->items[1], id);
	ck_assert_msg(strlen(id) == 18 && strcmp(id + 16, ".1") == 0, "%s", id);
	ctx_cancel(b->whole->ctx);
	await_over(m, b, 3);
	forget(m, b);
	mill_stop(m);
}
END_TEST

START_TEST(what_runs_on_can_be_parted_from)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=2", "job sleep.queue=20"));
	char detail[96];
	struct answer why, a;
	struct batch *b = submit(m, "sleep", "300ms", 2, 0, 0, &why);

	wait_until(mill_books(m, "sleep").running == 2, SOON);
	wait_until(batch_abandon(b, moment_now()), SOON);
	ck_assert_uint_eq(b->abandoned, 2);
	await_over(m, b, 2);
	ck_assert_uint_eq(mill_books(m, "sleep").abandoned, 2);
	a = batch_item_answer(b, &b->items[1], detail, sizeof(detail));
	ck_assert_int_eq(a.code, CODE_TIMEOUT);
	ck_assert_int_eq(answer_number(&a, "abandoned"), 1);
	if (!batch_silence(b))
		job_unref(mill_home(m));
	job_unref(b->whole);
	/* The hands are its last owners. */
	wait_until(mill_books(m, "sleep").running == 0, SOON);
	ck_assert_uint_eq(mill_books(m, "sleep").abandoned, 0);
	ck_assert_uint_eq(mill_books(m, "sleep").ended[OUTCOME_timeout], 2);
	mill_stop(m);
}
END_TEST

START_TEST(hands_that_have_nothing_left_to_do_make_room_when_memory_is_short)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=2000", "server.max_memory=1M"));
	struct answer why;
	struct batch *runs = submit(m, "sleep", "60s", 1, 0, 0, &why);

	wait_until(mill_books(m, "sleep").running == 1, SOON);
	/* Each leaves a hand in the channel, with all its payloads. */
	for (int i = 0; i < 200; i++) {
		struct batch *b = submit(m, "sleep", "60s", 1000, 0, 0, &why);

		ck_assert_msg(b != NULL, "%s", why.detail);
		batch_give_up(b, CODE_CANCELED, moment_now());
		await_over(m, b, 1000);
		forget(m, b);
	}
	ctx_cancel(runs->whole->ctx);
	await_over(m, runs, 1);
	forget(m, runs);
	mill_stop(m);
}
END_TEST

START_TEST(a_share_counts_all_of_it)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=9", "job sleep.client_share=50", "job sleep.predict=no"));
	struct answer why;
	struct job *other = mill_submit_as(m, 2, "sleep", "60s", 0, &why), *second = mill_submit_as(m, 2, "sleep", "60s", 0, &why);
	struct batch *b;

	ck_assert_ptr_null(submit(m, "sleep", "1ms", 6, 0, 0, &why));
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_client_share], 6);
	b = submit(m, "sleep", "1ms", 5, 0, 0, &why);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(mill_submit(m, "sleep", "1ms", 0, &why));
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_client_share], 7);
	ctx_cancel(other->ctx);
	ctx_cancel(second->ctx);
	mill_forget(mill_home(m));
	mill_forget(mill_home(m));
	await_over(m, b, 5);
	forget(m, b);
	for (int i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "1ms", 0, &why));
	for (int i = 0; i < 5; i++)
		mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(a_batch_that_would_not_end_in_time_is_refused)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=4", "job sleep.queue=100"));
	struct answer why;
	struct batch *b = submit(m, "sleep", "100ms", 4, 0, 0, &why);

	await_over(m, b, 4);
	forget(m, b);
	/* 5 seconds are enough for 100 of them, four at a time, but not one after the other, nor for all if none of them runs first. */
	ck_assert_ptr_null(submit(m, "sleep", "100ms", 80, 1, 0, &why));
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_would_miss_deadline], 80);
	b = submit(m, "sleep", "1ms", 80, 0, 0, &why);
	ck_assert_ptr_nonnull(b);
	await_over(m, b, 80);
	forget(m, b);
	mill_stop(m);
}
END_TEST

/* Its loop takes results, until there are hands to go on. */
static struct job *take_until_let_go(struct batch *b, size_t *taken)
{
	struct job *hands = NULL;

	wait_until(batch_next_over(b) || *taken < b->seen, SOON);
	while (!hands && (*taken < b->seen || batch_next_over(b))) {
		batch_taken(b, &b->items[shim_load(&b->order[*taken], relaxed) - 1]);
		++*taken;
		hands = batch_let_go(b);
	}
	return hands;
}

static size_t send_again(struct job *hand)
{
	size_t n = 0;

	for (struct job *next; hand; hand = next, n++) {
		next = hand->next;
		ck_assert(admit_again(hand));
	}
	return n;
}

START_TEST(what_is_not_taken_holds_its_hands_and_their_runners_are_free)
{
	/* The budget leaves a batch 64 KiB: four of them, and what has been begun by then. */
	struct mill *m = mill_start(OVERRIDES("job big.exec=/usr/bin/head -c 20000 /dev/zero", "job big.concurrency=2", "job big.queue=100",
					      "job big.predict=no", "job big.deadline=1m", "server.max_memory=1M"));
	struct answer why;
	struct batch *b = submit(m, "big", "", 40, 0, 0, &why);
	size_t taken = 0, sent = 0;
	struct job *hands;

	wait_until(hands_out(b) == 2 && pool_outstanding(b->whole->type->pool) == 0, SOON);
	ck_assert(batch_is_full(b));
	ck_assert_uint_le(mill_books(m, "big").ended[OUTCOME_done], 5);
	ck_assert_ptr_null(batch_let_go(b));
	/* Nobody waits behind them. */
	ck_assert_uint_ge(mill_books(m, "big").waiting, 35);
	ck_assert_uint_eq(books_in_line(b->whole->type->books), 0);
	hands = take_until_let_go(b, &taken);
	ck_assert_ptr_nonnull(hands);
	ck_assert_uint_gt(books_in_line(b->whole->type->books), 30);
	/* If they cannot go they lie there on, and are let go the next time. */
	for (struct job *hand = hands, *next; hand; hand = next) {
		next = hand->next;
		batch_hold_on(hand);
	}
	ck_assert_uint_eq(books_in_line(b->whole->type->books), 0);
	hands = batch_let_go(b);
	while (taken < 40) {
		sent += send_again(hands);
		hands = take_until_let_go(b, &taken);
	}
	send_again(hands);
	ck_assert_uint_ge(sent, 2);
	ck_assert_uint_eq(b->succeeded_seen, 40);
	ck_assert_uint_eq(shim_load(&b->unread, relaxed), 0);
	wait_until(hands_out(b) == 0, SOON);
	forget(m, b);
	mill_stop(m);
}
END_TEST

START_TEST(what_is_held_back_can_be_given_up)
{
	struct mill *m = mill_start(OVERRIDES("job big.exec=/usr/bin/head -c 20000 /dev/zero", "job big.concurrency=2", "job big.queue=100",
					      "job big.predict=no", "job big.deadline=1m", "server.max_memory=1M"));
	struct answer why;
	struct batch *b = submit(m, "big", "", 40, 0, 0, &why);

	wait_until(hands_out(b) == 2 && pool_outstanding(b->whole->type->pool) == 0, SOON);
	batch_give_up(b, CODE_TIMEOUT, moment_now());
	ck_assert_uint_eq(hands_out(b), 0);
	ck_assert_uint_eq(shim_load(&b->whole->type->buried, relaxed), 0);
	ck_assert_uint_eq(books_in_line(b->whole->type->books), 0);
	ck_assert_uint_eq(mill_books(m, "big").waiting, 0);
	await_over(m, b, 40);
	ck_assert_uint_ge(mill_books(m, "big").ended[OUTCOME_timeout], 35);
	forget(m, b);
	mill_stop(m);
}
END_TEST

Suite *batch_suite(void);
Suite *batch_suite(void)
{
	const TTest *const tests[] = {
		all_places_are_taken_in_one_step_or_none,
		each_item_is_done_once_and_counted_once,
		nothing_is_begun_when_enough_have_succeeded,
		one_item_can_be_cancelled_whether_it_waits_or_runs,
		what_runs_on_can_be_parted_from,
		what_is_not_taken_holds_its_hands_and_their_runners_are_free,
		what_is_held_back_can_be_given_up,
		hands_that_have_nothing_left_to_do_make_room_when_memory_is_short,
		a_share_counts_all_of_it,
		a_batch_that_would_not_end_in_time_is_refused,
	};
	return suite_of("batch", tests, countof(tests));
}
