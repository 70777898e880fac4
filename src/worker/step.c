/*
 * step.c
 *		A worker's work in steps: each is a transaction of its own.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "worker/step.h"

static MemoryContext step_context = NULL;

void
steps_begin(void)
{
	if (step_context == NULL)
		step_context = AllocSetContextCreate(TopMemoryContext, "decouple tick",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(step_context);
	MemoryContextSwitchTo(step_context);
}

void
step_begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(step_context);
}

void
step_commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
	CHECK_FOR_INTERRUPTS();
}

void
step_end(void)
{
	step_commit();
	step_begin();
}
