/*
 * confirmation.c
 *		Tokens: a subscription is confirmed, or ended, by who has one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/draft.h"
#include "queue/table.h"
#include "topic/confirmation.h"
#include "topic/signature.h"

PG_FUNCTION_INFO_V1(decouple_confirm_subscription);
PG_FUNCTION_INFO_V1(decouple_unsubscribe_by_token);

#define TOKEN_BYTES			32
#define TOKEN_KEPT			(3 * USECS_PER_DAY)

/* ---- tokens ---- */

char *
token_make(int64 subscription_id)
{
	unsigned char bytes[TOKEN_BYTES];
	char		hex[2 * TOKEN_BYTES + 1];

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values"),
				 errhint("Try again.")));
	hex[hex_encode((char *) bytes, sizeof(bytes), hex)] = '\0';
	return psprintf(INT64_FORMAT "-%s", subscription_id, hex);
}

/* Compares without telling by its time how much is the same. */
static bool
bytes_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned char difference = 0;

	if (a_length != b_length)
		return false;
	for (size_t i = 0; i < a_length; i++)
		difference |= (unsigned char) (a[i] ^ b[i]);
	return difference == 0;
}

static void
bad_token(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SUBSCRIPTION_NOT_FOUND),
			 errmsg("the token is not good"),
			 errdetail("It is another's, or its time is over."),
			 errhint("Subscribe again to get a new one.")));
}

/*
 * The row of the subscription that a token is about, with the lock on its
 * topic's name.
 */
static HeapTuple
row_of_token(Relation rel, const char *token, TopicDefinition *topic)
{
	int64		id;
	char		dash;
	HeapTuple	tuple = NULL;

	if (sscanf(token, INT64_FORMAT "%c", &id, &dash) == 2 && dash == '-')
		tuple = subscription_row(rel, id);
	if (tuple == NULL ||
		!topic_find(subscription_from_row(tuple, RelationGetDescr(rel))->topic_number,
					topic))
		bad_token();
	topic_lock_name(topic->name);
	tuple = subscription_row(rel, id);
	if (tuple == NULL)
		bad_token();
	return tuple;
}

/* ---- asking ---- */

/*
 * Puts the question into the subscription's deliveries, before all others.  What
 * is asked is made when it is sent: the token must not lie in a table that belongs
 * to the subscriber, who could confirm in the endpoint's place.
 */
static void
send_question(const Subscription *subscription, const TopicDefinition *topic,
			  ConfirmationKind kind)
{
	QueueCall	call;
	MessageRow	row;
	TimestampTz now = decouple_now();
	Draft		draft = {.delay = 0, .expires_in = NEVER_EXPIRES};

	if (!call_open_if_fit(&call, subscription_queue_name(subscription->id,
														 topic->fifo)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the table of subscription " INT64_FORMAT " is missing",
						subscription->id),
				 errhint("Unsubscribe, and subscribe again.")));
	signature_prepare();
	draft.body = draft.structure = cstring_to_text(confirmation_type(kind));
	draft_to_row(&draft, &call.definition, store_next_id(), message_sender(), now,
				 &row);
	store_insert(&call.store, &row, 1, now, TOTAL_SENT);
	call_close(&call);
}

void
confirmation_ask(const Subscription *subscription,
				 const TopicDefinition *topic, ConfirmationKind kind)
{
	Relation	rel = subscriptions_open(RowExclusiveLock);
	Datum		values[SUBSCRIPTION_COLUMNS] = {0};
	bool		nulls[SUBSCRIPTION_COLUMNS] = {false};
	bool		replaces[SUBSCRIPTION_COLUMNS] = {false};

	values[SUBSCRIPTION_CONFIRMED - 1] = BoolGetDatum(false);
	replaces[SUBSCRIPTION_CONFIRMED - 1] = true;
	values[SUBSCRIPTION_TOKEN - 1] =
		CStringGetTextDatum(token_make(subscription->id));
	replaces[SUBSCRIPTION_TOKEN - 1] = true;
	values[SUBSCRIPTION_TOKEN_UNTIL - 1] =
		TimestampTzGetDatum(decouple_now() + TOKEN_KEPT);
	replaces[SUBSCRIPTION_TOKEN_UNTIL - 1] = true;
	subscription_update(rel, subscription_row(rel, subscription->id), values,
						nulls, replaces);
	table_close(rel, NoLock);
	send_question(subscription, topic, kind);
}

/* ---- answers ---- */

/*
 * confirm_subscription(topic_name topic, token text) -> bigint
 *
 * Whoever has the token may: no right is asked.
 */
