/*
 * definition.c
 *		Finding a queue: its definition, cached, and its table, locked.
 *
 * One entry per queue and backend.  Create, alter and drop send a relcache
 * invalidation of the queue's table; the callback only marks entries as
 * invalid (it must not read catalogs), the next use reads them again.
 *
 * A queue is opened in this order: look the name up, lock the table, process
 * the invalidations that came with the lock.  If the entry is still valid
 * then, nobody can drop the queue, or alter its table, before the lock is
 * given back; else the look-up starts again.  alter_queue changes options
 * beside running calls: the next call sees them.
 *
 * The table is found by its name, decouple.q_<number>, never by a stored OID,
 * and is verified when the entry is built: nobody but decouple writes to it
 * through the access methods, so what the executor would do (triggers, row
 * security, constraints, expressions in indexes) would silently not be done.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/rows.h"
#include "base/version.h"
#include "queue/definition.h"
#include "queue/options.h"
#include "queue/table.h"

static HTAB *definitions = NULL;

/* counts invalidations: what was read before one may be out of date */
static uint64 invalidations = 0;

/* Marks the entries of a table, or all, as invalid. */
static void
forget_table(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	QueueDefinition *entry;

	invalidations++;
	hash_seq_init(&status, definitions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (relid == InvalidOid || entry->table == relid)
			entry->valid = false;
	}
}

void
definition_init(void)
{
	HASHCTL		control = {0};

	control.keysize = DEFINITION_NAME_MAX + 1;
	control.entrysize = sizeof(QueueDefinition);
	control.hcxt = CacheMemoryContext != NULL ? CacheMemoryContext :
		TopMemoryContext;
	definitions = hash_create("decouple definitions", 64, &control,
							  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(forget_table, (Datum) 0);
}

static const char *const purposes[] = {
	[PURPOSE_QUEUE] = "queue",
	[PURPOSE_PUBLICATIONS] = "publications",
	[PURPOSE_DELIVERIES] = "deliveries",
};

const char *
purpose_name(QueuePurpose purpose)
{
	return purposes[purpose];
}

char *
definition_title(const QueueDefinition *definition)
{
	if (definition->purpose == PURPOSE_PUBLICATIONS)
		return psprintf("topic \"%s\"",
						definition->name + strlen(PUBLICATIONS_PREFIX));
	return psprintf("queue \"%s\"", definition->name);
}

const char *
definition_alter_call(const QueueDefinition *definition)
{
	return definition->purpose == PURPOSE_PUBLICATIONS ?
		"decouple.alter_topic()" : "decouple.alter_queue()";
}

static QueuePurpose
purpose_by_name(Datum name)
{
	char	   *word = TextDatumGetCString(name);
	int			purpose = lengthof(purposes) - 1;

	while (purpose > 0 && strcmp(word, purposes[purpose]) != 0)
		purpose--;
	return (QueuePurpose) purpose;
}

/* The fields that a row has; the table's are the caller's. */
static void
definition_from_tuple(QueueDefinition *definition, HeapTuple tuple,
					  TupleDesc descriptor)
{
	Datum		values[DEFINITION_COLUMNS];
	bool		nulls[DEFINITION_COLUMNS];
	OptionValue options[OPTION_COUNT];

	heap_deform_tuple(tuple, descriptor, values, nulls);
	for (int i = 0; i < OPTION_COUNT; i++)
		options[i] = option_from_datum(i, values[DEFINITION_FIRST_OPTION - 1 + i],
									   nulls[DEFINITION_FIRST_OPTION - 1 + i]);

	memset(definition, 0, sizeof(*definition));
	definition->number = DatumGetInt32(values[DEFINITION_NUMBER - 1]);
	strlcpy(definition->name, TextDatumGetCString(values[DEFINITION_NAME - 1]),
			sizeof(definition->name));
	definition->visibility_timeout = options[OPTION_VISIBILITY_TIMEOUT].number;
	definition->delay = options[OPTION_DELAY].number;
	definition->retention = options[OPTION_RETENTION].number;
	definition->wait_time = options[OPTION_WAIT_TIME].number;
	definition->max_message_size = options[OPTION_MAX_MESSAGE_SIZE].number;
	strlcpy(definition->dead_letter_queue,
			options[OPTION_DEAD_LETTER_QUEUE].name,
			sizeof(definition->dead_letter_queue));
	definition->max_receive_count = options[OPTION_MAX_RECEIVE_COUNT].number;
	definition->fifo = options[OPTION_FIFO].number != 0;
	definition->content_based_deduplication =
		options[OPTION_CONTENT_BASED_DEDUPLICATION].number != 0;
	definition->retry_delay = options[OPTION_RETRY_DELAY].number;
	definition->retry_max_delay = options[OPTION_RETRY_MAX_DELAY].number;
	definition->retry_backoff = (RetryBackoff) options[OPTION_RETRY_BACKOFF].number;
	definition->deduplication_scope =
		(DeduplicationScope) options[OPTION_DEDUPLICATION_SCOPE].number;
	definition->deduplication_window =
		options[OPTION_DEDUPLICATION_WINDOW].number;
	definition->notify = options[OPTION_NOTIFY].number != 0;
	definition->purpose = purpose_by_name(values[DEFINITION_PURPOSE - 1]);
}

/* What is the row of this queue now, by its name or else by its number? */
static bool
read_definition(const char *name, int32 number, QueueDefinition *definition)
{
	Relation	rel = table_open(catalog_object(CATALOG_QUEUE_DEFINITIONS),
								 AccessShareLock);
	ScanKeyData key;
	HeapTuple	tuple;

	if (name != NULL)
		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ,
					CStringGetTextDatum(name));
	else
		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(number));
	tuple = rows_find(rel, catalog_object(name != NULL ?
										  CATALOG_QUEUE_DEFINITIONS_NAME :
										  CATALOG_QUEUE_DEFINITIONS_NUMBER), &key);
	if (tuple != NULL)
		definition_from_tuple(definition, tuple, RelationGetDescr(rel));
	table_close(rel, AccessShareLock);
	if (tuple == NULL)
		return false;

	definition->table = queue_table_find(definition->number);
	definition->owner = OidIsValid(definition->table) ?
		queue_table_owner(definition->table) : InvalidOid;
	return true;
}

