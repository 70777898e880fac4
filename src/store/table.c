/*
 * table.c
 *		An opened table: its indexes, its versions, its writes.
 *
 * Writes go through the table access method and feed every index that is
 * ready for inserts, also one that REINDEX CONCURRENTLY is building beside
 * the old one.  Which versions may be written, scan.c and settle.c decide;
 * here a write either succeeds or tells why not.
 *
 * Indexes are opened at the first write that needs them: a receive that is
 * a HOT update, and a delete, need none.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "store/group.h"
#include "store/table.h"

/* how many rows one WAL record of table_multi_insert may gather */
#define INSERT_CHUNK	500

void
store_open(Store *store, Relation heap, Oid order_index, Oid group_index,
		   int32 queue_number, LOCKMODE lockmode)
{
	memset(store, 0, sizeof(*store));
	store->queue_number = queue_number;
	store->lockmode = lockmode;
	store->order_index = order_index;
	store->group_index = group_index;
	if (lockmode == RowExclusiveLock)
		store->slot = slot_of_queue(queue_number);
	store->queue.heap = heap;
	store->queue.place = RECEIPT_IN_QUEUE;
	store->parked.place = RECEIPT_IN_PARKED;
}

void
table_use_parked(Store *store)
{
	if (store->parked.heap == NULL)
		store->parked.heap = table_open(catalog_object(CATALOG_PARKED_MESSAGES),
										store->lockmode);
}

void
store_open_parked(Store *store, int32 queue_number, LOCKMODE lockmode)
{
	store_open(store, NULL, InvalidOid, InvalidOid, queue_number, lockmode);
	table_use_parked(store);
}

static void
close_table(StoreTable *table, LOCKMODE lockmode)
{
	if (table->heap == NULL)
		return;
	for (int i = 0; i < table->index_count; i++)
		index_close(table->indexes[i], lockmode);
	if (table->version != NULL)
		ExecDropSingleTupleTableSlot(table->version);
	if (table->common_version != NULL)
		ExecDropSingleTupleTableSlot(table->common_version);
	if (table->index_row != NULL)
		ExecDropSingleTupleTableSlot(table->index_row);
	table_close(table->heap, lockmode);
	table->heap = NULL;
}

void
store_close(Store *store, bool release)
{
	LOCKMODE	lockmode = release ? store->lockmode : NoLock;

	if (store->lockmode != AccessShareLock)
		CommandCounterIncrement();
	group_note_follower(store);
	close_table(&store->parked, lockmode);
	close_table(&store->queue, lockmode);
}

/*
 * Opens the indexes that are ready for inserts.  REINDEX and CREATE INDEX
 * CONCURRENTLY wait for the lock that we have on the table, so the list
 * cannot grow by one that misses our rows.
 */
static void
open_indexes(StoreTable *table)
{
	List	   *oids = RelationGetIndexList(table->heap);
	ListCell   *cell;
	int			count = list_length(oids);

	table->indexes = palloc(sizeof(Relation) * count);
	table->index_infos = palloc(sizeof(IndexInfo *) * count);
	foreach(cell, oids)
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);

		if (!index->rd_index->indisready)
		{
			index_close(index, RowExclusiveLock);
			continue;
		}
		table->indexes[table->index_count] = index;
		table->index_infos[table->index_count] = BuildIndexInfo(index);
		table->index_count++;
	}
	list_free(oids);
	table->indexes_open = true;
}

/* Are all key columns such as no rewrite of a row changes? */
static bool
key_never_changes(const IndexInfo *info)
{
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		AttrNumber	column = info->ii_IndexAttrNumbers[i];

		if (column != MESSAGE_ID && column != MESSAGE_GROUP_ID &&
			column != PARKED_QUEUE_NUMBER)
			return false;
	}
	return true;
}

static void
feed_indexes(StoreTable *table, TupleTableSlot *slot, bool is_rewrite,
			 bool only_summarizing)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	if (!table->indexes_open)
		open_indexes(table);
	for (int i = 0; i < table->index_count; i++)
	{
		Relation	index = table->indexes[i];
		IndexInfo  *info = table->index_infos[i];

		if (only_summarizing && !INDEX_SUMMARIZES(info))
			continue;
		/* no EState: queue_open has refused indexes with expressions */
		FormIndexDatum(info, slot, NULL, values, nulls);
		index_insert(index, values, nulls, &slot->tts_tid, table->heap,
					 index->rd_index->indisunique ?
					 UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
					 is_rewrite && key_never_changes(info), info);
	}
}

