/*
 * memory.h
 *		What a FIFO queue remembers for a while: rows of a private table.
 *
 * Such a table begins with these columns.  Numbers are drawn from the sequence
 * of message ids, so they grow with time, and what is old lies before what is
 * not.  Keys are hashes: rows of one key are compared by who looks.
 */
#ifndef DECOUPLE_MEMORY_H
#define DECOUPLE_MEMORY_H

#include "postgres.h"

#include "access/relscan.h"
#include "catalog/indexing.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "base/catalog.h"

#define MEMORY_QUEUE_NUMBER		1	/* int */
#define MEMORY_NUMBER			2	/* bigint, with the queue the primary key */
#define MEMORY_KEY				3	/* bigint, with the queue an index */
#define MEMORY_AT				4	/* timestamptz: from when it counts */
#define MEMORY_OWN_COLUMNS		5	/* a table's own begin here */

/* where this session stopped to forget of a queue */
typedef struct ForgetPlace
{
	int32		queue_number;
	int64		number;			/* what lies before is forgotten */
} ForgetPlace;

#define PLACES_KEPT		64		/* of a table: a queue has one by its number */

typedef struct MemoryTable
{
	CatalogObject table;
	CatalogObject number_index;
	CatalogObject key_index;
	ForgetPlace *places;		/* PLACES_KEPT */
} MemoryTable;

extern const MemoryTable deduplication_memory;
extern const MemoryTable attempt_memory;

typedef struct Memory
{
	int32		queue_number;
	Relation	table;
	CatalogIndexState indexes;
	Oid			key_index;
	/* of look-ups: */
	IndexScanDesc scan;			/* one after another; NULL until needed */
	SnapshotData dirty;			/* newest versions, and who holds them */
	TupleTableSlot *slot;
} Memory;

extern void memory_open(Memory *memory, const MemoryTable *table,
						int32 queue_number);
extern void memory_close(Memory *memory);

/*
 * Looks a key up: one row after another, in memory->slot; false at the end.  The
 * memory must stay where it is in memory until it is closed.
 */
extern void memory_find(Memory *memory, int64 key);
extern bool memory_next(Memory *memory);
extern void memory_found(Memory *memory);

/* who holds the current row in an open transaction, or invalid */
extern TransactionId memory_holder(const Memory *memory);

extern void memory_insert(Memory *memory, Datum *values, bool *nulls);

/* a lock for those who look a key up and then insert */
extern void memory_lock(const Memory *memory, int64 key);
extern void memory_unlock(const Memory *memory, int64 key);

/* is the current row's column that text? */
extern bool memory_is(const Memory *memory, int column, const text *value);
extern int64 memory_int64(const Memory *memory, int column);

/* forgets all of a queue */
extern void memory_forget(const MemoryTable *table, int32 queue_number);

/*
 * Forgets what is not younger than "until", the oldest first, up to "limit"
 * rows; returns how many.
 */
extern int	memory_forget_old(const MemoryTable *table, int32 queue_number,
							  TimestampTz until, int limit);

#endif							/* DECOUPLE_MEMORY_H */
