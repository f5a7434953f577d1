/* Runs every suite of suites.def against the leatd that LEATD names. CK_RUN_SUITE=name runs only one of them. */
#include "wire.h"

#include <signal.h>

Suite *wire_suite(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, NULL, servers_stop);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* As for leatd, in shell.c. Read by the sanitizer's runtime, if there is one. */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=0";
}

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	/* A client that writes to a leatd that has closed looks at the error. */
	signal(SIGPIPE, SIG_IGN);
	scratch_open();
#define SUITE(name) srunner_add_suite(runner, name##_suite());
#define SUITE_ALONE SUITE
#include "suites.def"
#undef SUITE_ALONE
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
