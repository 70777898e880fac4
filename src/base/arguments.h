/*
 * arguments.h
 *		Reading the arguments of SQL calls: what is required, what is in range.
 *
 * No call of the API is STRICT, so each argument is read through here, and a
 * required one that is NULL raises 22004 with the argument's name.
 */
#ifndef DECOUPLE_ARGUMENTS_H
#define DECOUPLE_ARGUMENTS_H

#include "fmgr.h"
#include "datatype/timestamp.h"

/* the longest visibility timeout and delay, and the longest retention */
#define USECS_PER_LEASE_MAX		(INT64CONST(365) * USECS_PER_DAY)
#define USECS_PER_RETENTION_MAX	(INT64CONST(1200) * 30 * USECS_PER_DAY)

/* raises 22004 naming the argument if it is NULL */
extern void argument_required(FunctionCallInfo fcinfo, int n, const char *name);

/*
 * An interval as microseconds, a month as 30 days (as intervals compare).
 * Raises 22023, naming the argument, outside minimum..maximum (microseconds).
 */
extern int64 interval_in_range(const Interval *value, const char *name,
							   int64 minimum, int64 maximum);

/* the same for an argument; "otherwise" where it is NULL */
extern int64 argument_interval(FunctionCallInfo fcinfo, int n, const char *name,
							   int64 minimum, int64 maximum, int64 otherwise);

/* an int argument in minimum..maximum (22023), "otherwise" where it is NULL */
extern int32 argument_int(FunctionCallInfo fcinfo, int n, const char *name,
						  int32 minimum, int32 maximum, int32 otherwise);

/*
 * The elements of a one-dimensional array argument.  22004 where an element
 * is NULL, 22023 for more dimensions.  Returns how many; -1 where the
 * argument itself is NULL.
 */
extern int	argument_array(FunctionCallInfo fcinfo, int n, const char *name,
						   Datum **elements);

/*
 * The elements of an array that goes with another, of "count" elements, or
 * NULL where it is not given.  22023 where it has not as many.
 */
extern Datum *argument_array_beside(FunctionCallInfo fcinfo, int n,
									const char *name, const char *other,
									int count);

/*
 * Text of an interval ("30 s") as microseconds in minimum..maximum.  A bad
 * form is 22023.
 */
extern int64 interval_from_text(const char *text, const char *name,
								int64 minimum, int64 maximum);

#endif							/* DECOUPLE_ARGUMENTS_H */
