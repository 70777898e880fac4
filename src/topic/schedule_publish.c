/*
 * schedule_publish.c
 *		schedule_publish: recurring publications, by pg_cron.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/arguments.h"
#include "base/version.h"
#include "queue/draft.h"
#include "queue/schedule.h"
#include "security/policy.h"
#include "topic/topic.h"

PG_FUNCTION_INFO_V1(decouple_schedule_publish);

/* the arguments of schedule_publish, by number */
enum
{
	SCHEDULE_TOPIC_NAME,
	SCHEDULE_NAME,
	SCHEDULE_CRON,
	SCHEDULE_MESSAGE,
	SCHEDULE_SUBJECT,
	SCHEDULE_ATTRIBUTES,
	SCHEDULE_GROUP_ID
};

/* The command of the job: it runs as the caller, under any search_path. */
static char *
publish_command(const char *topic_name, const Draft *draft)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "SELECT decouple.publish(%s::decouple.topic, %s::pg_catalog.text",
					 quote_literal_cstr(topic_name),
					 quote_literal_cstr(text_to_cstring(draft->body)));
	if (draft->subject != NULL)
		appendStringInfo(&command, ", subject => %s::pg_catalog.text",
						 quote_literal_cstr(text_to_cstring(draft->subject)));
	if (draft->attributes != NULL)
		appendStringInfo(&command, ", attributes => %s::pg_catalog.jsonb",
						 quote_literal_cstr(JsonbToCString(NULL, &draft->attributes->root,
														   VARSIZE(draft->attributes))));
	if (draft->group_id != NULL)
		appendStringInfo(&command, ", group_id => %s::pg_catalog.text",
						 quote_literal_cstr(text_to_cstring(draft->group_id)));
	/* each run is a message of its own: its time makes the difference */
	if (draft->deduplication_id != NULL)
		appendStringInfoString(&command, ", deduplication_id => pg_catalog.md5(pg_catalog.clock_timestamp()::pg_catalog.text)");
	appendStringInfoChar(&command, ')');
	return command.data;
}

/*
 * schedule_publish(topic_name topic, schedule_name text, cron text,
 *		message text, subject text, attributes jsonb, group_id text) -> bigint
 */
Datum
decouple_schedule_publish(PG_FUNCTION_ARGS)
{
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};
	QueueDefinition publications;
	char	   *topic_name;
	char	   *name;

	argument_required(fcinfo, SCHEDULE_TOPIC_NAME, "topic_name");
	name = schedule_name_argument(fcinfo, SCHEDULE_NAME);
	argument_required(fcinfo, SCHEDULE_CRON, "cron");
	argument_required(fcinfo, SCHEDULE_MESSAGE, "message");
	PreventCommandIfReadOnly("schedule_publish()");
	topic_name = TextDatumGetCString(PG_GETARG_DATUM(SCHEDULE_TOPIC_NAME));
	if (!definition_lookup(topic_queue_name(topic_name), &publications))
		topic_missing(topic_name);
	policy_check_topic(publications.owner, topic_name, "publish");
	draft.body = PG_GETARG_TEXT_PP(SCHEDULE_MESSAGE);
	if (!PG_ARGISNULL(SCHEDULE_SUBJECT))
	{
		draft.subject = PG_GETARG_TEXT_PP(SCHEDULE_SUBJECT);
		subject_check(draft.subject);
	}
	if (!PG_ARGISNULL(SCHEDULE_ATTRIBUTES))
		draft.attributes = PG_GETARG_JSONB_P(SCHEDULE_ATTRIBUTES);
	if (!PG_ARGISNULL(SCHEDULE_GROUP_ID))
	{
		draft.group_id = PG_GETARG_TEXT_PP(SCHEDULE_GROUP_ID);
		if (publications.fifo)
			draft.deduplication_id = cstring_to_text("at-each-run");
	}
	draft_check(&draft, &publications);
	PG_RETURN_INT64(schedule_command(name,
									 text_to_cstring(PG_GETARG_TEXT_PP(SCHEDULE_CRON)),
									 publish_command(topic_name, &draft)));
}
