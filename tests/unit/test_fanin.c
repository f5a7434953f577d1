#include "tracked.h"

#include "../../lib/fanin.h"

/* Both forms make the same promises, so both are told the same stories. */
typedef struct chan *fanin_start(struct chan *const *, size_t, const struct chan_options *, struct ctx *);

static fanin_start *const forms[] = { fanin_forward, fanin_select };

enum { INPUTS = 12, EACH = 300 };

struct feeder {
	struct ledger *ledger;
	struct chan *to;
	int from, count;
	int sent;
	pthread_t thread;
};

static void *feed(void *arg)
{
	struct feeder *f = arg;

	for (f->sent = 0; f->sent < f->count; f->sent++) {
		int *number = number_new(f->ledger, f->from + f->sent);

		if (chan_send(f->to, &number, NULL, FOREVER) != CHAN_OK) {
			number_drop(&number, f->ledger);
			break;
		}
	}
	chan_close(f->to);
	return NULL;
}

static struct chan *numbers_chan(struct ledger *ledger, size_t capacity)
{
	struct chan_options options = numbers_of(ledger, capacity);

	return chan_new_with(&options);
}

static struct chan *fan_in(fanin_start *form, struct chan *const *inputs, size_t n, struct ledger *ledger, size_t capacity,
			   struct ctx *ctx)
{
	struct chan_options options = numbers_of(ledger, capacity);
	struct chan *out = form(inputs, n, &options, ctx);

	ck_assert_ptr_nonnull(out);
	return out;
}

static void unref_all(struct chan **inputs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		chan_unref(inputs[i]);
}

START_TEST(everything_comes_and_each_input_keeps_its_order)
{
	size_t before = threads_before();
	struct ledger ledger = { 0 };
	struct feeder feeders[INPUTS];
	struct chan *inputs[INPUTS], *out;
	int next[INPUTS] = { 0 }, *number;

	for (int i = 0; i < INPUTS; i++) {
		inputs[i] = numbers_chan(&ledger, (size_t)i % 3);
		feeders[i] = (struct feeder){ .ledger = &ledger, .to = inputs[i], .from = i * EACH, .count = EACH };
	}
	out = fan_in(forms[_i], inputs, INPUTS, &ledger, 1, NULL);
	for (int i = 0; i < INPUTS; i++)
		feeders[i].thread = thread_start(feed, &feeders[i]);
	while (chan_recv(out, &number, NULL, SOON) == CHAN_OK) {
		int value = number_take(number);

		ck_assert_int_eq(value % EACH, next[value / EACH]++);
	}
	ck_assert(chan_is_closed(out));
	for (int i = 0; i < INPUTS; i++) {
		thread_join(feeders[i].thread);
		ck_assert_int_eq(next[i], EACH);
	}
	unref_all(inputs, INPUTS);
	chan_unref(out);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&ledger), 0);
}
END_TEST

START_TEST(a_silent_input_holds_up_none_of_the_others)
{
	size_t before = threads_before();
	struct ledger ledger = { 0 };
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct chan *inputs[3] = { numbers_chan(&ledger, 0), NULL, numbers_chan(&ledger, 0) };
	struct chan *out = fan_in(forms[_i], inputs, 3, &ledger, 0, ctx);
	struct feeder feeder = { .ledger = &ledger, .to = inputs[2], .from = 0, .count = 10 };
	int *number;

	feeder.thread = thread_start(feed, &feeder);
	for (int i = 0; i < 10; i++) {
		ck_assert_status(chan_recv(out, &number, NULL, SOON), CHAN_OK);
		ck_assert_int_eq(number_take(number), i);
	}
	thread_join(feeder.thread);
	ck_assert_status(chan_try_recv(out, &number), CHAN_WOULD_BLOCK);
	ctx_cancel(ctx);
	ck_assert_status(chan_recv(out, &number, NULL, SOON), CHAN_CLOSED);
	ck_assert(chan_is_closed(inputs[0]));
	unref_all(inputs, 3);
	chan_unref(out);
	ctx_unref(ctx);
	ck_assert_no_thread_is_left(before);
}
END_TEST

START_TEST(a_consumer_who_has_had_enough_closes_and_all_who_feed_it_hear_of_it)
{
	size_t before = threads_before();
	struct ledger ledger = { 0 };
	struct chan *inputs[3], *out;
	struct feeder feeders[3];
	int *number;

	for (int i = 0; i < 3; i++) {
		inputs[i] = numbers_chan(&ledger, 0);
		feeders[i] = (struct feeder){ .ledger = &ledger, .to = inputs[i], .count = INT32_MAX };
	}
	out = fan_in(forms[_i], inputs, 3, &ledger, 0, NULL);
	for (int i = 0; i < 3; i++)
		feeders[i].thread = thread_start(feed, &feeders[i]);
	ck_assert_status(chan_recv(out, &number, NULL, SOON), CHAN_OK);
	number_take(number);
	ck_assert_status(chan_close(out), CHAN_OK);
	for (int i = 0; i < 3; i++)
		thread_join(feeders[i].thread);
	unref_all(inputs, 3);
	chan_unref(out);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(made_of(&ledger), dropped_of(&ledger) + 1);
}
END_TEST

START_TEST(a_deadline_ends_it_and_what_was_on_its_way_is_dropped)
{
	size_t before = threads_before();
	struct ledger ledger = { 0 };
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	struct chan *input = numbers_chan(&ledger, 8), *out;
	struct feeder feeder = { .ledger = &ledger, .to = input, .count = 8 };

	feed(&feeder);
	out = fan_in(forms[_i], &input, 1, &ledger, 1, ctx);
	wait_until(chan_is_closed(out), SOON);
	chan_unref(input);
	chan_unref(out);
	ctx_unref(ctx);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&ledger), 8);
}
END_TEST

