/*
 * redrive.c
 *		redrive and cancel_redrive: dead letters go back where they came from.
 *
 * redrive() notes a task; rounds of maintain() do the work.  A task takes
 * what was in the dead-letter queue when it began, so a message that fails
 * again meanwhile is not sent round for ever.  What consumers hold is taken
 * once it is visible again; a message that never was in another queue has
 * nowhere to go back to, and stays unless there is a destination.
 *
 * Messages go back as new ones (sqs: StartMessageMoveTask), with new ids;
 * original_id keeps the id that send returned.
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/settings.h"
#include "queue/call.h"
#include "queue/redrive.h"
#include "queue/redrive_task.h"
#include "security/policy.h"
#include "store/group.h"
#include "store/visit.h"

PG_FUNCTION_INFO_V1(decouple_redrive);
PG_FUNCTION_INFO_V1(decouple_cancel_redrive);

#define RATE_MAX	1000000

static Relation
open_tasks(void)
{
	return table_open(catalog_object(CATALOG_REDRIVE_JOBS),
					  ShareRowExclusiveLock);
}

/* ---- which messages a task moves ---- */

static TimestampTz
row_due_at(const MessageRow *row)
{
	return DatumGetTimestampTz(ROW_IS_NULL(row, MESSAGE_DUE_AT) ?
							   ROW_VALUE(row, MESSAGE_SENT_AT) :
							   ROW_VALUE(row, MESSAGE_DUE_AT));
}

static bool
belongs_to_task(const RedriveTask *task, const MessageRow *row)
{
	return row_due_at(row) <= task->started_at &&
		(task->destination[0] != '\0' ||
		 !ROW_IS_NULL(row, MESSAGE_DEAD_LETTER_SOURCE));
}

/* How many are still there, whoever holds them? */
static int64
count_remaining(QueueCall *call, const RedriveTask *task, TimestampTz now)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int64		remaining = 0;

	for (ReceiptPlace place = RECEIPT_IN_QUEUE; place <= RECEIPT_IN_PARKED;
		 place++)
	{
		StoreScan	scan;

		scan_begin_snapshot(&scan, &call->store, place, snapshot);
		while (scan_next_alive(&scan, call->definition.retention, now))
		{
			if (belongs_to_task(task, &scan.row))
				remaining++;
		}
		scan_end(&scan);
	}
	UnregisterSnapshot(snapshot);
	return remaining;
}

/* ---- a task begins and ends ---- */

static bool
is_dead_letter_queue(const char *name)
{
	ListCell   *cell;

	foreach(cell, definition_names())
	{
		QueueDefinition other;

		if (definition_lookup(lfirst(cell), &other) &&
			strcmp(other.dead_letter_queue, name) == 0)
			return true;
	}
	return false;
}

/* Checks where messages shall go: it exists, is another, and is allowed. */
static void
check_destination(const QueueCall *call, const char *destination)
{
	QueueDefinition definition;

	if (strcmp(destination, call->definition.name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot redrive queue \"%s\" to itself", destination),
				 errhint("Name another destination, or none.")));
	if (!definition_lookup(destination, &definition))
		ereport(ERROR,
				(errcode(ERRCODE_QUEUE_NOT_FOUND),
				 errmsg("queue \"%s\" does not exist", destination),
				 errhint("Create it with decouple.create_queue(), or leave destination out.")));
	if (definition.fifo != call->definition.fifo)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queue \"%s\" is not of the same kind", destination),
				 errhint("Messages of a FIFO queue go to a FIFO queue, those of a standard queue to a standard queue.")));
	policy_check(definition.owner, definition.name, "send");
}

/* The task of this queue that runs already, if it is the same one. */
static int64
running_task(Relation tasks, const RedriveTask *wanted)
{
	ListCell   *cell;

	foreach(cell, tasks_running(tasks))
	{
		RedriveTask *task = lfirst(cell);

		if (task->queue_number != wanted->queue_number)
			continue;
		if (strcmp(task->destination, wanted->destination) != 0 ||
			task->max_per_second != wanted->max_per_second)
			ereport(ERROR,
					(errcode(ERRCODE_DIFFERENT_ATTRIBUTE),
					 errmsg("queue \"%s\" is being redriven with other arguments",
							wanted->dead_letter_queue),
					 errhint("Wait for task %lld, or stop it with decouple.cancel_redrive().",
							 (long long) task->task_id)));
		return task->task_id;
	}
	return 0;
}