/* The common columns alone, as a descriptor that lives as long as we do. */
static TupleDesc
common_descriptor(void)
{
	static TupleDesc descriptor = NULL;

	if (descriptor == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
		TupleDesc	building = CreateTemplateTupleDesc(MESSAGE_COMMON_COLUMNS);

		TupleDescInitEntry(building, MESSAGE_ID, NULL, INT8OID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_SENT_AT, NULL, TIMESTAMPTZOID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_VISIBLE_AT, NULL, TIMESTAMPTZOID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_RECEIVE_COUNT, NULL, INT4OID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_FENCE, NULL, INT4OID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_FIRST_RECEIVED_AT, NULL, TIMESTAMPTZOID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_SENDER, NULL, TEXTOID, -1, 0);
		TupleDescInitEntry(building, MESSAGE_BODY, NULL, TEXTOID, -1, 0);
		descriptor = building;
		MemoryContextSwitchTo(before);
	}
	return descriptor;
}

/* Has the row nothing beyond the common columns? */
static bool
is_common(const StoreTable *table, const MessageRow *row)
{
	if (table->place == RECEIPT_IN_PARKED)
		return false;
	for (int i = MESSAGE_COMMON_COLUMNS; i < MESSAGE_COLUMNS; i++)
	{
		if (!row->nulls[i])
			return false;
	}
	return true;
}

/* How many columns a table has for us; dropped ones may lie behind them. */
static int
known_columns(ReceiptPlace place)
{
	return place == RECEIPT_IN_PARKED ? PARKED_COLUMNS : MESSAGE_COLUMNS;
}

/* Puts a row's values into a slot, without copying what they point to. */
static void
fill_slot(TupleTableSlot *slot, const MessageRow *row, ReceiptPlace place)
{
	int			columns = slot->tts_tupleDescriptor->natts;
	int			known = Min(columns, known_columns(place));

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * known);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * known);
	for (int i = known; i < columns; i++)
		slot->tts_isnull[i] = true;
	ExecStoreVirtualTuple(slot);
}

/* A slot for a version on its way in, filled; made when first needed. */
static TupleTableSlot *
version_slot(StoreTable *table, const MessageRow *row)
{
	bool		common = is_common(table, row);
	TupleTableSlot **slot = common ? &table->common_version : &table->version;

	if (*slot == NULL)
		*slot = MakeSingleTupleTableSlot(common ? common_descriptor() :
										 RelationGetDescr(table->heap),
										 &TTSOpsVirtual);
	fill_slot(*slot, row, table->place);
	return *slot;
}

/*
 * Feeds the indexes with a version that was written.  They may be on any
 * column, so they read a slot that has them all.
 */
static void
feed_with_row(StoreTable *table, const MessageRow *row, ItemPointer address,
			  bool is_rewrite, bool only_summarizing)
{
	if (table->index_row == NULL)
		table->index_row = MakeSingleTupleTableSlot(RelationGetDescr(table->heap),
													&TTSOpsVirtual);
	fill_slot(table->index_row, row, table->place);
	table->index_row->tts_tid = *address;
	feed_indexes(table, table->index_row, is_rewrite, only_summarizing);
	ExecClearTuple(table->index_row);
}

ItemPointerData
table_insert(StoreTable *table, const MessageRow *row)
{
	TupleTableSlot *slot = version_slot(table, row);
	ItemPointerData address;

	table_tuple_insert(table->heap, slot, GetCurrentCommandId(true), 0, NULL);
	address = slot->tts_tid;
	ExecClearTuple(slot);
	feed_with_row(table, row, &address, false, false);
	return address;
}

/*
 * Slots for many versions, all common or all not: the access method takes
 * them as they come, but each slot has one descriptor.
 */
static TupleTableSlot **
make_slots(StoreTable *table, bool common, int count)
{
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * count);
	TupleDesc	descriptor = common ? common_descriptor() :
		RelationGetDescr(table->heap);

	for (int i = 0; i < count; i++)
		slots[i] = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
	return slots;
}

static void
insert_chunk(StoreTable *table, const MessageRow *rows, const int *picks,
			 int count, TupleTableSlot **slots)
{
	for (int i = 0; i < count; i++)
		fill_slot(slots[i], &rows[picks[i]], table->place);
	table_multi_insert(table->heap, slots, count, GetCurrentCommandId(true),
					   0, NULL);
	for (int i = 0; i < count; i++)
	{
		feed_with_row(table, &rows[picks[i]], &slots[i]->tts_tid, false, false);
		ExecClearTuple(slots[i]);
	}
}

