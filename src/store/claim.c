/*
 * claim.c
 *		Receiving: the scanned row is hidden, counted and fenced.
 *
 * A claim is an update that does not wait: whoever gets the row's lock has
 * the message, the other skips it.  It commits or rolls back with the
 * transaction that received.
 *
 * The fence is a random number of this claim.  A receipt carries it, so a
 * receipt of a claim that was rolled back does not fit the next one, which
 * has the same receive count.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "utils/timestamp.h"

#include "store/journal.h"
#include "store/table.h"

static int32
new_fence(void)
{
	int32		fence;

	/* 0 is what a NULL reads as */
	do
		fence = (int32) pg_prng_uint32(&pg_global_prng_state);
	while (fence == 0);
	return fence;
}

/*
 * A message that stays hidden for long goes to the parked table, and one that
 * comes from there back among the queue's own, where a receive is cheapest.
 */
static bool
change_place(StoreScan *scan, bool received, ItemPointer new_address)
{
	Store	   *store = scan->store;
	StoreTable *other;

	if (scan->table == &store->queue)
		table_use_parked(store);
	other = scan->table == &store->queue ? &store->parked : &store->queue;

	row_detach(&scan->row);
	journal_vanish(store, scan->table->place, scan->slot, QUEUE_TOTALS,
				   received);
	if (table_delete(scan->table, &scan->slot->tts_tid, false) != TM_Ok)
	{
		journal_undo(store);
		return false;
	}
	row_set(&scan->row, PARKED_QUEUE_NUMBER,
			Int32GetDatum(store->queue_number));
	journal_appear(store, other->place, &scan->row, QUEUE_TOTALS);
	*new_address = table_insert(other, &scan->row);
	return true;
}

/* Writes scan->row where it belongs; false where somebody was faster. */
static bool
write_hidden(StoreScan *scan, TimestampTz now, bool received,
			 ReceiptPlace *place, ItemPointer address)
{
	RowStanding before = slot_standing(scan->slot);

	*place = row_visible_at(&scan->row) <= now + PARK_BEYOND ||
		store_is_fifo(scan->store) ?
		RECEIPT_IN_QUEUE : RECEIPT_IN_PARKED;
	if (*place != scan->table->place)
		return change_place(scan, received, address);
	journal_rewrite(scan->store, *place, before, &scan->row, received);
	if (table_rewrite(scan->table, &scan->slot->tts_tid, &scan->row, false,
					  address) == TM_Ok)
		return true;
	journal_undo(scan->store);
	return false;
}

bool
store_claim(StoreScan *scan, TimestampTz now, TimestampTz until,
			Receipt *receipt)
{
	MessageRow *row = &scan->row;
	ReceiptPlace place;
	int32		receive_count = row_receive_count(row) + 1;
	int32		fence = new_fence();
	ItemPointerData address;

	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(until));
	row_set(row, MESSAGE_RECEIVE_COUNT, Int32GetDatum(receive_count));
	row_set(row, MESSAGE_FENCE, Int32GetDatum(fence));
	if (ROW_IS_NULL(row, MESSAGE_FIRST_RECEIVED_AT))
		row_set(row, MESSAGE_FIRST_RECEIVED_AT, TimestampTzGetDatum(now));
	if (!write_hidden(scan, now, true, &place, &address))
		return false;
	receipt_make(receipt, ROW_ID(row), scan->store->queue_number,
				 receive_count, fence, place, &address);
	return true;
}

/*
 * What is taken is noted for the case that this transaction is rolled back
 * too; then the receives are noted anew.
 */
int32
store_take_attempts(StoreScan *scan, TimestampTz *at)
{
	int32		attempts;

	if (scan->store->slot == NULL || scan->store->slot->note_count == 0)
		return 0;
	attempts = journal_take_attempts(scan->store, ROW_ID(&scan->row), at);
	if (attempts > 0)
		row_set(&scan->row, MESSAGE_RECEIVE_COUNT,
				Int32GetDatum(row_receive_count(&scan->row) + attempts));
	return attempts;
}

void
store_return_attempts(StoreScan *scan)
{
	journal_return_attempts(scan->store, slot_message_id(scan->slot));
}

bool
store_hide(StoreScan *scan, TimestampTz now, TimestampTz until)
{
	ReceiptPlace place;
	ItemPointerData address;

	row_set(&scan->row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(until));
	/* nobody has received it since: an earlier receipt stays good */
	if (ROW_IS_NULL(&scan->row, MESSAGE_FENCE))
		row_set(&scan->row, MESSAGE_FENCE, Int32GetDatum(new_fence()));
	return write_hidden(scan, now, false, &place, &address);
}

bool
store_postpone(StoreScan *scan, TimestampTz now, TimestampTz due)
{
	ReceiptPlace place;
	ItemPointerData address;

	row_set(&scan->row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(due));
	row_set(&scan->row, MESSAGE_DUE_AT, TimestampTzGetDatum(due));
	return write_hidden(scan, now, false, &place, &address);
}
