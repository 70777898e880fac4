/*
 * create_topic.c
 *		create_topic, alter_topic, drop_topic.
 *
 * As for queues (queue/create.c): the lock on the name of the topic's queue, then
 * the row as it is now.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/version.h"
#include "queue/definition_rows.h"
#include "security/policy.h"
#include "topic/delivery_policy.h"
#include "topic/identity.h"
#include "topic/subscription.h"
#include "topic/topic.h"

PG_FUNCTION_INFO_V1(decouple_create_topic);
PG_FUNCTION_INFO_V1(decouple_alter_topic);
PG_FUNCTION_INFO_V1(decouple_drop_topic);
PG_FUNCTION_INFO_V1(decouple_topic_exists);

/* arguments of create_topic and alter_topic that are options of the queue */
static const struct
{
	int			argument;
	QueueOption option;
}			queue_arguments[] = {
	{2, OPTION_FIFO},
	{3, OPTION_CONTENT_BASED_DEDUPLICATION},
	{7, OPTION_DEDUPLICATION_SCOPE},
	{8, OPTION_DEDUPLICATION_WINDOW},
	{9, OPTION_MAX_MESSAGE_SIZE},
};

#define ARGUMENT_RESET		11

/* sns: DisplayName, 100 characters */
#define DISPLAY_NAME_MAX	100

typedef struct TopicRequest
{
	char		name[TOPIC_NAME_MAX + 1];
	char	   *queue_name;
	bool		given[OPTION_COUNT];
	OptionValue options[OPTION_COUNT];
	FieldValue	fields[TOPIC_FIELDS];
} TopicRequest;

static void
out_of_range(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is out of range", name),
			 errhint("%s", hint)));
}

/* Checks the values of the topic's own fields. */
static void
check_fields(const FieldValue *fields)
{
	const FieldValue *field = &fields[TOPIC_DISPLAY_NAME];

	if (!field->isnull &&
		pg_mbstrlen_with_len(VARDATA_ANY(DatumGetTextPP(field->value)),
							 VARSIZE_ANY_EXHDR(DatumGetTextPP(field->value))) > DISPLAY_NAME_MAX)
		out_of_range("display_name", "Use at most 100 characters.");
	field = &fields[TOPIC_SIGNATURE_VERSION];
	if (!field->isnull &&
		(DatumGetInt32(field->value) < 1 || DatumGetInt32(field->value) > 2))
		out_of_range("signature_version", "Use 1, SHA1, or 2, SHA256.");
	field = &fields[TOPIC_SUCCESS_SAMPLE_RATE];
	if (!field->isnull &&
		(DatumGetInt32(field->value) < 0 || DatumGetInt32(field->value) > 100))
		out_of_range("success_sample_rate", "It is a percentage, 0 to 100.");
	field = &fields[TOPIC_DELIVERY_POLICY];
	if (!field->isnull)
		delivery_policy_check_topic(DatumGetJsonbP(field->value));
}

static void
read_request(FunctionCallInfo fcinfo, TopicRequest *request,
			 const char *call_name)
{
	memset(request, 0, sizeof(*request));
	argument_required(fcinfo, 0, "topic_name");
	text_to_cstring_buffer(PG_GETARG_TEXT_PP(0), request->name,
						   sizeof(request->name));
	request->queue_name = topic_queue_name(request->name);
	for (int i = 0; i < (int) lengthof(queue_arguments); i++)
	{
		QueueOption option = queue_arguments[i].option;

		request->given[option] =
			option_from_argument(fcinfo, queue_arguments[i].argument, option,
								 &request->options[option]);
	}
	fields_from_arguments(fcinfo, topic_fields, TOPIC_FIELDS, 0,
						  request->fields);
	check_fields(request->fields);
	options_check_fifo("topic", request->name, request->given,
					   request->options);
	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
}

/* ---- create ---- */

