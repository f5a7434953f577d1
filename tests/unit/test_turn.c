#include "tracked.h"

#include "../../lib/turn.h"

struct message {
	struct turn turn;
	int speaker, number;
};

struct speaker {
	struct chan *out;
	struct ctx *ctx;
	int index, count;
	int said;               /* with its turn given */
	enum chan_status status;
	bool sent;
	pthread_t thread;
};

static void *speak(void *arg)
{
	struct speaker *s = arg;

	for (s->said = 0; s->said < s->count; s->said++) {
		struct message message = { .speaker = s->index, .number = s->said };

		s->status = turn_say(s->out, &message, s->ctx, FOREVER);
		s->sent = message.turn.wait != NULL;
		if (s->status != CHAN_OK)
			break;
	}
	return NULL;
}

static struct chan *messages(size_t capacity)
{
	struct chan_options options = { .elem_size = sizeof(struct message), .capacity = capacity, .drop = turn_drop };

	return chan_new_with(&options);
}

START_TEST(nobody_is_more_than_one_message_ahead)
{
	enum { SPEAKERS = 3, ROUNDS = 200 };
	struct chan *out = messages(SPEAKERS);
	struct speaker speakers[SPEAKERS];

	for (int i = 0; i < SPEAKERS; i++) {
		speakers[i] = (struct speaker){ .out = out, .index = i, .count = ROUNDS };
		speakers[i].thread = thread_start(speak, &speakers[i]);
	}
	for (int round = 0; round < ROUNDS; round++) {
		struct message got[SPEAKERS];

		for (int i = 0; i < SPEAKERS; i++) {
			struct message m;

			ck_assert_status(chan_recv(out, &m, NULL, SOON), CHAN_OK);
			ck_assert_int_eq(m.number, round);
			got[m.speaker] = m;
		}
		ck_assert_status(chan_try_recv(out, NULL), CHAN_WOULD_BLOCK);
		for (int i = 0; i < SPEAKERS; i++) {
			ck_assert_int_eq(got[i].speaker, i);
			turn_give(&got[i].turn);
		}
	}
	for (int i = 0; i < SPEAKERS; i++) {
		thread_join(speakers[i].thread);
		ck_assert_int_eq(speakers[i].said, ROUNDS);
	}
	chan_unref(out);
}
END_TEST

START_TEST(a_sender_that_gave_up_may_still_be_given_its_turn)
{
	struct chan *out = messages(1);
	struct message message = { .number = 7 }, got;

	ck_assert_status(turn_say(out, &message, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_ptr_nonnull(message.turn.wait);
	ck_assert_status(chan_recv(out, &got, NULL, SOON), CHAN_OK);
	ck_assert_int_eq(got.number, 7);
	turn_give(&got.turn);
	chan_unref(out);
}
END_TEST

START_TEST(a_message_that_was_not_sent_stays_with_the_sender)
{
	struct chan *out = messages(1), *closed = messages(0);
	struct message message = { .number = 7 };

	ck_assert_status(turn_say(out, &message, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_ptr_nonnull(message.turn.wait);
	ck_assert_status(turn_say(out, &message, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_ptr_null(message.turn.wait);
	chan_close(closed);
	ck_assert_status(turn_say(closed, &message, NULL, FOREVER), CHAN_CLOSED);
	ck_assert_ptr_null(message.turn.wait);
	chan_unref(closed);
	chan_unref(out);
}
END_TEST

START_TEST(a_message_that_nobody_took_is_dropped_with_its_turn)
{
	struct chan *out = messages(2);
	struct message message = { .number = 7 }, got;
	struct speaker speaker = { .out = out, .count = 1 };

	speaker.thread = thread_start(speak, &speaker);
	ck_assert_status(chan_recv(out, &got, NULL, SOON), CHAN_OK);
	turn_drop(&got, NULL);
	thread_join(speaker.thread);
	ck_assert_status(speaker.status, CHAN_OK);
	ck_assert_status(turn_say(out, &message, NULL, NOW), CHAN_WOULD_BLOCK);
	chan_unref(out);
}
END_TEST

START_TEST(cancelling_ends_the_wait_for_a_turn_that_is_never_given)
{
	struct ctx *ctx = ctx_with_cancel(NULL);
	struct chan *out = messages(0);
	struct speaker speaker = { .out = out, .ctx = ctx, .count = 1 };
	struct message got;

	speaker.thread = thread_start(speak, &speaker);
	ck_assert_status(chan_recv(out, &got, NULL, SOON), CHAN_OK);
	ctx_cancel(ctx);
	thread_join(speaker.thread);
	ck_assert_status(speaker.status, CHAN_CANCELED);
	ck_assert(speaker.sent);
	turn_give(&got.turn);
	chan_unref(out);
	ctx_unref(ctx);
}
END_TEST

Suite *turn_suite(void);

Suite *turn_suite(void)
{
	const TTest *tests[] = {
		nobody_is_more_than_one_message_ahead,
		a_sender_that_gave_up_may_still_be_given_its_turn,
		a_message_that_was_not_sent_stays_with_the_sender,
		a_message_that_nobody_took_is_dropped_with_its_turn,
		cancelling_ends_the_wait_for_a_turn_that_is_never_given,
	};
	return suite_of("turn", tests, countof(tests));
}
