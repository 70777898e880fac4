/*
 * changes.c
 *		publish_changes, stop_changes: a table's changes become messages.
 *
 * A trigger for each row publishes to the topic that its argument names, in the
 * transaction that changes the row.  Whoever changes a row needs no right on the
 * topic: the table's owner does, and is asked each time, so nobody can publish
 * where he may not by making such a trigger on a table of his own.  To have the
 * privilege TRIGGER on another's table is to act in the owner's name, here as with
 * any trigger.
 *
 * The condition is parsed here and becomes the trigger's own WHEN clause, so what
 * does not meet it costs next to nothing.  A column without a prefix is that of
 * the new row, or where a row was deleted of the old one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/syscache.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/version.h"
#include "queue/send.h"
#include "security/policy.h"
#include "topic/topic.h"

PG_FUNCTION_INFO_V1(decouple_publish_changes);
PG_FUNCTION_INFO_V1(decouple_stop_changes);
PG_FUNCTION_INFO_V1(decouple_publish_change);

typedef struct ChangesRequest
{
	QueueDefinition publications;
	char	   *topic_name;
	Oid			table;
	Oid			owner;			/* the table's */
	char	   *condition;		/* or NULL */
	int16		events;			/* TRIGGER_TYPE_... */
} ChangesRequest;

/* ---- the condition ---- */

typedef struct PrefixContext
{
	Oid			table;
	const char *prefix;			/* new or old */
} PrefixContext;

/* Gives each column of the table that stands alone a prefix. */
static bool
add_prefix(Node *node, void *argument)
{
	PrefixContext *context = argument;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		ColumnRef  *column = (ColumnRef *) node;

		if (list_length(column->fields) == 1 &&
			IsA(linitial(column->fields), String) &&
			get_attnum(context->table, strVal(linitial(column->fields))) > 0)
			column->fields = lcons(makeString(pstrdup(context->prefix)),
								   column->fields);
		return false;
	}
	return raw_expression_tree_walker(node, add_prefix, argument);
}

static void
bad_condition(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("when_condition is not one expression"),
			 errhint("For example quantity < 10.")));
}

static Node *
parse_condition(const ChangesRequest *request, const char *prefix)
{
	PrefixContext context = {request->table, prefix};
	RawStmt    *statement;
	SelectStmt *select;
	ResTarget  *target;
	List	   *statements;

	if (request->condition == NULL)
		return NULL;
	/* in parentheses, so that nothing but an expression can be there */
	statements = raw_parser(psprintf("SELECT (%s\n)", request->condition),
							RAW_PARSE_DEFAULT);
	if (list_length(statements) != 1)
		bad_condition();
	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, SelectStmt))
		bad_condition();
	select = (SelectStmt *) statement->stmt;
	if (list_length(select->targetList) != 1 || select->fromClause != NIL ||
		select->whereClause != NULL || select->op != SETOP_NONE ||
		select->sortClause != NIL || select->groupClause != NIL ||
		select->limitCount != NULL || select->withClause != NULL)
		bad_condition();
	target = linitial_node(ResTarget, select->targetList);
	(void) add_prefix(target->val, &context);
	return target->val;
}

/* ---- triggers ---- */

static char *
trigger_name(int32 topic_number, bool of_deletes)
{
	return psprintf("decouple_%s_%d", of_deletes ? "deletes" : "changes",
					topic_number);
}

/* Makes the trigger of some events, with the caller's rights on the table. */
static void
make_trigger(const ChangesRequest *request, int16 events, bool of_deletes)
{
	CreateTrigStmt *statement = makeNode(CreateTrigStmt);

	if (events == 0)
		return;
	statement->trigname = trigger_name(request->publications.number, of_deletes);
	statement->relation = makeRangeVar(get_namespace_name(get_rel_namespace(request->table)),
									   get_rel_name(request->table), -1);
	statement->funcname = list_make2(makeString("decouple"),
									 makeString("publish_change"));
	statement->args = list_make1(makeString(request->topic_name));
	statement->row = true;
	statement->timing = TRIGGER_TYPE_AFTER;
	statement->events = events;
	statement->whenClause = parse_condition(request, of_deletes ? "old" : "new");
	(void) CreateTrigger(statement, request->condition, request->table,
						 InvalidOid, InvalidOid, InvalidOid, InvalidOid,
						 InvalidOid, NULL, false, false);
	CommandCounterIncrement();
}

/* Drops one trigger with the caller's rights; false where it is not there. */
static bool
drop_trigger(const ChangesRequest *request, bool of_deletes)
{
	char	   *name = trigger_name(request->publications.number, of_deletes);
	int			result;

	if (!OidIsValid(get_trigger_oid(request->table, name, true)))
		return false;
	SPI_connect();
	result = SPI_execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name),
								  quote_qualified_identifier(get_namespace_name(get_rel_namespace(request->table)),
															 get_rel_name(request->table))),
						 false, 0);
	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute returned %d", result);
	SPI_finish();
	return true;
}

static bool
drop_triggers(const ChangesRequest *request)
{
	bool		changes = drop_trigger(request, false);
	bool		deletes = drop_trigger(request, true);

	return changes || deletes;
}

/* ---- calls ---- */

static int16
read_operations(FunctionCallInfo fcinfo, int n)
{
	Datum	   *names;
	int			count = argument_array(fcinfo, n, "operations", &names);
	int16		events = 0;

	if (count < 0)
		return TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE;
	for (int i = 0; i < count; i++)
	{
		char	   *name = TextDatumGetCString(names[i]);

		if (pg_strcasecmp(name, "insert") == 0)
			events |= TRIGGER_TYPE_INSERT;
		else if (pg_strcasecmp(name, "update") == 0)
			events |= TRIGGER_TYPE_UPDATE;
		else if (pg_strcasecmp(name, "delete") == 0)
			events |= TRIGGER_TYPE_DELETE;
		else
			events = 0;
		if (events == 0)
			break;
	}
	if (events == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid operations"),
				 errhint("Use one or more of insert, update and delete.")));
	return events;
}

