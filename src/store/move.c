/*
 * move.c
 *		A scanned message leaves: for good, or for another queue.
 *
 * Nothing here waits for a row.  What somebody else holds stays where it is,
 * and the caller's next round meets it again.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "store/group.h"
#include "store/journal.h"
#include "store/table.h"

/* Notes the deletion of the version at an address, and does it. */
static TM_Result
remove_version(Store *store, StoreTable *table, ItemPointer address,
			   TupleTableSlot *version, QueueTotal total)
{
	TM_Result	result;

	journal_vanish(store, table->place, version, total, false);
	result = table_delete(table, address, false);
	if (result == TM_Ok)
		group_vanished(store, version);
	else
		journal_undo(store);
	return result;
}

/* The standing is that of the stored version, whatever is in scan->row. */
static TM_Result
remove_scanned(StoreScan *scan, QueueTotal total)
{
	return remove_version(scan->store, scan->table, &scan->slot->tts_tid,
						  scan->slot, total);
}

bool
store_remove(StoreScan *scan, QueueTotal total)
{
	return remove_scanned(scan, total) == TM_Ok;
}

/* Deletes a message wherever it is now, unless somebody holds it. */
static bool
remove_by_id(Store *store, ReceiptPlace place, int64 id, QueueTotal total)
{
	Found		found;
	bool		removed;

	if (!find_by_id(store, place, id, &found))
		return false;
	removed = !TransactionIdIsValid(found.holder) &&
		remove_version(store, found.table, &found.address, found.slot,
					   total) == TM_Ok;
	found_release(&found);
	return removed;
}

bool
store_remove_newest(StoreScan *scan, QueueTotal total)
{
	int64		id = ROW_ID(&scan->row);

	switch (remove_scanned(scan, total))
	{
		case TM_Ok:
			return true;
		case TM_Updated:
		case TM_Deleted:
			/* received, given back or parked since the snapshot */
			return remove_by_id(scan->store, RECEIPT_IN_QUEUE, id, total) ||
				remove_by_id(scan->store, RECEIPT_IN_PARKED, id, total);
		default:
			return false;
	}
}

bool
store_move(StoreScan *scan, QueueTotal total, Store *destination,
		   QueueTotal destination_total, TimestampTz now)
{
	row_detach(&scan->row);
	if (remove_scanned(scan, total) != TM_Ok)
		return false;
	store_insert(destination, &scan->row, 1, now, destination_total);
	return true;
}
