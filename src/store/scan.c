/*
 * scan.c
 *		Reading messages in order, past what others hold.
 *
 * SCAN_FREE asks the access method for "dirty" versions: the newest committed
 * ones and our own, and for each version with an open transaction's insert or
 * delete the number of that transaction, which is the mark of a row that is
 * held: such versions are skipped.  What a transaction with a snapshot of its
 * own (REPEATABLE READ, SERIALIZABLE) cannot see is skipped too, so that a
 * message never speaks of an order that its receiver does not see.
 *
 * SCAN_SNAPSHOT gives what the given snapshot sees: exactly one version of each
 * message, whoever holds it.  In a serializable transaction it takes all
 * versions and keeps those.
 *
 * So neither is an MVCC scan for the access method of a serializable
 * transaction, and neither takes predicate locks.
 *
 * The current row's page stays pinned by scan->slot until the next
 * call, which keeps the version from being pruned before it is written.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "store/table.h"

static void
begin(StoreScan *scan, Store *store, ReceiptPlace place, Oid index,
	  ScanKind kind, Snapshot filter, ScanKey keys, int key_count)
{
	Snapshot	access = SnapshotAny;

	scan->store = store;
	scan->table = place == RECEIPT_IN_PARKED ? &store->parked : &store->queue;
	scan->kind = kind;
	scan->filter = filter;
	scan->index = index_open(index, AccessShareLock);
	scan->slot = table_slot_create(scan->table->heap, NULL);
	InitDirtySnapshot(scan->dirty);
	if (kind == SCAN_FREE)
		access = &scan->dirty;
	else if (filter != NULL && !IsolationIsSerializable())
	{
		access = filter;
		scan->filter = NULL;
	}
	scan->scan = begin_index_scan(scan->table->heap, scan->index, access,
								  key_count);
	index_rescan(scan->scan, keys, key_count, NULL, 0);
}

/* what a transaction with a snapshot of its own must see as well */
static Snapshot
own_snapshot(void)
{
	return IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : NULL;
}

void
scan_begin_free(StoreScan *scan, Store *store, int64 after_id)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after_id));
	begin(scan, store, RECEIPT_IN_QUEUE, store->order_index, SCAN_FREE,
		  own_snapshot(), &key, after_id > 0 ? 1 : 0);
}

/*
 * A FIFO queue's index on (group_id, id).  Group ids are compared by bytes,
 * whatever the database's collation: the index is made so.
 */
static void
begin_in_groups(StoreScan *scan, Store *store, Snapshot snapshot, ScanKey keys,
				int key_count)
{
	begin(scan, store, RECEIPT_IN_QUEUE, store->group_index,
		  snapshot == NULL ? SCAN_FREE : SCAN_SNAPSHOT, snapshot, keys,
		  key_count);
}

#define GROUP_KEYS	3

static void
set_group_keys(ScanKey keys, Datum group_id, int64 after_id, int64 before_id)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, group_id);
	keys[0].sk_collation = C_COLLATION_OID;
	ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after_id));
	ScanKeyInit(&keys[2], 2, BTLessStrategyNumber, F_INT8LT,
				Int64GetDatum(before_id));
}

void
scan_begin_group(StoreScan *scan, Store *store, Snapshot snapshot,
				 Datum group_id, int64 after_id, int64 before_id)
{
	ScanKeyData keys[GROUP_KEYS];

	set_group_keys(keys, group_id, after_id, before_id);
	begin_in_groups(scan, store, snapshot, keys, GROUP_KEYS);
}

void
scan_go_on_in_group(StoreScan *scan, Datum group_id, int64 after_id,
					int64 before_id)
{
	ScanKeyData keys[GROUP_KEYS];

	set_group_keys(keys, group_id, after_id, before_id);
	index_rescan(scan->scan, keys, GROUP_KEYS, NULL, 0);
}

void
scan_begin_groups(StoreScan *scan, Store *store, Snapshot snapshot,
				  const text *after)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_TEXT_GT,
				PointerGetDatum(after));
	key.sk_collation = C_COLLATION_OID;
	begin_in_groups(scan, store, snapshot, &key, after == NULL ? 0 : 1);
}

