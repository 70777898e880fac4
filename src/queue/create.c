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
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/event_trigger.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/database.h"
#include "base/errors.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/call.h"
#include "queue/definition.h"
#include "queue/memory.h"
#include "queue/options.h"
#include "queue/table.h"
#include "security/policy.h"
#include "store/count.h"

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
lock_name(const char *name)
{
	LockDatabaseObject(catalog_object(CATALOG_QUEUE_DEFINITIONS),
					   hash_bytes((const unsigned char *) name, strlen(name)),
					   0, AccessExclusiveLock);
}

/* ---- rules over several options ---- */

/*
 * A queue is FIFO if and only if its name says so, and only then it has what
 * FIFO queues have (sqs: CreateQueue, FifoQueue).
 */
static void
check_fifo(Request *request)
{
	static const QueueOption of_fifo[] = {
		OPTION_CONTENT_BASED_DEDUPLICATION, OPTION_DEDUPLICATION_SCOPE,
		OPTION_DEDUPLICATION_WINDOW
	};
	bool		fifo = name_is_fifo(request->name);

	if (request->given[OPTION_FIFO] &&
		fifo != (request->values[OPTION_FIFO].number != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 fifo ?
				 errmsg("queue \"%s\" is a FIFO queue by its name",
						request->name) :
				 errmsg("the name of FIFO queue \"%s\" does not end in \".fifo\"",
						request->name),
				 errhint("The name of a FIFO queue ends in \".fifo\", and no other queue's does.")));
	request->values[OPTION_FIFO].number = fifo;
	for (int i = 0; i < (int) lengthof(of_fifo) && !fifo; i++)
	{
		if (request->given[of_fifo[i]] &&
			(of_fifo[i] != OPTION_CONTENT_BASED_DEDUPLICATION ||
			 request->values[of_fifo[i]].number != 0))
			ereport(ERROR,
					(errcode(ERRCODE_FIFO_ATTRIBUTE),
					 errmsg("a standard queue has no %s",
							option_name(of_fifo[i])),
					 errhint("Create a FIFO queue: its name ends in \".fifo\".")));
	}
}

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
	check_fifo(request);
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

/* ---- rows of decouple.queue_definitions ---- */

static Relation
open_definitions(void)
{
	return table_open(catalog_object(CATALOG_QUEUE_DEFINITIONS),
					  RowExclusiveLock);
}

/* The row of a queue, a copy, or NULL. */
static HeapTuple
find_row(Relation definitions, const char *name)
{
	RowScan		rows;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	rows_begin_index(&rows, definitions,
					 catalog_object(CATALOG_QUEUE_DEFINITIONS_NAME), &key);
	tuple = rows_next(&rows);
	rows_end(&rows);
	return tuple;
}

static void
options_of_row(HeapTuple tuple, TupleDesc descriptor, OptionValue *values)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		bool		isnull;
		Datum		datum = heap_getattr(tuple, DEFINITION_FIRST_OPTION + i,
										 descriptor, &isnull);

		values[i] = option_from_datum(i, datum, isnull);
	}
}

static void
put_options(const OptionValue *options, Datum *values, bool *nulls)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		values[DEFINITION_FIRST_OPTION - 1 + i] = option_to_datum(i, &options[i]);
		nulls[DEFINITION_FIRST_OPTION - 1 + i] = options[i].is_null;
	}
	values[DEFINITION_ALTERED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
}

static void
insert_row(Relation definitions, int32 number, const Request *request)
{
	Datum		values[DEFINITION_COLUMNS];
	bool		nulls[DEFINITION_COLUMNS] = {false};

	values[DEFINITION_NUMBER - 1] = Int32GetDatum(number);
	values[DEFINITION_NAME - 1] = CStringGetTextDatum(request->name);
	put_options(request->values, values, nulls);
	values[DEFINITION_CREATED_AT - 1] = values[DEFINITION_ALTERED_AT - 1];
	CatalogTupleInsert(definitions,
					   heap_form_tuple(RelationGetDescr(definitions),
									   values, nulls));
	CommandCounterIncrement();
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
	options_of_row(tuple, descriptor, current);
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
	int32		number;

	if (!may_create_in_database())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to create queue \"%s\"",
						request->name),
				 errhint("It needs the privilege CREATE on database \"%s\".",
						 get_database_name(MyDatabaseId))));
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request->given[i] && i != OPTION_FIFO)
			request->values[i] = option_default(i);
	}
	check_dead_letter_queue(request);
	number = (int32) nextval_internal(catalog_object(CATALOG_QUEUE_NUMBER_SEQ),
									  false);
	queue_table_create(number, request->name,
					   request->values[OPTION_FIFO].number != 0, GetUserId());
	insert_row(definitions, number, request);
	database_ask();
	count_begin(number, decouple_now());
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
	lock_name(request.name);
	definitions = open_definitions();
	tuple = find_row(definitions, request.name);
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
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" is both given and reset",
							option_name(option)),
					 errhint("Do one or the other.")));
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

