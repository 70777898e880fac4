/*
 * fields.c
 *		The options of topics and subscriptions: arguments, columns, defaults.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "base/texts.h"
#include "base/version.h"
#include "queue/options.h"
#include "topic/fields.h"

/* A copy that does not depend on the call's arguments. */
static Datum
detoasted(const Field *field, Datum value)
{
	if (field->type == BOOLOID || field->type == INT4OID ||
		field->type == INTERVALOID)
		return value;
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

void
fields_from_arguments(FunctionCallInfo fcinfo, const Field *fields, int count,
					  int shift, FieldValue *values)
{
	for (int i = 0; i < count; i++)
	{
		int			n = fields[i].argument + shift;

		values[i].isnull = PG_ARGISNULL(n);
		values[i].given = !values[i].isnull;
		values[i].value = values[i].isnull ? (Datum) 0 :
			detoasted(&fields[i], PG_GETARG_DATUM(n));
	}
}

void
fields_from_row(HeapTuple tuple, TupleDesc descriptor, const Field *fields,
				int count, FieldValue *values)
{
	for (int i = 0; i < count; i++)
	{
		Datum		value = heap_getattr(tuple, fields[i].column, descriptor,
										 &values[i].isnull);

		values[i].given = false;
		values[i].value = values[i].isnull ? (Datum) 0 :
			detoasted(&fields[i], value);
	}
}

static FieldValue
initial_value(const Field *field)
{
	FieldValue	value = {.isnull = field->initial == NULL};

	if (value.isnull)
		return value;
	switch (field->type)
	{
		case BOOLOID:
			value.value = BoolGetDatum(strcmp(field->initial, "true") == 0);
			break;
		case INT4OID:
			value.value = Int32GetDatum(atoi(field->initial));
			break;
		default:
			value.value = CStringGetTextDatum(field->initial);
			break;
	}
	return value;
}

void
fields_fill(const Field *fields, int count, FieldValue *values,
			const FieldValue *others)
{
	for (int i = 0; i < count; i++)
	{
		if (!values[i].given)
			values[i] = others == NULL ? initial_value(&fields[i]) : others[i];
	}
}

int
field_reset(const Field *fields, int count, const char *name,
			FieldValue *values, const char *kind)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(fields[i].name, name) != 0)
			continue;
		if (values[i].given)
			option_given_and_reset(name);
		values[i] = initial_value(&fields[i]);
		return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a %s has no option \"%s\" that can be reset", kind, name),
			 errhint("The columns of decouple.%ss are the options.", kind)));
	return -1;					/* not reached */
}

static bool
values_equal(const Field *field, const FieldValue *a, const FieldValue *b)
{
	if (a->isnull || b->isnull)
		return a->isnull == b->isnull;
	switch (field->type)
	{
		case BOOLOID:
			return DatumGetBool(a->value) == DatumGetBool(b->value);
		case INT4OID:
			return DatumGetInt32(a->value) == DatumGetInt32(b->value);
		case INTERVALOID:
			return DatumGetBool(DirectFunctionCall2(interval_eq, a->value,
													b->value));
		case JSONBOID:
			return DatumGetBool(DirectFunctionCall2(jsonb_eq, a->value,
													b->value));
		default:
			return texts_equal(DatumGetTextPP(a->value),
							   DatumGetTextPP(b->value));
	}
}

const Field *
fields_differ(const Field *fields, int count, const FieldValue *values,
			  const FieldValue *others)
{
	for (int i = 0; i < count; i++)
	{
		if (values[i].given && !values_equal(&fields[i], &values[i], &others[i]))
			return &fields[i];
	}
	return NULL;
}

void
fields_put(const Field *fields, int count, const FieldValue *values,
		   Datum *row, bool *nulls)
{
	for (int i = 0; i < count; i++)
	{
		row[fields[i].column - 1] = values[i].value;
		nulls[fields[i].column - 1] = values[i].isnull;
	}
}
