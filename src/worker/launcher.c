/*
 * launcher.c
 *		Starts the workers of each database that has the extension.
 *
 * The launcher is connected to no database, so it is in nobody's way, and is
 * restarted by the postmaster whatever happens.  Which databases have the
 * extension it cannot see: it asks each once, at its start, by a worker that
 * leaves at once where there is none; later sessions that use decouple ask.
 * Workers never restart themselves (after DROP DATABASE that would go on for
 * ever): the launcher does it, after a pause that grows while they fail.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/shared.h"
#include "worker/launcher.h"

extern PGDLLEXPORT void decouple_launcher_main(Datum argument);

/* how long a worker that failed is not started again: at first, at most */
#define RESTART_FIRST_MS	1000
#define RESTART_LAST_MS		60000

/* a worker that ran so long has not failed at once */
#define RAN_WELL_MS			60000

/* at least so often the launcher looks at all databases */
#define LOOK_MS				10000

/* the launcher's view of a worker, by the number of its entry and its kind */
typedef struct Launched
{
	Oid			database;
	BackgroundWorkerHandle *handle; /* NULL: none was started, or it ended */
	TimestampTz started_at;
	TimestampTz not_before;
	long		pause;			/* in milliseconds */
} Launched;

static Launched launched[DATABASES_MAX][WORKER_KINDS];

/* what a worker of each kind is called, and runs */
static const struct
{
	const char *name;
	const char *function;
}			worker_kinds[WORKER_KINDS] = {
	[WORKER_UPKEEP] = {"decouple worker", "decouple_worker_main"},
	[WORKER_FUNCTIONS] = {"decouple function worker", "decouple_function_worker_main"},
};

void
launcher_init(void)
{
	BackgroundWorker worker = {0};

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "decouple", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "decouple_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "decouple launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "decouple launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/*
 * The databases there are; with only_served those that sessions can connect
 * to and that are no templates.
 */
static List *
list_databases(bool only_served)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *databases = NIL;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext before;

		if (only_served &&
			(!database->datallowconn || database->datistemplate))
			continue;
		before = MemoryContextSwitchTo(caller);
		databases = lappend_oid(databases, database->oid);
		MemoryContextSwitchTo(before);
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	return databases;
}

static bool
start_worker(Launched *mine, WorkerKind kind)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "decouple", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, worker_kinds[kind].function, BGW_MAXLEN);
	strlcpy(worker.bgw_name, worker_kinds[kind].name, BGW_MAXLEN);
	strlcpy(worker.bgw_type, worker_kinds[kind].name, BGW_MAXLEN);
	worker.bgw_main_arg = ObjectIdGetDatum(mine->database);
	worker.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&worker, &mine->handle);
}

/* Has the worker ended?  Then it may be started again after a pause. */
static void
reap(Launched *mine, TimestampTz now)
{
	pid_t		pid;

	if (mine->handle == NULL ||
		GetBackgroundWorkerPid(mine->handle, &pid) != BGWH_STOPPED)
		return;
	pfree(mine->handle);
	mine->handle = NULL;
	if (now - mine->started_at >= RAN_WELL_MS * INT64CONST(1000))
		mine->pause = 0;
	mine->not_before = TimestampTzPlusMilliseconds(now, mine->pause);
	mine->pause = Min(Max(mine->pause * 2, RESTART_FIRST_MS), RESTART_LAST_MS);
}

/* Starts or stops a worker of an entry; returns when to look again. */
static TimestampTz
serve(Launched *mine, WorkerKind kind, const DatabaseEntry *entry,
	  TimestampTz now)
{
	TimestampTz due;
	static bool complained = false;

	if (mine->database != entry->database && mine->handle == NULL)
	{
		memset(mine, 0, sizeof(*mine));
		mine->database = entry->database;
	}
	reap(mine, now);
	if (!decouple_upkeep)
	{
		if (mine->handle != NULL)
			TerminateBackgroundWorker(mine->handle);
		return DT_NOEND;
	}
	if (mine->handle != NULL || mine->database != entry->database ||
		!OidIsValid(entry->database) || !entry->workers[kind].asked ||
		entry->without)
		return DT_NOEND;
	due = Max(mine->not_before, entry->away_until);
	if (due > now)
		return due;
	if (start_worker(mine, kind))
	{
		mine->started_at = now;
		return DT_NOEND;
	}
	database_note_no_process(entry->database, kind);
	if (!complained)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker process is free for decouple"),
				 errhint("You may need to increase max_worker_processes.")));
	complained = true;
	mine->not_before = TimestampTzPlusMilliseconds(now, RESTART_LAST_MS / 6);
	return mine->not_before;
}

/* One look at all databases; returns when to look again. */
static TimestampTz
serve_all(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next = TimestampTzPlusMilliseconds(now, LOOK_MS);
	DatabaseEntry entry;

	for (int i = 0; database_entry(i, &entry); i++)
	{
		for (int kind = 0; kind < WORKER_KINDS; kind++)
		{
			TimestampTz due;

			/* where it was without, a session may ask again at any time */
			if (entry.without)
				launched[i][kind].pause = 0;
			due = serve(&launched[i][kind], kind, &entry, now);
			next = Min(next, due);
		}
	}
	return next;
}

/* Frees what queues of dropped databases have left in shared memory. */
static void
free_slots(List *databases)
{
	QueueSlot  *slot;

	for (int i = 0; (slot = slot_by_index(i)) != NULL; i++)
	{
		Oid			database = slot->database;

		if (OidIsValid(database) && !list_member_oid(databases, database))
			slot_free(slot, database, slot->number);
	}
}

/* Makes entries for all databases, and frees those of dropped ones. */
static void
update_entries(bool add)
{
	List	   *databases = list_databases(false);
	ListCell   *cell;
	DatabaseEntry entry;

	for (int i = 0; database_entry(i, &entry); i++)
	{
		if (OidIsValid(entry.database) &&
			!list_member_oid(databases, entry.database))
			database_forget(entry.database);
	}
	free_slots(databases);
	list_free(databases);
	if (!add)
		return;
	databases = list_databases(true);
	foreach(cell, databases)
		database_add(lfirst_oid(cell));
	list_free(databases);
}

void
decouple_launcher_main(Datum argument)
{
	TimestampTz updated_at;
	bool		first = true;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	database_attach_launcher();
	pgstat_report_appname("decouple launcher");
	updated_at = 0;
	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz next;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (first || now - updated_at >= LOOK_MS * INT64CONST(6000))
		{
			update_entries(first);
			first = false;
			updated_at = now;
		}
		next = serve_all();
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Max(TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
															 next), 10),
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}