static void
update_row(Relation definitions, HeapTuple old, const Request *request)
{
	TupleDesc	descriptor = RelationGetDescr(definitions);
	Datum		values[DEFINITION_COLUMNS] = {0};
	bool		nulls[DEFINITION_COLUMNS] = {false};
	bool		replaces[DEFINITION_COLUMNS] = {false};
	HeapTuple	tuple;

	put_options(request->values, values, nulls);
	for (int i = DEFINITION_FIRST_OPTION; i <= DEFINITION_COLUMNS; i++)
		replaces[i - 1] = i != DEFINITION_CREATED_AT;
	tuple = heap_modify_tuple(old, descriptor, values, nulls, replaces);
	CatalogTupleUpdate(definitions, &old->t_self, tuple);
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
	lock_name(request.name);
	definitions = open_definitions();
	tuple = find_row(definitions, request.name);
	if (tuple == NULL || !definition_lookup(request.name, &definition))
		definition_missing(request.name);
	policy_check(definition.owner, definition.name, "alter");

	options_of_row(tuple, RelationGetDescr(definitions), current);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (!request.given[i])
			request.values[i] = current[i];
	}
	apply_reset(fcinfo, &request);
	request.values[OPTION_FIFO] = current[OPTION_FIFO];
	check_dead_letter_queue(&request);
	update_row(definitions, tuple, &request);
	if (OidIsValid(definition.table))
		CacheInvalidateRelcacheByRelid(definition.table);
	CommandCounterIncrement();
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

		options_of_row(tuple, RelationGetDescr(definitions), values);
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
	lock_name(name);
	definitions = open_definitions();
	tuple = find_row(definitions, name);
	if (tuple == NULL || !definition_lookup(name, &definition))
	{
		table_close(definitions, NoLock);
		PG_RETURN_BOOL(false);
	}
	policy_check(definition.owner, definition.name, "drop");
	check_not_needed(definitions, name);
	if (OidIsValid(definition.table))
		queue_table_drop(definition.number);	/* forgets the row, see below */
	tuple = find_row(definitions, name);
	if (tuple != NULL)
	{
		CatalogTupleDelete(definitions, &tuple->t_self);
		CommandCounterIncrement();
	}
	table_close(definitions, NoLock);
	PG_RETURN_BOOL(true);
}

/* Removes the definition whose table had this name. */
static void
forget_table(Relation definitions, const char *table_name)
{
	RowScan		rows;
	ScanKeyData key;
	HeapTuple	tuple;
	int			number;
	char		trailing;

	if (sscanf(table_name, "q_%d%c", &number, &trailing) != 1)
		return;
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(number));
	rows_begin_index(&rows, definitions,
					 catalog_object(CATALOG_QUEUE_DEFINITIONS_NUMBER), &key);
	tuple = rows_next(&rows);
	rows_end(&rows);
	if (tuple != NULL)
	{
		CatalogTupleDelete(definitions, &tuple->t_self);
		CommandCounterIncrement();
	}
	memory_forget(&deduplication_memory, number);
	memory_forget(&attempt_memory, number);
}

/*
 * The sql_drop event trigger: a queue's definition goes with its table,
 * however that is dropped.  Whoever may drop the table may do this.
 */
Datum
decouple_forget_dropped_queues(PG_FUNCTION_ARGS)
{
	Relation	definitions;
	int			result;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function is called by an event trigger only"),
				 errhint("Drop a queue with decouple.drop_queue().")));
	SPI_connect();
	result = SPI_execute("SELECT object_name"
						 " FROM pg_catalog.pg_event_trigger_dropped_objects()"
						 " WHERE object_type OPERATOR(pg_catalog.=) 'table'"
						 " AND schema_name OPERATOR(pg_catalog.=) 'decouple'",
						 true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute returned %d", result);
	if (SPI_processed > 0)
	{
		definitions = open_definitions();
		for (uint64 i = 0; i < SPI_processed; i++)
			forget_table(definitions,
						 SPI_getvalue(SPI_tuptable->vals[i],
									  SPI_tuptable->tupdesc, 1));
		table_close(definitions, NoLock);
	}
	SPI_finish();
	PG_RETURN_NULL();
}
