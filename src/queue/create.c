/*
 * create.c
 *		create_queue, alter_queue, drop_queue.
 *
 * Whoever makes, alters or drops a queue first takes a lock on its name (an
 * object lock on the hash of the name: two names that share a hash only wait
 * for each other) until the end of the transaction, and then reads the
 * definition as it is now.  So of twenty that make the same queue one makes
 * it and the others find it, at every isolation level.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/call.h"
#include "queue/definition.h"
#include "queue/definition_rows.h"
#include "queue/options.h"
#include "queue/table.h"
#include "security/policy.h"

PG_FUNCTION_INFO_V1(decouple_create_queue);
PG_FUNCTION_INFO_V1(decouple_alter_queue);
PG_FUNCTION_INFO_V1(decouple_drop_queue);
PG_FUNCTION_INFO_V1(decouple_forget_dropped_queues);

#define ARGUMENT_RESET	(OPTION_COUNT + 1)

/* what a call gave, and the values that result */
typedef struct Request
{
	char		name[QUEUE_NAME_MAX + 1];
	bool		given[OPTION_COUNT];
	OptionValue values[OPTION_COUNT];
} Request;

static void
read_request(FunctionCallInfo fcinfo, Request *request, const char *call_name)
{
	memset(request, 0, sizeof(*request));
	argument_required(fcinfo, 0, "queue_name");
	text_to_cstring_buffer(PG_GETARG_TEXT_PP(0), request->name,
						   sizeof(request->name));
	for (int i = 0; i < OPTION_COUNT; i++)
		request->given[i] = option_from_argument(fcinfo, i + 1, i,
												 &request->values[i]);
	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
	options_check_fifo("queue", request->name, request->given, request->values);
}

static void
check_dead_letter_queue(const Request *request)
{
	const OptionValue *target = &request->values[OPTION_DEAD_LETTER_QUEUE];
	QueueDefinition definition;

	if (target->is_null != request->values[OPTION_MAX_RECEIVE_COUNT].is_null)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dead_letter_queue and max_receive_count go together"),
				 errhint("Give both, or neither.")));
	if (target->is_null)
		return;
	if (strcmp(target->name, request->name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queue \"%s\" cannot be its own dead-letter queue",
						request->name),
				 errhint("Create another queue for dead letters.")));
	if (!definition_lookup(target->name, &definition))
		definition_missing(target->name);
	if (definition.fifo != name_is_fifo(request->name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dead-letter queue \"%s\" is not of the same kind",
						target->name),
				 errhint("The dead letters of a FIFO queue go to a FIFO queue, those of a standard queue to a standard queue.")));
	policy_check(definition.owner, definition.name, "send");
}

/* ---- create ---- */

/* The queue is there: it must be what the call asks for. */
static void
compare_with_existing(const Request *request, HeapTuple tuple,
					  TupleDesc descriptor)
{
	OptionValue current[OPTION_COUNT];
	QueueDefinition definition;

	if (!definition_lookup(request->name, &definition))
		definition_missing(request->name);
	policy_check(definition.owner, definition.name, "get");
	definitions_options(tuple, descriptor, current);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (request->given[i] &&
			!option_values_equal(&request->values[i], &current[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DIFFERENT_ATTRIBUTE),
					 errmsg("queue \"%s\" exists with another %s",
							request->name, option_name(i)),
					 errhint("Leave the option out, or change it with decouple.alter_queue().")));
	}
}

static void
create(Relation definitions, Request *request)
{
	policy_check_create("queue", request->name);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request->given[i] && i != OPTION_FIFO)
			request->values[i] = option_default(i);
	}
	check_dead_letter_queue(request);
	(void) definitions_insert(definitions, request->name, PURPOSE_QUEUE,
							  request->values, GetUserId());
}

/*
 * create_queue(queue_name queue, ...options) -> queue
 */
