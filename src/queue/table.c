/*
 * table.c
 *		A queue's table: made, found, verified, dropped.
 *
 * The table belongs to the role that made the queue, so that PostgreSQL's own
 * rules for owners hold (DROP ROLE, REASSIGN OWNED, DROP OWNED).  That role
 * may not create in schema decouple: the DDL runs with the rights of the
 * extension's owner, after the caller's own rights were checked, and names
 * nothing that the caller's search_path could redirect.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/catalog.h"
#include "queue/table.h"
#include "store/layout.h"

/* src/store/layout.h as DDL */
static const char *const table_columns =
"id bigint NOT NULL PRIMARY KEY,"
" sent_at timestamp with time zone NOT NULL,"
" visible_at timestamp with time zone,"
" receive_count integer,"
" fence integer,"
" first_received_at timestamp with time zone,"
" sender pg_catalog.text NOT NULL,"
" body pg_catalog.text NOT NULL,"
" received_before integer,"
" due_at timestamp with time zone,"
" expires_at timestamp with time zone,"
" original_id bigint,"
" group_id pg_catalog.text,"
" deduplication_id pg_catalog.text,"
" dead_letter_source decouple.queue,"
" last_error pg_catalog.text,"
" attributes pg_catalog.jsonb,"
" subject pg_catalog.text,"
" message_structure pg_catalog.text";

/*
 * fillfactor leaves room on each page for the new versions of all its messages,
 * which are a little longer, so that a receive is a HOT update also while an
 * old snapshot keeps the page from being pruned.  A queue's rows live briefly: vacuum by
 * their number, not by their share, or the table grows with its peak.
 */
static const char *const table_options =
"fillfactor = 48,"
" autovacuum_vacuum_scale_factor = 0.05,"
" autovacuum_vacuum_threshold = 1000,"
" autovacuum_vacuum_insert_scale_factor = 1.0,"
" toast.autovacuum_vacuum_scale_factor = 0.05,"
" toast.autovacuum_vacuum_threshold = 1000";

typedef struct ExpectedColumn
{
	Oid			type;			/* InvalidOid: decouple.queue */
	bool		not_null;
} ExpectedColumn;

static const ExpectedColumn expected_columns[MESSAGE_COLUMNS] = {
	[MESSAGE_ID - 1] = {INT8OID, true},
	[MESSAGE_VISIBLE_AT - 1] = {TIMESTAMPTZOID, false},
	[MESSAGE_SENT_AT - 1] = {TIMESTAMPTZOID, true},
	[MESSAGE_RECEIVE_COUNT - 1] = {INT4OID, false},
	[MESSAGE_FENCE - 1] = {INT4OID, false},
	[MESSAGE_RECEIVED_BEFORE - 1] = {INT4OID, false},
	[MESSAGE_FIRST_RECEIVED_AT - 1] = {TIMESTAMPTZOID, false},
	[MESSAGE_DUE_AT - 1] = {TIMESTAMPTZOID, false},
	[MESSAGE_EXPIRES_AT - 1] = {TIMESTAMPTZOID, false},
	[MESSAGE_ORIGINAL_ID - 1] = {INT8OID, false},
	[MESSAGE_SENDER - 1] = {TEXTOID, true},
	[MESSAGE_GROUP_ID - 1] = {TEXTOID, false},
	[MESSAGE_DEDUPLICATION_ID - 1] = {TEXTOID, false},
	[MESSAGE_DEAD_LETTER_SOURCE - 1] = {InvalidOid, false},
	[MESSAGE_LAST_ERROR - 1] = {TEXTOID, false},
	[MESSAGE_ATTRIBUTES - 1] = {JSONBOID, false},
	[MESSAGE_SUBJECT - 1] = {TEXTOID, false},
	[MESSAGE_STRUCTURE - 1] = {TEXTOID, false},
	[MESSAGE_BODY - 1] = {TEXTOID, true},
};

static char *
table_name(int32 number)
{
	return psprintf("q_%d", number);
}

Oid
queue_table_find(int32 number)
{
	return get_relname_relid(table_name(number), catalog_schema());
}

