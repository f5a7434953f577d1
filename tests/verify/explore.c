/* The scheduler. There is one explorer in a process, since the shim has no place to pass it: hence the one static `x`. */
#include "explore_impl.h"

#include "../../lib/random.h"
#include "../../lib/shim.h"
#include "coroutine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LATE = 16, NAPS_IN_A_ROW = 40 };

/* What is shorter is a nap: programs have longer deadlines. */
#define NAP_MOST (5 * MILLISECONDS)

enum thread_state { READY, ASLEEP, POLLING, ENDED };

struct late_store {
	volatile void *word;
	uint64_t value;
	size_t size;
};

struct thread {
	struct coroutine co;
	enum thread_state state;
	const volatile void *word;   /* ASLEEP: on this, as the so-manieth */
	uint64_t ticket;
	int fd;                      /* POLLING */
	moment deadline;
	bool timed_out;
	const struct explore_place *place;   /* of its newest step */
	struct late_store late[LATE];
	int late_count;
	int priority;                /* CHOOSE_PRIORITIES */
};

static struct {
	const struct program *program;
	struct chooser *chooser;
	struct explore_options options;
	void *world;
	struct thread threads[EXPLORE_THREADS];
	int count, live;
	struct thread *current;      /* NULL: no run, or its setup or finish */
	moment now;
	uint64_t tickets;
	int naps;                    /* one after the other, while nobody else went on */
	int lowest;                  /* CHOOSE_PRIORITIES: the last that was given */
	uint64_t could[STEPS];
	struct run_result result;
	jmp_buf failed;
} x;

static int number_of(const struct thread *t)
{
	return (int)(t - x.threads);
}

void explore_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	x.result.failed = true;
	vsnprintf(x.result.why, sizeof(x.result.why), format, args);
	va_end(args);
	_longjmp(x.failed, 1);
}

/* What may be done. */

static bool is_ready(const struct thread *t)
{
	return t->state == READY || (t->state == POLLING && world_readable(t->fd, x.now));
}

static moment wakes_at(const struct thread *t)
{
	if (t->state == ASLEEP)
		return t->deadline;
	if (t->state == POLLING)
		return moment_min(t->deadline, world_due(t->fd));
	return FOREVER;
}

/* The next moment at which something changes, of those who sleep and, if asked, of the program. */
static moment next_moment(bool programs)
{
	moment next = FOREVER;
	int i;

	for (i = 0; i < x.count; i++)
		if (wakes_at(&x.threads[i]) > x.now)
			next = moment_min(next, wakes_at(&x.threads[i]));
	for (i = 0; programs && i < EXPLORE_MOMENTS; i++)
		if (x.program->moments[i] > x.now)
			next = moment_min(next, x.program->moments[i]);
	return next;
}

static void jump_to(moment when)
{
	int i;

	x.now = when;
	for (i = 0; i < x.count; i++) {
		struct thread *t = &x.threads[i];
		if ((t->state == ASLEEP || t->state == POLLING) && t->deadline <= x.now) {
			t->state = READY;
			t->timed_out = true;
		}
	}
}

static void flush(struct thread *t)
{
	int i;

	for (i = 0; i < t->late_count; i++)
		memcpy((void *)(uintptr_t)t->late[i].word, &t->late[i].value, t->late[i].size);
	t->late_count = 0;
}

static uint64_t bit(int doing)
{
	return UINT64_C(1) << doing;
}

/* Besides going on with the current thread; `may_stay`: that is possible. */
static uint64_t possibilities(bool may_stay)
{
	uint64_t could = 0;
	int i;

	for (i = 0; i < x.count; i++) {
		struct thread *t = &x.threads[i];
		if (t == x.current)
			continue;
		if (is_ready(t))
			could |= bit(DO_THREAD + i) | (may_stay && x.current->late_count ? bit(DO_UNFLUSHED + i) : 0);
		if (t->late_count)
			could |= bit(DO_FLUSH + i);
		if (x.options.spurious && t->state == ASLEEP)
			could |= bit(DO_SPURIOUS + i);
	}
	if (next_moment(true) != FOREVER)
		could |= bit(DO_CLOCK);
	return could;
}

static struct thread *next_in_turn(void)
{
	int i, from = number_of(x.current);

