/*
 * fields.h
 *		The options of topics and subscriptions: arguments, columns, defaults.
 *
 * A field is an argument of create and alter, and a column.  What values it
 * may have is its topic's or subscription's affair.
 */
#ifndef DECOUPLE_FIELDS_H
#define DECOUPLE_FIELDS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"

typedef struct Field
{
	const char *name;
	Oid			type;			/* a type of pg_catalog; or decouple.queue: */
	int			argument;		/* its number in the calls */
	int			column;
	const char *initial;		/* the default, NULL where it is none */
} Field;

#define FIELD_QUEUE		InvalidOid

typedef struct FieldValue
{
	bool		given;
	bool		isnull;
	Datum		value;
} FieldValue;

/*
 * Reads what a call gives, whose arguments have numbers that are greater by
 * "shift"; what it does not give is NULL.
 */
extern void fields_from_arguments(FunctionCallInfo fcinfo, const Field *fields,
								  int count, int shift, FieldValue *values);
extern void fields_from_row(HeapTuple tuple, TupleDesc descriptor,
							const Field *fields, int count, FieldValue *values);

/* what is not given gets its default, or else the value of "others" */
extern void fields_fill(const Field *fields, int count, FieldValue *values,
						const FieldValue *others);

/* 22023 where "reset" names no field, or one that was given; else its number */
extern int	field_reset(const Field *fields, int count, const char *name,
						FieldValue *values, const char *kind);

/* are all that are given equal to "others"?  If not the first that is not */
extern const Field *fields_differ(const Field *fields, int count,
								  const FieldValue *values,
								  const FieldValue *others);

/* into a row's arrays */
extern void fields_put(const Field *fields, int count,
					   const FieldValue *values, Datum *row, bool *nulls);

#endif							/* DECOUPLE_FIELDS_H */
