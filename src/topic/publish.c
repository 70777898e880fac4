/*
 * publish.c
 *		publish, publish_batch: new publications.
 *
 * A publish is a send to the topic's queue: one row, whatever the number of
 * subscriptions, and no lock that another publisher of a standard topic wants.
 * The worker fans it out when it has committed (topic/fan_out.c).
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/arguments.h"
#include "base/version.h"
#include "queue/send.h"
#include "topic/filter.h"
#include "topic/topic.h"

PG_FUNCTION_INFO_V1(decouple_publish);
PG_FUNCTION_INFO_V1(decouple_publish_jsonb);
PG_FUNCTION_INFO_V1(decouple_publish_batch);

/* the arguments of publish, by number */
enum
{
	PUBLISH_TOPIC_NAME,
	PUBLISH_MESSAGE,
	PUBLISH_SUBJECT,
	PUBLISH_ATTRIBUTES,
	PUBLISH_MESSAGE_STRUCTURE,
	PUBLISH_GROUP_ID,
	PUBLISH_DEDUPLICATION_ID
};

/* the arguments of publish_batch, by number */
enum
{
	BATCH_TOPIC_NAME,
	BATCH_MESSAGES,
	BATCH_SUBJECTS,
	BATCH_ATTRIBUTES,
	BATCH_GROUP_IDS,
	BATCH_DEDUPLICATION_IDS
};

/* sns: Publish, Subject */
#define SUBJECT_MAX		100

void
subject_check(text *subject)
{
	const char *value = VARDATA_ANY(subject);
	int			length = VARSIZE_ANY_EXHDR(subject);
	bool		good = length >= 1 && length <= SUBJECT_MAX && value[0] != ' ';

	for (int i = 0; good && i < length; i++)
		good = value[i] >= ' ' && value[i] < 0x7f;
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid subject"),
				 errhint("Use 1 to 100 printable ASCII characters; the first is no space.")));
}

/* sns: Publish, MessageStructure: an object with a string for "default" */
static void
check_structure(text *structure, text *message)
{
	Jsonb	   *parts;
	JsonbValue *value;

	if (VARSIZE_ANY_EXHDR(structure) != 4 ||
		memcmp(VARDATA_ANY(structure), "json", 4) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid message_structure"),
				 errhint("Use json, or leave it out.")));
	parts = filter_parse_body(message);
	value = parts == NULL ? NULL :
		getKeyJsonValueFromContainer(&parts->root, "default",
									 strlen("default"), NULL);
	if (value == NULL || value->type != jbvString || value->val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a message of structure json needs a string for \"default\""),
				 errhint("For example {\"default\": \"hello\", \"http\": \"hello, web\"}.")));
}

static int64
publish_one(FunctionCallInfo fcinfo, text *message)
{
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};
	QueueCall	call;
	MessageRow	row;
	int64		id;

	draft.body = message;
	if (!PG_ARGISNULL(PUBLISH_SUBJECT))
	{
		draft.subject = PG_GETARG_TEXT_PP(PUBLISH_SUBJECT);
		subject_check(draft.subject);
	}
	if (!PG_ARGISNULL(PUBLISH_ATTRIBUTES))
		draft.attributes = PG_GETARG_JSONB_P(PUBLISH_ATTRIBUTES);
	if (!PG_ARGISNULL(PUBLISH_MESSAGE_STRUCTURE))
	{
		draft.structure = PG_GETARG_TEXT_PP(PUBLISH_MESSAGE_STRUCTURE);
		check_structure(draft.structure, message);
	}
	if (!PG_ARGISNULL(PUBLISH_GROUP_ID))
		draft.group_id = PG_GETARG_TEXT_PP(PUBLISH_GROUP_ID);
	if (!PG_ARGISNULL(PUBLISH_DEDUPLICATION_ID))
		draft.deduplication_id = PG_GETARG_TEXT_PP(PUBLISH_DEDUPLICATION_ID);

	topic_open(&call, PG_GETARG_DATUM(PUBLISH_TOPIC_NAME), "publish", "publish()");
	send_drafts(&call, &draft, 1, &row, &id);
	call_close(&call);
	return id;
}

/*
 * publish(topic_name topic, message text, subject text, attributes jsonb,
 *		message_structure text, group_id text, deduplication_id text) -> bigint
 *
 * Also the form for json, whose datums are those of text.
 */
Datum
decouple_publish(PG_FUNCTION_ARGS)
{
	argument_required(fcinfo, PUBLISH_TOPIC_NAME, "topic_name");
	argument_required(fcinfo, PUBLISH_MESSAGE, "message");
	PG_RETURN_INT64(publish_one(fcinfo, PG_GETARG_TEXT_PP(PUBLISH_MESSAGE)));
}

Datum
decouple_publish_jsonb(PG_FUNCTION_ARGS)
{
	argument_required(fcinfo, PUBLISH_TOPIC_NAME, "topic_name");
	argument_required(fcinfo, PUBLISH_MESSAGE, "message");
	PG_RETURN_INT64(publish_one(fcinfo,
								body_from_jsonb(PG_GETARG_JSONB_P(PUBLISH_MESSAGE))));
}

/*
 * publish_batch(topic_name topic, messages text[], subjects text[],
 *		attributes jsonb[], group_ids text[], deduplication_ids text[])
 *		-> SETOF bigint
 */
Datum
decouple_publish_batch(PG_FUNCTION_ARGS)
{
	Datum	   *messages;
	DraftArrays arrays = {0};
	Draft	   *drafts;
	QueueCall	call;
	int			count;

	argument_required(fcinfo, BATCH_TOPIC_NAME, "topic_name");
	argument_required(fcinfo, BATCH_MESSAGES, "messages");
	count = argument_array(fcinfo, BATCH_MESSAGES, "messages", &messages);
	arrays.subjects = argument_array_beside(fcinfo, BATCH_SUBJECTS, "subjects",
											"messages", count);
	arrays.attributes = argument_array_beside(fcinfo, BATCH_ATTRIBUTES,
											  "attributes", "messages", count);
	arrays.group_ids = argument_array_beside(fcinfo, BATCH_GROUP_IDS,
											 "group_ids", "messages", count);
	arrays.deduplication_ids = argument_array_beside(fcinfo, BATCH_DEDUPLICATION_IDS,
													 "deduplication_ids",
													 "messages", count);
	drafts = drafts_from_arrays(messages, &arrays, DELAY_OF_QUEUE, count);
	for (int i = 0; i < count; i++)
	{
		if (drafts[i].subject != NULL)
			subject_check(drafts[i].subject);
	}

	topic_open(&call, PG_GETARG_DATUM(BATCH_TOPIC_NAME), "publish",
			   "publish_batch()");
	send_and_return(fcinfo, &call, drafts, count);
	return (Datum) 0;
}
