/*
 * insert.c
 *		New messages.
 *
 * Two senders share nothing but the sequence and the table's pages: no row
 * is updated per send, no lock is taken beyond those of an INSERT.
 */
#include "postgres.h"

#include "commands/sequence.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "store/journal.h"
#include "store/table.h"

int64
store_next_id(void)
{
	/* the sequence is private: the right to send is what was checked */
	return nextval_internal(catalog_object(CATALOG_MESSAGE_ID_SEQ), false);
}

/* Does a message that is not due yet lie apart? */
static bool
is_to_park(const Store *store, const MessageRow *row, TimestampTz now)
{
	return row_visible_at(row) > now && !store_is_fifo(store);
}

void
store_insert(Store *store, MessageRow *rows, int count, TimestampTz now,
			 QueueTotal total)
{
	int		   *picks;
	int			due = 0;
	int			parked = 0;

	if (count == 1)
	{
		StoreTable *table = &store->queue;

		if (is_to_park(store, rows, now))
		{
			table_use_parked(store);
			table = &store->parked;
		}
		row_set(rows, PARKED_QUEUE_NUMBER, Int32GetDatum(store->queue_number));
		journal_appear(store, table->place, rows, total);
		table_insert(table, rows);
		return;
	}

	/* due ones are gathered from the front, parked ones from the back */
	picks = palloc(sizeof(int) * count);
	for (int i = 0; i < count; i++)
	{
		row_set(&rows[i], PARKED_QUEUE_NUMBER,
				Int32GetDatum(store->queue_number));
		if (is_to_park(store, &rows[i], now))
		{
			picks[count - ++parked] = i;
			journal_appear(store, RECEIPT_IN_PARKED, &rows[i], total);
		}
		else
		{
			picks[due++] = i;
			journal_appear(store, RECEIPT_IN_QUEUE, &rows[i], total);
		}
	}
	if (due > 0)
		table_insert_many(&store->queue, rows, picks, due);
	if (parked > 0)
	{
		table_use_parked(store);
		table_insert_many(&store->parked, rows, picks + due, parked);
	}
	pfree(picks);
}
