/*
 * standalone.c
 *		Runs a target that needs no PostgreSQL, as a program of its own.
 *
 * usage: target seed seconds, or target file, to give it one input again
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int
main(int argc, char **argv)
{
	if (argc == 2)
		return fuzz_replay(argv[1]) ? 0 : 1;
	if (argc != 3)
		return 2;
	printf("%lu inputs\n", fuzz_run(strtoull(argv[1], NULL, 10), atoi(argv[2])));
	return 0;
}
