/*
 * store.h
 *		Where messages lie, and the four verbs that change it.
 *
 * A message lies in its queue's own table, in the order of ids, or in
 * decouple.parked_messages if it is not due for long.  Callers say what
 * becomes of a message; where it lies is the store's affair:
 *
 *		insert	new messages
 *		claim	a scanned message is received: hidden, counted, fenced
 *		settle	the holder of a receipt deletes it or gives it back
 *		move	a scanned message leaves for another queue, or for good
 *
 * Visibility.  The store reads with the access methods and snapshots of its
 * own, never with the statement's snapshot through an MVCC scan: so it takes
 * no predicate locks, a serializable consumer cannot fail for another's sake,
 * and the newest committed version is what counts at every isolation level.
 * What an open transaction holds is skipped by scans and waited for by
 * settle.
 *
 * Locks.  The caller holds RowExclusiveLock on the queue's table
 * (AccessShareLock to read).  The store adds the same on the parked table
 * and the indexes.  A row's lock is its xmax, as in any UPDATE or DELETE.
 *
 * What is written here is ordinary rows: a crash costs uncommitted work.
 */
#ifndef DECOUPLE_STORE_H
#define DECOUPLE_STORE_H

#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "base/shared.h"
#include "base/version.h"
#include "store/layout.h"
#include "store/receipt.h"

/* what is hidden for longer than this does not lie in the queue's way */
#define PARK_BEYOND		(5 * USECS_PER_MINUTE)

/* a row's values, as they are or as they shall be; see layout.h */
typedef struct MessageRow
{
	Datum		values[PARKED_COLUMNS];
	bool		nulls[PARKED_COLUMNS];
} MessageRow;

#define ROW_VALUE(row, column)		((row)->values[(column) - 1])
#define ROW_IS_NULL(row, column)	((row)->nulls[(column) - 1])
#define ROW_ID(row)					DatumGetInt64(ROW_VALUE(row, MESSAGE_ID))

static inline void
row_set(MessageRow *row, int column, Datum value)
{
	row->values[column - 1] = value;
	row->nulls[column - 1] = false;
}

static inline void
row_set_null(MessageRow *row, int column)
{
	row->values[column - 1] = (Datum) 0;
	row->nulls[column - 1] = true;
}

/* columns that are NULL until they have something to say */
static inline TimestampTz
row_visible_at(const MessageRow *row)
{
	return DatumGetTimestampTz(ROW_IS_NULL(row, MESSAGE_VISIBLE_AT) ?
							   ROW_VALUE(row, MESSAGE_SENT_AT) :
							   ROW_VALUE(row, MESSAGE_VISIBLE_AT));
}

static inline int32
row_receive_count(const MessageRow *row)
{
	return ROW_IS_NULL(row, MESSAGE_RECEIVE_COUNT) ? 0 :
		DatumGetInt32(ROW_VALUE(row, MESSAGE_RECEIVE_COUNT));
}

/* receives from the queue that the row lies in */
static inline int32
row_receives_here(const MessageRow *row)
{
	return row_receive_count(row) -
		(ROW_IS_NULL(row, MESSAGE_RECEIVED_BEFORE) ? 0 :
		 DatumGetInt32(ROW_VALUE(row, MESSAGE_RECEIVED_BEFORE)));
}

/* who holds the version that a dirty snapshot just passed, or invalid */
static inline TransactionId
holder_of(const SnapshotData *dirty)
{
	return TransactionIdIsValid(dirty->xmin) ? dirty->xmin : dirty->xmax;
}

/* an opened table with what its writes need; the room's own business */
typedef struct StoreTable
{
	Relation	heap;			/* NULL until used */
	ReceiptPlace place;
	BlockNumber blocks;			/* it has at least so many */
	bool		indexes_open;
	int			index_count;
	Relation   *indexes;		/* those that are ready for inserts */
	IndexInfo **index_infos;
	TupleTableSlot *version;	/* a new version on its way in, */
	TupleTableSlot *common_version; /* or one of the common columns alone */
	TupleTableSlot *index_row;	/* a written row, for its index entries */
} StoreTable;

/*
 * A message lies in its queue's own table, or is parked.  A FIFO queue's are
 * never parked: what lies behind them in their group waits for them anyway.
 */
