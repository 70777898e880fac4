/*
 * attempt.c
 *		A receive that is repeated: the same attempt gets the same messages.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/texts.h"
#include "queue/attempt.h"
#include "queue/memory.h"

/* the own columns of decouple.receive_attempts */
#define OWN_ATTEMPT_ID		MEMORY_OWN_COLUMNS
#define OWN_HIDDEN_UNTIL	(MEMORY_OWN_COLUMNS + 1)
#define OWN_RECEIPTS		(MEMORY_OWN_COLUMNS + 2)
#define OWN_LAST			OWN_RECEIPTS

/* an attempt that was found */
typedef struct Attempt
{
	TimestampTz hidden_until;
	Datum	   *receipts;
	int			count;
} Attempt;

static int64
key_of(const text *attempt_id)
{
	return (int64) text_hash(attempt_id, 0);
}

static void
read_receipts(const Memory *memory, Attempt *attempt)
{
	bool		isnull;
	ArrayType  *array = DatumGetArrayTypePCopy(slot_getattr(memory->slot,
															 OWN_RECEIPTS,
															 &isnull));

	deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(Receipt), false,
					  TYPALIGN_INT, &attempt->receipts, NULL, &attempt->count);
}

/* The youngest attempt of that id that may be repeated; false: none. */
static bool
find(Memory *memory, const text *attempt_id, TimestampTz now, Attempt *attempt)
{
	bool		found = false;
	int64		youngest = 0;

	memory_find(memory, key_of(attempt_id));
	while (memory_next(memory))
	{
		if (memory_int64(memory, MEMORY_AT) <= now - ATTEMPT_KEPT ||
			memory_int64(memory, MEMORY_NUMBER) < youngest ||
			TransactionIdIsValid(memory_holder(memory)) ||
			!memory_is(memory, OWN_ATTEMPT_ID, attempt_id))
			continue;
		youngest = memory_int64(memory, MEMORY_NUMBER);
		attempt->hidden_until = memory_int64(memory, OWN_HIDDEN_UNTIL);
		read_receipts(memory, attempt);
		found = true;
	}
	memory_found(memory);
	return found && attempt->hidden_until > now;
}

/* Are all its messages there, held by it, and untouched? */
static bool
is_untouched(QueueCall *call, const Attempt *attempt, TimestampTz now)
{
	for (int i = 0; i < attempt->count; i++)
	{
		if (!store_is_held(&call->store, DatumGetReceiptP(attempt->receipts[i]),
						   attempt->hidden_until, now))
			return false;
	}
	return true;
}

/* what the edit of a repeated message needs, and brings back */
typedef struct Repetition
{
	TimestampTz until;
	MessageRow	row;
} Repetition;

static void
hide_again(MessageRow *row, void *argument)
{
	Repetition *repetition = argument;

	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(repetition->until));
	repetition->row = *row;
	row_detach(&repetition->row);
}

bool
attempt_repeat(QueueCall *call, const text *attempt_id, TimestampTz now,
			   TimestampTz until, MessageResult *result)
{
	Memory		memory;
	Attempt		attempt;
	int			repeated = 0;
	Receipt    *receipts;

	memory_open(&memory, &attempt_memory, call->definition.number);
	/* until the end of the transaction: what is remembered is under it too */
	memory_lock(&memory, key_of(attempt_id));
	if (!find(&memory, attempt_id, now, &attempt) ||
		!is_untouched(call, &attempt, now))
	{
		memory_close(&memory);
		return false;
	}
	memory_close(&memory);
	receipts = palloc(sizeof(Receipt) * Max(attempt.count, 1));
	for (int i = 0; i < attempt.count; i++)
	{
		Repetition	repetition = {.until = until};

		receipts[repeated] = *DatumGetReceiptP(attempt.receipts[i]);
		if (!store_settle(&call->store, &receipts[repeated], now, hide_again,
						  &repetition))
			continue;			/* somebody was faster */
		message_result_add(result, call, &repetition.row, &receipts[repeated]);
		repeated++;
	}
	attempt_remember(call, attempt_id, now, until, receipts, repeated);
	return repeated > 0;
}

void
attempt_remember(QueueCall *call, const text *attempt_id, TimestampTz now,
				 TimestampTz until, const Receipt *receipts, int count)
{
	Memory		memory;
	Datum		values[OWN_LAST];
	bool		nulls[OWN_LAST] = {false};
	Datum	   *elements;
	Oid			type = catalog_type("receipt");

	if (count == 0)
		return;
	elements = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		elements[i] = ReceiptPGetDatum(&receipts[i]);
	memory_open(&memory, &attempt_memory, call->definition.number);
	values[MEMORY_QUEUE_NUMBER - 1] = Int32GetDatum(call->definition.number);
	values[MEMORY_NUMBER - 1] = Int64GetDatum(store_next_id());
	values[MEMORY_KEY - 1] = Int64GetDatum(key_of(attempt_id));
	values[MEMORY_AT - 1] = TimestampTzGetDatum(now);
	values[OWN_ATTEMPT_ID - 1] = PointerGetDatum(attempt_id);
	values[OWN_HIDDEN_UNTIL - 1] = TimestampTzGetDatum(until);
	values[OWN_RECEIPTS - 1] =
		PointerGetDatum(construct_array(elements, count, type, sizeof(Receipt),
										false, TYPALIGN_INT));
	memory_insert(&memory, values, nulls);
	memory_close(&memory);
	CommandCounterIncrement();
}