void
scan_begin_range(StoreScan *scan, Store *store, ReceiptPlace place,
				 int64 first, int64 last)
{
	ScanKeyData keys[3];
	int			key_count = 0;

	if (place == RECEIPT_IN_PARKED)
	{
		table_use_parked(store);
		ScanKeyInit(&keys[key_count++], 1, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(store->queue_number));
	}
	ScanKeyInit(&keys[key_count], key_count + 1,
				BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	ScanKeyInit(&keys[key_count + 1], key_count + 1,
				BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(last));
	begin(scan, store, place,
		  place == RECEIPT_IN_PARKED ?
		  catalog_object(CATALOG_PARKED_MESSAGES_ID) : store->order_index,
		  SCAN_FREE, own_snapshot(), keys, key_count + 2);
}

/*
 * Begins a scan of the parked table's index on (queue, time, id): what lies
 * beyond (after, after_id) and is due at "until".  The lower end is a
 * comparison of rows, so that the scan begins there however many share the
 * time.
 */
static void
begin_due(StoreScan *scan, Store *store, ScanKind kind, Snapshot filter,
		  TimestampTz after, int64 after_id, TimestampTz until)
{
	ScanKeyData keys[3];
	ScanKey		beyond = scan->beyond;

	table_use_parked(store);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(store->queue_number));
	ScanKeyEntryInitialize(&beyond[0], SK_ROW_MEMBER, 2,
						   BTGreaterStrategyNumber, TIMESTAMPTZOID, InvalidOid,
						   F_TIMESTAMPTZ_CMP, TimestampTzGetDatum(after));
	ScanKeyEntryInitialize(&beyond[1], SK_ROW_MEMBER | SK_ROW_END, 3,
						   BTGreaterStrategyNumber, INT8OID, InvalidOid,
						   F_BTINT8CMP, Int64GetDatum(after_id));
	memset(&keys[1], 0, sizeof(ScanKeyData));
	keys[1].sk_flags = SK_ROW_HEADER;
	keys[1].sk_attno = 2;
	keys[1].sk_strategy = BTGreaterStrategyNumber;
	keys[1].sk_argument = PointerGetDatum(beyond);
	ScanKeyInit(&keys[2], 2, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(until));
	begin(scan, store, RECEIPT_IN_PARKED,
		  catalog_object(CATALOG_PARKED_MESSAGES_DUE), kind, filter, keys, 3);
}

void
scan_begin_due(StoreScan *scan, Store *store, TimestampTz after,
			   int64 after_id, TimestampTz now)
{
	begin_due(scan, store, SCAN_FREE, own_snapshot(), after, after_id, now);
}

void
scan_begin_due_snapshot(StoreScan *scan, Store *store, TimestampTz from,
						TimestampTz until, Snapshot snapshot)
{
	begin_due(scan, store, SCAN_SNAPSHOT, snapshot, from, PG_INT64_MIN,
			  until - 1);
}

/* how many entries of the index one search for the next due row may read */
#define NEXT_DUE_ENTRIES	1000

TimestampTz
scan_next_due(Store *store, TimestampTz after)
{
	StoreScan	scan;
	SnapshotData dirty;
	TimestampTz due = DT_NOEND;

	InitDirtySnapshot(dirty);
	begin_due(&scan, store, SCAN_SNAPSHOT, NULL, after, PG_INT64_MAX, DT_NOEND);
	for (int i = 0; i < NEXT_DUE_ENTRIES; i++)
	{
		bool		isnull;

		if (!index_getnext_slot(scan.scan, ForwardScanDirection, scan.slot))
		{
			due = DT_NOEND;
			break;
		}
		/* of a dead one it is a time before which no other is due */
		due = DatumGetTimestampTz(slot_getattr(scan.slot, MESSAGE_VISIBLE_AT,
											   &isnull));
		if (table_tuple_satisfies_snapshot(scan.table->heap, scan.slot, &dirty))
			break;
	}
	scan_end(&scan);
	return due;
}

Snapshot
scan_snapshot(void)
{
	return RegisterSnapshot(IsolationUsesXactSnapshot() ?
							GetTransactionSnapshot() : GetLatestSnapshot());
}

