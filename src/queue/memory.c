/*
 * memory.c
 *		What a FIFO queue remembers for a while: rows of a private table.
 *
 * Rows come and go with their transactions.  A look-up reads newest versions
 * and tells of each who holds it in an open transaction.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "base/texts.h"
#include "queue/memory.h"
#include "store/store.h"

static ForgetPlace deduplication_places[PLACES_KEPT];
static ForgetPlace attempt_places[PLACES_KEPT];

const MemoryTable deduplication_memory = {
	CATALOG_DEDUPLICATIONS, CATALOG_DEDUPLICATIONS_ID,
	CATALOG_DEDUPLICATIONS_KEY, deduplication_places
};

const MemoryTable attempt_memory = {
	CATALOG_RECEIVE_ATTEMPTS, CATALOG_RECEIVE_ATTEMPTS_NUMBER,
	CATALOG_RECEIVE_ATTEMPTS_KEY, attempt_places
};

/* ---- rows ---- */

void
memory_open(Memory *memory, const MemoryTable *table, int32 queue_number)
{
	memory->queue_number = queue_number;
	memory->table = table_open(catalog_object(table->table), RowExclusiveLock);
	memory->indexes = CatalogOpenIndexes(memory->table);
	memory->key_index = catalog_object(table->key_index);
	memory->scan = NULL;
	memory->slot = table_slot_create(memory->table, NULL);
}

/* The opened index on keys. */
static Relation
key_index_of(const Memory *memory)
{
	for (int i = 0; i < memory->indexes->ri_NumIndices; i++)
	{
		Relation	index = memory->indexes->ri_IndexRelationDescs[i];

		if (RelationGetRelid(index) == memory->key_index)
			return index;
	}
	elog(ERROR, "index %u is not one of relation \"%s\"", memory->key_index,
		 RelationGetRelationName(memory->table));
	return NULL;				/* not reached */
}

void
memory_close(Memory *memory)
{
	if (memory->scan != NULL)
		index_endscan(memory->scan);
	ExecDropSingleTupleTableSlot(memory->slot);
	CatalogCloseIndexes(memory->indexes);
	table_close(memory->table, NoLock);
}

void
memory_find(Memory *memory, int64 key)
{
	ScanKeyData keys[2];

	InitDirtySnapshot(memory->dirty);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(memory->queue_number));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(key));
	if (memory->scan == NULL)
		memory->scan = begin_index_scan(memory->table, key_index_of(memory),
										&memory->dirty, 2);
	index_rescan(memory->scan, keys, 2, NULL, 0);
}

bool
memory_next(Memory *memory)
{
	CHECK_FOR_INTERRUPTS();
	return index_getnext_slot(memory->scan, ForwardScanDirection,
							  memory->slot);
}

void
memory_found(Memory *memory)
{
	ExecClearTuple(memory->slot);
}

TransactionId
memory_holder(const Memory *memory)
{
	return holder_of(&memory->dirty);
}

void
memory_insert(Memory *memory, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(memory->table),
										values, nulls);

	CatalogTupleInsertWithInfo(memory->table, tuple, memory->indexes);
	heap_freetuple(tuple);
}

/*
 * The lock is that of an object of a class that is the memory's own table, so
 * it is nobody else's.  A queue's keys share 65536 of them.
 */
static void
set_lock(LOCKTAG *tag, const Memory *memory, int64 key)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, RelationGetRelid(memory->table),
					   (uint32) memory->queue_number, (uint16) key);
}

void
memory_lock(const Memory *memory, int64 key)
{
	LOCKTAG		tag;

	set_lock(&tag, memory, key);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
memory_unlock(const Memory *memory, int64 key)
{
	LOCKTAG		tag;

	set_lock(&tag, memory, key);
	LockRelease(&tag, ExclusiveLock, false);
}

bool
memory_is(const Memory *memory, int column, const text *value)
{
	bool		isnull;
	Datum		stored = slot_getattr(memory->slot, column, &isnull);

	return texts_equal(DatumGetTextPP(stored), value);
}

static int64
slot_int64(TupleTableSlot *slot, int column)
{
	bool		isnull;

	return DatumGetInt64(slot_getattr(slot, column, &isnull));
}

int64
memory_int64(const Memory *memory, int column)
{
	return slot_int64(memory->slot, column);
}

/* ---- forgetting ---- */

/*
 * Deletes a queue's rows from a number on, in their order, while they are not
 * younger than a time; not what others hold.  *from becomes the number behind
 * the last that was met.
 */
static int
forget_range(const MemoryTable *memory, int32 queue_number, int64 *from,
			 TimestampTz until, int limit)
{
	Relation	table = table_open(catalog_object(memory->table),
								   RowExclusiveLock);
	Relation	index = index_open(catalog_object(memory->number_index),
								   RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = begin_index_scan(table, index, SnapshotAny, 2);
	ScanKeyData keys[2];
	int			forgotten = 0;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(queue_number));
	ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(*from));
	index_rescan(scan, keys, 2, NULL, 0);
	while (forgotten < limit &&
		   index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (!table_tuple_satisfies_snapshot(table, slot, snapshot))
			continue;
		if (slot_int64(slot, MEMORY_AT) > until)
			break;
		*from = slot_int64(slot, MEMORY_NUMBER) + 1;
		if (table_tuple_delete(table, &slot->tts_tid, GetCurrentCommandId(true),
							   InvalidSnapshot, InvalidSnapshot, false,
							   &failure, false) == TM_Ok)
			forgotten++;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(table, NoLock);
	CommandCounterIncrement();
	return forgotten;
}

void
memory_forget(const MemoryTable *table, int32 queue_number)
{
	int64		from = 0;

	(void) forget_range(table, queue_number, &from, DT_NOEND, PG_INT32_MAX);
}

/*
 * The place is kept, or each round would walk over all that is dead.  What is
 * rolled back here, or was remembered by a transaction that was open for too
 * long, stays until a session begins anew, or the place is another queue's.
 */
int
memory_forget_old(const MemoryTable *table, int32 queue_number,
				  TimestampTz until, int limit)
{
	ForgetPlace *place = &table->places[queue_number % PLACES_KEPT];

	if (place->queue_number != queue_number)
	{
		place->queue_number = queue_number;
		place->number = 0;
	}
	return forget_range(table, queue_number, &place->number, until, limit);
}
