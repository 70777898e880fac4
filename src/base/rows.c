/*
 * rows.c
 *		Reading a small private table as it is now.
 *
 * All versions are scanned and those kept that the newest snapshot sees: a
 * scan with the snapshot itself would take predicate locks.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "utils/snapmgr.h"

#include "base/rows.h"
#include "base/version.h"

static void
begin(RowScan *rows, Relation rel)
{
	memset(rows, 0, sizeof(*rows));
	rows->rel = rel;
	rows->snapshot = RegisterSnapshot(GetLatestSnapshot());
	rows->slot = table_slot_create(rel, NULL);
}

void
rows_begin(RowScan *rows, Relation rel)
{
	begin(rows, rel);
	rows->scan = table_beginscan(rel, SnapshotAny, 0, NULL);
}

void
rows_begin_index(RowScan *rows, Relation rel, Oid index, ScanKey key)
{
	begin(rows, rel);
	rows->index = index_open(index, AccessShareLock);
	rows->index_scan = begin_index_scan(rel, rows->index, SnapshotAny, 1);
	index_rescan(rows->index_scan, key, 1, NULL, 0);
}

static bool
next_version(RowScan *rows)
{
	if (rows->index_scan != NULL)
		return index_getnext_slot(rows->index_scan, ForwardScanDirection,
								  rows->slot);
	return table_scan_getnextslot(rows->scan, ForwardScanDirection, rows->slot);
}

HeapTuple
rows_next(RowScan *rows)
{
	while (next_version(rows))
	{
		if (table_tuple_satisfies_snapshot(rows->rel, rows->slot,
										   rows->snapshot))
			return ExecCopySlotHeapTuple(rows->slot);
	}
	return NULL;
}

void
rows_end(RowScan *rows)
{
	ExecDropSingleTupleTableSlot(rows->slot);
	if (rows->index_scan != NULL)
	{
		index_endscan(rows->index_scan);
		index_close(rows->index, AccessShareLock);
	}
	else
		table_endscan(rows->scan);
	UnregisterSnapshot(rows->snapshot);
}

HeapTuple
rows_find(Relation rel, Oid index, ScanKey key)
{
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin_index(&rows, rel, index, key);
	tuple = rows_next(&rows);
	rows_end(&rows);
	return tuple;
}
