/*
 * settle.c
 *		The holder of a receipt deletes its message or gives it back.
 *
 * A version that an open transaction wrote is waited for, as DELETE does,
 * under lock_timeout and with deadlock detection.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "store/group.h"
#include "store/table.h"

/*
 * A claimed message goes from the queue's table to the parked one, never back
 * without a new receive: one pass in this order cannot miss it.
 */
static bool
find(Store *store, const Receipt *receipt, bool try_address, Found *found)
{
	return (try_address && find_by_address(store, receipt, found)) ||
		find_by_id(store, RECEIPT_IN_QUEUE, receipt_id(receipt), found) ||
		find_by_id(store, RECEIPT_IN_PARKED, receipt_id(receipt), found);
}

/* Writes the row that the caller edited, in this table or the other. */
static TM_Result
give_back(Store *store, Found *found, TimestampTz now, RowEdit edit,
		  void *argument)
{
	MessageRow	row;
	ItemPointerData address;
	TM_Result	result;

	row_read(&row, found->slot, found->table->place);
	edit(&row, argument);
	if (found->table == &store->parked ||
		store_is_fifo(store) ||
		row_visible_at(&row) <= now + PARK_BEYOND)
	{
		journal_rewrite(store, found->table->place, slot_standing(found->slot),
						&row, false);
		return table_rewrite(found->table, &found->address, &row, true,
							 &address);
	}

	row_detach(&row);
	journal_vanish(store, found->table->place, found->slot, QUEUE_TOTALS,
				   false);
	result = table_delete(found->table, &found->address, true);
	if (result == TM_Ok)
	{
		row_set(&row, PARKED_QUEUE_NUMBER, Int32GetDatum(store->queue_number));
		table_use_parked(store);
		journal_appear(store, RECEIPT_IN_PARKED, &row, QUEUE_TOTALS);
		table_insert(&store->parked, &row);
	}
	return result;
}

static TM_Result
delete_found(Store *store, Found *found)
{
	TM_Result	result;

	journal_vanish(store, found->table->place, found->slot, TOTAL_DELETED,
				   false);
	result = table_delete(found->table, &found->address, true);
	if (result == TM_Ok)
		group_vanished(store, found->slot);
	return result;
}

/*
 * Does the version fit the receipt?  None fits what was never received.  The
 * fence tells; the receive count may have grown by receives that were rolled
 * back.  On a FIFO queue a receipt ends with its visibility timeout, unless it
 * is that of this transaction, which nobody else can have overtaken
 * (sqs: DeleteMessage, expired receipt handle).
 */
static bool
receipt_fits(const Store *store, const Receipt *receipt, TupleTableSlot *slot,
			 TimestampTz now)
{
	return receipt->fence != 0 && receipt->receive_count > 0 &&
		slot_int32(slot, MESSAGE_FENCE) == receipt->fence &&
		slot_int32(slot, MESSAGE_RECEIVE_COUNT) >= receipt->receive_count &&
		(!store_is_fifo(store) || slot_standing(slot).due > now ||
		 version_is_ours(slot));
}

bool
store_settle(Store *store, const Receipt *receipt, TimestampTz now,
			 RowEdit edit, void *argument)
{
	Found		found;
	bool		try_address = true;

	if (receipt->queue_number != store->queue_number)
		return false;

	/* each turn waits for somebody else's write, and so comes to an end */
	while (find(store, receipt, try_address, &found))
	{
		TM_Result	result;

		CHECK_FOR_INTERRUPTS();
		if (TransactionIdIsValid(found.holder))
		{
			found_release(&found);		/* no pin while waiting */
			XactLockTableWait(found.holder, found.table->heap, &found.address,
							  XLTW_Delete);
			now = decouple_now();
			continue;
		}
		if (!receipt_fits(store, receipt, found.slot, now))
		{
			found_release(&found);
			return false;
		}
		if (edit == NULL)
			result = delete_found(store, &found);
		else
			result = give_back(store, &found, now, edit, argument);
		found_release(&found);
		if (result == TM_Ok)
		{
			/* the same receipt may come again in this call */
			CommandCounterIncrement();
			return true;
		}
		journal_undo(store);
		if (result == TM_SelfModified)
			return false;		/* the statement itself wrote to the table */
		try_address = false;	/* it was rewritten or deleted meanwhile */
	}
	return false;
}

bool
store_is_held(Store *store, const Receipt *receipt, TimestampTz hidden_until,
			  TimestampTz now)
{
	Found		found;
	bool		held;

	if (receipt->queue_number != store->queue_number ||
		!find(store, receipt, true, &found))
		return false;
	held = !TransactionIdIsValid(found.holder) &&
		receipt_fits(store, receipt, found.slot, now) &&
		slot_standing(found.slot).due == hidden_until;
	found_release(&found);
	return held;
}
