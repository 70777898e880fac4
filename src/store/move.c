/*
 * move.c
 *		A scanned message leaves: for good, or for another queue.
 *
 * Nothing here waits for a row.  What somebody else holds stays where it is,
 * and the caller's next round meets it again.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "store/table.h"

bool
store_remove(StoreScan *scan)
{
	return table_delete(scan->table, &scan->slot->tts_tid, false) == TM_Ok;
}

/* Deletes a message wherever it is now, unless somebody holds it. */
static bool
remove_by_id(Store *store, ReceiptPlace place, int64 id)
{
	Found		found;
	bool		removed;

	if (!find_by_id(store, place, id, &found))
		return false;
	removed = !TransactionIdIsValid(found.holder) &&
		table_delete(found.table, &found.address, false) == TM_Ok;
	found_release(&found);
	return removed;
}

bool
store_remove_newest(StoreScan *scan)
{
	int64		id = ROW_ID(&scan->row);

	switch (table_delete(scan->table, &scan->slot->tts_tid, false))
	{
		case TM_Ok:
			return true;
		case TM_Updated:
		case TM_Deleted:
			/* received, given back or parked since the snapshot */
			return remove_by_id(scan->store, RECEIPT_IN_QUEUE, id) ||
				remove_by_id(scan->store, RECEIPT_IN_PARKED, id);
		default:
			return false;
	}
}

bool
store_move(StoreScan *scan, Store *destination, TimestampTz now)
{
	row_detach(&scan->row);
	if (!store_remove(scan))
		return false;
	store_insert(destination, &scan->row, 1, now);
	return true;
}