Datum
decouple_create_queue(PG_FUNCTION_ARGS)
{
	Request		request;
	Relation	definitions;
	HeapTuple	tuple;

	read_request(fcinfo, &request, "create_queue()");
	definitions_lock_name(request.name);
	definitions = definitions_open();
	tuple = definitions_find(definitions, request.name);
	if (tuple != NULL)
		compare_with_existing(&request, tuple, RelationGetDescr(definitions));
	else
		create(definitions, &request);
	table_close(definitions, NoLock);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* ---- alter ---- */

/* Options named by "reset" go back to their defaults. */
static void
apply_reset(FunctionCallInfo fcinfo, Request *request)
{
	Datum	   *names;
	int			count = argument_array(fcinfo, ARGUMENT_RESET, "reset", &names);

	for (int i = 0; i < count; i++)
	{
		QueueOption option = option_by_name(TextDatumGetCString(names[i]));

		if (request->given[option])
			option_given_and_reset(option_name(option));
		request->values[option] = option_default(option);
		/* one without the other has no meaning */
		if (option == OPTION_DEAD_LETTER_QUEUE &&
			!request->given[OPTION_MAX_RECEIVE_COUNT])
			request->values[OPTION_MAX_RECEIVE_COUNT] =
				option_default(OPTION_MAX_RECEIVE_COUNT);
		if (option == OPTION_MAX_RECEIVE_COUNT &&
			!request->given[OPTION_DEAD_LETTER_QUEUE])
			request->values[OPTION_DEAD_LETTER_QUEUE] =
				option_default(OPTION_DEAD_LETTER_QUEUE);
	}
}

/*
 * Another delay of a FIFO queue holds for the messages that are there too, or
 * new ones could be due before them (sqs: sqs-delay-queues).
 */
static void
delay_anew(const char *name)
{
	TimestampTz now = decouple_now();
	QueueCall	call;
	StoreScan	scan;

	if (!call_open_if_fit(&call, name))
		return;
	scan_begin_free(&scan, &call.store, 0);
	while (scan_next(&scan))
	{
		TimestampTz due = DatumGetTimestampTz(ROW_VALUE(&scan.row, MESSAGE_SENT_AT)) +
			call.definition.delay;

		if (row_receive_count(&scan.row) == 0 &&
			ROW_IS_NULL(&scan.row, MESSAGE_FENCE) &&
			(row_visible_at(&scan.row) > now || due > now))
			(void) store_postpone(&scan, now, due);
	}
	scan_end(&scan);
	call_close(&call);
}

/*
 * alter_queue(queue_name queue, ...options, reset text[]) -> queue
 */
Datum
decouple_alter_queue(PG_FUNCTION_ARGS)
{
	Request		request;
	OptionValue current[OPTION_COUNT];
	QueueDefinition definition;
	Relation	definitions;
	HeapTuple	tuple;

	read_request(fcinfo, &request, "alter_queue()");
	definitions_lock_name(request.name);
	definitions = definitions_open();
	tuple = definitions_find(definitions, request.name);
	if (tuple == NULL || !definition_lookup(request.name, &definition))
		definition_missing(request.name);
	policy_check(definition.owner, definition.name, "alter");

	definitions_options(tuple, RelationGetDescr(definitions), current);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request.given[i])
			request.values[i] = current[i];
	}
	apply_reset(fcinfo, &request);
	request.values[OPTION_FIFO] = current[OPTION_FIFO];
	check_dead_letter_queue(&request);
	definitions_update(definitions, tuple, request.values, &definition);
	if (definition.fifo && request.values[OPTION_DELAY].number !=
		current[OPTION_DELAY].number)
		delay_anew(request.name);
	table_close(definitions, NoLock);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* ---- drop ---- */

/* Refuses while another queue sends its dead letters here. */
static void
check_not_needed(Relation definitions, const char *name)
{
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin(&rows, definitions);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		OptionValue values[OPTION_COUNT];
		bool		isnull;
		Datum		other = heap_getattr(tuple, DEFINITION_NAME,
										 RelationGetDescr(definitions), &isnull);

		definitions_options(tuple, RelationGetDescr(definitions), values);
		if (strcmp(values[OPTION_DEAD_LETTER_QUEUE].name, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop queue \"%s\"", name),
					 errdetail("Queue \"%s\" names it as its dead-letter queue.",
							   TextDatumGetCString(other)),
					 errhint("Reset that option with decouple.alter_queue() first.")));
	}
	rows_end(&rows);
}

/*
 * drop_queue(queue_name queue) -> boolean
 */
Datum
decouple_drop_queue(PG_FUNCTION_ARGS)
{
	char		name[QUEUE_NAME_MAX + 1];
	QueueDefinition definition;
	Relation	definitions;
	HeapTuple	tuple;

	argument_required(fcinfo, 0, "queue_name");
	PreventCommandIfReadOnly("drop_queue()");
	PreventCommandIfParallelMode("drop_queue()");
	text_to_cstring_buffer(PG_GETARG_TEXT_PP(0), name, sizeof(name));
	definitions_lock_name(name);
	definitions = definitions_open();
	tuple = definitions_find(definitions, name);
	if (tuple == NULL || !definition_lookup(name, &definition))
	{
		table_close(definitions, NoLock);
		PG_RETURN_BOOL(false);
	}
	policy_check(definition.owner, definition.name, "drop");
	check_not_needed(definitions, name);
	definitions_drop(definitions, &definition);
	table_close(definitions, NoLock);
	PG_RETURN_BOOL(true);
}

/*
 * The sql_drop event trigger: a queue's definition goes with its table,
 * however that is dropped.  Whoever may drop the table may do this.
 */
Datum
decouple_forget_dropped_queues(PG_FUNCTION_ARGS)
{
	Relation	definitions;
	List	   *numbers;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function is called by an event trigger only"),
				 errhint("Drop a queue with decouple.drop_queue().")));
	numbers = queue_tables_dropped();
	if (numbers == NIL)
		PG_RETURN_NULL();
	definitions = definitions_open();
	foreach(cell, numbers)
		definitions_forget(definitions, lfirst_int(cell));
	table_close(definitions, NoLock);
	PG_RETURN_NULL();
}
