/*
 * maintain.c
 *		CALL decouple.maintain(): one round of all upkeep.
 *
 * Each step is a short transaction of its own.  In a transaction block the
 * round is done there without committing; all of it then comes or goes with
 * that transaction, and nothing is sent by HTTP.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"

#include "security/policy.h"
#include "worker/round.h"

PG_FUNCTION_INFO_V1(decouple_maintain);

static void
commit_step(void)
{
	SPI_commit();
	EnsurePortalSnapshotExists();
	CHECK_FOR_INTERRUPTS();
}

static void
go_on(void)
{
	CHECK_FOR_INTERRUPTS();
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
	round_all(atomic ? go_on : commit_step, !atomic);
	SPI_finish();
	PG_RETURN_VOID();
}
