/*
 * subscribe.c
 *		subscribe, alter_subscription, unsubscribe, pause and resume.
 *
 * Whoever changes a topic's subscriptions holds the lock on the topic's name
 * until its transaction ends.  Publishers do not look at it; a fan-out that has
 * read the subscriptions reads them again after an invalidation of the topic's
 * table, which each change sends.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/version.h"
#include "queue/definition_rows.h"
#include "security/policy.h"
#include "topic/confirmation.h"
#include "topic/headers.h"
#include "topic/subscription.h"

PG_FUNCTION_INFO_V1(decouple_subscribe);
PG_FUNCTION_INFO_V1(decouple_alter_subscription);
PG_FUNCTION_INFO_V1(decouple_unsubscribe);
PG_FUNCTION_INFO_V1(decouple_pause_subscription);
PG_FUNCTION_INFO_V1(decouple_resume_subscription);

/* arguments of subscribe; fields follow, in alter_subscription one earlier */
enum
{
	SUBSCRIBE_TOPIC_NAME,
	SUBSCRIBE_PROTOCOL,
	SUBSCRIBE_ENDPOINT
};

enum
{
	ALTER_TOPIC_NAME,
	ALTER_SUBSCRIPTION_ID,
	ALTER_RESET = 12
};

/* ---- what values fields may have ---- */

static void
bad_field(const char *name, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s of a subscription", name),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

/* sns: "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic" */
static void
check_dead_letter_queue(const FieldValue *field, bool fifo)
{
	QueueDefinition definition;
	char	   *name;

	if (field->isnull)
		return;
	name = TextDatumGetCString(field->value);
	if (!definition_lookup(name, &definition))
		definition_missing(name);
	if (definition.fifo != fifo)
		bad_field("dead_letter_queue", "It is not of the topic's kind.",
				  "What a FIFO topic could not deliver goes to a FIFO queue, what a standard topic could not to a standard queue.");
	policy_check(definition.owner, definition.name, "send");
}

/* Fields that mean something to HTTP alone. */
static void
check_of_http(Protocol protocol, const FieldValue *fields)
{
	static const SubscriptionField of_http[] = {
		SUBSCRIPTION_SECRET, SUBSCRIPTION_HEADERS, SUBSCRIPTION_CONTENT_TYPE,
		SUBSCRIPTION_CA
	};

	for (int i = 0; i < (int) lengthof(of_http) && !protocol_is_http(protocol); i++)
	{
		if (!fields[of_http[i]].isnull)
			bad_field(subscription_fields[of_http[i]].name,
					  "Only the protocols http and https have it.",
					  "Leave it out.");
	}
	if (!fields[SUBSCRIPTION_CA].isnull && protocol != PROTOCOL_HTTPS)
		bad_field("ca", "Only the protocol https has it.", "Leave it out.");
	if (!fields[SUBSCRIPTION_CA].isnull &&
		strstr(TextDatumGetCString(fields[SUBSCRIPTION_CA].value),
			   "-----BEGIN CERTIFICATE-----") == NULL)
		bad_field("ca", "There is no certificate in it.",
				  "Give certificates in the form of PEM.");
	if (!fields[SUBSCRIPTION_CONTENT_TYPE].isnull &&
		!is_content_type(TextDatumGetCString(fields[SUBSCRIPTION_CONTENT_TYPE].value)))
		bad_field("content_type", "It is not one that SNS knows.",
				  "For example application/json.");
	if (!fields[SUBSCRIPTION_HEADERS].isnull)
		headers_check(DatumGetJsonbP(fields[SUBSCRIPTION_HEADERS].value));
	if (!fields[SUBSCRIPTION_SECRET].isnull)
		secret_check(DatumGetTextPP(fields[SUBSCRIPTION_SECRET].value));
}

static void
check_fields(const Subscription *subscription, bool fifo)
{
	const FieldValue *fields = subscription->fields;
	FilterScope scope = filter_scope_from_text(DatumGetTextPP(fields[SUBSCRIPTION_FILTER_POLICY_SCOPE].value));

	if (!fields[SUBSCRIPTION_FILTER_POLICY].isnull)
		(void) filter_compile(DatumGetJsonbP(fields[SUBSCRIPTION_FILTER_POLICY].value),
							  scope, true);
	if (!fields[SUBSCRIPTION_DELIVERY_POLICY].isnull)
		delivery_policy_check_subscription(DatumGetJsonbP(fields[SUBSCRIPTION_DELIVERY_POLICY].value));
	check_dead_letter_queue(&fields[SUBSCRIPTION_DEAD_LETTER_QUEUE], fifo);
	check_of_http(subscription->protocol, fields);
	(void) subscription_time_limit(subscription);
}

/* sns: a FIFO topic feeds queues only */
static void
check_protocol_of_fifo(Protocol protocol, bool fifo)
{
	if (fifo && protocol != PROTOCOL_QUEUE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a FIFO topic has no subscriptions of protocol \"%s\"",
						protocol_name(protocol)),
				 errhint("Subscribe a queue.")));
}

