/*
 * leave.c
 *		The workers leave a database that somebody needs for himself.
 *
 * DROP DATABASE, ALTER DATABASE ... RENAME and SET TABLESPACE, and CREATE
 * DATABASE with the database as template are refused by PostgreSQL while another
 * session is connected.  So the session that runs one of them first asks the
 * workers to leave, keeps them away for the time of the command, and lets them
 * come back.  Where the session dies meanwhile, the time limit does.
 *
 * Whoever does not own the database asks in vain: PostgreSQL will refuse the
 * command anyway.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#include "base/database.h"
#include "base/version.h"
#include "worker/launcher.h"

/* how long workers are kept away at most, and waited for */
#define AWAY_MS		60000
#define WAIT_MS		3000

static ProcessUtility_hook_type next_hook = NULL;

static const char *
option_value(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

/* The name of the database that the command needs for itself, or NULL. */
static const char *
needed_database(Node *command)
{
	switch (nodeTag(command))
	{
		case T_DropdbStmt:
			return castNode(DropdbStmt, command)->dbname;
		case T_CreatedbStmt:
			return option_value(castNode(CreatedbStmt, command)->options,
								"template");
		case T_AlterDatabaseStmt:
			return option_value(castNode(AlterDatabaseStmt, command)->options,
								"tablespace") != NULL ?
				castNode(AlterDatabaseStmt, command)->dbname : NULL;
		case T_RenameStmt:
			return castNode(RenameStmt, command)->renameType == OBJECT_DATABASE ?
				castNode(RenameStmt, command)->subname : NULL;
		default:
			return NULL;
	}
}

/* Waits until the process is gone; gives up after a while. */
static void
wait_until_gone(pid_t worker)
{
	for (int i = 0; i < WAIT_MS / 10 && BackendPidGetProc(worker) != NULL; i++)
	{
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 10, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
run_next(PlannedStmt *pstmt, const char *query, bool read_only,
		 ProcessUtilityContext context, ParamListInfo params,
		 QueryEnvironment *environment, DestReceiver *receiver,
		 QueryCompletion *completion)
{
	if (next_hook)
		next_hook(pstmt, query, read_only, context, params, environment,
				  receiver, completion);
	else
		standard_ProcessUtility(pstmt, query, read_only, context, params,
								environment, receiver, completion);
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *receiver,
				QueryCompletion *completion)
{
	const char *name = needed_database(pstmt->utilityStmt);
	volatile bool come_back = true;
	pid_t		workers[WORKER_KINDS];
	Oid			database = name == NULL || !IsTransactionState() ?
		InvalidOid : get_database_oid(name, true);

	if (!OidIsValid(database) || !database_is_shared() ||
		!owns_database(database))
	{
		run_next(pstmt, query, read_only, context, params, environment,
				 receiver, completion);
		return;
	}
	PG_TRY();
	{
		database_keep_away(database, AWAY_MS, workers);
		for (int kind = 0; kind < WORKER_KINDS; kind++)
		{
			if (workers[kind] != 0)
				wait_until_gone(workers[kind]);
		}
		run_next(pstmt, query, read_only, context, params, environment,
				 receiver, completion);
		/* to one that is dropped they shall not come back before the commit */
		come_back = !IsA(pstmt->utilityStmt, DropdbStmt);
	}
	PG_FINALLY();
	{
		if (come_back)
			database_keep_away(database, 0, workers);
	}
	PG_END_TRY();
}

void
leave_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
