/*
 * status.c
 *		server_status: what runs in the background, for a DBA's first look.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/shared.h"

PG_FUNCTION_INFO_V1(decouple_server_status);

static void
add_row(FunctionCallInfo fcinfo, const char *item, const char *state,
		const char *hint)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[3];
	bool		nulls[3] = {false, false, hint == NULL};

	values[0] = CStringGetTextDatum(item);
	values[1] = CStringGetTextDatum(state);
	values[2] = hint == NULL ? (Datum) 0 : CStringGetTextDatum(hint);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static int
seconds_since(TimestampTz time)
{
	return (int) ((GetCurrentTimestamp() - time) / USECS_PER_SEC);
}

static char *
running_state(const WorkerPlace *place)
{
	return psprintf("pid %d, for %d s, last round %d s ago", (int) place->pid,
					seconds_since(place->started_at),
					place->round_at == 0 ? 0 : seconds_since(place->round_at));
}

static void
add_worker_row(FunctionCallInfo fcinfo, const WorkerPlace *place)
{
	if (place->pid != 0)
		add_row(fcinfo, "worker", running_state(place), NULL);
	else if (!decouple_upkeep)
		add_row(fcinfo, "worker", "off",
				"Set decouple.upkeep = on and reload, or let a scheduler run CALL decouple.maintain() every minute.");
	else if (place->no_process)
		add_row(fcinfo, "worker", "no process is free",
				"Increase max_worker_processes and restart the server.");
	else
		add_row(fcinfo, "worker", "not yet",
				"It starts when a session uses a queue; otherwise look into the server's log.");
}

/* only where there is something to call, or was a minute ago */
static void
add_function_worker_row(FunctionCallInfo fcinfo, const WorkerPlace *place)
{
	if (place->pid != 0)
		add_row(fcinfo, "function worker", running_state(place), NULL);
	else if (place->no_process)
		add_row(fcinfo, "function worker", "no process is free",
				"Functions hold up other deliveries until you increase max_worker_processes and restart the server.");
}

static void
add_room_row(FunctionCallInfo fcinfo)
{
	int			used = shared->queue_count;

	add_row(fcinfo, "shared memory",
			psprintf("%d of %d queues", used, decouple_max_queues),
			used >= decouple_max_queues ?
			"Increase decouple.max_queues: the queues beyond it work as if the library were not preloaded." :
			NULL);
}

/*
 * server_status() -> SETOF (item text, state text, hint text)
 */
Datum
decouple_server_status(PG_FUNCTION_ARGS)
{
	DatabaseEntry entry = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (shared == NULL || !database_is_shared())
	{
		add_row(fcinfo, "preloaded", "no",
				"Add decouple to shared_preload_libraries and restart the server. Until then waiting polls.");
		add_row(fcinfo, "upkeep", "by hand",
				"Let pg_cron, or any other scheduler, run CALL decouple.maintain() every minute.");
		return (Datum) 0;
	}
	add_row(fcinfo, "preloaded", "yes", NULL);
	if (RecoveryInProgress())
	{
		add_row(fcinfo, "worker", "none, this is a standby",
				"It starts after a promotion.");
		return (Datum) 0;
	}
	add_row(fcinfo, "launcher", database_launcher_runs() ? "running" : "not running",
			database_launcher_runs() ? NULL :
			"It starts again within a second; if not, look into the server's log.");
	(void) database_find(MyDatabaseId, &entry);
	add_worker_row(fcinfo, &entry.workers[WORKER_UPKEEP]);
	add_function_worker_row(fcinfo, &entry.workers[WORKER_FUNCTIONS]);
	add_room_row(fcinfo);
	return (Datum) 0;
}