/* ---- the queue of deliveries ---- */

/*
 * Its dead-letter queue is the subscription's, so that nobody drops that; its
 * receives are counted by the delivery policy instead.
 */
static void
queue_options(OptionValue *options, const Subscription *subscription, bool fifo)
{
	const FieldValue *letters = subscription_field(subscription, DEAD_LETTER_QUEUE);

	for (int i = 0; i < OPTION_COUNT; i++)
		options[i] = option_default(i);
	options[OPTION_FIFO].number = fifo;
	options[OPTION_RETENTION].number = 0;
	options[OPTION_NOTIFY].number = false;
	if (!letters->isnull)
	{
		options[OPTION_DEAD_LETTER_QUEUE].is_null = false;
		text_to_cstring_buffer(DatumGetTextPP(letters->value),
							   options[OPTION_DEAD_LETTER_QUEUE].name,
							   QUEUE_NAME_MAX + 1);
	}
}

static int32
make_queue(const Subscription *subscription, bool fifo)
{
	Relation	definitions = definitions_open();
	OptionValue options[OPTION_COUNT];
	int32		number;

	queue_options(options, subscription, fifo);
	number = definitions_insert(definitions,
								subscription_queue_name(subscription->id, fifo),
								PURPOSE_DELIVERIES, options, GetUserId());
	table_close(definitions, NoLock);
	return number;
}

static void
alter_queue(const Subscription *subscription, bool fifo)
{
	Relation	definitions = definitions_open();
	OptionValue options[OPTION_COUNT];
	QueueDefinition definition;
	char	   *name = subscription_queue_name(subscription->id, fifo);
	HeapTuple	tuple = definitions_find(definitions, name);

	queue_options(options, subscription, fifo);
	if (tuple != NULL && definition_lookup(name, &definition))
		definitions_update(definitions, tuple, options, &definition);
	table_close(definitions, NoLock);
}

/* ---- subscribe ---- */

/* The subscription of this protocol and endpoint, or NULL. */
static Subscription *
find_same(int32 topic_number, Protocol protocol, const char *endpoint)
{
	ListCell   *cell;

	foreach(cell, subscriptions_of_topic(topic_number))
	{
		Subscription *other = lfirst(cell);

		if (other->protocol == protocol && strcmp(other->endpoint, endpoint) == 0)
			return other;
	}
	return NULL;
}

static void
compare_with_existing(const Subscription *wanted, const Subscription *there)
{
	const Field *field = fields_differ(subscription_fields, SUBSCRIPTION_FIELDS,
									   wanted->fields, there->fields);

	if (field != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DIFFERENT_ATTRIBUTE),
				 errmsg("subscription " INT64_FORMAT " exists with another %s",
						there->id, field->name),
				 errhint("Leave the option out, or change it with decouple.alter_subscription().")));
}

