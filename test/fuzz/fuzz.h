/*
 * fuzz.h
 *		What a target of the fuzzer is: a parser, and inputs that it takes.
 *
 * A target is one file of this folder.  Its first line tells how it is run and
 * names the sources that are watched: "links: src/egress/frame.c" is a program
 * of its own, "backend: src/topic/filter.c" runs inside PostgreSQL, and then
 * backend.h tells the rest.  See run.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FuzzSeed
{
	const void *data;
	size_t		length;
} FuzzSeed;

#define SEED(text)	{text, sizeof(text) - 1}
#define SEEDS_END	{NULL, 0}

/* a part of texts that are longer than what is shown of them */
#define TEXT_OF_63	"123456789012345678901234567890123456789012345678901234567890123"

/* well-formed inputs, from which others are made; ended by SEEDS_END */
extern const FuzzSeed fuzz_seeds[];

/*
 * What is put in place of values, and between bytes: words that mean something
 * to the parser, and values that are odd.  Without any, inputs are changed as
 * bytes only; with some, also as JSON.  Ended by SEEDS_END.
 */
extern const FuzzSeed fuzz_dictionary[];

/* Parses.  It aborts where a promise is broken; the sanitizers do the rest. */
extern void fuzz_one(const char *data, size_t length);

/* Aborts, and says where. */
#define FUZZ_REQUIRE(condition) \
	do { if (!(condition)) fuzz_abort(#condition, __FILE__, __LINE__); } while (0)
extern void fuzz_abort(const char *what, const char *file, int line)
	__attribute__((noreturn));

/*
 * For what runs targets.  An input that fails, or is not done in time, is
 * written to the file fuzz-failure.
 */
extern unsigned long fuzz_run(uint64_t seed, int seconds);
extern bool fuzz_replay(const char *file);

#endif							/* FUZZ_H */
