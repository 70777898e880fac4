/*
 * redrive_task.h
 *		A row of decouple.redrive_jobs.
 *
 * A task is running, then completed, cancelled or failed; nothing follows
 * these.  Whoever reads tasks to write them holds ShareRowExclusiveLock on
 * the table until the end of the transaction, so tasks are never written by
 * two at once and a dead-letter queue has at most one that runs.
 */
#ifndef DECOUPLE_REDRIVE_TASK_H
#define DECOUPLE_REDRIVE_TASK_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

#include "queue/definition.h"

#define TASK_RUNNING	"running"
#define TASK_COMPLETED	"completed"
#define TASK_CANCELLED	"cancelled"
#define TASK_FAILED		"failed"

typedef struct RedriveTask
{
	ItemPointerData address;
	int64		task_id;
	int32		queue_number;
	char		dead_letter_queue[QUEUE_NAME_MAX + 1];
	char		destination[QUEUE_NAME_MAX + 1];	/* "": where each came from */
	int32		max_per_second; /* 0: no limit */
	char	   *state;
	int64		moved;
	int64		remaining;
	TimestampTz started_at;
	TimestampTz last_round_at;	/* 0: none yet */
	TimestampTz ended_at;		/* 0: not yet */
	char	   *error;			/* or NULL */
} RedriveTask;

/* all tasks that run, in the order of their ids: RedriveTask pointers */
extern List *tasks_running(Relation tasks);

/* finds one by its id; false where there is none */
extern bool task_find(Relation tasks, int64 task_id, RedriveTask *task);

/* inserts a task and gives it its id; writes one that was found */
extern void task_insert(Relation tasks, RedriveTask *task);
extern void task_update(Relation tasks, const RedriveTask *task);

#endif							/* DECOUPLE_REDRIVE_TASK_H */
