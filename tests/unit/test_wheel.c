#include "../../daemon/wheel.h"
#include "testing.h"

#include <stdlib.h>

#define MS MILLISECONDS
#define START (INT64_C(5) * SECONDS + 300)

struct alarm {
	struct wheel_timer timer;
	int fired;
	struct wheel *wheel;
	struct wheel_timer *victim;     /* removed when this one fires */
	moment again;                   /* set to this when it fires, once */
};

static void ring(struct wheel_timer *timer)
{
	struct alarm *a = container_of(timer, struct alarm, timer);

	a->fired++;
	if (a->victim)
		wheel_remove(a->victim);
	if (a->again) {
		moment again = a->again;

		a->again = 0;
		wheel_set(a->wheel, timer, again);
	}
}

static struct wheel *new_wheel(void)
{
	struct wheel *w = malloc(sizeof(*w));

	wheel_init(w, START);
	return w;
}

START_TEST(a_timer_fires_once_not_before_it_is_due_and_within_a_millisecond)
{
	struct wheel *w = new_wheel();
	struct alarm a = { .timer.fire = ring };

	wheel_set(w, &a.timer, START + 20 * MS);
	wheel_turn(w, START + 20 * MS - 1);
	ck_assert_int_eq(a.fired, 0);
	wheel_turn(w, START + 21 * MS);
	ck_assert_int_eq(a.fired, 1);
	wheel_turn(w, START + 100 * SECONDS);
	ck_assert_int_eq(a.fired, 1);
	free(w);
}
END_TEST

START_TEST(a_timer_in_the_past_fires_at_the_next_turn)
{
	struct wheel *w = new_wheel();
	struct alarm a = { .timer.fire = ring };

	wheel_set(w, &a.timer, START - 10 * SECONDS);
	ck_assert(wheel_next(w) <= START + MS);
	wheel_turn(w, START);
	ck_assert_int_eq(a.fired, 1);
	free(w);
}
END_TEST

START_TEST(a_timer_of_a_later_turn_of_the_ring_waits_for_it)
{
	struct wheel *w = new_wheel();
	struct alarm a = { .timer.fire = ring };
	moment due = START + 3 * WHEEL_SLOTS * MS + 5 * MS;

	wheel_set(w, &a.timer, due);
	for (moment now = START; now < due; now += 700 * MS) {
		wheel_turn(w, now);
		ck_assert_int_eq(a.fired, 0);
		ck_assert(wheel_next(w) <= due + MS);
	}
	wheel_turn(w, due + MS);
	ck_assert_int_eq(a.fired, 1);
	free(w);
}
END_TEST

START_TEST(a_timer_that_is_moved_fires_at_its_new_time_only)
{
	struct wheel *w = new_wheel();
	struct alarm a = { .timer.fire = ring };

	wheel_set(w, &a.timer, START + 10 * MS);
	wheel_set(w, &a.timer, START + 50 * MS);
	wheel_turn(w, START + 40 * MS);
	ck_assert_int_eq(a.fired, 0);
	wheel_turn(w, START + 51 * MS);
	ck_assert_int_eq(a.fired, 1);
	free(w);
}
END_TEST

START_TEST(a_timer_that_fires_may_remove_another_and_set_itself)
{
	struct wheel *w = new_wheel();
	struct alarm a = { .timer.fire = ring, .wheel = w }, b = { .timer.fire = ring };

	a.victim = &b.timer;
	a.again = START + 30 * MS;
	wheel_set(w, &a.timer, START + 10 * MS);
	wheel_set(w, &b.timer, START + 10 * MS);
	wheel_turn(w, START + 12 * MS);
	ck_assert_int_eq(a.fired, 1);
	ck_assert_int_eq(b.fired, 0);
	wheel_turn(w, START + 32 * MS);
	ck_assert_int_eq(a.fired, 2);
	ck_assert(wheel_next(w) == FOREVER);
	free(w);
}
END_TEST

START_TEST(after_a_long_stop_everything_that_is_due_fires_in_one_turn)
{
	struct wheel *w = new_wheel();
	struct alarm alarms[100] = { 0 };

	for (int i = 0; i < 100; i++) {
		alarms[i].timer.fire = ring;
		wheel_set(w, &alarms[i].timer, START + i * 137 * MS);
	}
	wheel_turn(w, START + 30 * SECONDS);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(alarms[i].fired, 1);
	free(w);
}
END_TEST

START_TEST(turning_whenever_it_asks_fires_each_of_many_in_time)
{
	enum { MANY = 2000 };
	struct wheel *w = new_wheel();
	struct alarm *alarms = calloc(MANY, sizeof(*alarms));
	int fired = 0;

	srand(1);
	for (int i = 0; i < MANY; i++) {
		alarms[i].timer.fire = ring;
		wheel_set(w, &alarms[i].timer, START + rand() % (10 * 1000) * MS);
	}
	while (fired < MANY) {
		moment now = wheel_next(w);

		ck_assert(now != FOREVER);
		wheel_turn(w, now);
		fired = 0;
		for (int i = 0; i < MANY; i++) {
			/* Without ck_assert(), which is slow. */
			if (alarms[i].fired != (alarms[i].timer.due <= now))
				ck_abort_msg("fired %d times, %lld ns too early or late", alarms[i].fired, (long long)(now - alarms[i].timer.due));
			fired += alarms[i].fired;
		}
	}
	free(alarms);
	free(w);
}
END_TEST

Suite *wheel_suite(void);
Suite *wheel_suite(void)
{
	const TTest *const tests[] = {
		a_timer_fires_once_not_before_it_is_due_and_within_a_millisecond, a_timer_in_the_past_fires_at_the_next_turn,
		a_timer_of_a_later_turn_of_the_ring_waits_for_it, a_timer_that_is_moved_fires_at_its_new_time_only,
		a_timer_that_fires_may_remove_another_and_set_itself, after_a_long_stop_everything_that_is_due_fires_in_one_turn,
		turning_whenever_it_asks_fires_each_of_many_in_time,
	};

	return suite_of("wheel", tests, countof(tests));
}
