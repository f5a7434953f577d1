#include "../../daemon/pipe_check.h"
#include "testing.h"

#include <stdlib.h>

/* The parts of a configuration that a pipe is judged by. */
struct scene {
	struct config config;
	struct semaphore_config db;
	struct semaphore_config *semaphores[1];
	struct job_config echo, cat, user, greet;
	char names[5][8];
};

static struct job_config job_of(char *name, enum job_kind kind, uint64_t concurrency)
{
	return (struct job_config){ .name = name, .kind = kind, .concurrency = concurrency };
}

static struct scene *scene(void)
{
	static const struct scene words = { .names = { "echo", "cat", "user", "greet", "db" } };
	struct scene *s = malloc(sizeof(*s));

	*s = words;
	s->echo = job_of(s->names[0], KIND_BUILTIN_ECHO, 1);
	s->cat = job_of(s->names[1], KIND_EXEC, 2);
	s->user = job_of(s->names[2], KIND_EXEC, 4);
	s->user.uses_count = 1;
	s->greet = job_of(s->names[3], KIND_EXEC, 1);
	s->greet.arg_count = 1;
	s->db = (struct semaphore_config){ .name = s->names[4], .permits = 2 };
	s->semaphores[0] = &s->db;
	s->config.semaphores = s->semaphores;
	s->config.semaphore_count = 1;
	return s;
}

#define STAGES(...) (const struct job_config *[]){ __VA_ARGS__ }, countof(((const struct job_config *[]){ __VA_ARGS__ }))

START_TEST(commands_that_stand_side_by_side_are_a_group_and_others_are_alone)
{
	struct scene *s = scene();
	const struct job_config *const stages[] = { &s->cat, &s->user, &s->echo, &s->echo, &s->cat };

	ck_assert_uint_eq(pipe_group_end(stages, 5, 0), 2);
	ck_assert_uint_eq(pipe_group_end(stages, 5, 2), 3);
	ck_assert_uint_eq(pipe_group_end(stages, 5, 3), 4);
	ck_assert_uint_eq(pipe_group_end(stages, 5, 4), 5);
	free(s);
}
END_TEST

START_TEST(a_group_may_need_all_runners_and_permits_there_are_but_not_more)
{
	struct scene *s = scene();
	struct pipe_fault fault;

	ck_assert(pipe_check(&s->config, STAGES(&s->cat, &s->cat), &fault));
	ck_assert(!pipe_check(&s->config, STAGES(&s->cat, &s->user, &s->cat, &s->cat), &fault));
	ck_assert_str_eq(fault.name, "cat");
	ck_assert_uint_eq(fault.needed, 3);
	ck_assert_uint_eq(fault.most, 2);
	ck_assert(pipe_check(&s->config, STAGES(&s->user, &s->user), &fault));
	ck_assert(!pipe_check(&s->config, STAGES(&s->user, &s->user, &s->user), &fault));
	ck_assert_str_eq(fault.name, "db");
	free(s);
}
END_TEST

START_TEST(what_runs_one_after_the_other_needs_them_only_once)
{
	struct scene *s = scene();
	struct pipe_fault fault;

	ck_assert(pipe_check(&s->config, STAGES(&s->echo, &s->echo, &s->echo), &fault));
	ck_assert(pipe_check(&s->config, STAGES(&s->cat, &s->cat, &s->echo, &s->cat, &s->cat), &fault));
	ck_assert(pipe_check(&s->config, STAGES(&s->user, &s->user, &s->echo, &s->user), &fault));
	free(s);
}
END_TEST

START_TEST(a_job_that_takes_arguments_is_no_stage)
{
	struct scene *s = scene();
	struct pipe_fault fault;

	ck_assert(!pipe_check(&s->config, STAGES(&s->echo, &s->greet), &fault));
	ck_assert_str_eq(fault.name, "greet");
	ck_assert_uint_eq(fault.needed, 0);
	free(s);
}
END_TEST

Suite *pipe_check_suite(void);
Suite *pipe_check_suite(void)
{
	const TTest *const tests[] = {
		commands_that_stand_side_by_side_are_a_group_and_others_are_alone,
		a_group_may_need_all_runners_and_permits_there_are_but_not_more,
		what_runs_one_after_the_other_needs_them_only_once,
		a_job_that_takes_arguments_is_no_stage,
	};

	return suite_of("pipe_check", tests, countof(tests));
}