/*
 * redrive(dead_letter_queue queue, destination queue, max_per_second int)
 *		-> bigint
 */
Datum
decouple_redrive(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	RedriveTask task = {0};
	Relation	tasks;
	int64		task_id;

	argument_required(fcinfo, 0, "dead_letter_queue");
	if (!PG_ARGISNULL(1))
		text_to_cstring_buffer(PG_GETARG_TEXT_PP(1), task.destination,
							   sizeof(task.destination));
	task.max_per_second = argument_int(fcinfo, 2, "max_per_second",
									   1, RATE_MAX, 0);
	call_open(&call, PG_GETARG_DATUM(0), "redrive", "redrive()");
	if (!is_dead_letter_queue(call.definition.name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queue \"%s\" is not a dead-letter queue",
						call.definition.name),
				 errhint("Only a queue that another one names as its dead_letter_queue is redriven.")));
	if (task.destination[0] != '\0')
		check_destination(&call, task.destination);

	strlcpy(task.dead_letter_queue, call.definition.name,
			sizeof(task.dead_letter_queue));
	task.queue_number = call.definition.number;
	task.state = TASK_RUNNING;
	task.started_at = decouple_now();
	tasks = open_tasks();
	task_id = running_task(tasks, &task);
	if (task_id == 0)
	{
		task.remaining = count_remaining(&call, &task, task.started_at);
		task_insert(tasks, &task);
		task_id = task.task_id;
	}
	table_close(tasks, NoLock);
	call_close(&call);
	PG_RETURN_INT64(task_id);
}

/*
 * cancel_redrive(dead_letter_queue queue, task_id bigint) -> boolean
 */
Datum
decouple_cancel_redrive(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	RedriveTask task;
	Relation	tasks;
	bool		cancelled;

	argument_required(fcinfo, 0, "dead_letter_queue");
	argument_required(fcinfo, 1, "task_id");
	call_open(&call, PG_GETARG_DATUM(0), "redrive", "cancel_redrive()");
	tasks = open_tasks();
	cancelled = task_find(tasks, PG_GETARG_INT64(1), &task) &&
		task.queue_number == call.definition.number &&
		strcmp(task.state, TASK_RUNNING) == 0;
	if (cancelled)
	{
		task.state = TASK_CANCELLED;
		task.ended_at = decouple_now();
		task_update(tasks, &task);
	}
	table_close(tasks, NoLock);
	call_close(&call);
	PG_RETURN_BOOL(cancelled);
}

/* ---- a round ---- */

List *
redrive_running(void)
{
	Relation	tasks = table_open(catalog_object(CATALOG_REDRIVE_JOBS),
								   AccessShareLock);
	List	   *ids = NIL;
	ListCell   *cell;

	foreach(cell, tasks_running(tasks))
	{
		int64	   *id = palloc(sizeof(int64));

		*id = ((RedriveTask *) lfirst(cell))->task_id;
		ids = lappend(ids, id);
	}
	table_close(tasks, AccessShareLock);
	return ids;
}

/* Opens a destination once per step; NULL where it is gone. */
static QueueCall *
find_destination(List **destinations, const char *name)
{
	QueueCall  *destination;
	ListCell   *cell;

	foreach(cell, *destinations)
	{
		destination = lfirst(cell);
		if (strcmp(destination->definition.name, name) == 0)
			return destination;
	}
	destination = palloc(sizeof(QueueCall));
	if (!call_open_if_fit(destination, name))
		return NULL;
	*destinations = lappend(*destinations, destination);
	return destination;
}

/* Makes a dead letter a new message. */
static void
renew(MessageRow *row, TimestampTz now)
{
	if (ROW_IS_NULL(row, MESSAGE_ORIGINAL_ID))
		row_set(row, MESSAGE_ORIGINAL_ID, ROW_VALUE(row, MESSAGE_ID));
	row_set(row, MESSAGE_ID, Int64GetDatum(store_next_id()));
	row_set_null(row, MESSAGE_VISIBLE_AT);
	row_set(row, MESSAGE_SENT_AT, TimestampTzGetDatum(now));
	row_set_null(row, MESSAGE_RECEIVE_COUNT);
	row_set_null(row, MESSAGE_FENCE);
	row_set_null(row, MESSAGE_RECEIVED_BEFORE);
	row_set_null(row, MESSAGE_FIRST_RECEIVED_AT);
	row_set_null(row, MESSAGE_DUE_AT);
	row_set_null(row, MESSAGE_DEAD_LETTER_SOURCE);
	row_set_null(row, MESSAGE_LAST_ERROR);
}

