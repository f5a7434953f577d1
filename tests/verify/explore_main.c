/* explore [OPTION]... [PROGRAM]...: runs the programs (all) in every order within a bound, then in random orders.
 *
 *	--bound N       the exhaustive part: up to N deviations from the default (default: the program's own)
 *	--seconds S     at most so long for each program's exhaustive part, and for its random part (default 10)
 *	--random N      so many random runs (default 20000)
 *	--seed S        of the random runs (default 1)
 *	--first 1       stop at the first failure
 *	--replay TEXT   one run, as printed at a failure; shows each step
 *	--list          the programs
 *
 * Prints a line for each program. Ends with 0 if none failed, 1 if one did, 2 if the arguments are wrong. A failure is
 * made shorter by leaving out deviations, and printed with its replay. */
#include "explore_impl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

struct settings {
	int bound;
	double seconds;
	long random;
	uint64_t seed;
	bool first;
};

struct hunt {
	const struct program *program;
	struct settings settings;
	struct explore_options options;
	struct chooser chooser;
	long runs;
	double until;
	int longest;
	bool cut, failed;
	char why[600];
};

/* What a crash has to say. */
static struct hunt *hunting;

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Schedules. */

void schedule_add(struct schedule *s, struct deviation d)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->list = realloc(s->list, (size_t)s->room * sizeof(*s->list));
		if (!s->list)
			abort();
	}
	s->list[s->count++] = d;
}

static void schedule_copy(struct schedule *to, const struct schedule *from)
{
	int i;

	to->count = 0;
	for (i = 0; i < from->count; i++)
		schedule_add(to, from->list[i]);
}

void schedule_print(const struct schedule *s)
{
	static const char letters[] = "tucsf";
	int i;

	for (i = 0; i < s->count; i++) {
		int doing = s->list[i].doing;
		printf("%s%d%c", i ? "," : "", s->list[i].step, letters[doing / 8]);
		if (doing != DO_CLOCK)
			printf("%d", doing % 8);
	}
}

bool schedule_parse(struct schedule *s, const char *text)
{
	static const char letters[] = "tucsf";
	const char *letter;
	char *end;

	s->count = 0;
	while (*text) {
		struct deviation d = { .step = (int)strtol(text, &end, 10) };
		if (end == text || !*end || !(letter = strchr(letters, *end)))
			return false;
		d.doing = (int)(letter - letters) * 8;
		text = end + 1;
		if (d.doing != DO_CLOCK) {
			d.doing += (int)strtol(text, &end, 10) & 7;
			text = end;
		}
		schedule_add(s, d);
		text += *text == ',';
	}
	return true;
}

static void print_replay(const struct hunt *h, const struct schedule *s)
{
	printf("    --replay '%s@%d%s:", h->program->name, h->options.cpus, h->options.naps_pass ? "n" : "");
	schedule_print(s);
	printf("'\n");
}

/* A schedule that fails. */

static const struct run_result *run_given(struct hunt *h)
{
	h->chooser.how = CHOOSE_GIVEN;
	return explore_run(h->program, &h->chooser, &h->options);
}

/* Leaves out what is not needed for a failure, one after the other, from the end. */
static void shorten(struct hunt *h)
{
	struct schedule *s = &h->chooser.given, best = { 0 };
	int i;

	schedule_copy(&best, s);
	for (i = best.count - 1; i >= 0 && best.count < 2000; i--) {
		int k;
		s->count = 0;
		for (k = 0; k < best.count; k++)
			if (k != i)
				schedule_add(s, best.list[k]);
		if (run_given(h)->failed && !strstr(run_given(h)->why, "does not fit"))
			schedule_copy(&best, s);
	}
	schedule_copy(s, &best);
	free(best.list);
}

static void report(struct hunt *h, const struct run_result *r)
{
	h->failed = true;
	schedule_copy(&h->chooser.given, &r->taken);
	printf("FAILED %s after %ld runs: %s\n", h->program->name, h->runs, r->why);
	fflush(stdout);
	shorten(h);
	printf("    shorter: %s\n", run_given(h)->why);
	print_replay(h, &h->chooser.given);
	fflush(stdout);
}

/* False: stop. */
static bool look_at(struct hunt *h, const struct run_result *r)
{
	h->runs++;
	if (r->steps > h->longest)
		h->longest = r->steps;
	if (r->failed)
		report(h, r);
	if (h->runs % 64 == 0 && seconds_now() > h->until)
		h->cut = true;
	return !h->failed && !h->cut;
}

/* Every order. */

/* All schedules that begin with the given one and have at most `more` deviations after it. */
static bool hunt_below(struct hunt *h, int more)
{
	struct schedule *given = &h->chooser.given;
	const struct run_result *r = run_given(h);
	int depth = given->count, first = depth ? given->list[depth - 1].step + 1 : 1, steps = r->steps, step;
	uint64_t *could;
	bool go_on = look_at(h, r);

	if (!go_on || more == 0)
		return go_on;
	could = malloc((size_t)(steps + 1) * sizeof(*could));
	memcpy(could, r->could, (size_t)(steps + 1) * sizeof(*could));
	for (step = first; step <= steps && go_on; step++)
		for (; could[step] && go_on; could[step] &= could[step] - 1) {
			given->count = depth;
			schedule_add(given, (struct deviation){ step, __builtin_ctzll(could[step]) });
			go_on = hunt_below(h, more - 1);
		}
	if (go_on)
		given->count = depth;
	free(could);
	return go_on;
}

