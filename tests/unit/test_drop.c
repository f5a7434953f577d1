#include "tracked.h"

#include "../../lib/drop.h"

START_TEST(what_does_not_fit_is_counted_and_stays_with_the_caller)
{
	struct ledger ledger = { 0 };
	struct chan_options options = numbers_of(&ledger, 1);
	struct chan *c = chan_new_with(&options);
	struct drop drop = { 0 };
	int *first = number_new(&ledger, 1), *second = number_new(&ledger, 2);

	ck_assert(drop_send(&drop, c, &first));
	ck_assert(!drop_send(&drop, c, &second));
	ck_assert_uint_eq(drop_count(&drop), 1);
	ck_assert_int_eq(number_take(second), 2);
	chan_unref(c);
	ck_assert_uint_eq(dropped_of(&ledger), 1);
}
END_TEST

START_TEST(closed_and_nil_are_full)
{
	struct chan *c = chan_new(sizeof(int), 1);
	struct drop drop = { 0 };

	chan_close(c);
	ck_assert(!drop_send(&drop, c, &(int){ 1 }));
	ck_assert(!drop_send(&drop, NULL, &(int){ 1 }));
	ck_assert_uint_eq(drop_count(&drop), 2);
	chan_unref(c);
}
END_TEST

START_TEST(the_news_is_told_once)
{
	struct drop drop = { 0 };

	ck_assert_uint_eq(drop_news(&drop), 0);
	for (int i = 0; i < 3; i++)
		ck_assert(!drop_send(&drop, NULL, NULL));
	ck_assert_uint_eq(drop_news(&drop), 3);
	ck_assert_uint_eq(drop_news(&drop), 0);
	ck_assert(!drop_send(&drop, NULL, NULL));
	ck_assert_uint_eq(drop_news(&drop), 1);
	ck_assert_uint_eq(drop_count(&drop), 4);
}
END_TEST

enum { SENDERS = 3, SENDS = 20000 };

struct crowd {
	struct chan *chan;
	struct drop drop;
	shim_u64 sent, told, received;
};

static void *send_main(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t sent = 0, told = 0;

	for (int i = 0; i < SENDS; i++) {
		sent += drop_send(&crowd->drop, crowd->chan, &i);
		if (i % 64 == 0)
			told += drop_news(&crowd->drop);
	}
	shim_add(&crowd->sent, sent, relaxed);
	shim_add(&crowd->told, told, relaxed);
	return NULL;
}

static void *recv_main(void *arg)
{
	struct crowd *crowd = arg;

	while (chan_recv(crowd->chan, NULL, NULL, FOREVER) == CHAN_OK)
		shim_add(&crowd->received, 1, relaxed);
	return NULL;
}

START_TEST(everything_is_received_or_counted_and_told_of_once)
{
	struct crowd crowd = { .chan = chan_new(sizeof(int), 8) };
	pthread_t senders[SENDERS], receiver = thread_start(recv_main, &crowd);
	uint64_t told;

	for (int i = 0; i < SENDERS; i++)
		senders[i] = thread_start(send_main, &crowd);
	for (int i = 0; i < SENDERS; i++)
		thread_join(senders[i]);
	chan_close(crowd.chan);
	thread_join(receiver);
	told = shim_load(&crowd.told, relaxed) + drop_news(&crowd.drop);
	ck_assert_uint_eq(shim_load(&crowd.sent, relaxed), shim_load(&crowd.received, relaxed));
	ck_assert_uint_eq(shim_load(&crowd.sent, relaxed) + drop_count(&crowd.drop), SENDERS * SENDS);
	ck_assert_uint_eq(told, drop_count(&crowd.drop));
	chan_unref(crowd.chan);
}
END_TEST

Suite *drop_suite(void);

Suite *drop_suite(void)
{
	const TTest *tests[] = {
		what_does_not_fit_is_counted_and_stays_with_the_caller,
		closed_and_nil_are_full,
		the_news_is_told_once,
		everything_is_received_or_counted_and_told_of_once,
	};
	return suite_of("drop", tests, countof(tests));
}
