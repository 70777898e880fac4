/*
 * first.c
 *		Preloaded beside the sanitizer's library: what it needs in a server.
 *
 * The address sanitizer begins at the first malloc.  In postgres that is one of
 * a library's constructor that holds gettext's lock; the sanitizer looks for
 * functions that are not there, and the C library translates that error, for
 * which it wants the same lock.  So this constructor runs before all others.
 *
 * The other sanitizer reads its options when it has something to report, from
 * the environment that the process began with, where PostgreSQL has written its
 * title by then.  So they are kept, as the defaults that it asks for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME	"UBSAN_OPTIONS="

static char options[256];

extern const char *__ubsan_default_options(void);

const char *
__ubsan_default_options(void)
{
	return options;
}

/* The environment is given: getenv does not know it yet. */
__attribute__((constructor)) static void
begin(int argc, char **argv, char **environment)
{
	void	   *volatile memory = malloc(1);

	(void) argc;
	(void) argv;
	free(memory);
	for (; *environment != NULL; environment++)
	{
		if (strncmp(*environment, NAME, strlen(NAME)) == 0)
			snprintf(options, sizeof(options), "%s", *environment + strlen(NAME));
	}
}
