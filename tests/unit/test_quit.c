#include "tracked.h"

#include "../../lib/quit.h"

struct worker {
	struct quit *quit;
	struct chan *out;        /* of int: it counts aloud */
	int most;                /* and stops by itself after so many */
	shim_u32 cleaned;
	int heard;               /* the word it was asked with */
	pthread_t thread;
};

static void *count_aloud(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < w->most; i++) {
		struct chan_case cases[] = { CHAN_SEND_CASE(w->out, &i), CHAN_RECV_CASE(quit_chan(w->quit), &w->heard) };

		if (chan_select(cases, countof(cases), NULL, FOREVER, NULL) == 1)
			break;
	}
	shim_store(&w->cleaned, 1, release);
	quit_done(w->quit, &(int){ 99 });
	quit_unref(w->quit);
	return NULL;
}

static struct quit *start(struct worker *w, int most)
{
	struct quit *quit = quit_new(sizeof(int));

	ck_assert_ptr_nonnull(quit);
	*w = (struct worker){ .quit = quit_ref(quit), .out = chan_new(sizeof(int), 0), .most = most };
	w->thread = thread_start(count_aloud, w);
	return quit;
}

static void end(struct worker *w, struct quit *quit)
{
	thread_join(w->thread);
	quit_unref(quit);
	chan_unref(w->out);
}

START_TEST(the_asker_goes_on_when_the_worker_has_cleaned_up_and_both_have_had_a_word)
{
	struct worker w;
	struct quit *quit = start(&w, INT32_MAX);
	int bye = 7, see_you = 0;

	ck_assert_status(chan_recv(w.out, NULL, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(shim_load(&w.cleaned, acquire), 0);
	ck_assert_status(quit_ask(quit, &bye, &see_you, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(shim_load(&w.cleaned, acquire), 1);
	ck_assert_int_eq(see_you, 99);
	end(&w, quit);
	ck_assert_int_eq(w.heard, 7);
}
END_TEST

START_TEST(a_worker_that_has_ended_by_itself_keeps_no_asker_waiting)
{
	struct worker w;
	struct quit *quit = start(&w, 0);
	int bye = 7, see_you = 0;

	thread_join(w.thread);
	ck_assert_status(quit_ask(quit, &bye, &see_you, NULL, FOREVER), CHAN_OK);
	ck_assert_int_eq(see_you, 99);
	ck_assert_status(quit_ask(quit, &bye, &see_you, NULL, FOREVER), CHAN_CLOSED);
	ck_assert_int_eq(see_you, 0);
	quit_unref(quit);
	quit_unref(NULL);
	chan_unref(w.out);
}
END_TEST

START_TEST(an_asker_that_gives_up_keeps_no_worker_waiting)
{
	struct quit *quit = quit_new(sizeof(int));
	struct ctx *cancelled = ctx_with_cancel(NULL);
	int bye = 1, word = 0;

	ctx_cancel(cancelled);
	ck_assert_status(quit_ask(quit, &bye, &word, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_status(chan_try_recv(quit_chan(quit), &word), CHAN_WOULD_BLOCK);
	ck_assert_status(quit_ask(quit, &bye, &word, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(quit_ask(quit, &(int){ 2 }, &word, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(chan_try_recv(quit_chan(quit), &word), CHAN_OK);
	ck_assert_int_eq(word, 1);
	quit_done(quit, &(int){ 5 });
	ck_assert_status(quit_ask(quit, &bye, &word, NULL, NOW), CHAN_OK);
	ck_assert_int_eq(word, 5);
	ctx_unref(cancelled);
	quit_unref(quit);
}
END_TEST

START_TEST(without_words_the_handshake_is_the_same)
{
	struct quit *quit = quit_new(0);

	ck_assert_status(quit_ask(quit, NULL, NULL, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(chan_try_recv(quit_chan(quit), NULL), CHAN_OK);
	quit_done(quit, NULL);
	ck_assert_status(quit_ask(quit, NULL, NULL, NULL, FOREVER), CHAN_OK);
	quit_unref(quit);
}
END_TEST

struct asker {
	struct quit *quit;
	enum chan_status status;
	pthread_t thread;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	a->status = quit_ask(a->quit, &(int){ 3 }, NULL, NULL, FOREVER);
	quit_unref(a->quit);
	return NULL;
}

START_TEST(many_ask_while_it_ends_by_itself_and_exactly_one_gets_its_word)
{
	enum { ASKERS = 4 };

	for (int round = 0; round < 300; round++) {
		struct worker w;
		struct quit *quit = start(&w, round % 5);
		struct asker askers[ASKERS];
		int heard = 0;

		for (int i = 0; i < ASKERS; i++) {
			askers[i] = (struct asker){ .quit = quit_ref(quit) };
			askers[i].thread = thread_start(ask, &askers[i]);
		}
		while (chan_recv(w.out, NULL, NULL, NOW) == CHAN_OK)
			;
		for (int i = 0; i < ASKERS; i++) {
			thread_join(askers[i].thread);
			ck_assert(askers[i].status == CHAN_OK || askers[i].status == CHAN_CLOSED);
			heard += askers[i].status == CHAN_OK;
		}
		ck_assert_int_eq(heard, 1);
		end(&w, quit);
	}
}
END_TEST

Suite *quit_suite(void);

Suite *quit_suite(void)
{
	const TTest *tests[] = {
		the_asker_goes_on_when_the_worker_has_cleaned_up_and_both_have_had_a_word,
		a_worker_that_has_ended_by_itself_keeps_no_asker_waiting,
		an_asker_that_gives_up_keeps_no_worker_waiting,
		without_words_the_handshake_is_the_same,
		many_ask_while_it_ends_by_itself_and_exactly_one_gets_its_word,
	};
	return suite_of("quit", tests, countof(tests));
}
