/*
 * draft.c
 *		A message before it is sent: checked, and made a row.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/version.h"
#include "queue/attributes.h"
#include "queue/deduplication.h"
#include "queue/draft.h"

/* A standard queue has groups, but no order and no deduplication. */
static void
check_standard(const Draft *draft, const QueueDefinition *definition)
{
	if (draft->deduplication_id != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FIFO_ATTRIBUTE),
				 errmsg("%s takes no deduplication id",
						definition_title(definition)),
				 errhint("Only FIFO queues and topics deduplicate.")));
}

/* sqs: SendMessage, MessageGroupId, MessageDeduplicationId, DelaySeconds */
static void
check_fifo(Draft *draft, const QueueDefinition *definition)
{
	if (draft->group_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FIFO_ATTRIBUTE),
				 errmsg("FIFO %s needs a group id",
						definition_title(definition)),
				 errhint("Messages of one group_id are received in the order of their commits.")));
	if (draft->delay > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("FIFO %s takes no delay of a single message",
						definition_title(definition)),
				 errhint("Set the delay of the queue with decouple.alter_queue().")));
	draft->delay = DELAY_OF_QUEUE;
	if (draft->deduplication_id == NULL &&
		!definition->content_based_deduplication)
		ereport(ERROR,
				(errcode(ERRCODE_FIFO_ATTRIBUTE),
				 errmsg("FIFO %s needs a deduplication id",
						definition_title(definition)),
				 errhint("Give a deduplication_id, or set content_based_deduplication with %s.",
						 definition_alter_call(definition))));
	if (draft->deduplication_id == NULL)
		draft->deduplication_id = deduplication_id_of_body(draft->body);
}

void
draft_check(Draft *draft, const QueueDefinition *definition)
{
	int64		size = VARSIZE_ANY_EXHDR(draft->body);

	if (size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the body of a message must not be empty"),
				 errhint("Send at least one character.")));
	if (draft->attributes != NULL)
		size += attributes_check(draft->attributes);
	if (size > definition->max_message_size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("message of %lld bytes is too large for %s",
						(long long) size, definition_title(definition)),
				 errdetail("Its limit is %d bytes, body and attributes together.",
						   definition->max_message_size),
				 errhint("Raise max_message_size with %s, or send a reference.",
						 definition_alter_call(definition))));
	if (draft->group_id != NULL)
		group_id_check(draft->group_id, "group id");
	if (draft->deduplication_id != NULL)
		group_id_check(draft->deduplication_id, "deduplication id");
	if (definition->fifo)
		check_fifo(draft, definition);
	else
		check_standard(draft, definition);
}

Draft *
drafts_from_arrays(const Datum *bodies, const DraftArrays *arrays, int64 delay,
				   int count)
{
	Draft	   *drafts = palloc0(sizeof(Draft) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		drafts[i].body = DatumGetTextPP(bodies[i]);
		drafts[i].delay = delay;
		drafts[i].expires_in = NEVER_EXPIRES;
		if (arrays->attributes != NULL)
			drafts[i].attributes = DatumGetJsonbP(arrays->attributes[i]);
		if (arrays->group_ids != NULL)
			drafts[i].group_id = DatumGetTextPP(arrays->group_ids[i]);
		if (arrays->deduplication_ids != NULL)
			drafts[i].deduplication_id = DatumGetTextPP(arrays->deduplication_ids[i]);
		if (arrays->subjects != NULL)
			drafts[i].subject = DatumGetTextPP(arrays->subjects[i]);
	}
	return drafts;
}

Datum
message_sender(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
}

void
draft_to_row(const Draft *draft, const QueueDefinition *definition, int64 id,
			 Datum sender, TimestampTz now, MessageRow *row)
{
	int64		delay = draft->delay == DELAY_OF_QUEUE ?
		definition->delay : draft->delay;

	memset(row->nulls, true, sizeof(row->nulls));
	memset(row->values, 0, sizeof(row->values));
	row_set(row, MESSAGE_ID, Int64GetDatum(id));
	row_set(row, MESSAGE_SENT_AT, TimestampTzGetDatum(now));
	if (delay > 0)
	{
		row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(now + delay));
		row_set(row, MESSAGE_DUE_AT, TimestampTzGetDatum(now + delay));
	}
	if (draft->expires_in != NEVER_EXPIRES)
		row_set(row, MESSAGE_EXPIRES_AT,
				TimestampTzGetDatum(now + draft->expires_in));
	row_set(row, MESSAGE_SENDER, sender);
	if (draft->group_id != NULL)
		row_set(row, MESSAGE_GROUP_ID, PointerGetDatum(draft->group_id));
	if (draft->deduplication_id != NULL)
		row_set(row, MESSAGE_DEDUPLICATION_ID,
				PointerGetDatum(draft->deduplication_id));
	if (draft->attributes != NULL && JB_ROOT_COUNT(draft->attributes) > 0)
		row_set(row, MESSAGE_ATTRIBUTES, JsonbPGetDatum(draft->attributes));
	row_set(row, MESSAGE_BODY, PointerGetDatum(draft->body));
	if (draft->subject != NULL)
		row_set(row, MESSAGE_SUBJECT, PointerGetDatum(draft->subject));
	if (draft->structure != NULL)
		row_set(row, MESSAGE_STRUCTURE, PointerGetDatum(draft->structure));
}