bool
definition_lookup(const char *name, QueueDefinition *definition)
{
	QueueDefinition *entry;

	AcceptInvalidationMessages();
	entry = hash_search(definitions, name, HASH_FIND, NULL);
	if (entry != NULL && entry->valid)
	{
		*definition = *entry;
		return true;
	}
	return read_definition(name, 0, definition);
}

bool
definition_lookup_number(int32 number, QueueDefinition *definition)
{
	return read_definition(NULL, number, definition);
}

bool
definition_is_coming(int32 number)
{
	Relation	rel = table_open(catalog_object(CATALOG_QUEUE_DEFINITIONS),
								 AccessShareLock);
	SnapshotData dirty;
	SysScanDesc scan;
	ScanKeyData key;
	bool		found;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(number));
	scan = systable_beginscan(rel, catalog_object(CATALOG_QUEUE_DEFINITIONS_NUMBER),
							  true, &dirty, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

void
definition_missing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_QUEUE_NOT_FOUND),
			 errmsg("queue \"%s\" does not exist", name),
			 errhint("Create it with decouple.create_queue('%s').", name)));
}

void
definition_find(Datum name, QueueDefinition *definition)
{
	char	   *queue_name = TextDatumGetCString(name);

	if (!definition_lookup(queue_name, definition))
		definition_missing(queue_name);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
definition_names(void)
{
	Relation	rel = table_open(catalog_object(CATALOG_QUEUE_DEFINITIONS),
								 AccessShareLock);
	List	   *names = NIL;
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin(&rows, rel);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		QueueDefinition definition;

		definition_from_tuple(&definition, tuple, RelationGetDescr(rel));
		names = lappend(names, pstrdup(definition.name));
	}
	rows_end(&rows);
	table_close(rel, AccessShareLock);
	list_sort(names, compare_names);
	return names;
}

/* ---- opening ---- */

/* Raises QU001 or 55000; or, with missing_ok, returns. */
static void
cannot_open(const char *name, bool exists, bool missing_ok)
{
	if (!exists)
		(void) hash_search(definitions, name, HASH_REMOVE, NULL);
	if (missing_ok)
		return;
	if (!exists)
		definition_missing(name);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the table of queue \"%s\" is missing", name),
			 errhint("If a restore is under way wait for its end; else move the table back to schema decouple, or drop the queue with decouple.drop_queue().")));
}

/*
 * Reads, locks, verifies and remembers.  NULL to try again, or with *failed
 * to give up.
 */
static Relation
open_anew(const char *name, LOCKMODE lockmode, bool missing_ok, bool *failed,
		  QueueDefinition *definition)
{
	uint64		invalidations_before;
	QueueDefinition again;
	Relation	heap;
	bool		exists = read_definition(name, 0, definition);

	*failed = !exists || !OidIsValid(definition->table);
	if (*failed)
	{
		cannot_open(name, exists, missing_ok);
		return NULL;
	}
	heap = try_relation_open(definition->table, lockmode);
	if (heap == NULL)
		return NULL;

	/* what was read before the lock may be old: read it again under it */
	invalidations_before = invalidations;
	if (!read_definition(name, 0, &again) || again.table != definition->table)
	{
		relation_close(heap, lockmode);
		return NULL;
	}
	*definition = again;
	if (!queue_table_verify(heap, name, definition->fifo, missing_ok,
							&definition->order_index, &definition->group_index))
	{
		relation_close(heap, lockmode);
		*failed = true;
		return NULL;
	}
	if (invalidations == invalidations_before)
	{
		QueueDefinition *entry = hash_search(definitions, name, HASH_ENTER,
											 NULL);

		definition->valid = true;
		*entry = *definition;
	}
	return heap;
}

Relation
queue_open_name(const char *name, LOCKMODE lockmode, bool missing_ok,
				QueueDefinition *definition)
{
	for (;;)
	{
		QueueDefinition *entry = hash_search(definitions, name, HASH_FIND, NULL);
		Relation	heap;
		bool		failed = false;

		CHECK_FOR_INTERRUPTS();
		if (entry != NULL && entry->valid)
		{
			/* the lock brings the invalidations that precede it */
			heap = try_relation_open(entry->table, lockmode);
			if (heap != NULL && entry->valid)
			{
				*definition = *entry;
				return heap;
			}
			if (heap != NULL)
				relation_close(heap, lockmode);
			entry->valid = false;
		}

		/* each turn more takes another commit that drops or makes it */
		heap = open_anew(name, lockmode, missing_ok, &failed, definition);
		if (heap != NULL || failed)
			return heap;
	}
}

Relation
queue_open(Datum name, LOCKMODE lockmode, QueueDefinition *definition)
{
	text	   *packed = DatumGetTextPP(name);
	char		buffer[QUEUE_NAME_MAX + 1];

	text_to_cstring_buffer(packed, buffer, sizeof(buffer));
	return queue_open_name(buffer, lockmode, false, definition);
}