	for (i = 1; i < x.count; i++) {
		struct thread *t = &x.threads[(from + i) % x.count];
		if (is_ready(t))
			return t;
	}
	return NULL;
}

/* What is done. */

uint64_t explore_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int random_bit(uint64_t set)
{
	int skip = (int)(explore_random(&x.chooser->random) % (unsigned)__builtin_popcountll(set));

	while (skip-- > 0)
		set &= set - 1;
	return __builtin_ctzll(set);
}

static int choose_given(uint64_t could)
{
	struct schedule *given = &x.chooser->given;
	int next = x.result.taken.count;

	if (next >= given->count || given->list[next].step != x.result.steps)
		return DO_DEFAULT;
	if (!(could & bit(given->list[next].doing)))
		explore_fail("the schedule does not fit at step %d", x.result.steps);
	return given->list[next].doing;
}

static int choose_walk(uint64_t could)
{
	uint64_t switches = could & (bit(DO_CLOCK) - 1);

	if (!could || explore_random(&x.chooser->random) % x.chooser->rarity)
		return DO_DEFAULT;
	return random_bit(switches && explore_random(&x.chooser->random) % 4 ? switches : could);
}

/* After Burckhardt, Kothari, Musuvathi, Nagarakatte 2010: the highest priority runs; at a few random steps the one that runs
 * gets the lowest. */
static int choose_by_priority(uint64_t could, const struct thread *otherwise)
{
	const struct thread *best = otherwise;
	int i, doing;

	if (could && explore_random(&x.chooser->random) % 100 == 0)
		return random_bit(could);
	if (explore_random(&x.chooser->random) % (unsigned)x.chooser->length < 3)
		x.current->priority = --x.lowest;
	for (i = 0; i < x.count; i++)
		if (could & bit(DO_THREAD + i) && (!best || x.threads[i].priority > best->priority))
			best = &x.threads[i];
	if (!best || best == otherwise)
		return DO_DEFAULT;
	doing = DO_UNFLUSHED + number_of(best);
	return could & bit(doing) && explore_random(&x.chooser->random) % 2 ? doing : DO_THREAD + number_of(best);
}

static int choose(uint64_t could, const struct thread *otherwise)
{
	int doing = DO_DEFAULT;

	if (++x.result.steps >= STEPS)
		explore_fail("it goes round for ever");
	if (otherwise != x.current && otherwise)
		could &= ~bit(DO_THREAD + number_of(otherwise));
	x.could[x.result.steps] = could;
	switch (x.chooser->how) {
	case CHOOSE_GIVEN: doing = choose_given(could); break;
	case CHOOSE_WALK: doing = choose_walk(could); break;
	case CHOOSE_PRIORITIES: doing = choose_by_priority(could, otherwise); break;
	}
	if (doing != DO_DEFAULT)
		schedule_add(&x.result.taken, (struct deviation){ x.result.steps, doing });
	return doing;
}

static void go_on_with(struct thread *t)
{
	struct thread *from = x.current;

	if (t->state == POLLING)
		t->state = READY;
	if (t == from)
		return;
	x.naps = 0;
	x.current = t;
	coroutine_switch(&from->co, &t->co);
}

static void print_step(const struct explore_place *place)
{
	const char *name = strrchr(place->file, '/');

	printf("  %4d  %*s[%d] %s:%d %s\n", x.result.steps + 1, 4 * number_of(x.current), "", number_of(x.current),
		name ? name + 1 : place->file, place->line, place->what);
}

/* Before an operation of the current thread. */
static void step(const struct explore_place *place)
{
	uint64_t could;
	int doing;

	x.current->place = place;
	if (x.options.trace)
		print_step(place);
	could = possibilities(true);
	doing = choose(could, x.current);
	if (doing == DO_DEFAULT)
		return;
	if (doing < DO_CLOCK) {
		if (doing < DO_UNFLUSHED)
			flush(x.current);
		go_on_with(&x.threads[doing % 8]);
	} else if (doing == DO_CLOCK) {
		jump_to(next_moment(true));
	} else if (doing < DO_FLUSH) {
		x.threads[doing - DO_SPURIOUS].state = READY;
	} else {
		flush(&x.threads[doing - DO_FLUSH]);
	}
}

