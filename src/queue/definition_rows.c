/*
 * definition_rows.c
 *		The rows of decouple.queue_definitions, written with their tables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/database.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/definition_rows.h"
#include "queue/memory.h"
#include "queue/table.h"
#include "store/count.h"

static Oid
lock_of_name(const char *name)
{
	return hash_bytes((const unsigned char *) name, strlen(name));
}

void
definitions_lock_name(const char *name)
{
	LockDatabaseObject(catalog_object(CATALOG_QUEUE_DEFINITIONS),
					   lock_of_name(name), 0, AccessExclusiveLock);
}

bool
definitions_try_lock_name(const char *name)
{
	return ConditionalLockDatabaseObject(catalog_object(CATALOG_QUEUE_DEFINITIONS),
										 lock_of_name(name), 0,
										 AccessExclusiveLock);
}

Relation
definitions_open(void)
{
	return table_open(catalog_object(CATALOG_QUEUE_DEFINITIONS),
					  RowExclusiveLock);
}

HeapTuple
definitions_find(Relation definitions, const char *name)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	return rows_find(definitions,
					 catalog_object(CATALOG_QUEUE_DEFINITIONS_NAME), &key);
}

void
definitions_options(HeapTuple tuple, TupleDesc descriptor,
					OptionValue *options)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		bool		isnull;
		Datum		datum = heap_getattr(tuple, DEFINITION_FIRST_OPTION + i,
										 descriptor, &isnull);

		options[i] = option_from_datum(i, datum, isnull);
	}
}

static void
put_options(const OptionValue *options, Datum *values, bool *nulls)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		values[DEFINITION_FIRST_OPTION - 1 + i] = option_to_datum(i, &options[i]);
		nulls[DEFINITION_FIRST_OPTION - 1 + i] = options[i].is_null;
	}
	values[DEFINITION_ALTERED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
}

int32
definitions_insert(Relation definitions, const char *name,
				   QueuePurpose purpose, const OptionValue *options, Oid owner)
{
	Datum		values[DEFINITION_COLUMNS];
	bool		nulls[DEFINITION_COLUMNS] = {false};
	int32		number = (int32)
		nextval_internal(catalog_object(CATALOG_QUEUE_NUMBER_SEQ), false);

	queue_table_create(number, name, options[OPTION_FIFO].number != 0, owner);
	values[DEFINITION_NUMBER - 1] = Int32GetDatum(number);
	values[DEFINITION_NAME - 1] = CStringGetTextDatum(name);
	put_options(options, values, nulls);
	values[DEFINITION_PURPOSE - 1] = CStringGetTextDatum(purpose_name(purpose));
	values[DEFINITION_CREATED_AT - 1] = values[DEFINITION_ALTERED_AT - 1];
	CatalogTupleInsert(definitions,
					   heap_form_tuple(RelationGetDescr(definitions),
									   values, nulls));
	CommandCounterIncrement();
	database_ask();
	count_begin(number, decouple_now());
	return number;
}

void
definitions_update(Relation definitions, HeapTuple old,
				   const OptionValue *options,
				   const QueueDefinition *definition)
{
	Datum		values[DEFINITION_COLUMNS] = {0};
	bool		nulls[DEFINITION_COLUMNS] = {false};
	bool		replaces[DEFINITION_COLUMNS] = {false};
	HeapTuple	tuple;

	put_options(options, values, nulls);
	for (int i = 0; i < OPTION_COUNT; i++)
		replaces[DEFINITION_FIRST_OPTION - 1 + i] = true;
	replaces[DEFINITION_ALTERED_AT - 1] = true;
	tuple = heap_modify_tuple(old, RelationGetDescr(definitions),
							  values, nulls, replaces);
	CatalogTupleUpdate(definitions, &old->t_self, tuple);
	if (OidIsValid(definition->table))
		CacheInvalidateRelcacheByRelid(definition->table);
	CommandCounterIncrement();
}

static void
delete_row(Relation definitions, HeapTuple tuple)
{
	if (tuple == NULL)
		return;
	CatalogTupleDelete(definitions, &tuple->t_self);
	CommandCounterIncrement();
}

void
definitions_drop(Relation definitions, const QueueDefinition *definition)
{
	/* the event trigger forgets the row with its table, if it is enabled */
	if (OidIsValid(definition->table))
		queue_table_drop(definition->number);
	delete_row(definitions, definitions_find(definitions, definition->name));
}

void
definitions_forget(Relation definitions, int32 number)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(number));
	delete_row(definitions,
			   rows_find(definitions,
						 catalog_object(CATALOG_QUEUE_DEFINITIONS_NUMBER), &key));
	memory_forget(&deduplication_memory, number);
	memory_forget(&attempt_memory, number);
}
