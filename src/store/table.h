/*
 * table.h
 *		Rows of an opened table, for the files of the store only.
 */
#ifndef DECOUPLE_TABLE_H
#define DECOUPLE_TABLE_H

#include "store/journal.h"

/* opens the parked table, once per store */
extern void table_use_parked(Store *store);

/* inserts versions and their index entries; rows[picks[0..count-1]] */
extern ItemPointerData table_insert(StoreTable *table, const MessageRow *row);
extern void table_insert_many(StoreTable *table, const MessageRow *rows,
							  const int *picks, int count);

/* deletes, or replaces, the version at "address"; see TM_Result */
extern TM_Result table_delete(StoreTable *table, ItemPointer address,
							  bool wait);
extern TM_Result table_rewrite(StoreTable *table, ItemPointer address,
							   const MessageRow *row, bool wait,
							   ItemPointer new_address);

/* the values of a version; they point into its page */
extern void row_read(MessageRow *row, TupleTableSlot *slot,
					 ReceiptPlace place);

/* did this transaction make it? */
extern bool version_is_ours(TupleTableSlot *slot);

/* may we write this version now? not if this very command made it */
extern bool version_is_older_than_command(TupleTableSlot *slot);

/* the newest version of one message */
typedef struct Found
{
	StoreTable *table;
	TupleTableSlot *slot;		/* pins its page */
	ItemPointerData address;
	TransactionId holder;		/* an open transaction that holds it */
} Found;

/* looks where the receipt says that its message is */
extern bool find_by_address(Store *store, const Receipt *receipt,
							Found *found);

/* looks in one of the queue's two places; found->holder may be set */
extern bool find_by_id(Store *store, ReceiptPlace place, int64 id,
					   Found *found);
extern void found_release(Found *found);

/* values of a version, without reading all of it */
extern int32 slot_int32(TupleTableSlot *slot, int column);
extern int64 slot_message_id(TupleTableSlot *slot);
extern RowStanding slot_standing(TupleTableSlot *slot);

#endif							/* DECOUPLE_TABLE_H */
