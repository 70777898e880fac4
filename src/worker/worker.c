/*
 * worker.c
 *		The workers of one database: wait, tick, report.
 *
 * There is one for upkeep, and one for functions while there are some to be called;
 * they differ in what they do at a tick.  A worker holds no lock and no snapshot between two pieces of work.  An error is
 * logged, ends the piece that was under way, and costs a pause; the worker goes
 * on.  When the extension is gone it leaves.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "delivery/egress.h"
#include "delivery/lanes.h"
#include "worker/functions.h"
#include "worker/tick.h"

extern PGDLLEXPORT void decouple_worker_main(Datum argument);
extern PGDLLEXPORT void decouple_function_worker_main(Datum argument);

/* the pause after an error grows up to so many milliseconds */
#define ERROR_PAUSE_LAST_MS		60000

typedef struct Work
{
	const char *activity;
	long		(*tick) (void);
	void		(*tick_failed) (void);
} Work;

static const Work works[WORKER_KINDS] = {
	[WORKER_UPKEEP] = {"decouple: upkeep", worker_tick, worker_tick_failed},
	[WORKER_FUNCTIONS] = {"decouple: functions", functions_tick, lanes_failed},
};

static void
add_error_context(void *argument)
{
	errcontext("decouple's worker");
}

/* Is the extension in this database, in the version that we can work with? */
static bool
extension_is_there(void)
{
	bool		there;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	there = OidIsValid(get_extension_oid("decouple", true));
	CommitTransactionCommand();
	return there;
}

/*
 * A tick; after an error the number of milliseconds to pause, which doubles
 * with each error in a row.
 */
static long
tick_safely(const Work *work, long *error_pause)
{
	MemoryContext context = TopMemoryContext;
	volatile long pause = 0;

	PG_TRY();
	{
		pgstat_report_activity(STATE_RUNNING, work->activity);
		pause = work->tick();
		pgstat_report_activity(STATE_IDLE, NULL);
		*error_pause = 0;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		work->tick_failed();
		*error_pause = Min(Max(*error_pause * 2, decouple_upkeep_interval),
						   ERROR_PAUSE_LAST_MS);
		pgstat_report_activity(STATE_IDLE, NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return *error_pause > 0 ? *error_pause : pause;
}

/* Sleeps; with wakeable, until the latch is set or decouple-egress speaks. */
static void
sleep_for(long milliseconds, bool wakeable)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  milliseconds);

	for (;;)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														   end);
		int			socket_events;
		pgsocket	socket = egress_socket(&socket_events);
		int			events;

		if (left <= 0)
			return;
		if (!wakeable || socket == PGINVALID_SOCKET)
			socket_events = 0;
		events = WaitLatchOrSocket(MyLatch,
								   WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH |
								   socket_events,
								   socket, left, PG_WAIT_EXTENSION);
		if (wakeable && (events & (WL_LATCH_SET | socket_events)) != 0)
			return;
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
set_options(void)
{
	/* its work can be done again */
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
	/* where it and a user's DDL wait for each other, it gives way first */
	SetConfigOption("deadlock_timeout", "100ms", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", "2s", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_USERSET,
					PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed",
					PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET,
					PGC_S_OVERRIDE);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					PGC_S_OVERRIDE);
}

static void
run(Oid database, WorkerKind kind)
{
	const Work *work = &works[kind];
	ErrorContextCallback callback = {0};
	long		error_pause = 0;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	set_options();
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
	callback.callback = add_error_context;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (!database_attach_worker(kind))
		proc_exit(0);
	for (;;)
	{
		long		pause;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (!extension_is_there())
		{
			database_note_without();
			proc_exit(0);
		}
		pause = tick_safely(work, &error_pause);
		database_note_round();
		if (pause == WORKER_DONE)
			proc_exit(0);
		sleep_for(pause, error_pause == 0);
	}
}

void
decouple_worker_main(Datum argument)
{
	lanes_hand_over(functions_hand_over);
	run(DatumGetObjectId(argument), WORKER_UPKEEP);
}

void
decouple_function_worker_main(Datum argument)
{
	run(DatumGetObjectId(argument), WORKER_FUNCTIONS);
}