Oid
queue_table_owner(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Runs DDL with the rights of the extension's owner. */
static void
run_as_extension_owner(const char *command)
{
	Oid			save_user;
	int			save_context;
	int			result;

	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(catalog_owner(),
						   save_context | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	result = SPI_execute(command, false, 0);
	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute returned %d", result);
	SPI_finish();
	SetUserIdAndSecContext(save_user, save_context);
}

void
queue_table_create(int32 number, const char *queue_name, bool fifo, Oid owner)
{
	char	   *comment = psprintf("Messages of queue \"%s\".", queue_name);

	run_as_extension_owner(psprintf("CREATE TABLE decouple.%s (%s) USING heap WITH (%s)",
									table_name(number), table_columns,
									table_options));
	if (fifo)
		run_as_extension_owner(psprintf("CREATE INDEX %s_group_idx ON decouple.%s"
										" (group_id COLLATE pg_catalog.\"C\", id)",
										table_name(number), table_name(number)));
	run_as_extension_owner(psprintf("COMMENT ON TABLE decouple.%s IS %s",
									table_name(number),
									quote_literal_cstr(comment)));
	ATExecChangeOwner(queue_table_find(number), owner, true,
					  AccessExclusiveLock);
	CommandCounterIncrement();
}

void
queue_table_drop(int32 number)
{
	run_as_extension_owner(psprintf("DROP TABLE decouple.%s RESTRICT",
									table_name(number)));
}

List *
queue_tables_dropped(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *numbers = NIL;
	int			result;

	SPI_connect();
	result = SPI_execute("SELECT object_name"
						 " FROM pg_catalog.pg_event_trigger_dropped_objects()"
						 " WHERE object_type OPERATOR(pg_catalog.=) 'table'"
						 " AND schema_name OPERATOR(pg_catalog.=) 'decouple'",
						 true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute returned %d", result);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1);
		MemoryContext before = MemoryContextSwitchTo(caller);
		int			number;
		char		trailing;

		if (sscanf(name, "q_%d%c", &number, &trailing) == 1)
			numbers = lappend_int(numbers, number);
		MemoryContextSwitchTo(before);
	}
	SPI_finish();
	return numbers;
}

/* What the executor would do on a write, and the store does not. */
static const char *
find_alteration(Relation heap)
{
	Form_pg_class form = heap->rd_rel;
	TupleDesc	descriptor = RelationGetDescr(heap);
	Oid			queue_type;

	if (form->relkind != RELKIND_RELATION ||
		heap->rd_tableam != GetHeapamTableAmRoutine())
		return "It is not an ordinary heap table.";
	if (heap->trigdesc != NULL)
		return "It has triggers or foreign keys.";
	if (heap->rd_rules != NULL)
		return "It has rules.";
	if (form->relrowsecurity)
		return "It has row security.";
	if (form->relispartition || form->relhassubclass)
		return "It takes part in inheritance.";
	if (descriptor->constr != NULL &&
		(descriptor->constr->num_check > 0 ||
		 descriptor->constr->has_generated_stored))
		return "It has check constraints or generated columns.";
	if (descriptor->natts < MESSAGE_COLUMNS)
		return "Its columns were changed.";

	queue_type = catalog_type("queue");
	for (int i = 0; i < MESSAGE_COLUMNS; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);
		const ExpectedColumn *expected = &expected_columns[i];

		if (column->attisdropped ||
			column->attnotnull != expected->not_null ||
			column->atttypid != (OidIsValid(expected->type) ?
								 expected->type : queue_type))
			return "Its columns were changed.";
	}
	/* a column that was added and dropped again does no harm */
	for (int i = MESSAGE_COLUMNS; i < descriptor->natts; i++)
	{
		if (!TupleDescAttr(descriptor, i)->attisdropped)
			return "Its columns were changed.";
	}
	return NULL;
}

/* Is it the index of a FIFO queue's groups? */
static bool
is_group_index(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisvalid && form->indisready && form->indnkeyatts == 2 &&
		form->indkey.values[0] == MESSAGE_GROUP_ID &&
		form->indkey.values[1] == MESSAGE_ID &&
		index->rd_indcollation[0] == C_COLLATION_OID &&
		index->rd_indoption[0] == 0 && index->rd_indoption[1] == 0 &&
		index->rd_rel->relam == BTREE_AM_OID;
}

/* What is wrong with an index; *is_order tells if it is the primary key. */
static const char *
find_index_alteration(Relation index, bool *is_order)
{
	Form_pg_index form = index->rd_index;

	*is_order = form->indisprimary && form->indisvalid && form->indimmediate &&
		form->indnatts == 1 && form->indkey.values[0] == MESSAGE_ID &&
		index->rd_rel->relam == BTREE_AM_OID;
	if (form->indisexclusion ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return "It has a partial index or an exclusion constraint.";
	for (int i = 0; i < form->indnatts; i++)
	{
		if (form->indkey.values[i] <= 0)
			return "It has an index that is not on plain columns.";
	}
	return NULL;
}

static const char *
find_indexes_alteration(Relation heap, bool fifo, Oid *order_index,
						Oid *group_index)
{
	const char *alteration = NULL;
	ListCell   *cell;

	*order_index = *group_index = InvalidOid;
	foreach(cell, RelationGetIndexList(heap))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		is_order;
		const char *found = find_index_alteration(index, &is_order);

		if (found != NULL)
			alteration = found;
		if (is_order)
			*order_index = RelationGetRelid(index);
		if (fifo && is_group_index(index))
			*group_index = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	if (alteration == NULL && !OidIsValid(*order_index))
		alteration = "Its primary key on (id) is missing.";
	if (alteration == NULL && fifo && !OidIsValid(*group_index))
		alteration = "Its index on (group_id COLLATE \"C\", id) is missing.";
	return alteration;
}

bool
queue_table_verify(Relation heap, const char *queue_name, bool fifo,
				   bool altered_ok, Oid *order_index, Oid *group_index)
{
	const char *alteration = find_alteration(heap);

	if (alteration == NULL)
		alteration = find_indexes_alteration(heap, fifo, order_index,
											 group_index);
	if (alteration != NULL && !altered_ok)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the table of queue \"%s\" was altered", queue_name),
				 errdetail_internal("%s", alteration),
				 errhint("Undo the change to table decouple.%s: queues do not run triggers, rules, constraints or expressions.",
						 RelationGetRelationName(heap))));
	return alteration == NULL;
}
