/*
 * redrive_task.c
 *		Rows of decouple.redrive_jobs, read and written.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/rows.h"
#include "queue/redrive_task.h"

/* the columns of decouple.redrive_jobs, see src/sql/tables.sql */
enum JobColumn
{
	JOB_TASK_ID = 1,
	JOB_QUEUE_NUMBER,
	JOB_DEAD_LETTER_QUEUE,
	JOB_DESTINATION,
	JOB_MAX_PER_SECOND,
	JOB_STATE,
	JOB_MOVED,
	JOB_REMAINING,
	JOB_STARTED_AT,
	JOB_LAST_ROUND_AT,
	JOB_ENDED_AT,
	JOB_ERROR,
	JOB_COLUMNS = JOB_ERROR
};

#define VALUE(column)	(values[(column) - 1])
#define IS_NULL(column)	(nulls[(column) - 1])

static void
task_read(RedriveTask *task, HeapTuple tuple, TupleDesc descriptor)
{
	Datum		values[JOB_COLUMNS];
	bool		nulls[JOB_COLUMNS];

	heap_deform_tuple(tuple, descriptor, values, nulls);
	memset(task, 0, sizeof(*task));
	task->address = tuple->t_self;
	task->task_id = DatumGetInt64(VALUE(JOB_TASK_ID));
	task->queue_number = DatumGetInt32(VALUE(JOB_QUEUE_NUMBER));
	strlcpy(task->dead_letter_queue,
			TextDatumGetCString(VALUE(JOB_DEAD_LETTER_QUEUE)),
			sizeof(task->dead_letter_queue));
	if (!IS_NULL(JOB_DESTINATION))
		strlcpy(task->destination, TextDatumGetCString(VALUE(JOB_DESTINATION)),
				sizeof(task->destination));
	if (!IS_NULL(JOB_MAX_PER_SECOND))
		task->max_per_second = DatumGetInt32(VALUE(JOB_MAX_PER_SECOND));
	task->state = TextDatumGetCString(VALUE(JOB_STATE));
	task->moved = DatumGetInt64(VALUE(JOB_MOVED));
	task->remaining = DatumGetInt64(VALUE(JOB_REMAINING));
	task->started_at = DatumGetTimestampTz(VALUE(JOB_STARTED_AT));
	if (!IS_NULL(JOB_LAST_ROUND_AT))
		task->last_round_at = DatumGetTimestampTz(VALUE(JOB_LAST_ROUND_AT));
	if (!IS_NULL(JOB_ENDED_AT))
		task->ended_at = DatumGetTimestampTz(VALUE(JOB_ENDED_AT));
	if (!IS_NULL(JOB_ERROR))
		task->error = TextDatumGetCString(VALUE(JOB_ERROR));
}

static HeapTuple
task_form(const RedriveTask *task, TupleDesc descriptor)
{
	Datum		values[JOB_COLUMNS];
	bool		nulls[JOB_COLUMNS] = {false};

	VALUE(JOB_TASK_ID) = Int64GetDatum(task->task_id);
	VALUE(JOB_QUEUE_NUMBER) = Int32GetDatum(task->queue_number);
	VALUE(JOB_DEAD_LETTER_QUEUE) = CStringGetTextDatum(task->dead_letter_queue);
	VALUE(JOB_DESTINATION) = CStringGetTextDatum(task->destination);
	IS_NULL(JOB_DESTINATION) = task->destination[0] == '\0';
	VALUE(JOB_MAX_PER_SECOND) = Int32GetDatum(task->max_per_second);
	IS_NULL(JOB_MAX_PER_SECOND) = task->max_per_second == 0;
	VALUE(JOB_STATE) = CStringGetTextDatum(task->state);
	VALUE(JOB_MOVED) = Int64GetDatum(task->moved);
	VALUE(JOB_REMAINING) = Int64GetDatum(task->remaining);
	VALUE(JOB_STARTED_AT) = TimestampTzGetDatum(task->started_at);
	VALUE(JOB_LAST_ROUND_AT) = TimestampTzGetDatum(task->last_round_at);
	IS_NULL(JOB_LAST_ROUND_AT) = task->last_round_at == 0;
	VALUE(JOB_ENDED_AT) = TimestampTzGetDatum(task->ended_at);
	IS_NULL(JOB_ENDED_AT) = task->ended_at == 0;
	VALUE(JOB_ERROR) = task->error != NULL ?
		CStringGetTextDatum(task->error) : (Datum) 0;
	IS_NULL(JOB_ERROR) = task->error == NULL;
	return heap_form_tuple(descriptor, values, nulls);
}

static int
compare_tasks(const ListCell *a, const ListCell *b)
{
	const RedriveTask *left = lfirst(a);
	const RedriveTask *right = lfirst(b);

	return (left->task_id > right->task_id) - (left->task_id < right->task_id);
}

List *
tasks_running(Relation tasks)
{
	List	   *running = NIL;
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin(&rows, tasks);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		RedriveTask *task = palloc(sizeof(RedriveTask));

		task_read(task, tuple, RelationGetDescr(tasks));
		if (strcmp(task->state, TASK_RUNNING) == 0)
			running = lappend(running, task);
	}
	rows_end(&rows);
	list_sort(running, compare_tasks);
	return running;
}

bool
task_find(Relation tasks, int64 task_id, RedriveTask *task)
{
	RowScan		rows;
	HeapTuple	tuple;
	bool		found = false;

	rows_begin(&rows, tasks);
	while (!found && (tuple = rows_next(&rows)) != NULL)
	{
		task_read(task, tuple, RelationGetDescr(tasks));
		found = task->task_id == task_id;
	}
	rows_end(&rows);
	return found;
}

void
task_insert(Relation tasks, RedriveTask *task)
{
	task->task_id =
		nextval_internal(catalog_object(CATALOG_REDRIVE_TASK_ID_SEQ), false);
	CatalogTupleInsert(tasks, task_form(task, RelationGetDescr(tasks)));
	CommandCounterIncrement();
}

void
task_update(Relation tasks, const RedriveTask *task)
{
	ItemPointerData address = task->address;

	CatalogTupleUpdate(tasks, &address, task_form(task, RelationGetDescr(tasks)));
	CommandCounterIncrement();
}
