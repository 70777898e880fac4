/*
 * filter_operators.h
 *		Compiling what stands in a key's array.
 */
#ifndef DECOUPLE_FILTER_OPERATORS_H
#define DECOUPLE_FILTER_OPERATORS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "base/version.h"
#include "topic/filter_form.h"

/* raises 22023; "path" tells which key it is about, "detail" is a sentence */
extern void bad_policy(const FilterText *path, const char *detail,
					   const char *hint) NEVER_RETURNS;

/* is it the name of an operator? */
extern bool is_operator(const char *name, int length);

/* compiles the array of "key", whose path is set; returns how many values */
extern int	compile_values(FilterKey *key, JsonbContainer *array);

/* what a path or value was made of may go away */
extern FilterText filter_text(const char *data, int length);

#endif							/* DECOUPLE_FILTER_OPERATORS_H */