START_TEST(of_no_inputs_or_only_nil_ones_nothing_comes)
{
	size_t before = threads_before();
	struct ledger ledger = { 0 };
	struct chan *nil[2] = { NULL, NULL }, *out;

	out = fan_in(forms[_i], nil, 0, &ledger, 0, NULL);
	ck_assert_status(chan_recv(out, NULL, NULL, SOON), CHAN_CLOSED);
	chan_unref(out);
	out = fan_in(forms[_i], nil, 2, &ledger, 0, NULL);
	ck_assert_status(chan_recv(out, NULL, NULL, SOON), CHAN_CLOSED);
	chan_unref(out);
	ck_assert_no_thread_is_left(before);
}
END_TEST

START_TEST(inputs_of_another_size_are_refused_untouched)
{
	struct chan *input = chan_new(1, 1);
	struct chan_options options = { .elem_size = 2 };

	ck_assert_status(chan_try_send(input, "x"), CHAN_OK);
	ck_assert_ptr_null(forms[_i](&input, 1, &options, NULL));
	ck_assert_uint_eq(chan_len(input), 1);
	ck_assert(!chan_is_closed(input));
	chan_unref(input);
}
END_TEST

START_TEST(ends_race_and_nothing_is_lost)
{
	size_t before = threads_before();

	for (int round = 0; round < 100; round++) {
		struct ledger *ledger = calloc(1, sizeof(*ledger));
		struct ctx *ctx = ctx_with_cancel(NULL);
		struct chan *inputs[3], *out;
		struct feeder feeders[3];
		uint32_t received = 0;
		int *number;

		for (int i = 0; i < 3; i++) {
			inputs[i] = numbers_chan(ledger, (size_t)round % 2);
			feeders[i] = (struct feeder){ .ledger = ledger, .to = inputs[i], .count = round % 9 };
		}
		out = fan_in(forms[_i], inputs, 3, ledger, (size_t)round % 3, ctx);
		for (int i = 0; i < 3; i++)
			feeders[i].thread = thread_start(feed, &feeders[i]);
		for (int n = round % 11; n > 0 && chan_recv(out, &number, NULL, SOON) == CHAN_OK; n--, received++)
			number_take(number);
		if (round % 2)
			ctx_cancel(ctx);
		else
			chan_close(out);
		ctx_cancel(round % 4 == 0 ? ctx : NULL);
		for (int i = 0; i < 3; i++)
			thread_join(feeders[i].thread);
		unref_all(inputs, 3);
		chan_unref(out);
		ctx_unref(ctx);
		ck_assert_no_thread_is_left(before);
		ck_assert_uint_eq(made_of(ledger), received + dropped_of(ledger));
		free(ledger);
	}
}
END_TEST

START_TEST(without_a_thread_the_consumer_selects_until_all_are_closed)
{
	struct chan *a = chan_new(sizeof(int), 2), *b = chan_new(sizeof(int), 2);
	struct ctx *cancelled = ctx_with_cancel(NULL);
	enum chan_status why;
	int x, y, sum = 0, n = 0;
	struct chan_case inputs[] = { CHAN_RECV_CASE(a, &x), CHAN_RECV_CASE(b, &y), CHAN_RECV_CASE(NULL, &y) };

	ctx_cancel(cancelled);
	ck_assert_int_eq(fanin_next(inputs, 3, NULL, NOW, &why), -1);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_int_eq(fanin_next(inputs, 3, NULL, moment_in(MILLISECONDS), &why), -1);
	ck_assert_status(why, CHAN_TIMED_OUT);
	ck_assert_int_eq(fanin_next(inputs, 3, cancelled, FOREVER, &why), -1);
	ck_assert_status(why, CHAN_CANCELED);
	for (int i = 1; i <= 2; i++) {
		ck_assert_status(chan_try_send(a, &i), CHAN_OK);
		ck_assert_status(chan_try_send(b, &(int){ 10 * i }), CHAN_OK);
	}
	chan_close(a);
	chan_close(b);
	for (int i; (i = fanin_next(inputs, 3, NULL, SOON, &why)) >= 0; n++)
		sum += i == 0 ? x : y;
	ck_assert_status(why, CHAN_CLOSED);
	ck_assert_int_eq(n, 4);
	ck_assert_int_eq(sum, 33);
	ck_assert_int_eq(fanin_next(inputs, 3, NULL, SOON, NULL), -1);
	ctx_unref(cancelled);
	chan_unref(a);
	chan_unref(b);
}
END_TEST

Suite *fanin_suite(void);

Suite *fanin_suite(void)
{
	const TTest *of_both[] = {
		everything_comes_and_each_input_keeps_its_order,
		a_silent_input_holds_up_none_of_the_others,
		a_consumer_who_has_had_enough_closes_and_all_who_feed_it_hear_of_it,
		a_deadline_ends_it_and_what_was_on_its_way_is_dropped,
		of_no_inputs_or_only_nil_ones_nothing_comes,
		inputs_of_another_size_are_refused_untouched,
		ends_race_and_nothing_is_lost,
	};
	const TTest *tests[] = { without_a_thread_the_consumer_selects_until_all_are_closed };
	Suite *suite = suite_of("fanin", tests, countof(tests));
	TCase *both = tcase_create("both forms");

	tcase_set_timeout(both, 120);
	for (size_t i = 0; i < countof(of_both); i++)
		tcase_add_loop_test(both, of_both[i], 0, (int)countof(forms));
	suite_add_tcase(suite, both);
	return suite;
}
