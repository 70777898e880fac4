/*
 * redrive.h
 *		Redrive tasks: dead letters go back, a round at a time.
 */
#ifndef DECOUPLE_REDRIVE_H
#define DECOUPLE_REDRIVE_H

#include "nodes/pg_list.h"

/* the ids of running tasks, palloc'ed int64s, oldest first */
extern List *redrive_running(void);

/*
 * Moves up to "limit" messages of a task, in the current transaction, and
 * notes progress.  False where this round has nothing more to do: the task
 * has ended, its rate is used up, or somebody holds the table of tasks.
 */
extern bool redrive_step(int64 task_id, int limit);

#endif							/* DECOUPLE_REDRIVE_H */