static void
exists_with_another(const char *name, const char *option)
{
	ereport(ERROR,
			(errcode(ERRCODE_DIFFERENT_ATTRIBUTE),
			 errmsg("topic \"%s\" exists with another %s", name, option),
			 errhint("Leave the option out, or change it with decouple.alter_topic().")));
}

/* The topic is there: it must be what the call asks for. */
static void
compare_with_existing(const TopicRequest *request, HeapTuple queue_row,
					  TupleDesc descriptor)
{
	OptionValue current[OPTION_COUNT];
	QueueDefinition definition;
	TopicDefinition topic;
	const Field *field;

	if (!definition_lookup(request->queue_name, &definition) ||
		!topic_find(definition.number, &topic))
		topic_missing(request->name);
	policy_check_topic(definition.owner, request->name, "get");
	definitions_options(queue_row, descriptor, current);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (request->given[i] &&
			!option_values_equal(&request->options[i], &current[i]))
			exists_with_another(request->name, option_name(i));
	}
	field = fields_differ(topic_fields, TOPIC_FIELDS, request->fields,
						  topic.fields);
	if (field != NULL)
		exists_with_another(request->name, field->name);
}

/* The options of a topic's queue that a topic does not have. */
static void
fill_queue_options(TopicRequest *request)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request->given[i] && i != OPTION_FIFO)
			request->options[i] = option_default(i);
	}
	request->options[OPTION_RETENTION].number = 0;	/* until it is fanned out */
	request->options[OPTION_NOTIFY].number = false;
}

