#include "blocked.h"

#include <string.h>

CHAN_DEFINE(int_chan, int)
CHAN_DEFINE(text_chan, const char *)

START_TEST(elements_come_out_in_the_order_they_went_in)
{
	struct chan *c = chan_new(sizeof(int), 3);
	int i, lap, value;

	for (lap = 0; lap < 5; lap++) {
		for (i = 0; i < 3; i++)
			ck_assert_status(chan_send(c, &i, NULL, FOREVER), CHAN_OK);
		for (i = 0; i < 3; i++) {
			ck_assert_status(chan_recv(c, &value, NULL, FOREVER), CHAN_OK);
			ck_assert_int_eq(value, i);
		}
	}
	chan_unref(c);
}
END_TEST

START_TEST(full_channel_refuses_and_the_sender_keeps_the_element)
{
	struct chan *c = chan_new(sizeof(int), 2);
	int value = 1;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	value = 7;
	ck_assert_status(chan_try_send(c, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_send(c, &value, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_send(c, &value, NULL, -1), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_send(c, &value, NULL, 1), CHAN_TIMED_OUT);
	ck_assert_status(chan_send(c, &value, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_int_eq(value, 7);
	ck_assert_uint_eq(chan_len(c), 2);
	ck_assert_uint_eq(senders_of(c), 0);
	chan_unref(c);
}
END_TEST

START_TEST(empty_channel_gives_nothing_and_leaves_the_place_alone)
{
	struct chan *c = chan_new(sizeof(int), 2);
	int value = 7;

	ck_assert_status(chan_try_recv(c, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_recv(c, &value, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_recv(c, &value, NULL, 1), CHAN_TIMED_OUT);
	ck_assert_status(chan_recv(c, &value, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_int_eq(value, 7);
	ck_assert_uint_eq(receivers_of(c), 0);
	chan_unref(c);
}
END_TEST

START_TEST(the_capacity_is_exact)
{
	size_t capacity, sent;

	for (capacity = 0; capacity < 9; capacity++) {
		struct chan *c = chan_new(sizeof(size_t), capacity);
		for (sent = 0; chan_try_send(c, &sent) == CHAN_OK; sent++)
			;
		ck_assert_uint_eq(sent, capacity);
		ck_assert_uint_eq(chan_len(c), capacity);
		ck_assert_uint_eq(chan_cap(c), capacity);
		chan_unref(c);
	}
}
END_TEST

START_TEST(a_past_deadline_still_does_what_can_be_done_at_once)
{
	struct chan *c = chan_new(sizeof(int), 1);
	int value = 3;

	ck_assert_status(chan_send(c, &value, NULL, NOW), CHAN_OK);
	ck_assert_status(chan_recv(c, &value, NULL, 1), CHAN_OK);
	chan_unref(c);
}
END_TEST

START_TEST(nil_blocks_until_ctx_or_deadline)
{
	struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	int value = 7;

	ck_assert_status(chan_try_send(NULL, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_try_recv(NULL, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_send(NULL, &value, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_recv(NULL, &value, NULL, 1), CHAN_TIMED_OUT);
	ck_assert_status(chan_send(NULL, &value, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(chan_recv(NULL, &value, ctx, FOREVER), CHAN_DEADLINE);
	ck_assert_int_eq(value, 7);
	ctx_unref(ctx);
}
END_TEST

START_TEST(cancellation_ends_a_call_on_nil)
{
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct blocked b = { .op = CHAN_OP_RECV, .ctx = ctx, .deadline = FOREVER };

	blocked_start(&b);
	wait_until(receivers_of(ctx_done(ctx)) == 1, SOON);
	ctx_cancel(ctx);
	ck_assert_status(blocked_end(&b), CHAN_CANCELED);
	ctx_unref(ctx);
}
END_TEST

START_TEST(nil_has_no_length_and_cannot_be_closed)
{
	enum chan_status why;
	int value = 0;

	ck_assert_uint_eq(chan_len(NULL), 0);
	ck_assert_uint_eq(chan_cap(NULL), 0);
	ck_assert_uint_eq(chan_elem_size(NULL), 0);
	ck_assert(!chan_is_closed(NULL));
	ck_assert_status(chan_close(NULL), CHAN_INVALID);
	ck_assert_uint_eq(chan_try_send_many(NULL, &value, 1, &why), 0);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_uint_eq(chan_try_recv_many(NULL, &value, 1, &why), 0);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_ptr_null(chan_ref(NULL));
	chan_unref(NULL);
}
END_TEST

START_TEST(closed_channel_gives_what_is_left_then_zeroes)
{
	struct chan *c = chan_new(sizeof(int), 2);
	int value = 5;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	ck_assert(!chan_is_closed(c));
	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_status(chan_close(c), CHAN_CLOSED);
	ck_assert(chan_is_closed(c));
	ck_assert_status(chan_send(c, &value, NULL, FOREVER), CHAN_CLOSED);
	ck_assert_status(chan_try_send(c, &value), CHAN_CLOSED);
	value = 0;
	ck_assert_status(chan_recv(c, &value, NULL, FOREVER), CHAN_OK);
	ck_assert_int_eq(value, 5);
	ck_assert_status(chan_recv(c, &value, NULL, FOREVER), CHAN_CLOSED);
	ck_assert_int_eq(value, 0);
	value = 5;
	ck_assert_status(chan_try_recv(c, &value), CHAN_CLOSED);
	ck_assert_int_eq(value, 0);
	chan_unref(c);
}
END_TEST

START_TEST(closing_a_full_channel_still_refuses_with_closed)
{
	struct chan *c = chan_new(sizeof(int), 1);
	int value = 5;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_status(chan_try_send(c, &value), CHAN_CLOSED);
	ck_assert_status(chan_send(c, &value, NULL, NOW), CHAN_CLOSED);
	chan_unref(c);
}
END_TEST

START_TEST(closing_wakes_blocked_receivers_with_zeroes)
{
	struct chan *c = chan_new(sizeof(int), 1);
	struct blocked b[3];
	int i;

	for (i = 0; i < 3; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_RECV, .chan = c, .value = 9, .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	ck_assert_status(chan_close(c), CHAN_OK);
	for (i = 0; i < 3; i++) {
		ck_assert_status(blocked_end(&b[i]), CHAN_CLOSED);
		ck_assert_int_eq(b[i].value, 0);
	}
	chan_unref(c);
}
END_TEST

START_TEST(closing_wakes_blocked_senders_and_they_keep_their_elements)
{
	struct chan *c = chan_new(sizeof(int), 1);
	struct blocked b[3];
	int i, value = 1;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	for (i = 0; i < 3; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_SEND, .chan = c, .value = 10 + i, .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	ck_assert_status(chan_close(c), CHAN_OK);
	for (i = 0; i < 3; i++) {
		ck_assert_status(blocked_end(&b[i]), CHAN_CLOSED);
		ck_assert_int_eq(b[i].value, 10 + i);
	}
	ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
	ck_assert_status(chan_try_recv(c, &value), CHAN_CLOSED);
	chan_unref(c);
}
END_TEST

START_TEST(blocked_senders_are_served_in_the_order_they_came)
{
	struct chan *c = chan_new(sizeof(int), 1);
	struct blocked b[3];
	int i, value = 0;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	for (i = 0; i < 3; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_SEND, .chan = c, .value = i + 1, .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	for (i = 0; i < 4; i++) {
		ck_assert_status(chan_recv(c, &value, NULL, FOREVER), CHAN_OK);
		ck_assert_int_eq(value, i);
	}
	for (i = 0; i < 3; i++)
		ck_assert_status(blocked_end(&b[i]), CHAN_OK);
	chan_unref(c);
}
END_TEST

START_TEST(blocked_receivers_are_served_in_the_order_they_came)
{
	struct chan *c = chan_new(sizeof(int), 4);
	struct blocked b[3];
	int i;

	for (i = 0; i < 3; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_RECV, .chan = c, .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	for (i = 0; i < 3; i++)
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
	for (i = 0; i < 3; i++) {
		ck_assert_status(blocked_end(&b[i]), CHAN_OK);
		ck_assert_int_eq(b[i].value, i);
	}
	chan_unref(c);
}
END_TEST

START_TEST(rendezvous_needs_the_other_side)
{
	struct chan *c = chan_new(sizeof(int), 0);
	struct blocked b = { .op = CHAN_OP_RECV, .chan = c, .deadline = FOREVER };
	int value = 4;

	ck_assert_status(chan_try_send(c, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_try_recv(c, &value), CHAN_WOULD_BLOCK);
	blocked_start(&b);
	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	ck_assert_int_eq(b.value, 4);

	b = (struct blocked){ .op = CHAN_OP_SEND, .chan = c, .value = 6, .deadline = FOREVER };
	blocked_start(&b);
	ck_assert_uint_eq(chan_len(c), 0);
	ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	ck_assert_int_eq(value, 6);
	chan_unref(c);
}
END_TEST

START_TEST(a_receiver_that_gave_up_is_not_handed_anything)
{
	struct chan *c = chan_new(sizeof(int), 0);
	int value = 4;

	ck_assert_status(chan_recv(c, &value, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(chan_try_send(c, &value), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_send(c, &value, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(chan_try_recv(c, &value), CHAN_WOULD_BLOCK);
	chan_unref(c);
}
END_TEST

/* Small elements meet in the waiter, larger ones where they lie. */
START_TEST(a_receiver_that_gave_up_finds_its_place_as_it_was)
{
	const size_t sizes[] = { 1, 8, 9, 64 };
	unsigned char place[64], before[64];
	size_t i;

	memset(before, 0xa5, sizeof(before));
	for (i = 0; i < countof(sizes); i++) {
		struct chan *c = chan_new(sizes[i], 0);
		struct ctx *ctx = ctx_with_deadline(NULL, moment_in(MILLISECONDS));

		memcpy(place, before, sizeof(place));
		ck_assert_status(chan_recv(c, place, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
		ck_assert_status(chan_recv(c, place, ctx, FOREVER), CHAN_DEADLINE);
		ck_assert_mem_eq(place, before, sizeof(place));
		ctx_unref(ctx);
		chan_unref(c);
	}
}
END_TEST

START_TEST(an_ended_ctx_comes_before_an_element)
{
	struct chan *c = chan_new(sizeof(int), 2);
	struct ctx *cancelled = ctx_with_cancel(NULL), *late = ctx_with_deadline(NULL, NOW);
	int value = 4;

	ck_assert_status(chan_try_send(c, &value), CHAN_OK);
	ctx_cancel(cancelled);
	ck_assert_status(chan_recv(c, &value, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_status(chan_send(c, &value, cancelled, NOW), CHAN_CANCELED);
	ck_assert_status(chan_recv(c, &value, late, NOW), CHAN_DEADLINE);
	ck_assert_status(chan_send(c, &value, late, FOREVER), CHAN_DEADLINE);
	ck_assert_uint_eq(chan_len(c), 1);
	ctx_unref(cancelled);
	ctx_unref(late);
	chan_unref(c);
}
END_TEST

START_TEST(the_earlier_deadline_names_the_reason)
{
	struct chan *c = chan_new(sizeof(int), 0);
	struct ctx *soon = ctx_with_deadline(NULL, moment_in(MILLISECONDS)), *later = ctx_with_deadline(NULL, SOON);
	int value = 0;

	ck_assert_status(chan_recv(c, &value, soon, SOON), CHAN_DEADLINE);
	ck_assert_status(chan_recv(c, &value, later, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_uint_eq(receivers_of(c) + receivers_of(ctx_done(later)), 0);
	ctx_unref(soon);
	ctx_unref(later);
	chan_unref(c);
}
END_TEST

START_TEST(cancellation_ends_a_blocked_send_and_receive)
{
	struct chan *c = chan_new(sizeof(int), 0), *d = chan_new(sizeof(int), 0);
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct blocked receiver = { .op = CHAN_OP_RECV, .chan = c, .ctx = ctx, .deadline = FOREVER, .value = 3 };
	struct blocked sender = { .op = CHAN_OP_SEND, .chan = d, .ctx = ctx, .deadline = FOREVER };

	blocked_start(&receiver);
	blocked_start(&sender);
	ctx_cancel(ctx);
	ck_assert_status(blocked_end(&receiver), CHAN_CANCELED);
	ck_assert_status(blocked_end(&sender), CHAN_CANCELED);
	ck_assert_int_eq(receiver.value, 3);
	ck_assert_uint_eq(receivers_of(c) + senders_of(d), 0);
	ctx_unref(ctx);
	chan_unref(c);
	chan_unref(d);
}
END_TEST

START_TEST(many_at_once_go_as_far_as_there_is_room)
{
	struct chan *c = chan_new(sizeof(int), 3);
	int in[5] = { 1, 2, 3, 4, 5 }, out[5] = { 0 };
	enum chan_status why;

	ck_assert_uint_eq(chan_try_send_many(c, in, 2, &why), 2);
	ck_assert_status(why, CHAN_OK);
	ck_assert_uint_eq(chan_try_send_many(c, in + 2, 3, &why), 1);
	ck_assert_status(why, CHAN_WOULD_BLOCK);
	ck_assert_uint_eq(chan_try_send_many(c, in, 0, &why), 0);
	ck_assert_status(why, CHAN_OK);
	ck_assert_uint_eq(chan_try_recv_many(c, out, 2, NULL), 2);
	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_uint_eq(chan_try_send_many(c, in, 1, &why), 0);
	ck_assert_status(why, CHAN_CLOSED);
	ck_assert_uint_eq(chan_try_recv_many(c, out + 2, 3, &why), 1);
	ck_assert_status(why, CHAN_CLOSED);
	ck_assert_int_eq(memcmp(in, out, 3 * sizeof(int)), 0);
	ck_assert_int_eq(out[3], 0);
	chan_unref(c);
}
END_TEST

START_TEST(many_at_once_serve_those_who_wait)
{
	struct chan *c = chan_new(sizeof(int), 1);
	struct blocked b[3];
	int i, in[4] = { 0, 1, 2, 3 }, out[4];

	for (i = 0; i < 3; i++) {
		b[i] = (struct blocked){ .op = CHAN_OP_RECV, .chan = c, .deadline = FOREVER };
		blocked_start(&b[i]);
	}
	ck_assert_uint_eq(chan_try_send_many(c, in, 4, NULL), 4);
	for (i = 0; i < 3; i++) {
		ck_assert_status(blocked_end(&b[i]), CHAN_OK);
		ck_assert_int_eq(b[i].value, i);
		b[i].op = CHAN_OP_SEND;
		blocked_start(&b[i]);
	}
	ck_assert_uint_eq(chan_try_recv_many(c, out, 4, NULL), 4);
	for (i = 0; i < 3; i++)
		ck_assert_status(blocked_end(&b[i]), CHAN_OK);
	ck_assert_int_eq(out[0], 3);
	ck_assert_int_eq(out[3], 2);
	chan_unref(c);
}
END_TEST

static void count_drop(void *elem, void *arg)
{
	int *sum = arg;

	*sum += *(int *)elem;
}

START_TEST(what_is_left_at_the_last_unref_is_dropped_once)
{
	int sum = 0, i, value;
	struct chan_options options = { .elem_size = sizeof(int), .capacity = 4, .drop = count_drop, .drop_arg = &sum };
	struct chan *c = chan_new_with(&options);

	for (i = 0; i < 2; i++) {
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
		ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
	}
	for (i = 1; i < 1000; i *= 10)
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
	ck_assert_ptr_eq(chan_ref(c), c);
	chan_unref(c);
	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_int_eq(sum, 0);
	chan_unref(c);
	ck_assert_int_eq(sum, 111);
}
END_TEST

START_TEST(elements_may_have_no_size)
{
	struct chan *c = chan_new(0, 2);
	struct blocked b = { .op = CHAN_OP_SEND, .chan = c, .deadline = FOREVER, .value = 5 };

	ck_assert_status(chan_try_send(c, NULL), CHAN_OK);
	ck_assert_status(chan_send(c, NULL, NULL, FOREVER), CHAN_OK);
	ck_assert_status(chan_try_send(c, NULL), CHAN_WOULD_BLOCK);
	blocked_start(&b);
	ck_assert_status(chan_recv(c, NULL, NULL, FOREVER), CHAN_OK);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	ck_assert_uint_eq(chan_try_recv_many(c, NULL, 3, NULL), 2);
	ck_assert_status(chan_close(c), CHAN_OK);
	ck_assert_status(chan_recv(c, NULL, NULL, FOREVER), CHAN_CLOSED);
	chan_unref(c);
}
END_TEST

START_TEST(a_received_element_may_be_thrown_away)
{
	struct chan *c = chan_new(sizeof(int), 1);
	int value = 5;

	ck_assert_status(chan_send(c, &value, NULL, FOREVER), CHAN_OK);
	ck_assert_status(chan_recv(c, NULL, NULL, FOREVER), CHAN_OK);
	ck_assert_uint_eq(chan_len(c), 0);
	ck_assert_status(chan_send(c, NULL, NULL, FOREVER), CHAN_INVALID);
	ck_assert_status(chan_try_send(c, NULL), CHAN_INVALID);
	chan_unref(c);
}
END_TEST

START_TEST(elements_may_have_any_size_and_lie_aligned)
{
	unsigned char in[5][100], out[5][100];
	size_t size, i;

	for (size = 1; size <= 100; size++) {
		struct chan *c = chan_new(size, 3);
		memset(in, (int)size, sizeof(in));
		for (i = 0; i < 5; i++) {
			in[i][0] = (unsigned char)i;
			ck_assert_status(chan_try_send(c, in[i]), CHAN_OK);
			ck_assert_status(chan_try_recv(c, out[i]), CHAN_OK);
			ck_assert_int_eq(memcmp(in[i], out[i], size), 0);
		}
		chan_unref(c);
	}
}
END_TEST

START_TEST(what_cannot_be_allocated_is_not)
{
	ck_assert_ptr_null(chan_new(SIZE_MAX, 2));
	ck_assert_ptr_null(chan_new(1, SIZE_MAX));
	ck_assert_ptr_null(chan_new(SIZE_MAX / 2, 1));
}
END_TEST

static bool is_odd(void *elem, void *arg)
{
	*(int *)arg += 1;
	return *(int *)elem % 2;
}

START_TEST(a_sweep_takes_out_and_keeps_the_order)
{
	struct chan *c = chan_new(sizeof(int), 6);
	struct blocked b = { .op = CHAN_OP_SEND, .chan = c, .value = 7, .deadline = FOREVER };
	int i, value, looked = 0;

	for (i = 0; i < 3; i++) {   /* so that the ring wraps */
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
		ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
	}
	for (i = 0; i < 6; i++)
		ck_assert_status(chan_try_send(c, &i), CHAN_OK);
	blocked_start(&b);
	ck_assert_uint_eq(chan_sweep(c, is_odd, &looked), 3);
	ck_assert_int_eq(looked, 6);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	for (i = 1; i < 8; i += 2) {
		ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
		ck_assert_int_eq(value, i);
	}
	ck_assert_uint_eq(chan_sweep(c, is_odd, &looked), 0);
	ck_assert_uint_eq(chan_sweep(NULL, is_odd, &looked), 0);
	chan_unref(c);
}
END_TEST

START_TEST(the_typed_face_does_everything)
{
	int_chan c = int_chan_new(3);
	int in[2] = { 1, 2 }, out[2] = { 0 };
	enum chan_status why;

	ck_assert_status(int_chan_send(c, 5, NULL, FOREVER), CHAN_OK);
	ck_assert_status(int_chan_recv(c, out, NULL, FOREVER), CHAN_OK);
	ck_assert_int_eq(out[0], 5);
	ck_assert_status(int_chan_try_send(c, 6), CHAN_OK);
	ck_assert_status(int_chan_try_recv(c, out), CHAN_OK);
	ck_assert_uint_eq(int_chan_try_send_many(c, in, 2, &why), 2);
	ck_assert_uint_eq(int_chan_len(c), 2);
	ck_assert_uint_eq(int_chan_cap(c), 3);
	ck_assert_uint_eq(int_chan_try_recv_many(c, out, 2, &why), 2);
	ck_assert_int_eq(memcmp(in, out, sizeof(in)), 0);
	ck_assert_status(int_chan_close(int_chan_ref(c)), CHAN_OK);
	int_chan_unref(c);
	int_chan_unref(c);
}
END_TEST

START_TEST(the_typed_face_refuses_a_channel_of_another_size)
{
	struct chan *c = chan_new(1, 1);
	const char *text = "x";
	enum chan_status why = CHAN_OK;

	ck_assert_status(text_chan_send(c, text, NULL, FOREVER), CHAN_INVALID);
	ck_assert_status(text_chan_recv(c, &text, NULL, FOREVER), CHAN_INVALID);
	ck_assert_status(text_chan_try_send(c, text), CHAN_INVALID);
	ck_assert_status(text_chan_try_recv(c, &text), CHAN_INVALID);
	ck_assert_uint_eq(text_chan_try_send_many(c, &text, 1, &why), 0);
	ck_assert_status(why, CHAN_INVALID);
	ck_assert_uint_eq(text_chan_try_recv_many(c, &text, 1, NULL), 0);
	ck_assert_status(text_chan_try_send(NULL, text), CHAN_WOULD_BLOCK);
	chan_unref(c);
}
END_TEST

START_TEST(a_status_has_a_name)
{
	ck_assert_str_eq(chan_status_name(CHAN_OK), "CHAN_OK");
	ck_assert_str_eq(chan_status_name(CHAN_INVALID), "CHAN_INVALID");
	ck_assert_str_eq(chan_status_name((enum chan_status)99), "?");
}
END_TEST

Suite *chan_suite(void);

Suite *chan_suite(void)
{
	const TTest *tests[] = {
		elements_come_out_in_the_order_they_went_in,
		full_channel_refuses_and_the_sender_keeps_the_element,
		empty_channel_gives_nothing_and_leaves_the_place_alone,
		the_capacity_is_exact,
		a_past_deadline_still_does_what_can_be_done_at_once,
		nil_blocks_until_ctx_or_deadline,
		cancellation_ends_a_call_on_nil,
		nil_has_no_length_and_cannot_be_closed,
		closed_channel_gives_what_is_left_then_zeroes,
		closing_a_full_channel_still_refuses_with_closed,
		closing_wakes_blocked_receivers_with_zeroes,
		closing_wakes_blocked_senders_and_they_keep_their_elements,
		blocked_senders_are_served_in_the_order_they_came,
		blocked_receivers_are_served_in_the_order_they_came,
		rendezvous_needs_the_other_side,
		a_receiver_that_gave_up_is_not_handed_anything,
		a_receiver_that_gave_up_finds_its_place_as_it_was,
		an_ended_ctx_comes_before_an_element,
		the_earlier_deadline_names_the_reason,
		cancellation_ends_a_blocked_send_and_receive,
		many_at_once_go_as_far_as_there_is_room,
		many_at_once_serve_those_who_wait,
		what_is_left_at_the_last_unref_is_dropped_once,
		elements_may_have_no_size,
		a_received_element_may_be_thrown_away,
		elements_may_have_any_size_and_lie_aligned,
		what_cannot_be_allocated_is_not,
		a_sweep_takes_out_and_keeps_the_order,
		the_typed_face_does_everything,
		the_typed_face_refuses_a_channel_of_another_size,
		a_status_has_a_name,
	};
	return suite_of("chan", tests, countof(tests));
}
