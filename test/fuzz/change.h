/*
 * change.h
 *		Small changes of inputs, such as parsers fall over.
 */
#ifndef FUZZ_CHANGE_H
#define FUZZ_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

/* the longest input */
#define LENGTH_MOST	4096

/* all that is random: what follows a seed is always the same */
extern void random_begin(uint64_t seed);

/* 0 to most - 1 */
extern size_t below(size_t most);

/*
 * One change of "data", which has room for LENGTH_MOST bytes; what is put in
 * may be of "other".  Returns the new length.
 */
extern size_t change(char *data, size_t length, const FuzzSeed *other);

#endif							/* FUZZ_CHANGE_H */