typedef struct Store
{
	int32		queue_number;
	LOCKMODE	lockmode;
	Oid			order_index;	/* the queue's primary key */
	Oid			group_index;	/* a FIFO queue's, on (group_id, id); or invalid */
	QueueSlot  *slot;			/* its shared memory, or NULL; to write */
	StoreTable	queue;			/* the queue's own table */
	StoreTable	parked;
	/* the first message of this group that was deleted; see group_vanished */
	text	   *vanished_group; /* NULL: none */
	int64		vanished_id;
} Store;

static inline bool
store_is_fifo(const Store *store)
{
	return OidIsValid(store->group_index);
}

/* which versions a scan gives */
typedef enum ScanKind
{
	SCAN_FREE,					/* newest committed, or our own; nobody holds it */
	SCAN_SNAPSHOT				/* what a snapshot sees, whoever holds it */
} ScanKind;

/* how a version stands to a scan */
typedef enum VersionStanding
{
	VERSION_FREE,				/* the scan gives it */
	VERSION_HELD,				/* StoreScan.holder has it */
	VERSION_TOO_NEW,			/* our own command made it */
	VERSION_OUT_OF_SIGHT		/* the transaction's snapshot does not see it */
} VersionStanding;

typedef struct StoreScan
{
	Store	   *store;
	StoreTable *table;
	ScanKind	kind;
	Relation	index;
	IndexScanDesc scan;
	ScanKeyData beyond[2];		/* members of a comparison of rows; the index
								 * scan points to them */
	SnapshotData dirty;			/* SCAN_FREE: tells who holds a version */
	Snapshot	filter;			/* rows must be visible to it too, or NULL */
	TransactionId holder;		/* the open transaction that holds the row */
	TupleTableSlot *slot;		/* the current row; keeps its page pinned */
	MessageRow	row;			/* its values; they point into the page */
} StoreScan;

/* ---- table.c: opening and closing ---- */

/* takes over the opened, locked table "heap"; see Store for the indexes */
extern void store_open(Store *store, Relation heap, Oid order_index,
					   Oid group_index, int32 queue_number,
					   LOCKMODE lockmode);

/* for the parked rows of a queue alone, its own table may be gone */
extern void store_open_parked(Store *store, int32 queue_number,
							  LOCKMODE lockmode);

/*
 * Makes what was written visible to the next call of this transaction and
 * closes all, keeping the locks; with release also the locks (for a call that
 * wrote nothing and is going to wait).
 */
extern void store_close(Store *store, bool release);

/* ---- scan.c: reading in order ---- */

/*
 * Begins to read what nobody holds: the queue's own table in the order of
 * ids, those after "after_id"; ids of a range in either place; or the queue's
 * parked rows beyond (after, after_id) that are due at "now", in the order of
 * their times and ids.
 */
extern void scan_begin_free(StoreScan *scan, Store *store, int64 after_id);
extern void scan_begin_range(StoreScan *scan, Store *store,
							 ReceiptPlace place, int64 first, int64 last);
extern void scan_begin_due(StoreScan *scan, Store *store, TimestampTz after,
						   int64 after_id, TimestampTz now);

/*
 * Begins to read a group of a FIFO queue in the order of ids, those between
 * "after_id" and "before_id"; with a registered snapshot what that sees, else
 * newest versions, whoever holds them.
 */
extern void scan_begin_group(StoreScan *scan, Store *store, Snapshot snapshot,
							 Datum group_id, int64 after_id, int64 before_id);

/* goes on with other bounds; "group_id" is what the scan was begun with */
extern void scan_go_on_in_group(StoreScan *scan, Datum group_id,
								int64 after_id, int64 before_id);

/* the same for all groups behind "after", or all, in the order of groups */
extern void scan_begin_groups(StoreScan *scan, Store *store,
							  Snapshot snapshot, const text *after);

/*
 * A time after "after" before which no parked row is due that is not due at
 * "after"; DT_NOEND where there is none.
 */
extern TimestampTz scan_next_due(Store *store, TimestampTz after);

/* begins to read what a registered snapshot sees, in the order of ids */
extern void scan_begin_snapshot(StoreScan *scan, Store *store,
								ReceiptPlace place, Snapshot snapshot);

/* the same in the queue's own table, beyond an id */
extern void scan_begin_snapshot_after(StoreScan *scan, Store *store,
									  Snapshot snapshot, int64 after_id);