/* Returns the largest bound that was gone through whole. */
static int hunt_all(struct hunt *h)
{
	int most = h->settings.bound >= 0 ? h->settings.bound : h->program->bound, bound, whole = -1;

	h->cut = false;
	h->until = seconds_now() + h->settings.seconds / 2;
	for (bound = 0; bound <= most; bound++) {
		h->chooser.given.count = 0;
		if (!hunt_below(h, bound))
			break;
		whole = bound;
	}
	return whole;
}

/* Random orders. */

static void hunt_random(struct hunt *h)
{
	long i;

	h->cut = false;
	h->until = seconds_now() + h->settings.seconds;
	for (i = 0; i < h->settings.random; i++) {
		h->chooser.random = h->settings.seed * 1000003 + (uint64_t)i;
		h->chooser.how = i % 2 ? CHOOSE_PRIORITIES : CHOOSE_WALK;
		h->chooser.rarity = 2u << explore_random(&h->chooser.random) % 6;
		h->chooser.length = h->longest;
		h->options.cpus = i % 3 ? 1 : 2;
		h->options.spurious = i % 5 == 0;
		h->options.naps_pass = i / 2 % 2;
		if (!look_at(h, explore_run(h->program, &h->chooser, &h->options)))
			return;
	}
}

static bool hunt_program(const struct program *program, const struct settings *settings)
{
	struct hunt h = { .program = program, .settings = *settings, .options = { .cpus = 1 } };
	long runs;
	int whole, sleepy;

	hunting = &h;
	whole = hunt_all(&h);
	if (!h.failed) {
		h.options.naps_pass = true;
		sleepy = hunt_all(&h);
		whole = whole < sleepy ? whole : sleepy;
	}
	runs = h.runs;
	if (!h.failed)
		hunt_random(&h);
	if (!h.failed)
		printf("ok     %-22s %9ld schedules (all with up to %d deviations%s), %6ld random, at most %d steps\n", program->name,
			runs, whole, runs && whole < 0 ? ": none" : "", h.runs - runs, h.longest);
	fflush(stdout);
	free(h.chooser.given.list);
	return !h.failed;
}

/* The program from outside. */

static void on_crash(int number)
{
	if (hunting) {
		printf("FAILED %s after %ld runs: signal %d\n", hunting->program->name, hunting->runs, number);
		print_replay(hunting, &explore_result()->taken);
		fflush(stdout);
	}
	_exit(1);
}

static void catch_crashes(void)
{
	static char stack[65536];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };

	sigaltstack(&alternative, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}

static const struct program *each_program(int i)
{
	static const struct program *const lists[] = { chan_programs, select_programs, rest_programs };
	size_t list;

	for (list = 0; list < 3; list++) {
		int n;
		for (n = 0; lists[list][n].name; n++)
			if (i-- == 0)
				return &lists[list][n];
	}
	return NULL;
}

static const struct program *find_program(const char *name, size_t length)
{
	const struct program *p;
	int i;

	for (i = 0; (p = each_program(i)); i++)
		if (strlen(p->name) == length && strncmp(p->name, name, length) == 0)
			return p;
	fprintf(stderr, "explore: no program '%.*s'; --list shows them\n", (int)length, name);
	exit(2);
}

static int list_programs(void)
{
	const struct program *p;
	int i;

	for (i = 0; (p = each_program(i)); i++)
		printf("%-22s %s\n", p->name, p->what);
	return 0;
}

static int replay(const char *text)
{
	size_t name = strcspn(text, "@"), cpus = strcspn(text, ":");
	struct hunt h = { .options = { .cpus = 1, .spurious = true, .trace = true } };
	const struct run_result *r;

	if (!text[name] || !text[cpus] || !schedule_parse(&h.chooser.given, text + cpus + 1))
		return fprintf(stderr, "explore: not a replay: %s\n", text), 2;
	h.program = find_program(text, name);
	h.options.cpus = atoi(text + name + 1);
	h.options.naps_pass = text[cpus - 1] == 'n';
	hunting = &h;
	r = run_given(&h);
	printf("%s\n", r->failed ? r->why : "it does not fail");
	return r->failed;
}

/* Addresses are to be the same in each process: lib/ orders channels by theirs. */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now != -1 && !(now & ADDR_NO_RANDOMIZE) && personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
}

static bool set(struct settings *settings, const char *name, const char *value)
{
	if (strcmp(name, "--bound") == 0)
		settings->bound = atoi(value);
	else if (strcmp(name, "--seconds") == 0)
		settings->seconds = atof(value);
	else if (strcmp(name, "--random") == 0)
		settings->random = atol(value);
	else if (strcmp(name, "--first") == 0)
		settings->first = atoi(value);
	else if (strcmp(name, "--seed") == 0)
		settings->seed = strtoull(value, NULL, 10);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct settings settings = { .bound = -1, .seconds = 10, .random = 20000, .seed = 1 };
	const struct program *p;
	int i, k, failed = 0;

	fix_addresses(argv);
	catch_crashes();
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--list") == 0)
			return list_programs();
		if (i + 1 < argc && strcmp(argv[i], "--replay") == 0)
			return replay(argv[i + 1]);
		if (i + 1 == argc || !set(&settings, argv[i], argv[i + 1]))
			return fprintf(stderr, "explore: not understood: %s\n", argv[i]), 2;
	}
	for (k = 0; (p = i < argc ? find_program(argv[i], strlen(argv[i])) : each_program(k)) && !(settings.first && failed); k++) {
		failed += !hunt_program(p, &settings);
		if (i < argc && ++i == argc)
			break;
	}
	return failed > 0;
}