void
scan_begin_snapshot_after(StoreScan *scan, Store *store, Snapshot snapshot,
						  int64 after_id)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after_id));
	begin(scan, store, RECEIPT_IN_QUEUE, store->order_index, SCAN_SNAPSHOT,
		  snapshot, &key, 1);
}

void
scan_begin_snapshot(StoreScan *scan, Store *store, ReceiptPlace place,
					Snapshot snapshot)
{
	ScanKeyData key;

	if (place == RECEIPT_IN_QUEUE)
	{
		begin(scan, store, place, store->order_index, SCAN_SNAPSHOT, snapshot,
			  NULL, 0);
		return;
	}
	table_use_parked(store);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(store->queue_number));
	begin(scan, store, place, catalog_object(CATALOG_PARKED_MESSAGES_ID),
		  SCAN_SNAPSHOT, snapshot, &key, 1);
}

/* How does the current version stand to this scan? */
static VersionStanding
version_standing(StoreScan *scan)
{
	if (scan->kind == SCAN_FREE)
	{
		/* set by the visibility check: a transaction in progress holds it */
		scan->holder = holder_of(&scan->dirty);
		if (TransactionIdIsValid(scan->holder))
			return VERSION_HELD;
		if (!version_is_older_than_command(scan->slot))
			return VERSION_TOO_NEW;
	}
	if (scan->filter != NULL &&
		!table_tuple_satisfies_snapshot(scan->table->heap, scan->slot,
										scan->filter))
		return VERSION_OUT_OF_SIGHT;
	return VERSION_FREE;
}

bool
scan_step(StoreScan *scan, VersionStanding *standing)
{
	CHECK_FOR_INTERRUPTS();
	if (!index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot))
		return false;
	*standing = version_standing(scan);
	return true;
}

void
scan_read(StoreScan *scan)
{
	row_read(&scan->row, scan->slot, scan->table->place);
}

bool
scan_next(StoreScan *scan)
{
	VersionStanding standing;

	while (scan_step(scan, &standing))
	{
		if (standing == VERSION_FREE)
		{
			scan_read(scan);
			return true;
		}
	}
	return false;
}

bool
scan_next_alive(StoreScan *scan, int64 retention, TimestampTz now)
{
	while (scan_next(scan))
	{
		if (!row_has_expired(&scan->row, retention, now))
			return true;
	}
	return false;
}

void
scan_end(StoreScan *scan)
{
	index_endscan(scan->scan);
	index_close(scan->index, AccessShareLock);
	ExecDropSingleTupleTableSlot(scan->slot);
}

int32
store_next_parked(int32 after)
{
	Relation	heap = table_open(catalog_object(CATALOG_PARKED_MESSAGES),
								  AccessShareLock);
	Relation	index = index_open(catalog_object(CATALOG_PARKED_MESSAGES_ID),
								   AccessShareLock);
	TupleTableSlot *slot = table_slot_create(heap, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = begin_index_scan(heap, index, SnapshotAny, 1);
	ScanKeyData key;
	int32		number = 0;

	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_INT4GT,
				Int32GetDatum(after));
	index_rescan(scan, &key, 1, NULL, 0);
	while (number == 0 &&
		   index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (table_tuple_satisfies_snapshot(heap, slot, snapshot))
			number = slot_int32(slot, PARKED_QUEUE_NUMBER);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	return number;
}

/*
 * Retention counts from when a message was first due: due_at, which stands
 * only where it differs from sent_at (sqs: MessageRetentionPeriod, from the
 * enqueue time).
 */
bool
row_has_expired(const MessageRow *row, int64 retention, TimestampTz now)
{
	if (!ROW_IS_NULL(row, MESSAGE_EXPIRES_AT) &&
		DatumGetTimestampTz(ROW_VALUE(row, MESSAGE_EXPIRES_AT)) <= now)
		return true;
	if (retention > 0)
	{
		TimestampTz due = DatumGetTimestampTz(ROW_VALUE(row,
														ROW_IS_NULL(row, MESSAGE_DUE_AT) ?
														MESSAGE_SENT_AT :
														MESSAGE_DUE_AT));

		return due <= now - retention;
	}
	return false;
}
