/*
 * fuzz.h
 *		What a target of the fuzzer is: a parser, and inputs that it takes.
 *
 * A target is one file of this folder.  Its first line names the sources that
 * it is linked with: "links: src/egress/frame.c".  See run.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

typedef struct FuzzSeed
{
	const void *data;
	size_t		length;
} FuzzSeed;

/* well-formed inputs, from which others are made; ended by one without data */
extern const FuzzSeed fuzz_seeds[];

/* Parses.  It aborts where a promise is broken; the sanitizers do the rest. */
extern void fuzz_one(const char *data, size_t length);

/* Aborts, and says where. */
#define FUZZ_REQUIRE(condition) \
	do { if (!(condition)) fuzz_abort(#condition, __FILE__, __LINE__); } while (0)
extern void fuzz_abort(const char *what, const char *file, int line);

#endif							/* FUZZ_H */
