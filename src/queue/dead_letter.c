/*
 * dead_letter.c
 *		What has been received too often goes to the dead-letter queue.
 *
 * The move is the queue's own rule, set by who owns it: it needs no right of
 * the caller's.  Where the dead-letter queue is gone or unfit, the message
 * stays and is delivered on: nothing is lost over a wrong setting, and
 * status() names it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "queue/dead_letter.h"

bool
is_exhausted(const QueueDefinition *definition, const MessageRow *row)
{
	return definition->max_receive_count > 0 &&
		row_receives_here(row) >= definition->max_receive_count;
}

static bool
open_letters(DeadLetters *letters, const QueueDefinition *source)
{
	if (!letters->tried)
	{
		letters->tried = true;
		letters->usable = call_open_if_fit(&letters->call,
										   source->dead_letter_queue);
	}
	return letters->usable;
}

/*
 * The message keeps its id, sent_at, receive count, attributes and
 * last_error.  Its retention starts anew (in SQS it goes on); expires_at
 * stays.  The fence goes, so that no old receipt fits.
 */
bool
dead_letter_move(DeadLetters *letters, QueueCall *source, StoreScan *scan,
				 TimestampTz now)
{
	MessageRow *row = &scan->row;

	if (!open_letters(letters, &source->definition))
		return false;
	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(now));
	row_set(row, MESSAGE_DUE_AT, TimestampTzGetDatum(now));
	row_set_null(row, MESSAGE_FENCE);
	row_set(row, MESSAGE_RECEIVED_BEFORE,
			Int32GetDatum(row_receive_count(row)));
	/* so that two of one deduplication id stay two (sqs-dead-letter-queues) */
	if (source->definition.fifo)
		row_set(row, MESSAGE_DEDUPLICATION_ID,
				CStringGetTextDatum(psprintf(INT64_FORMAT, ROW_ID(row))));
	row_set(row, MESSAGE_DEAD_LETTER_SOURCE,
			CStringGetTextDatum(source->definition.name));
	return store_move(scan, TOTAL_DEAD_LETTERED, &letters->call.store,
					  QUEUE_TOTALS, now);
}

void
dead_letter_close(DeadLetters *letters)
{
	if (letters->usable)
		call_close(&letters->call);
	letters->tried = letters->usable = false;
}