/* Moves up to "limit" messages; notes in the task what went wrong. */
static int
move_some(QueueCall *call, RedriveTask *task, int limit, TimestampTz now)
{
	List	   *destinations = NIL;
	ListCell   *cell;
	Visit		visit;
	int			moved = 0;

	visit_begin(&visit, &call->store, now, VISIT_BY_ID);
	while (moved < limit && visit_next(&visit))
	{
		MessageRow *row = &visit.current->row;
		QueueCall  *destination;
		const char *name = task->destination;

		if (row_has_expired(row, call->definition.retention, now) ||
			!belongs_to_task(task, row))
			continue;
		if (name[0] == '\0')
			name = TextDatumGetCString(ROW_VALUE(row, MESSAGE_DEAD_LETTER_SOURCE));
		destination = find_destination(&destinations, name);
		if (destination == NULL)
		{
			task->error = psprintf("queue \"%s\" does not exist", name);
			break;
		}
		/* it is sent anew, in the order of its group there */
		if (destination->definition.fifo && !ROW_IS_NULL(row, MESSAGE_GROUP_ID))
		{
			if (!group_try_lock(&destination->store,
								ROW_VALUE(row, MESSAGE_GROUP_ID)))
				break;			/* what follows is not to overtake it */
		}
		renew(row, now);
		if (!store_move(visit.current, QUEUE_TOTALS, &destination->store,
						TOTAL_SENT, now))
			continue;
		visit_took(&visit);
		moved++;
	}
	visit_end(&visit);
	foreach(cell, destinations)
		call_close(lfirst(cell));
	return moved;
}

/* How many messages may the task move now? */
static int
round_limit(const RedriveTask *task, int limit, TimestampTz now)
{
	double		elapsed;

	if (task->max_per_second == 0)
		return limit;
	if (task->last_round_at == 0)
		return Min(limit, task->max_per_second);
	elapsed = (double) (now - task->last_round_at) / USECS_PER_SEC;
	return (int) Max(0.0, Min((double) limit, elapsed * task->max_per_second));
}

static void
end_task(RedriveTask *task, char *state, TimestampTz now)
{
	task->state = state;
	task->ended_at = now;
}

bool
redrive_step(int64 task_id, int limit)
{
	Oid			tasks_oid = catalog_object(CATALOG_REDRIVE_JOBS);
	TimestampTz now = decouple_now();
	QueueCall	call;
	RedriveTask task;
	Relation	tasks;
	bool		opened;
	int			moved = 0;

	/* whoever holds it has called redrive() in an open transaction */
	if (!ConditionalLockRelationOid(tasks_oid, ShareRowExclusiveLock))
		return false;
	tasks = table_open(tasks_oid, NoLock);
	if (!task_find(tasks, task_id, &task) ||
		strcmp(task.state, TASK_RUNNING) != 0)
	{
		table_close(tasks, NoLock);
		return false;
	}

	opened = call_open_if_fit(&call, task.dead_letter_queue);
	if (!opened || call.definition.number != task.queue_number)
	{
		if (opened)
			call_close(&call);
		task.error = psprintf("queue \"%s\" does not exist",
							  task.dead_letter_queue);
		end_task(&task, TASK_FAILED, now);
	}
	else
	{
		limit = round_limit(&task, limit, now);
		moved = move_some(&call, &task, limit, now);
		CommandCounterIncrement();
		task.moved += moved;
		/* counting walks the queue: not while there is enough to move */
		if (moved > 0 && moved == limit && task.remaining > moved)
			task.remaining -= moved;
		else
			task.remaining = count_remaining(&call, &task, now);
		if (task.error != NULL)
			end_task(&task, TASK_FAILED, now);
		else if (task.remaining == 0)
			end_task(&task, TASK_COMPLETED, now);
		if (limit > 0)
			task.last_round_at = now;
		call_close(&call);
	}
	task_update(tasks, &task);
	table_close(tasks, NoLock);
	return moved > 0 && task.max_per_second == 0 && task.ended_at == 0;
}