static void describe_sleepers(char *text, size_t room)
{
	size_t used = 0;
	int i;

	text[0] = 0;
	for (i = 0; i < x.count; i++) {
		struct thread *t = &x.threads[i];
		if (t->state == ENDED || used >= room)
			continue;
		used += (size_t)snprintf(text + used, room - used, "%s thread %d at %s:%d", used ? "," : "", i,
			t->place ? t->place->file : "?", t->place ? t->place->line : 0);
	}
}

/* The current thread cannot go on, or does not want to: another one does, or the clock. */
static void pass(void)
{
	struct thread *next = next_in_turn();
	char sleepers[400];
	int doing;

	flush(x.current);
	if (!next && x.current->state == READY) {
		x.now += MICROSECONDS;
		jump_to(x.now);
		if (++x.result.steps >= STEPS)
			explore_fail("it goes round for ever");
		x.could[x.result.steps] = 0;
		return;
	}
	for (;;) {
		if (!next) {
			moment when = next_moment(false);
			if (when == FOREVER) {
				describe_sleepers(sleepers, sizeof(sleepers));
				explore_fail("nobody can go on:%s", sleepers);
			}
			jump_to(when);
			next = is_ready(x.current) ? x.current : next_in_turn();
			continue;
		}
		doing = choose(possibilities(false), next);
		if (doing == DO_DEFAULT || doing < DO_UNFLUSHED) {
			go_on_with(doing == DO_DEFAULT ? next : &x.threads[doing]);
			return;
		}
		if (doing == DO_CLOCK)
			jump_to(next_moment(true));
		else if (doing >= DO_FLUSH)
			flush(&x.threads[doing - DO_FLUSH]);
		else
			x.threads[doing - DO_SPURIOUS].state = READY;
	}
}

/* The operations of the shim. */

/* Whether a word lies in a frame that is gone. A thread that runs may use its own stack only as far as it has grown. */
static bool is_dead_frame(const volatile void *word)
{
	int i;

	for (i = 0; i < x.count; i++)
		if (coroutine_owns(&x.threads[i].co, word))
			return x.threads[i].state == ENDED || coroutine_is_dead(&x.threads[i].co, word, &x.threads[i] == x.current);
	return false;
}

static void check_word(const struct explore_place *place, const volatile void *word)
{
	if (world_is_freed(word))
		explore_fail("%s:%d: %s: the memory is freed", place->file, place->line, place->what);
	if (is_dead_frame(word))
		explore_fail("%s:%d: %s: the frame is gone", place->file, place->line, place->what);
}

void explore_point(const struct explore_place *place, const volatile void *word)
{
	if (!x.current)
		return;
	step(place);
	check_word(place, word);
}

void explore_step(const char *what)
{
	static struct explore_place place = { "the program", NULL, 0 };

	if (!x.current)
		return;
	place.what = what;
	step(&place);
	flush(x.current);
}

void explore_drain(void)
{
	if (x.current)
		flush(x.current);
}

void explore_store(volatile void *word, const void *value, size_t size, bool now)
{
	struct thread *t = x.current;

	if (!t || now || x.program->no_late || t->late_count == LATE) {
		explore_drain();
		memcpy((void *)(uintptr_t)word, value, size);
		return;
	}
	t->late[t->late_count].word = word;
	t->late[t->late_count].size = size;
	memcpy(&t->late[t->late_count++].value, value, size);
}

void explore_load(const volatile void *word, void *value, size_t size)
{
	struct thread *t = x.current;
	int i;

	for (i = t ? t->late_count : 0; i-- > 0;)
		if (t->late[i].word == word) {
			memcpy(value, &t->late[i].value, size);
			return;
		}
	memcpy(value, (const void *)(uintptr_t)word, size);
}

int explore_futex_wait(const struct explore_place *place, shim_u32 *word, uint32_t expected, moment deadline)
{
	struct thread *t = x.current;

	if (!t)
		explore_fail("setup or finish would sleep at %s:%d", place->file, place->line);
	explore_point(place, word);
	flush(t);
	if (atomic_load(word) != expected)
		return 0;
	if (deadline <= x.now)
		return ETIMEDOUT;
	if (x.options.naps_pass && deadline - x.now <= NAP_MOST && ++x.naps <= NAPS_IN_A_ROW) {
		jump_to(deadline);
		return ETIMEDOUT;
	}
	t->state = ASLEEP;
	t->word = word;
	t->ticket = x.tickets++;
	t->deadline = deadline;
	t->timed_out = false;
	pass();
	return t->timed_out ? ETIMEDOUT : 0;
}