Datum
decouple_confirm_subscription(PG_FUNCTION_ARGS)
{
	Relation	rel;
	HeapTuple	tuple;
	TopicDefinition topic;
	Datum		values[SUBSCRIPTION_COLUMNS];
	bool		nulls[SUBSCRIPTION_COLUMNS];
	bool		replaces[SUBSCRIPTION_COLUMNS] = {false};
	char	   *token;
	char	   *kept;

	argument_required(fcinfo, 0, "topic_name");
	argument_required(fcinfo, 1, "token");
	PreventCommandIfReadOnly("confirm_subscription()");
	PreventCommandIfParallelMode("confirm_subscription()");
	token = text_to_cstring(PG_GETARG_TEXT_PP(1));
	rel = subscriptions_open(RowExclusiveLock);
	tuple = row_of_token(rel, token, &topic);
	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	if (strcmp(topic.name, TextDatumGetCString(PG_GETARG_DATUM(0))) != 0 ||
		nulls[SUBSCRIPTION_TOKEN - 1] ||
		DatumGetTimestampTz(values[SUBSCRIPTION_TOKEN_UNTIL - 1]) <= decouple_now())
		bad_token();
	kept = TextDatumGetCString(values[SUBSCRIPTION_TOKEN - 1]);
	if (!bytes_equal(token, strlen(token), kept, strlen(kept)))
		bad_token();
	if (!DatumGetBool(values[SUBSCRIPTION_CONFIRMED - 1]))
	{
		values[SUBSCRIPTION_CONFIRMED - 1] = BoolGetDatum(true);
		replaces[SUBSCRIPTION_CONFIRMED - 1] = true;
		subscription_update(rel, tuple, values, nulls, replaces);
	}
	table_close(rel, NoLock);
	PG_RETURN_DATUM(values[SUBSCRIPTION_ID - 1]);
}

/*
 * unsubscribe_by_token(token text) -> boolean
 *
 * An HTTP endpoint is sent a token that restores the subscription, and until
 * then, or for three days, gets nothing (sns: Unsubscribe, unsigned).
 */
Datum
decouple_unsubscribe_by_token(PG_FUNCTION_ARGS)
{
	Relation	rel;
	HeapTuple	tuple;
	TopicDefinition topic;
	Subscription *subscription;
	char	   *token;

	argument_required(fcinfo, 0, "token");
	PreventCommandIfReadOnly("unsubscribe_by_token()");
	PreventCommandIfParallelMode("unsubscribe_by_token()");
	token = text_to_cstring(PG_GETARG_TEXT_PP(0));
	rel = subscriptions_open(RowExclusiveLock);
	tuple = row_of_token(rel, token, &topic);
	subscription = subscription_from_row(tuple, RelationGetDescr(rel));
	if (!bytes_equal(token, strlen(token), subscription->unsubscribe_token,
					 strlen(subscription->unsubscribe_token)))
		bad_token();
	if (!protocol_is_http(subscription->protocol))
		subscription_drop(rel, tuple);
	else if (subscription->confirmed)
		confirmation_ask(subscription, &topic, CONFIRM_UNSUBSCRIBE);
	table_close(rel, NoLock);
	PG_RETURN_BOOL(true);
}

/* ---- upkeep ---- */

/* The subscriptions that nobody has confirmed in time. */
static List *
unconfirmed(Relation rel)
{
	TimestampTz now = decouple_now();
	List	   *over = NIL;
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin(&rows, rel);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		Datum		values[SUBSCRIPTION_COLUMNS];
		bool		nulls[SUBSCRIPTION_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		if (!DatumGetBool(values[SUBSCRIPTION_CONFIRMED - 1]) &&
			!nulls[SUBSCRIPTION_TOKEN_UNTIL - 1] &&
			DatumGetTimestampTz(values[SUBSCRIPTION_TOKEN_UNTIL - 1]) <= now)
			over = lappend(over, subscription_from_row(tuple, RelationGetDescr(rel)));
	}
	rows_end(&rows);
	return over;
}

/*
 * Can it be removed without waiting?  Somebody may be changing it, or have its table
 * locked, and be long about it.
 */
static bool
can_go(const Subscription *subscription)
{
	TopicDefinition topic;
	Oid			table = queue_table_find(subscription->queue_number);

	return topic_find(subscription->topic_number, &topic) &&
		topic_try_lock_name(topic.name) &&
		(!OidIsValid(table) ||
		 ConditionalLockRelationOid(table, AccessExclusiveLock));
}

int
confirmation_expire(void)
{
	Relation	rel = subscriptions_open(RowExclusiveLock);
	ListCell   *cell;
	int			count = 0;

	foreach(cell, unconfirmed(rel))
	{
		Subscription *subscription = lfirst(cell);
		HeapTuple	tuple;

		if (!can_go(subscription))
			continue;
		/* nobody changes it now, but somebody may have, since we looked */
		tuple = subscription_row(rel, subscription->id);
		if (tuple == NULL ||
			subscription_from_row(tuple, RelationGetDescr(rel))->confirmed)
			continue;
		subscription_drop(rel, tuple);
		count++;
	}
	table_close(rel, NoLock);
	return count;
}
