#include "tracked.h"

#include "../../lib/encapsulated.h"

struct service {
	struct ledger ledger;
	struct chan *gate;      /* nil: no gate */
	shim_u32 ended;
};

static void negate(struct chan *in, struct chan *out, struct ctx *ctx, void *arg)
{
	struct service *service = arg;
	int *number;

	while (chan_recv(in, &number, ctx, FOREVER) == CHAN_OK) {
		if (service->gate)
			chan_recv(service->gate, NULL, ctx, FOREVER);
		*number = -*number;
		if (chan_send(out, &number, ctx, FOREVER) != CHAN_OK) {
			number_drop(&number, &service->ledger);
			break;
		}
	}
	shim_add(&service->ended, 1, release);
}

static struct encapsulated *start(struct service *service, size_t in, size_t out, struct ctx *ctx)
{
	struct encapsulated_options options = {
		.in = numbers_of(&service->ledger, in), .out = numbers_of(&service->ledger, out), .run = negate, .arg = service,
		.name = "negator",
	};
	struct encapsulated *e = encapsulated_start(&options, ctx);

	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_nonnull(encapsulated_in(e));
	ck_assert_ptr_nonnull(encapsulated_out(e));
	return e;
}

static void say(struct encapsulated *e, struct service *service, int value)
{
	int *number = number_new(&service->ledger, value);

	ck_assert_status(chan_send(encapsulated_in(e), &number, NULL, SOON), CHAN_OK);
}

static void hear(struct encapsulated *e, int value)
{
	int *number;

	ck_assert_status(chan_recv(encapsulated_out(e), &number, NULL, SOON), CHAN_OK);
	ck_assert_int_eq(number_take(number), value);
}

START_TEST(it_is_spoken_to_through_its_channels_only)
{
	size_t before = threads_before();
	struct service service = { 0 };
	struct encapsulated *e = start(&service, 0, 0, NULL);

	for (int i = 1; i < 100; i++) {
		say(e, &service, i);
		hear(e, -i);
	}
	ck_assert_status(encapsulated_stop(e, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(shim_load(&service.ended, acquire), 1);
	encapsulated_unref(encapsulated_ref(e));
	encapsulated_unref(e);
	encapsulated_unref(NULL);
	ck_assert_no_thread_is_left(before);
}
END_TEST

START_TEST(stopping_does_what_is_left_and_takes_no_more)
{
	struct service service = { .gate = chan_new(0, 0) };
	struct ctx *cancelled = ctx_with_cancel(NULL);
	struct encapsulated *e = start(&service, 4, 4, NULL);
	int *number = number_new(&service.ledger, 9);

	ctx_cancel(cancelled);
	for (int i = 1; i <= 3; i++)
		say(e, &service, i);
	ck_assert_status(encapsulated_stop(e, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(encapsulated_stop(e, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(encapsulated_stop(e, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_status(chan_send(encapsulated_in(e), &number, NULL, FOREVER), CHAN_CLOSED);
	ck_assert_int_eq(number_take(number), 9);
	chan_close(service.gate);
	ck_assert_status(encapsulated_stop(e, NULL, SOON), CHAN_OK);
	for (int i = 1; i <= 3; i++)
		hear(e, -i);
	ck_assert_status(chan_recv(encapsulated_out(e), NULL, NULL, FOREVER), CHAN_CLOSED);
	encapsulated_unref(e);
	ctx_unref(cancelled);
	chan_unref(service.gate);
}
END_TEST

START_TEST(its_ctx_ends_it_and_nobody_stays_blocked_on_it)
{
	size_t before = threads_before();
	struct service service = { 0 };
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct encapsulated *e = start(&service, 0, 0, ctx);
	int *number = number_new(&service.ledger, 2);

	say(e, &service, 1);
	/* It is blocked in its answer now, or will be. */
	ctx_cancel(ctx);
	ck_assert_status(chan_recv(encapsulated_out(e), NULL, NULL, SOON), CHAN_CLOSED);
	ck_assert_status(chan_send(encapsulated_in(e), &number, NULL, SOON), CHAN_CLOSED);
	number_take(number);
	ck_assert_status(encapsulated_stop(e, NULL, SOON), CHAN_OK);
	encapsulated_unref(e);
	ctx_unref(ctx);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&service.ledger), 1);
}
END_TEST

START_TEST(letting_it_go_ends_it_and_what_nobody_took_is_dropped)
{
	size_t before = threads_before();
	struct service service = { 0 };
	struct encapsulated *e = start(&service, 4, 1, NULL);

	for (int i = 0; i < 5; i++)
		say(e, &service, i);
	encapsulated_unref(e);
	ck_assert_no_thread_is_left(before);
	ck_assert_uint_eq(dropped_of(&service.ledger), 5);
	ck_assert_uint_eq(shim_load(&service.ended, acquire), 1);
}
END_TEST

START_TEST(without_a_run_there_is_no_worker)
{
	struct encapsulated_options options = { .in = { .elem_size = 1 } };

	ck_assert_ptr_null(encapsulated_start(&options, NULL));
}
END_TEST

struct caller {
	struct encapsulated *e;
	struct service *service;
	pthread_t thread;
};

static void *call_main(void *arg)
{
	struct caller *c = arg;
	bool open = true;

	for (int i = 0; open; i++) {
		int *number = number_new(&c->service->ledger, i);

		open = chan_send(encapsulated_in(c->e), &number, NULL, FOREVER) == CHAN_OK;
		if (!open)
			number_drop(&number, &c->service->ledger);
		else if (chan_recv(encapsulated_out(c->e), &number, NULL, FOREVER) == CHAN_OK)
			number_take(number);
	}
	encapsulated_unref(c->e);
	return NULL;
}

START_TEST(many_call_while_it_is_stopped_and_all_come_home)
{
	size_t before = threads_before();

	for (int round = 0; round < 100; round++) {
		struct service service = { 0 };
		struct encapsulated *e = start(&service, (size_t)round % 3, (size_t)round % 2, NULL);
		struct caller callers[3];

		for (int i = 0; i < 3; i++) {
			callers[i] = (struct caller){ .e = encapsulated_ref(e), .service = &service };
			callers[i].thread = thread_start(call_main, &callers[i]);
		}
		ck_assert_status(encapsulated_stop(e, NULL, SOON), CHAN_OK);
		for (int i = 0; i < 3; i++)
			thread_join(callers[i].thread);
		encapsulated_unref(e);
		ck_assert_no_thread_is_left(before);
	}
}
END_TEST

Suite *encapsulated_suite(void);

Suite *encapsulated_suite(void)
{
	const TTest *tests[] = {
		it_is_spoken_to_through_its_channels_only,
		stopping_does_what_is_left_and_takes_no_more,
		its_ctx_ends_it_and_nobody_stays_blocked_on_it,
		letting_it_go_ends_it_and_what_nobody_took_is_dropped,
		without_a_run_there_is_no_worker,
		many_call_while_it_is_stopped_and_all_come_home,
	};
	return suite_of("encapsulated", tests, countof(tests));
}