void
table_insert_many(StoreTable *table, const MessageRow *rows, const int *picks,
				  int count)
{
	TupleTableSlot **slots;
	int			chunk = Min(count, INSERT_CHUNK);
	bool		common = true;

	for (int i = 0; i < count && common; i++)
		common = is_common(table, &rows[picks[i]]);
	slots = make_slots(table, common, chunk);
	for (int done = 0; done < count; done += chunk)
	{
		insert_chunk(table, rows, picks + done, Min(chunk, count - done), slots);
		CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < chunk; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	pfree(slots);
}

TM_Result
table_delete(StoreTable *table, ItemPointer address, bool wait)
{
	TM_FailureData failure;

	return table_tuple_delete(table->heap, address, GetCurrentCommandId(true),
							  InvalidSnapshot, InvalidSnapshot, wait,
							  &failure, false);
}

TM_Result
table_rewrite(StoreTable *table, ItemPointer address, const MessageRow *row,
			  bool wait, ItemPointer new_address)
{
	TupleTableSlot *slot = version_slot(table, row);
	TM_FailureData failure;
	LockTupleMode lockmode;
	IndexesToFeed which;
	TM_Result	result;

	result = table_tuple_update(table->heap, address, slot,
								GetCurrentCommandId(true),
								InvalidSnapshot, InvalidSnapshot, wait,
								&failure, &lockmode, &which);
	if (result == TM_Ok)
	{
		*new_address = slot->tts_tid;
		if (!FEED_NO_INDEX(which))
			feed_with_row(table, row, new_address, true,
						  FEED_SUMMARIZING(which));
	}
	ExecClearTuple(slot);
	return result;
}

void
row_read(MessageRow *row, TupleTableSlot *slot, ReceiptPlace place)
{
	int			columns = known_columns(place);

	slot_getallattrs(slot);
	memcpy(row->values, slot->tts_values, sizeof(Datum) * columns);
	memcpy(row->nulls, slot->tts_isnull, sizeof(bool) * columns);
}

/* columns whose values are pointers */
static const int wide_columns[] = {
	MESSAGE_SENDER, MESSAGE_BODY, MESSAGE_GROUP_ID,
	MESSAGE_DEDUPLICATION_ID, MESSAGE_DEAD_LETTER_SOURCE,
	MESSAGE_LAST_ERROR, MESSAGE_ATTRIBUTES, MESSAGE_SUBJECT,
	MESSAGE_STRUCTURE
};

/*
 * A value out of line belongs to the table that it lies in, and goes when its
 * row goes: whoever takes a row elsewhere, or hands it to a client that will
 * delete it, needs it in line.
 */
void
row_detach(MessageRow *row)
{
	for (int i = 0; i < (int) lengthof(wide_columns); i++)
	{
		int			column = wide_columns[i];
		struct varlena *value;

		if (ROW_IS_NULL(row, column))
			continue;
		value = (struct varlena *) DatumGetPointer(ROW_VALUE(row, column));
		if (VARATT_IS_EXTERNAL(value))
			row_set(row, column, PointerGetDatum(detoast_external_attr(value)));
	}
}

void
row_copy(MessageRow *row)
{
	for (int i = 0; i < (int) lengthof(wide_columns); i++)
	{
		int			column = wide_columns[i];

		if (!ROW_IS_NULL(row, column))
			row_set(row, column,
					PointerGetDatum(PG_DETOAST_DATUM_COPY(ROW_VALUE(row, column))));
	}
}

bool
version_is_ours(TupleTableSlot *slot)
{
	bool		should_free;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);

	Assert(!should_free);		/* slots of scans hold on to the page */
	return !HeapTupleHeaderXminCommitted(tuple->t_data) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
}

/*
 * A version that the current command made (a receive that hides nothing, a
 * statement that inserts into the table itself) must wait for the next one:
 * the access method refuses to write it.
 */
bool
version_is_older_than_command(TupleTableSlot *slot)
{
	bool		should_free;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);
	HeapTupleHeader header = tuple->t_data;

	Assert(!should_free);		/* slots of scans hold on to the page */
	if (HeapTupleHeaderXminCommitted(header) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)))
		return true;
	return HeapTupleHeaderGetCmin(header) < GetCurrentCommandId(false);
}