static void
read_request(FunctionCallInfo fcinfo, ChangesRequest *request,
			 const char *call_name)
{
	HeapTuple	tuple;

	argument_required(fcinfo, 0, "topic_name");
	argument_required(fcinfo, 1, "table_name");
	memset(request, 0, sizeof(*request));
	request->topic_name = TextDatumGetCString(PG_GETARG_DATUM(0));
	request->table = PG_GETARG_OID(1);
	topic_lock(PG_GETARG_DATUM(0), "publish", call_name, &request->publications);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(request->table));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", request->table),
				 errhint("Name a table.")));
	request->owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
}

/*
 * publish_changes(topic_name topic, table_name regclass, when_condition text,
 *		operations text[]) -> void
 *
 * Again with other values: they replace the earlier ones.
 */
Datum
decouple_publish_changes(PG_FUNCTION_ARGS)
{
	ChangesRequest request;

	read_request(fcinfo, &request, "publish_changes()");
	if (!PG_ARGISNULL(2))
		request.condition = text_to_cstring(PG_GETARG_TEXT_PP(2));
	request.events = read_operations(fcinfo, 3);
	if (!policy_allows_role(request.owner, request.publications.owner, "publish"))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the owner of table \"%s\" may not publish to topic \"%s\"",
						get_rel_name(request.table), request.topic_name),
				 errhint("Changes are published in the name of the table's owner.")));
	drop_triggers(&request);
	make_trigger(&request,
				 request.events & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE),
				 false);
	make_trigger(&request, request.events & TRIGGER_TYPE_DELETE, true);
	PG_RETURN_VOID();
}

/*
 * stop_changes(topic_name topic, table_name regclass) -> boolean
 */
Datum
decouple_stop_changes(PG_FUNCTION_ARGS)
{
	ChangesRequest request;

	read_request(fcinfo, &request, "stop_changes()");
	PG_RETURN_BOOL(drop_triggers(&request));
}

/* ---- the trigger ---- */

static Datum
row_as_json(HeapTuple tuple, TupleDesc descriptor)
{
	return DirectFunctionCall1(row_to_json,
							   heap_copy_tuple_as_datum(tuple, descriptor));
}

static const char *
operation_of(TriggerEvent event)
{
	return TRIGGER_FIRED_BY_INSERT(event) ? "insert" :
		TRIGGER_FIRED_BY_UPDATE(event) ? "update" : "delete";
}

/* The message: what was done to which table, and the rows. */
static text *
change_message(const TriggerData *data, const char *schema, const char *table)
{
	TupleDesc	descriptor = RelationGetDescr(data->tg_relation);
	const char *operation = operation_of(data->tg_event);
	bool		update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"operation\":\"%s\",\"schema\":", operation);
	escape_json(&out, schema);
	appendStringInfoString(&out, ",\"table\":");
	escape_json(&out, table);
	if (!TRIGGER_FIRED_BY_INSERT(data->tg_event))
		appendStringInfo(&out, ",\"old\":%s",
						 TextDatumGetCString(row_as_json(data->tg_trigtuple, descriptor)));
	if (!TRIGGER_FIRED_BY_DELETE(data->tg_event))
		appendStringInfo(&out, ",\"new\":%s",
						 TextDatumGetCString(row_as_json(update ? data->tg_newtuple :
														 data->tg_trigtuple, descriptor)));
	appendStringInfoChar(&out, '}');
	return cstring_to_text_with_len(out.data, out.len);
}

/* So that filter policies can choose. */
static Jsonb *
change_attributes(const TriggerData *data, const char *schema,
				  const char *table)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"operation\":\"%s\",\"schema\":",
					 operation_of(data->tg_event));
	escape_json(&out, schema);
	appendStringInfoString(&out, ",\"table\":");
	escape_json(&out, table);
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* The topic's queue, opened in the name of the table's owner. */
static void
open_for_owner(QueueCall *call, const char *topic_name, Oid owner)
{
	PreventCommandIfReadOnly("publish()");
	if (!call_open_if_fit(call, topic_queue_name(topic_name)))
		topic_missing(topic_name);
	if (!policy_allows_role(owner, call->definition.owner, "publish"))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to publish on topic \"%s\"", topic_name),
				 errdetail("Changes of a table are published in the name of its owner."),
				 errhint("Run decouple.stop_changes(), or make the table's owner a member of the topic's.")));
}

/*
 * publish_change() -> trigger
 */
Datum
decouple_publish_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};
	QueueCall	call;
	MessageRow	row;
	int64		id;
	char	   *schema;
	char	   *table;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) || data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function is called by a trigger for each row, with a topic's name"),
				 errhint("Use decouple.publish_changes().")));
	schema = get_namespace_name(RelationGetNamespace(data->tg_relation));
	table = RelationGetRelationName(data->tg_relation);
	open_for_owner(&call, data->tg_trigger->tgargs[0],
				   data->tg_relation->rd_rel->relowner);
	draft.body = change_message(data, schema, table);
	draft.attributes = change_attributes(data, schema, table);
	if (call.definition.fifo)
	{
		/* changes of a table come in the order of their commits */
		draft.group_id = cstring_to_text(psprintf("table-%u",
												  RelationGetRelid(data->tg_relation)));
		draft.deduplication_id = cstring_to_text(psprintf("change-" INT64_FORMAT,
														  store_next_id()));
	}
	send_drafts(&call, &draft, 1, &row, &id);
	call_close(&call);
	return PointerGetDatum(NULL);
}
