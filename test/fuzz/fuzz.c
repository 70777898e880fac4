/*
 * fuzz.c
 *		Gives a target inputs without an end, until its time is over.
 *
 * Each input is made from one of the target's seeds, from nothing, or from an
 * input that went where none had gone before, by a few changes.  The compiler
 * calls us at every branch of the watched sources, which tells where an input
 * goes: a parser that needs three good words is reached word by word.
 *
 * All that is random comes from a seed, which repeats it.  The input lies at
 * the end of its own block of memory, so that reading beyond it is seen.  One
 * that fails is written to a file, by whatever aborts: the sanitizers do so
 * with abort_on_error, see run.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "change.h"
#include "fuzz.h"

#define KEPT_MOST	4096
#define LATELY		32
#define EDGE_BITS	16

/* inputs between looks at the clock, and what these may take */
#define INPUTS_EACH		1000
#define SECONDS_MOST	30

static char *input;
static size_t input_length;

static FuzzSeed kept[KEPT_MOST];
static size_t kept_count;

/* ---- where inputs go ---- */

/* a pair of branches, one after the other, is an edge */
static uint8_t hits[1 << EDGE_BITS];	/* by this input */
static uint8_t seen[1 << EDGE_BITS];	/* by any: a bit for each order of hits */
static uint32_t touched[1 << EDGE_BITS];	/* edges with hits */
static size_t touched_count;

extern void __sanitizer_cov_trace_pc(void);

/*
 * Called at each branch.  Its address is taken from one of our own, so that a
 * seed repeats wherever the program is loaded.  Hidden, since the sanitizers'
 * library may have one too.
 */
__attribute__((visibility("hidden"))) void
__sanitizer_cov_trace_pc(void)
{
	static uint64_t before;
	uint64_t	here = (uintptr_t) __builtin_return_address(0) -
		(uintptr_t) fuzz_run;
	uint64_t	edge;

	here *= UINT64_C(0x9e3779b97f4a7c15);
	edge = (here ^ before) >> (64 - EDGE_BITS);
	before = here >> 1;
	if (hits[edge] == 0)
		touched[touched_count++] = (uint32_t) edge;
	if (hits[edge] < UINT8_MAX)
		hits[edge]++;
}

/* Did this input go where none had gone, or more often?  Forgets it. */
static bool
went_somewhere_new(void)
{
	static const uint8_t order_ends[] = {1, 2, 3, 4, 8, 16, 32};
	bool		is_new = false;

	while (touched_count > 0)
	{
		uint32_t	edge = touched[--touched_count];
		int			order = 0;

		/* 1, 2, 3, 4, to 8, to 16: most loops have their limits among these */
		while (order < 7 && hits[edge] > order_ends[order])
			order++;
		is_new |= (seen[edge] & 1 << order) == 0;
		seen[edge] |= 1 << order;
		hits[edge] = 0;
	}
	return is_new;
}

static void
keep(const char *data, size_t length)
{
	char	   *copy;

	if (kept_count == KEPT_MOST)
		return;
	copy = malloc(length + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data, length);
	kept[kept_count].data = copy;
	kept[kept_count++].length = length;
}

/* ---- failures ---- */

/* Called when the program is about to die, so it only writes. */
static void
write_input(int number)
{
	int			file = open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC, 0666);

	signal(number, SIG_DFL);
	if (file < 0 || write(file, input, input_length) < 0)
		return;
	close(file);
}

static void
give_up(int number)
{
	static const char message[] = "an input has no end\n";

	(void) number;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(1);
	abort();
}

void
fuzz_abort(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* ---- inputs ---- */

static void
give_input(void)
{
	fuzz_one(input, input_length);
	free(input);
	input = NULL;
}

/* One to begin with, often one that was kept lately; nothing, now and then. */
static FuzzSeed
some_input(void)
{
	static const FuzzSeed nothing = {"", 0};
	size_t		seeds = 0;

	while (fuzz_seeds[seeds].data != NULL)
		seeds++;
	if (seeds == 0 || below(20) == 0)
		return nothing;
	if (kept_count > LATELY && below(3) == 0)
		return kept[kept_count - 1 - below(LATELY)];
	if (kept_count > 0 && below(3) != 0)
		return kept[below(kept_count)];
	return fuzz_seeds[below(seeds)];
}

static void
try_one(void)
{
	static char work[LENGTH_MOST];
	FuzzSeed	begin = some_input();
	FuzzSeed	other = some_input();
	size_t		length = begin.length < LENGTH_MOST ? begin.length : LENGTH_MOST;
	size_t		changes = below(6);

	memcpy(work, begin.data, length);
	for (size_t i = 0; i < changes || length == 0; i++)
		length = change(work, length, &other);
	input = malloc(length);
	if (input == NULL)
		abort();
	memcpy(input, work, length);
	input_length = length;
	give_input();
	if (went_somewhere_new())
		keep(work, length);
}

static void
catch_failures(void)
{
	signal(SIGABRT, write_input);
	signal(SIGALRM, give_up);
}

unsigned long
fuzz_run(uint64_t seed, int seconds)
{
	time_t		end = time(NULL) + seconds;
	unsigned long tried = 0;

	catch_failures();
	random_begin(seed);
	do
	{
		alarm(SECONDS_MOST);
		for (int i = 0; i < INPUTS_EACH; i++)
			try_one();
		alarm(0);
		tried += INPUTS_EACH;
	} while (time(NULL) < end);
	return tried;
}

bool
fuzz_replay(const char *name)
{
	FILE	   *file = fopen(name, "rb");

	input = malloc(LENGTH_MOST);
	if (file == NULL || input == NULL)
		return false;
	input_length = fread(input, 1, LENGTH_MOST, file);
	fclose(file);
	input = realloc(input, input_length == 0 ? 1 : input_length);
	catch_failures();
	alarm(SECONDS_MOST);
	give_input();
	alarm(0);
	return true;
}
