/*
 * deduplication.c
 *		What a FIFO queue remembers of the deduplication ids that it got.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/texts.h"
#include "queue/deduplication.h"

/* the own columns of decouple.deduplications */
#define OWN_DEDUPLICATION_ID	MEMORY_OWN_COLUMNS
#define OWN_GROUP_ID			(MEMORY_OWN_COLUMNS + 1)
#define OWN_LAST				OWN_GROUP_ID

text *
deduplication_id_of_body(const text *body)
{
	Datum		hash = DirectFunctionCall1(sha256_bytea, PointerGetDatum(body));

	return DatumGetTextP(DirectFunctionCall2(binary_encode, hash,
											 CStringGetTextDatum("hex")));
}

static bool
is_by_group(const Deduplication *deduplication)
{
	return deduplication->definition->deduplication_scope == SCOPE_MESSAGE_GROUP;
}

static int64
key_of(const Deduplication *deduplication, const text *deduplication_id,
	   const text *group_id)
{
	return (int64) text_hash(deduplication_id, is_by_group(deduplication) ?
							   text_hash(group_id, 0) : 0);
}

/*
 * Looks an id up.  0 where nobody has sent it; the first message's id where
 * that is sure; or *holder is who has sent it, or forgets it, in an open
 * transaction.
 */
static int64
look_up(Deduplication *deduplication, int64 key, const text *deduplication_id,
		const text *group_id, TransactionId *holder, ItemPointer address)
{
	Memory	   *memory = &deduplication->memory;
	TimestampTz oldest = deduplication->now -
		deduplication->definition->deduplication_window;
	int64		first = 0;

	*holder = InvalidTransactionId;
	memory_find(memory, key);
	while (first == 0 && memory_next(memory))
	{
		if (memory_int64(memory, MEMORY_AT) <= oldest ||
			!memory_is(memory, OWN_DEDUPLICATION_ID, deduplication_id) ||
			(is_by_group(deduplication) &&
			 !memory_is(memory, OWN_GROUP_ID, group_id)))
			continue;
		if (TransactionIdIsValid(memory_holder(memory)))
		{
			*holder = memory_holder(memory);
			*address = memory->slot->tts_tid;
		}
		else
			first = memory_int64(memory, MEMORY_NUMBER);
	}
	memory_found(memory);
	return first;
}

static void
remember(Deduplication *deduplication, int64 key, const text *deduplication_id,
		 const text *group_id, int64 message_id)
{
	Datum		values[OWN_LAST];
	bool		nulls[OWN_LAST] = {false};

	values[MEMORY_QUEUE_NUMBER - 1] =
		Int32GetDatum(deduplication->definition->number);
	values[MEMORY_NUMBER - 1] = Int64GetDatum(message_id);
	values[MEMORY_KEY - 1] = Int64GetDatum(key);
	values[MEMORY_AT - 1] = TimestampTzGetDatum(deduplication->now);
	values[OWN_DEDUPLICATION_ID - 1] = PointerGetDatum(deduplication_id);
	values[OWN_GROUP_ID - 1] = PointerGetDatum(group_id);
	memory_insert(&deduplication->memory, values, nulls);
	/* the same id may come again in this call */
	CommandCounterIncrement();
}

void
deduplication_begin(Deduplication *deduplication,
					const QueueDefinition *definition, TimestampTz now)
{
	deduplication->definition = definition;
	deduplication->now = now;
	memory_open(&deduplication->memory, &deduplication_memory,
				definition->number);
}

int64
deduplication_enter(Deduplication *deduplication, const text *deduplication_id,
					const text *group_id, int64 message_id)
{
	Memory	   *memory = &deduplication->memory;
	int64		key = key_of(deduplication, deduplication_id, group_id);

	/* each turn waits for somebody else's transaction, and so comes to an end */
	for (;;)
	{
		TransactionId holder;
		ItemPointerData address;
		int64		first;

		if (!is_by_group(deduplication))
			memory_lock(memory, key);
		first = look_up(deduplication, key, deduplication_id, group_id,
						&holder, &address);
		if (first == 0 && !TransactionIdIsValid(holder))
			remember(deduplication, key, deduplication_id, group_id, message_id);
		if (!is_by_group(deduplication))
			memory_unlock(memory, key);
		if (first != 0 || !TransactionIdIsValid(holder))
			return first;
		XactLockTableWait(holder, memory->table, &address, XLTW_InsertIndex);
	}
}

void
deduplication_end(Deduplication *deduplication)
{
	memory_close(&deduplication->memory);
}