int64
message_size(const MessageRow *row)
{
	int64		size = VARSIZE_ANY_EXHDR(DatumGetPointer(ROW_VALUE(row, MESSAGE_BODY)));

	if (!ROW_IS_NULL(row, MESSAGE_ATTRIBUTES))
		size += attributes_check(DatumGetJsonbP(ROW_VALUE(row, MESSAGE_ATTRIBUTES)));
	return size;
}

/* The member as C string; an error unless it is a string. */
static char *
string_member(const JsonbValue *value, const char *key, int element,
			  const char *hint)
{
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" of message %d is not a JSON string",
						key, element),
				 errhint("%s", hint)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
key_is(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

text *
body_from_jsonb(Jsonb *json)
{
	return cstring_to_text(JsonbToCString(NULL, &json->root, VARSIZE(json)));
}

/* A body that is no string is kept as its JSON text. */
static text *
body_from_json(JsonbValue *value)
{
	if (value->type == jbvString)
		return cstring_to_text_with_len(value->val.string.val,
										value->val.string.len);
	return body_from_jsonb(JsonbValueToJsonb(value));
}

static void
set_member(Draft *draft, const JsonbValue *key, JsonbValue *value, int element)
{
	if (key_is(key, "body"))
		draft->body = body_from_json(value);
	else if (value->type == jbvNull &&
			 (key_is(key, "delay") || key_is(key, "attributes") ||
			  key_is(key, "group_id") || key_is(key, "deduplication_id") ||
			  key_is(key, "expires_in")))
		return;					/* not given */
	else if (key_is(key, "delay"))
		draft->delay =
			interval_from_text(string_member(value, "delay", element,
											 "A JSON number has no unit: use '30 s'."),
							   "delay", 0, USECS_PER_LEASE_MAX);
	else if (key_is(key, "expires_in"))
		draft->expires_in =
			interval_from_text(string_member(value, "expires_in", element,
											 "A JSON number has no unit: use '30 s'."),
							   "expires_in", 0, USECS_PER_RETENTION_MAX);
	else if (key_is(key, "attributes"))
		draft->attributes = JsonbValueToJsonb(value);
	else if (key_is(key, "group_id"))
		draft->group_id =
			cstring_to_text(string_member(value, "group_id", element,
										  "Write the group id in quotes."));
	else if (key_is(key, "deduplication_id"))
		draft->deduplication_id =
			cstring_to_text(string_member(value, "deduplication_id", element,
										  "Write the deduplication id in quotes."));
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown key \"%s\" in message %d",
						pnstrdup(key->val.string.val,
								 pg_mbcliplen(key->val.string.val,
											  key->val.string.len, 256)),
						element),
				 errhint("The keys are body, delay, attributes, group_id, deduplication_id and expires_in.")));
}

static void
draft_from_json(JsonbIterator **iterator, Draft *draft, int element)
{
	JsonbValue	key;
	JsonbValue	value;

	draft->delay = DELAY_OF_QUEUE;
	draft->expires_in = NEVER_EXPIRES;
	while (JsonbIteratorNext(iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(iterator, &value, true);
		set_member(draft, &key, &value, element);
	}
	if (draft->body == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("message %d has no body", element),
				 errhint("Give each message a key \"body\".")));
}

int
drafts_from_json(Jsonb *messages, Draft **drafts)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			count = 0;

	if (!JB_ROOT_IS_ARRAY(messages) || JB_ROOT_IS_SCALAR(messages))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("messages must be a JSON array"),
				 errhint("For example [{\"body\": \"hello\"}, {\"body\": {\"order\": 1}, \"delay\": \"5 s\"}].")));

	*drafts = palloc0(sizeof(Draft) * Max(JB_ROOT_COUNT(messages), 1));
	iterator = JsonbIteratorInit(&messages->root);
	(void) JsonbIteratorNext(&iterator, &value, false); /* the array begins */
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_END_ARRAY)
	{
		if (token != WJB_BEGIN_OBJECT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("message %d is not a JSON object", count + 1),
					 errhint("Write {\"body\": ...}.")));
		draft_from_json(&iterator, &(*drafts)[count], count + 1);
		count++;
	}
	return count;
}
