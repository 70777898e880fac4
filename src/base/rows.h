/*
 * rows.h
 *		Reading a small private table as it is now.
 *
 * Definitions and tasks are read in their newest committed state, and our
 * own, at every isolation level, and take no predicate locks: a serializable
 * transaction that uses a queue cannot fail because somebody made another.
 */
#ifndef DECOUPLE_ROWS_H
#define DECOUPLE_ROWS_H

#include "postgres.h"

#include "access/genam.h"
#include "access/htup.h"
#include "access/skey.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct RowScan
{
	Relation	rel;
	Snapshot	snapshot;		/* registered */
	TableScanDesc scan;			/* one of the two */
	IndexScanDesc index_scan;
	Relation	index;
	TupleTableSlot *slot;
} RowScan;

/* "rel" is opened and locked by the caller */
extern void rows_begin(RowScan *rows, Relation rel);

/* the same by a key on the first column of an index */
extern void rows_begin_index(RowScan *rows, Relation rel, Oid index,
							 ScanKey key);

/* the first row of such a key, a copy; NULL where there is none */
extern HeapTuple rows_find(Relation rel, Oid index, ScanKey key);

/* the next row, a copy; NULL at the end */
extern HeapTuple rows_next(RowScan *rows);
extern void rows_end(RowScan *rows);

#endif							/* DECOUPLE_ROWS_H */