/* the same for parked rows due from "from" on and before "until" */
extern void scan_begin_due_snapshot(StoreScan *scan, Store *store,
									TimestampTz from, TimestampTz until,
									Snapshot snapshot);

/*
 * The snapshot to look with: the newest, or at REPEATABLE READ and above the
 * transaction's.  Registered; the caller unregisters it.
 */
extern Snapshot scan_snapshot(void);

/* goes to the next version, whatever it is; false at the end */
extern bool scan_step(StoreScan *scan, VersionStanding *standing);

/* reads the current version into scan->row */
extern void scan_read(StoreScan *scan);

/* goes to the next row that the scan gives; false at the end */
extern bool scan_next(StoreScan *scan);

/* goes to the next row that has not expired */
extern bool scan_next_alive(StoreScan *scan, int64 retention,
							TimestampTz now);
extern void scan_end(StoreScan *scan);

/*
 * Copies what lies out of line into memory, so that the row can outlive the
 * table that it came from.
 */
extern void row_detach(MessageRow *row);

/* copies all of it, so that the row can outlive the scan that gave it */
extern void row_copy(MessageRow *row);

/* has the current row ended by its expires_at, or by the queue's retention? */
extern bool row_has_expired(const MessageRow *row, int64 retention,
							TimestampTz now);

/* the next queue number above "after" that has parked rows; 0: none */
extern int32 store_next_parked(int32 after);

/* ---- insert.c ---- */

/* the next message id, greater than each one returned before */
extern int64 store_next_id(void);

/*
 * Inserts messages; a row that is not due at "now" is parked.  Everything of a
 * row but the queue's number must be set.  Each adds to "total" of the queue.
 */
extern void store_insert(Store *store, MessageRow *rows, int count,
						 TimestampTz now, QueueTotal total);

/* ---- claim.c ---- */

/*
 * Receives the scanned row: hidden until "until", one receive more, a new
 * fence.  False where somebody else got it first.  On success scan->row holds
 * the new values and *receipt the receipt.
 */
extern bool store_claim(StoreScan *scan, TimestampTz now, TimestampTz until,
						Receipt *receipt);

/*
 * How many receives of the scanned row were rolled back and are not counted
 * yet?  They are taken: scan->row has them counted.  *at becomes the time of
 * the last one.
 */
extern int32 store_take_attempts(StoreScan *scan, TimestampTz *at);

/* the row was not written after all: they are there again, if any were taken */
extern void store_return_attempts(StoreScan *scan);

/*
 * Writes scan->row, whose receive count the caller has raised, hidden until
 * "until".  False where somebody else got it first.
 */
extern bool store_hide(StoreScan *scan, TimestampTz now, TimestampTz until);

/*
 * Makes the scanned row, which was never received, due at another time, from
 * which its retention counts.  False where somebody got it first.
 */
extern bool store_postpone(StoreScan *scan, TimestampTz now, TimestampTz due);

/* ---- settle.c ---- */

/* changes a row's visible_at and last_error before it is given back */
typedef void (*RowEdit) (MessageRow *row, void *argument);

/*
 * Deletes the receipt's message, or where "edit" is given rewrites it.  Waits
 * for a transaction that holds the row.  False where the receipt is not, or
 * no longer, good here.
 */
extern bool store_settle(Store *store, const Receipt *receipt, TimestampTz now,
						 RowEdit edit, void *argument);

/*
 * Does the receipt hold its message now, hidden until exactly that time, and
 * nobody has written to it since?  What an open transaction of somebody else
 * holds is not.
 */
extern bool store_is_held(Store *store, const Receipt *receipt,
						  TimestampTz hidden_until, TimestampTz now);

/* ---- move.c ---- */

/* deletes the scanned row; false where somebody else got it first */
extern bool store_remove(StoreScan *scan, QueueTotal total);

/*
 * Deletes the newest version of a scanned row, which the scan's snapshot saw
 * in this or an earlier version; false where it is gone or held.
 */
extern bool store_remove_newest(StoreScan *scan, QueueTotal total);

/*
 * Takes the scanned row out of its queue and inserts scan->row, as the caller
 * changed it, into another; each queue's own total counts it.  False where
 * somebody else got it first.
 */
extern bool store_move(StoreScan *scan, QueueTotal total, Store *destination,
					   QueueTotal destination_total, TimestampTz now);

#endif							/* DECOUPLE_STORE_H */
