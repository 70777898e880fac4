/*
 * find.c
 *		The newest version of one message, by address or by id.
 *
 * The address in a receipt is a cache and may be anything: the receipt comes
 * from outside.  It is checked against the table's size and fetched, and
 * counts only if the version there is the receipt's message.  Else the id is
 * looked up.
 *
 * Found.slot keeps the version's page pinned, so that the version is not
 * pruned, and its place not used anew, before it is written.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "store/table.h"

int64
slot_message_id(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetInt64(slot_getattr(slot, MESSAGE_ID, &isnull));
}

int32
slot_int32(TupleTableSlot *slot, int column)
{
	bool		isnull;

	return DatumGetInt32(slot_getattr(slot, column, &isnull));
}

static void
use_table(Store *store, ReceiptPlace place, Found *found)
{
	if (place == RECEIPT_IN_PARKED)
		table_use_parked(store);
	found->table = place == RECEIPT_IN_PARKED ? &store->parked : &store->queue;
	found->slot = table_slot_create(found->table->heap, NULL);
	found->holder = InvalidTransactionId;
}

void
found_release(Found *found)
{
	ExecDropSingleTupleTableSlot(found->slot);
	found->slot = NULL;
}

/*
 * Is there such a page?  To ask for the size is a system call, and it only grows:
 * nobody truncates a table that we have locked.
 */
static bool
is_inside(StoreTable *table, BlockNumber block)
{
	if (block >= table->blocks)
		table->blocks = RelationGetNumberOfBlocks(table->heap);
	return block < table->blocks;
}

/* Looks where the receipt says that the message is. */
bool
find_by_address(Store *store, const Receipt *receipt, Found *found)
{
	ItemPointerData address;
	SnapshotData dirty;

	if (!receipt_address(receipt, &address))
		return false;
	use_table(store, receipt_place(receipt), found);
	if (is_inside(found->table, ItemPointerGetBlockNumber(&address)))
	{
		InitDirtySnapshot(dirty);
		if (table_tuple_fetch_row_version(found->table->heap, &address, &dirty,
										  found->slot) &&
			slot_message_id(found->slot) == receipt_id(receipt) &&
			(found->table == &store->queue ||
			 slot_int32(found->slot, PARKED_QUEUE_NUMBER) == store->queue_number))
		{
			found->address = address;
			found->holder = holder_of(&dirty);
			return true;
		}
	}
	found_release(found);
	return false;
}

/* The versions of an id, in one pass; true if one of them counts. */
static bool
pass_over_id(Store *store, int64 id, Snapshot filter, Found *found)
{
	bool		parked = found->table == &store->parked;
	Relation	index = index_open(parked ?
								   catalog_object(CATALOG_PARKED_MESSAGES_ID) :
								   store->order_index, AccessShareLock);
	IndexScanDesc scan;
	SnapshotData dirty;
	ScanKeyData keys[2];
	int			key_count = 0;
	bool		seen = false;

	if (parked)
		ScanKeyInit(&keys[key_count++], 1, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(store->queue_number));
	ScanKeyInit(&keys[key_count], key_count + 1, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(id));
	key_count++;

	InitDirtySnapshot(dirty);
	scan = begin_index_scan(found->table->heap, index,
							filter != NULL ? SnapshotAny : &dirty, key_count);
	index_rescan(scan, keys, key_count, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, found->slot))
	{
		if (filter != NULL &&
			!table_tuple_satisfies_snapshot(found->table->heap, found->slot,
											filter))
			continue;
		seen = true;
		found->address = found->slot->tts_tid;
		found->holder = filter != NULL ? InvalidTransactionId :
			holder_of(&dirty);
		if (!TransactionIdIsValid(found->holder))
			break;				/* the newest version, and it is free */
	}
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return seen;
}

/*
 * Looks a message up by its id.  Where all that there is is held, the holder
 * is told; its old and its new version both count.
 *
 * A pass over dirty versions can miss a row that a transaction rewrites and
 * commits meanwhile: it has read the index before the new entry and reads the
 * old version after the commit.  An ordinary snapshot cannot, so it has the
 * last word: what it sees is looked up once more.  Each turn more takes
 * another commit to the same row.
 */
bool
find_by_id(Store *store, ReceiptPlace place, int64 id, Found *found)
{
	Snapshot	latest;
	bool		exists;

	use_table(store, place, found);
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (pass_over_id(store, id, NULL, found))
			return true;
		latest = RegisterSnapshot(GetLatestSnapshot());
		exists = pass_over_id(store, id, latest, found);
		UnregisterSnapshot(latest);
	} while (exists);

	found_release(found);
	return false;
}
