/*
 * maintain.c
 *		CALL decouple.maintain(): one round of all upkeep.
 *
 * Each step is a short transaction of its own, so that no lock and no
 * snapshot is held for long.  In a transaction block the round is done there
 * without committing; all of it then comes or goes with that transaction.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"

#include "queue/definition.h"
#include "queue/redrive.h"
#include "queue/upkeep.h"
#include "security/policy.h"

PG_FUNCTION_INFO_V1(decouple_maintain);

/* a redrive moves so many messages in a step, and in a round */
#define REDRIVE_STEP	1000
#define REDRIVE_ROUND	100000

/* Ends a step: its work becomes visible, and where we may, committed. */
static void
end_step(bool atomic)
{
	if (!atomic)
	{
		SPI_commit();
		EnsurePortalSnapshotExists();
	}
	CHECK_FOR_INTERRUPTS();
}

static void
tidy_queues(bool atomic)
{
	ListCell   *cell;

	foreach(cell, definition_names())
	{
		UpkeepPass	pass = {0};

		while (upkeep_step(lfirst(cell), &pass))
			end_step(atomic);
		end_step(atomic);
	}
}

static void
redrive(bool atomic)
{
	ListCell   *cell;

	foreach(cell, redrive_running())
	{
		int			budget = REDRIVE_ROUND;

		while (redrive_step(*(int64 *) lfirst(cell), REDRIVE_STEP))
		{
			end_step(atomic);
			budget -= REDRIVE_STEP;
			if (budget <= 0)
				break;
		}
		end_step(atomic);
	}
}

static void
tidy_parked(bool atomic)
{
	int32		after = 0;

	while (upkeep_parked_step(&after))
		end_step(atomic);
	end_step(atomic);
}

/*
 * maintain()
 */
Datum
decouple_maintain(PG_FUNCTION_ARGS)
{
	bool		atomic = !(fcinfo->context != NULL &&
						   IsA(fcinfo->context, CallContext) &&
						   !castNode(CallContext, fcinfo->context)->atomic);

	policy_check_administer("maintain()");
	PreventCommandIfReadOnly("maintain()");
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);
	tidy_queues(atomic);
	redrive(atomic);
	tidy_parked(atomic);
	SPI_finish();
	PG_RETURN_VOID();
}
