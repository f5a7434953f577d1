/* Runs every suite of suites.def. CK_FORK=no runs them in one process, CK_RUN_SUITE=name only one of them. */
#include <check.h>
#include <stdlib.h>

/* Another list than ours: -DSUITES='"file.def"'. */
#ifndef SUITES
#define SUITES "suites.def"
#endif

#define SUITE(name) Suite *name##_suite(void);
#include SUITES
#undef SUITE

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

#define SUITE(name) srunner_add_suite(runner, name##_suite());
#include SUITES
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