static void
insert_subscription(Subscription *subscription)
{
	Relation	rel = subscriptions_open(RowExclusiveLock);
	Datum		values[SUBSCRIPTION_COLUMNS] = {0};
	bool		nulls[SUBSCRIPTION_COLUMNS] = {false};

	values[SUBSCRIPTION_ID - 1] = Int64GetDatum(subscription->id);
	values[SUBSCRIPTION_TOPIC_NUMBER - 1] =
		Int32GetDatum(subscription->topic_number);
	values[SUBSCRIPTION_QUEUE_NUMBER - 1] =
		Int32GetDatum(subscription->queue_number);
	values[SUBSCRIPTION_PROTOCOL - 1] =
		CStringGetTextDatum(protocol_name(subscription->protocol));
	values[SUBSCRIPTION_ENDPOINT - 1] =
		CStringGetTextDatum(subscription->endpoint);
	fields_put(subscription_fields, SUBSCRIPTION_FIELDS, subscription->fields,
			   values, nulls);
	values[SUBSCRIPTION_CONFIRMED - 1] = BoolGetDatum(subscription->confirmed);
	values[SUBSCRIPTION_PAUSED - 1] = BoolGetDatum(false);
	nulls[SUBSCRIPTION_TOKEN - 1] = true;
	nulls[SUBSCRIPTION_TOKEN_UNTIL - 1] = true;
	values[SUBSCRIPTION_UNSUBSCRIBE_TOKEN - 1] =
		CStringGetTextDatum(subscription->unsubscribe_token);
	values[SUBSCRIPTION_CREATED_AT - 1] = values[SUBSCRIPTION_ALTERED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	CommandCounterIncrement();
	subscriptions_changed(subscription->topic_number);
	table_close(rel, NoLock);
}

/* Makes a subscription that was checked. */
static void
make(Subscription *subscription, const TopicDefinition *topic)
{
	subscription->id =
		nextval_internal(catalog_object(CATALOG_SUBSCRIPTION_ID_SEQ), false);
	subscription->unsubscribe_token = token_make(subscription->id);
	/* sns: whoever can be sure of it himself need not confirm */
	subscription->confirmed = !protocol_is_http(subscription->protocol);
	subscription->queue_number = make_queue(subscription, topic->fifo);
	insert_subscription(subscription);
	if (!subscription->confirmed)
		confirmation_ask(subscription, topic, CONFIRM_SUBSCRIPTION);
}

/*
 * subscribe(topic_name topic, protocol text, endpoint text, ...options)
 *		-> bigint
 */
Datum
decouple_subscribe(PG_FUNCTION_ARGS)
{
	QueueDefinition publications;
	TopicDefinition topic;
	Subscription wanted = {0};
	Subscription *there;

	argument_required(fcinfo, SUBSCRIBE_TOPIC_NAME, "topic_name");
	argument_required(fcinfo, SUBSCRIBE_PROTOCOL, "protocol");
	argument_required(fcinfo, SUBSCRIBE_ENDPOINT, "endpoint");
	wanted.protocol = protocol_by_name(text_to_cstring(PG_GETARG_TEXT_PP(SUBSCRIBE_PROTOCOL)));
	topic_lock(PG_GETARG_DATUM(SUBSCRIBE_TOPIC_NAME), "subscribe", "subscribe()",
			   &publications);
	if (!topic_find(publications.number, &topic))
		topic_missing(TextDatumGetCString(PG_GETARG_DATUM(SUBSCRIBE_TOPIC_NAME)));
	check_protocol_of_fifo(wanted.protocol, topic.fifo);
	wanted.topic_number = topic.number;
	wanted.endpoint =
		protocol_check_endpoint(wanted.protocol,
								text_to_cstring(PG_GETARG_TEXT_PP(SUBSCRIBE_ENDPOINT)),
								topic.name,
								DatumGetBool(topic.fields[TOPIC_HTTPS_ONLY].value));
	fields_from_arguments(fcinfo, subscription_fields, SUBSCRIPTION_FIELDS, 0,
						  wanted.fields);
	there = find_same(topic.number, wanted.protocol, wanted.endpoint);
	if (there != NULL)
	{
		compare_with_existing(&wanted, there);
		PG_RETURN_INT64(there->id);
	}
	fields_fill(subscription_fields, SUBSCRIPTION_FIELDS, wanted.fields, NULL);
	check_fields(&wanted, topic.fifo);
	make(&wanted, &topic);
	PG_RETURN_INT64(wanted.id);
}

/* ---- calls on a subscription that is there ---- */

typedef struct SubscriptionCall
{
	TopicDefinition topic;
	Relation	rel;
	HeapTuple	row;
	Subscription *subscription;
} SubscriptionCall;

/*
 * Finds a subscription by the first two arguments.  It is its owner's, and the
 * topic's owner's.
 */
static void
find_subscription(FunctionCallInfo fcinfo, SubscriptionCall *call,
				  const char *call_name)
{
	QueueDefinition publications;
	QueueDefinition deliveries;
	int64		id;

	argument_required(fcinfo, ALTER_TOPIC_NAME, "topic_name");
	argument_required(fcinfo, ALTER_SUBSCRIPTION_ID, "subscription_id");
	id = PG_GETARG_INT64(ALTER_SUBSCRIPTION_ID);
	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
	topic_lock_unasked(PG_GETARG_DATUM(ALTER_TOPIC_NAME), &publications);
	if (!topic_find(publications.number, &call->topic))
		topic_missing(TextDatumGetCString(PG_GETARG_DATUM(ALTER_TOPIC_NAME)));
	call->rel = subscriptions_open(RowExclusiveLock);
	call->row = subscription_row(call->rel, id);
	call->subscription = call->row == NULL ? NULL :
		subscription_from_row(call->row, RelationGetDescr(call->rel));
	if (call->subscription == NULL ||
		call->subscription->topic_number != publications.number)
		ereport(ERROR,
				(errcode(ERRCODE_SUBSCRIPTION_NOT_FOUND),
				 errmsg("topic \"%s\" has no subscription " INT64_FORMAT,
						call->topic.name, id),
				 errhint("The view decouple.subscriptions has those that there are.")));
	if (!definition_lookup_number(call->subscription->queue_number, &deliveries) ||
		!policy_allows(deliveries.owner, "unsubscribe"))
		policy_check_topic(publications.owner, call->topic.name, "unsubscribe");
}

/* Options named by "reset" go back to their defaults. */
static void
apply_reset(FunctionCallInfo fcinfo, FieldValue *fields)
{
	Datum	   *names;
	int			count = argument_array(fcinfo, ALTER_RESET, "reset", &names);

	for (int i = 0; i < count; i++)
		(void) field_reset(subscription_fields, SUBSCRIPTION_FIELDS,
						   TextDatumGetCString(names[i]), fields,
						   "subscription");
}

/*
 * alter_subscription(topic_name topic, subscription_id bigint, ...options,
 *		reset text[]) -> bigint
 */
Datum
decouple_alter_subscription(PG_FUNCTION_ARGS)
{
	SubscriptionCall call;
	Subscription *subscription;
	FieldValue	current[SUBSCRIPTION_FIELDS];
	Datum		values[SUBSCRIPTION_COLUMNS] = {0};
	bool		nulls[SUBSCRIPTION_COLUMNS] = {false};
	bool		replaces[SUBSCRIPTION_COLUMNS] = {false};

	find_subscription(fcinfo, &call, "alter_subscription()");
	subscription = call.subscription;
	memcpy(current, subscription->fields, sizeof(current));
	fields_from_arguments(fcinfo, subscription_fields, SUBSCRIPTION_FIELDS, -1,
						  subscription->fields);
	fields_fill(subscription_fields, SUBSCRIPTION_FIELDS, subscription->fields,
				current);
	apply_reset(fcinfo, subscription->fields);
	check_fields(subscription, call.topic.fifo);
	fields_put(subscription_fields, SUBSCRIPTION_FIELDS, subscription->fields,
			   values, nulls);
	for (int i = 0; i < SUBSCRIPTION_FIELDS; i++)
		replaces[subscription_fields[i].column - 1] = true;
	subscription_update(call.rel, call.row, values, nulls, replaces);
	alter_queue(subscription, call.topic.fifo);
	table_close(call.rel, NoLock);
	PG_RETURN_INT64(subscription->id);
}

/*
 * unsubscribe(topic_name topic, subscription_id bigint) -> boolean
 */
Datum
decouple_unsubscribe(PG_FUNCTION_ARGS)
{
	SubscriptionCall call;

	find_subscription(fcinfo, &call, "unsubscribe()");
	subscription_drop(call.rel, call.row);
	table_close(call.rel, NoLock);
	PG_RETURN_BOOL(true);
}

/* Pauses or resumes; true where that was a change. */
static bool
set_paused(FunctionCallInfo fcinfo, bool paused, const char *call_name)
{
	SubscriptionCall call;
	bool		changed;

	find_subscription(fcinfo, &call, call_name);
	changed = call.subscription->paused != paused;
	if (changed)
		subscription_set_paused(call.rel, call.row, paused);
	table_close(call.rel, NoLock);
	return changed;
}

/*
 * pause_subscription(topic_name topic, subscription_id bigint) -> boolean
 *
 * What is published meanwhile waits.
 */
Datum
decouple_pause_subscription(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_paused(fcinfo, true, "pause_subscription()"));
}

/*
 * resume_subscription(topic_name topic, subscription_id bigint) -> boolean
 */
Datum
decouple_resume_subscription(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_paused(fcinfo, false, "resume_subscription()"));
}