static void
insert_topic(const TopicRequest *request, int32 number)
{
	Relation	topics = topics_open(RowExclusiveLock);
	Datum		values[TOPIC_COLUMNS];
	bool		nulls[TOPIC_COLUMNS] = {false};

	values[TOPIC_NUMBER - 1] = Int32GetDatum(number);
	values[TOPIC_NAME - 1] = CStringGetTextDatum(request->name);
	fields_put(topic_fields, TOPIC_FIELDS, request->fields, values, nulls);
	values[TOPIC_CREATED_AT - 1] = values[TOPIC_ALTERED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
	CatalogTupleInsert(topics, heap_form_tuple(RelationGetDescr(topics),
											   values, nulls));
	CommandCounterIncrement();
	table_close(topics, NoLock);
}

static void
create(Relation definitions, TopicRequest *request)
{
	policy_check_create("topic", request->name);
	fill_queue_options(request);
	fields_fill(topic_fields, TOPIC_FIELDS, request->fields, NULL);
	identity_ensure();
	insert_topic(request,
				 definitions_insert(definitions, request->queue_name,
									PURPOSE_PUBLICATIONS, request->options,
									GetUserId()));
}

/*
 * create_topic(topic_name topic, ...options) -> topic
 */
Datum
decouple_create_topic(PG_FUNCTION_ARGS)
{
	TopicRequest request;
	Relation	definitions;
	HeapTuple	tuple;

	read_request(fcinfo, &request, "create_topic()");
	definitions_lock_name(request.queue_name);
	definitions = definitions_open();
	tuple = definitions_find(definitions, request.queue_name);
	if (tuple != NULL)
		compare_with_existing(&request, tuple, RelationGetDescr(definitions));
	else
		create(definitions, &request);
	table_close(definitions, NoLock);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* ---- alter ---- */

static void
reset_option(TopicRequest *request, char *name)
{
	for (int i = 0; i < (int) lengthof(queue_arguments); i++)
	{
		QueueOption option = queue_arguments[i].option;

		if (strcmp(name, option_name(option)) != 0 || option == OPTION_FIFO)
			continue;
		if (request->given[option])
			option_given_and_reset(name);
		request->options[option] = option_default(option);
		return;
	}
	(void) field_reset(topic_fields, TOPIC_FIELDS, name, request->fields,
					   "topic");
}

static void
apply_reset(FunctionCallInfo fcinfo, TopicRequest *request)
{
	Datum	   *names;
	int			count = argument_array(fcinfo, ARGUMENT_RESET, "reset", &names);

	for (int i = 0; i < count; i++)
		reset_option(request, TextDatumGetCString(names[i]));
}

static void
update_topic(int32 number, TopicRequest *request, FunctionCallInfo fcinfo)
{
	Relation	topics = topics_open(RowExclusiveLock);
	TupleDesc	descriptor = RelationGetDescr(topics);
	HeapTuple	old = topic_row(topics, number);
	FieldValue	current[TOPIC_FIELDS];
	Datum		values[TOPIC_COLUMNS] = {0};
	bool		nulls[TOPIC_COLUMNS] = {false};
	bool		replaces[TOPIC_COLUMNS] = {false};

	if (old == NULL)
		topic_missing(request->name);
	fields_from_row(old, descriptor, topic_fields, TOPIC_FIELDS, current);
	fields_fill(topic_fields, TOPIC_FIELDS, request->fields, current);
	apply_reset(fcinfo, request);
	for (int i = 0; i < TOPIC_FIELDS; i++)
		replaces[topic_fields[i].column - 1] = true;
	fields_put(topic_fields, TOPIC_FIELDS, request->fields, values, nulls);
	values[TOPIC_ALTERED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	replaces[TOPIC_ALTERED_AT - 1] = true;
	CatalogTupleUpdate(topics, &old->t_self,
					   heap_modify_tuple(old, descriptor, values, nulls, replaces));
	CommandCounterIncrement();
	table_close(topics, NoLock);
}

/*
 * alter_topic(topic_name topic, ...options, reset text[]) -> topic
 */
Datum
decouple_alter_topic(PG_FUNCTION_ARGS)
{
	TopicRequest request;
	OptionValue current[OPTION_COUNT];
	QueueDefinition definition;
	Relation	definitions;
	HeapTuple	tuple;

	read_request(fcinfo, &request, "alter_topic()");
	topic_lock(PG_GETARG_DATUM(0), "alter", "alter_topic()", &definition);
	definitions = definitions_open();
	tuple = definitions_find(definitions, request.queue_name);
	if (tuple == NULL)
		topic_missing(request.name);
	definitions_options(tuple, RelationGetDescr(definitions), current);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request.given[i])
			request.options[i] = current[i];
	}
	update_topic(definition.number, &request, fcinfo);
	definitions_update(definitions, tuple, request.options, &definition);
	table_close(definitions, NoLock);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* ---- drop ---- */

/*
 * drop_topic(topic_name topic) -> boolean
 *
 * Its subscriptions go with it, and what is not delivered yet.
 */
Datum
decouple_drop_topic(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *queue_name;
	QueueDefinition definition;
	Relation	definitions;

	argument_required(fcinfo, 0, "topic_name");
	PreventCommandIfReadOnly("drop_topic()");
	PreventCommandIfParallelMode("drop_topic()");
	name = TextDatumGetCString(PG_GETARG_DATUM(0));
	queue_name = topic_queue_name(name);
	definitions_lock_name(queue_name);
	if (!definition_lookup(queue_name, &definition))
		PG_RETURN_BOOL(false);
	policy_check_topic(definition.owner, name, "drop");
	subscriptions_drop(definition.number);
	definitions = definitions_open();
	definitions_drop(definitions, &definition);
	table_close(definitions, NoLock);
	topic_forget(definition.number);
	PG_RETURN_BOOL(true);
}

/*
 * topic_exists(topic_name topic) -> boolean
 */
Datum
decouple_topic_exists(PG_FUNCTION_ARGS)
{
	QueueDefinition definition;

	argument_required(fcinfo, 0, "topic_name");
	PG_RETURN_BOOL(definition_lookup(topic_queue_name(TextDatumGetCString(PG_GETARG_DATUM(0))),
									 &definition));
}
