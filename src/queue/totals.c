/*
 * totals.c
 *		The counters of a queue, kept over a restart.
 *
 * Counters live in shared memory; upkeep writes them to a table now and then.
 * A crash loses what was counted since.  Whoever writes rows holds
 * ShareRowExclusiveLock on the table until the end of the transaction, and
 * does not wait for it: whoever has it writes the same numbers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/rows.h"
#include "queue/definition.h"
#include "queue/totals.h"
#include "store/count.h"

/* the columns of decouple.queue_totals */
enum TotalsColumn
{
	KEPT_NUMBER = 1,
	KEPT_MESSAGES,
	KEPT_FIRST_TOTAL,			/* in the order of QueueTotal */
	KEPT_COLUMNS = KEPT_FIRST_TOTAL + QUEUE_TOTALS - 1
};

static HeapTuple
find_row(Relation rel, int32 number)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(number));
	return rows_find(rel, catalog_object(CATALOG_QUEUE_TOTALS_NUMBER), &key);
}

static void
read_row(Relation rel, HeapTuple tuple, CountTotals *kept)
{
	Datum		values[KEPT_COLUMNS];
	bool		nulls[KEPT_COLUMNS];

	memset(kept, 0, sizeof(*kept));
	if (tuple == NULL)
		return;
	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	kept->messages = DatumGetInt64(values[KEPT_MESSAGES - 1]);
	for (int i = 0; i < QUEUE_TOTALS; i++)
		kept->totals[i] = DatumGetInt64(values[KEPT_FIRST_TOTAL - 1 + i]);
}

void
totals_load(int32 number)
{
	Relation	rel;
	CountTotals kept;

	if (!count_wants_totals(number))
		return;
	rel = table_open(catalog_object(CATALOG_QUEUE_TOTALS), AccessShareLock);
	read_row(rel, find_row(rel, number), &kept);
	table_close(rel, AccessShareLock);
	count_add_totals(number, &kept);
}

void
totals_fold(int32 number)
{
	Relation	rel;
	HeapTuple	old;
	CountTotals kept;
	CountTotals now;
	Datum		values[KEPT_COLUMNS];
	bool		nulls[KEPT_COLUMNS] = {false};
	HeapTuple	tuple;

	if (!count_totals(number, &now) ||
		!ConditionalLockRelationOid(catalog_object(CATALOG_QUEUE_TOTALS),
									ShareRowExclusiveLock))
		return;
	rel = table_open(catalog_object(CATALOG_QUEUE_TOTALS), NoLock);
	old = find_row(rel, number);
	read_row(rel, old, &kept);
	if (memcmp(&kept, &now, sizeof(now)) != 0)
	{
		values[KEPT_NUMBER - 1] = Int32GetDatum(number);
		values[KEPT_MESSAGES - 1] = Int64GetDatum(now.messages);
		for (int i = 0; i < QUEUE_TOTALS; i++)
			values[KEPT_FIRST_TOTAL - 1 + i] = Int64GetDatum(now.totals[i]);
		tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
		if (old == NULL)
			CatalogTupleInsert(rel, tuple);
		else
			CatalogTupleUpdate(rel, &old->t_self, tuple);
		CommandCounterIncrement();
	}
	table_close(rel, NoLock);
}

void
totals_forget(void)
{
	Relation	rel;
	RowScan		rows;
	HeapTuple	tuple;

	if (!ConditionalLockRelationOid(catalog_object(CATALOG_QUEUE_TOTALS),
									ShareRowExclusiveLock))
		return;
	rel = table_open(catalog_object(CATALOG_QUEUE_TOTALS), NoLock);
	rows_begin(&rows, rel);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		QueueDefinition definition;
		bool		isnull;
		int32		number = DatumGetInt32(heap_getattr(tuple, KEPT_NUMBER,
														RelationGetDescr(rel),
														&isnull));

		if (!definition_lookup_number(number, &definition))
			CatalogTupleDelete(rel, &tuple->t_self);
	}
	rows_end(&rows);
	table_close(rel, NoLock);
}
