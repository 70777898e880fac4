/*
 * fuzz.c
 *		Gives a target inputs without an end, until its time is over.
 *
 * Each input is made from one of the target's seeds, or from nothing, by a few
 * changes.  All that is random comes from a seed, which is printed: SEED=n
 * repeats it.  The input lies at the end of its own block of memory, so that
 * reading beyond it is seen.  One that fails is written to a file.
 *
 * usage: target seconds [file-to-replay]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define LENGTH_MOST	4096

static uint64_t state;
static char *input;
static size_t input_length;

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t
below(size_t most)
{
	return most == 0 ? 0 : next_random() % most;
}

/* Called when the program is about to die, so it only writes. */
static void
write_input(void)
{
	int			file = open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (file < 0 || write(file, input, input_length) < 0)
		return;
	close(file);
}

#ifdef __SANITIZE_ADDRESS__
extern void __sanitizer_set_death_callback(void (*callback) (void));
#endif

void
fuzz_abort(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	write_input();
	abort();
}

/* One small change, such as parsers fall over. */
static size_t
change(char *data, size_t length)
{
	static const char tokens[][5] = {
		"\0\0\0\0", "\0\0\0\1", "\177\377\377\377", "\377\377\377\377",
		"{\"\":", "\\u00", "%00a", "-1.0", "1e99"
	};
	size_t		where = below(length + 1);
	size_t		count = 1 + below(8);
	const char *token = tokens[below(sizeof(tokens) / sizeof(tokens[0]))];

	switch (below(7))
	{
		case 0:					/* a bit */
			if (where < length)
				data[where] ^= (char) (1 << below(8));
			return length;
		case 1:					/* a byte */
			if (where < length)
				data[where] = (char) next_random();
			return length;
		case 2:					/* a token */
			for (size_t i = 0; i < 4 && where + i < length; i++)
				data[where + i] = token[i];
			return length;
		case 3:					/* fewer */
			return where;
		case 4:					/* without some */
			if (where + count > length)
				return length;
			memmove(data + where, data + where + count, length - where - count);
			return length - count;
		case 5:					/* some twice */
			if (where + count > length || length + count > LENGTH_MOST)
				return length;
			memmove(data + where + count, data + where, length - where);
			return length + count;
		default:				/* more */
			if (length + count > LENGTH_MOST)
				return length;
			memmove(data + where + count, data + where, length - where);
			for (size_t i = 0; i < count; i++)
				data[where + i] = (char) next_random();
			return length + count;
	}
}

static void
try_one(void)
{
	static char work[LENGTH_MOST];
	size_t		seeds = 0;
	size_t		length = 0;

	while (fuzz_seeds[seeds].data != NULL)
		seeds++;
	if (seeds > 0 && below(20) != 0)
	{
		const FuzzSeed *seed = &fuzz_seeds[below(seeds)];

		length = seed->length < LENGTH_MOST ? seed->length : LENGTH_MOST;
		memcpy(work, seed->data, length);
	}
	for (size_t i = below(6); i > 0 || length == 0; i = i > 0 ? i - 1 : 0)
	{
		length = change(work, length);
		if (i == 0)
			break;
	}
	input = malloc(length == 0 ? 1 : length);
	input_length = length;
	if (input == NULL)
		abort();
	memcpy(input, work, length);
	fuzz_one(input, length);
	free(input);
}

static int
replay(const char *name)
{
	FILE	   *file = fopen(name, "rb");

	input = malloc(LENGTH_MOST);
	if (file == NULL || input == NULL)
		return 1;
	input_length = fread(input, 1, LENGTH_MOST, file);
	fclose(file);
	input = realloc(input, input_length == 0 ? 1 : input_length);
	fuzz_one(input, input_length);
	free(input);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	time_t		end;
	unsigned long tried = 0;

	if (argc < 2)
		return 2;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_set_death_callback(write_input);
#endif
	if (argc > 2)
		return replay(argv[2]);
	state = seed != NULL ? strtoull(seed, NULL, 10) :
		(uint64_t) time(NULL) << 16 ^ (uint64_t) getpid();
	if (state == 0)
		state = 1;
	printf("seed %llu\n", (unsigned long long) state);
	fflush(stdout);
	end = time(NULL) + atoi(argv[1]);
	do
	{
		for (int i = 0; i < 1000; i++)
			try_one();
		tried += 1000;
	} while (time(NULL) < end);
	printf("%lu inputs\n", tried);
	return 0;
}
