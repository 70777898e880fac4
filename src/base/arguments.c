/*
 * arguments.c
 *		Reading the arguments of SQL calls: what is required, what is in range.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/version.h"

void
argument_required(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be NULL", name),
				 errhint("Give a value for \"%s\".", name)));
}

/* Microseconds as the text of an interval, for messages. */
static char *
interval_text(int64 microseconds)
{
	Interval	interval = {0};

	interval.day = microseconds / USECS_PER_DAY;
	interval.time = microseconds % USECS_PER_DAY;
	return DatumGetCString(DirectFunctionCall1(interval_out,
											   IntervalPGetDatum(&interval)));
}

int64
interval_in_range(const Interval *value, const char *name, int64 minimum,
				  int64 maximum)
{
	int64		days;
	int64		result;

	/* as days it fits; as microseconds 2^31 months would be 5.6e21 */
	days = (int64) value->month * DAYS_PER_MONTH + value->day;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, value->time, &result) ||
		result < minimum || result > maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is out of range: %s", name,
						DatumGetCString(DirectFunctionCall1(interval_out,
															IntervalPGetDatum(value)))),
				 errhint("Use an interval from %s to %s.",
						 interval_text(minimum), interval_text(maximum))));
	return result;
}

int64
argument_interval(FunctionCallInfo fcinfo, int n, const char *name,
				  int64 minimum, int64 maximum, int64 otherwise)
{
	if (PG_ARGISNULL(n))
		return otherwise;
	return interval_in_range(PG_GETARG_INTERVAL_P(n), name, minimum, maximum);
}

int32
argument_int(FunctionCallInfo fcinfo, int n, const char *name, int32 minimum,
			 int32 maximum, int32 otherwise)
{
	int32		value;

	if (PG_ARGISNULL(n))
		return otherwise;
	value = PG_GETARG_INT32(n);
	if (value < minimum || value > maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is out of range: %d", name, value),
				 errhint("Use a number from %d to %d.", minimum, maximum)));
	return value;
}

int
argument_array(FunctionCallInfo fcinfo, int n, const char *name,
			   Datum **elements)
{
	ArrayType  *array;
	int16		length;
	bool		by_value;
	char		alignment;
	bool	   *nulls;
	int			count;

	*elements = NULL;
	if (PG_ARGISNULL(n))
		return -1;
	array = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("array \"%s\" has %d dimensions", name, ARR_NDIM(array)),
				 errhint("Use an array of one dimension.")));
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment,
					  elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array \"%s\" must not contain NULL", name),
					 errdetail("Element %d is NULL.", i + 1),
					 errhint("Give a value for each element.")));
	}
	return count;
}

/* Decodes as interval's input does; false where that would raise an error. */
static bool
decode_interval(const char *text, Interval *interval)
{
	char	   *field[MAXDATEFIELDS];
	int			field_type[MAXDATEFIELDS];
	char		buffer[256];
	struct pg_itm_in itm = {0};
	int			fields;
	int			type;
	int			result;

	result = ParseDateTime(text, buffer, sizeof(buffer), field, field_type,
						   MAXDATEFIELDS, &fields);
	if (result == 0)
		result = DecodeInterval(field, field_type, fields, INTERVAL_FULL_RANGE,
								&type, &itm);
	if (result == DTERR_BAD_FORMAT)
		result = DecodeISO8601Interval(pstrdup(text), &type, &itm);
	return result == 0 && type == DTK_DELTA &&
		itmin2interval(&itm, interval) == 0;
}

Datum *
argument_array_beside(FunctionCallInfo fcinfo, int n, const char *name,
					  const char *other, int count)
{
	Datum	   *elements;
	int			found = argument_array(fcinfo, n, name, &elements);

	if (found < 0)
		return NULL;
	if (found != count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arrays \"%s\" and \"%s\" have unequal lengths: %d and %d",
						other, name, count, found),
				 errhint("Give one element for each of \"%s\".", other)));
	return elements;
}

int64
interval_from_text(const char *text, const char *name, int64 minimum,
				   int64 maximum)
{
	Interval	interval;

	/* not by calling interval's input, whose errors have other SQLSTATEs */
	if (!decode_interval(text, &interval))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not an interval", name),
				 errhint("Write it as '30 s' or '5 minutes'.")));
	return interval_in_range(&interval, name, minimum, maximum);
}
