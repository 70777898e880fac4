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
change_place(StoreScan *scan, ItemPointer new_address)
{
	Store	   *store = scan->store;
	StoreTable *other;

	if (scan->table == &store->queue)
		table_use_parked(store);
	other = scan->table == &store->queue ? &store->parked : &store->queue;

	row_detach(&scan->row);
	if (table_delete(scan->table, &scan->slot->tts_tid, false) != TM_Ok)
		return false;
	row_set(&scan->row, PARKED_QUEUE_NUMBER,
			Int32GetDatum(store->queue_number));
	*new_address = table_insert(other, &scan->row);
	return true;
}

bool
store_claim(StoreScan *scan, TimestampTz now, TimestampTz until,
			Receipt *receipt)
{
	MessageRow *row = &scan->row;
	bool		to_queue = until <= now + PARK_BEYOND;
	ReceiptPlace place = to_queue ? RECEIPT_IN_QUEUE : RECEIPT_IN_PARKED;
	int32		receive_count;
	int32		fence = new_fence();
	ItemPointerData address;

	receive_count = row_receive_count(row) + 1;
	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(until));
	row_set(row, MESSAGE_RECEIVE_COUNT, Int32GetDatum(receive_count));
	row_set(row, MESSAGE_FENCE, Int32GetDatum(fence));
	if (ROW_IS_NULL(row, MESSAGE_FIRST_RECEIVED_AT))
		row_set(row, MESSAGE_FIRST_RECEIVED_AT, TimestampTzGetDatum(now));

	if (place != scan->table->place)
	{
		if (!change_place(scan, &address))
			return false;
	}
	else if (table_rewrite(scan->table, &scan->slot->tts_tid, row, false,
						   &address) != TM_Ok)
		return false;

	receipt_make(receipt, ROW_ID(row), scan->store->queue_number,
				 receive_count, fence, place, &address);
	return true;
}