static struct thread *first_asleep(const volatile void *word)
{
	struct thread *first = NULL;
	int i;

	for (i = 0; i < x.count; i++) {
		struct thread *t = &x.threads[i];
		if (t->state == ASLEEP && t->word == word && (!first || t->ticket < first->ticket))
			first = t;
	}
	return first;
}

/* Only the address counts: the frame may be gone. */
void explore_futex_wake(const struct explore_place *place, shim_u32 *word, int n)
{
	struct thread *t;

	if (!x.current)
		return;
	step(place);
	flush(x.current);
	while (n-- > 0 && (t = first_asleep(word)))
		t->state = READY;
}

void explore_yield(const struct explore_place *place)
{
	if (!x.current)
		return;
	if (x.options.naps_pass && ++x.naps <= NAPS_IN_A_ROW) {
		step(place);
		jump_to(x.now + MICROSECONDS);
		return;
	}
	x.current->place = place;
	if (x.options.trace)
		print_step(place);
	if (x.chooser->how == CHOOSE_PRIORITIES)
		x.current->priority = --x.lowest;
	pass();
}

void explore_pause(void)
{
	static const struct explore_place place = { "the program", "pause", 0 };

	if (!x.current)
		return;
	x.current->place = &place;
	pass();
}

void explore_membarrier(const struct explore_place *place)
{
	int i;

	if (!x.current)
		return;
	step(place);
	for (i = 0; i < x.count; i++)
		flush(&x.threads[i]);
}

moment explore_clock(const struct explore_place *place)
{
	if (x.current)
		step(place);
	return x.now;
}

int explore_self(void)
{
	return x.current ? number_of(x.current) : -1;
}

bool explore_is_readable(int fd)
{
	return world_readable(fd, x.now);
}

bool explore_readable(int fd, moment deadline)
{
	struct thread *t = x.current;

	explore_step("poll");
	if (world_readable(fd, x.now))
		return true;
	if (deadline <= x.now)
		return false;
	t->state = POLLING;
	t->fd = fd;
	t->deadline = deadline;
	t->timed_out = false;
	pass();
	return world_readable(fd, x.now);
}

/* Runs. */

/* In the thread's own frames. */
static void thread_main(void *arg)
{
	struct thread *t = arg;

	random_seed((uint64_t)number_of(t) + 2);
	x.program->threads[number_of(t)](x.world);
	coroutine_scrub();
	flush(t);
	t->state = ENDED;
	t->place = NULL;
	if (--x.live > 0)
		pass();
	else
		coroutine_leave(&t->co);
}

static void prepare_thread(struct thread *t)
{
	int priority = (int)(explore_random(&x.chooser->random) % 1000);

	coroutine_prepare(&t->co, thread_main, t);
	t->state = READY;
	t->late_count = 0;
	t->place = NULL;
	t->priority = priority;
}

static void run_threads(void)
{
	int i;

	for (i = 0; i < EXPLORE_THREADS && x.program->threads[i]; i++)
		prepare_thread(&x.threads[i]);
	x.count = x.live = i;
	x.lowest = 0;
	x.current = &x.threads[0];
	coroutine_enter(&x.current->co);
	x.current = NULL;
}

const struct run_result *explore_run(const struct program *program, struct chooser *chooser, const struct explore_options *options)
{
	x.program = program;
	x.chooser = chooser;
	x.options = *options;
	x.now = EXPLORE_START;
	x.count = 0;
	x.current = NULL;
	x.result.failed = false;
	x.result.steps = 0;
	x.result.taken.count = 0;
	x.result.could = x.could;
	coroutine_reset_tls();
	random_seed(1);
	world_begin(options->cpus);
	if (_setjmp(x.failed) == 0) {
		x.world = program->setup(program->variant);
		run_threads();
		program->finish(x.world);
		world_check();
	} else {
		coroutine_abandon_all();
		x.current = NULL;
	}
	world_end();
	return &x.result;
}

const struct run_result *explore_result(void)
{
	return &x.result;
}
