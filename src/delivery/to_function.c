/*
 * to_function.c
 *		To a function of the database: called with the rights of the subscription's
 *		owner, in the transaction that settles the delivery.
 *
 * The call is a subtransaction: what an error undoes is the function's work, not
 * the note that it has failed.  It has a time limit of its own: then it is cancelled,
 * and where it catches that and goes on, again each second.  Settings that the
 * function changes are undone.  A cancel of the worker itself is passed on.
 *
 * The session is that of a superuser, and calls functions of other owners later.
 * So nothing that a function begins may go on when its owner's rights are given
 * back: deferred triggers and cursors WITH HOLD would run at the commit, with a
 * superuser's, and what is in pg_temp would be found by those who come later.  The
 * call is a security-restricted operation, which refuses all these, as PostgreSQL
 * does for functions in indexes and for logical replication.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "base/version.h"
#include "delivery/lanes.h"
#include "delivery/transport.h"

/* The message as the function's one argument. */
static Datum
argument_of(const Delivery *delivery, Oid type)
{
	Datum		body = ROW_VALUE(&delivery->row, MESSAGE_BODY);

	if (type == JSONBOID)
		return DirectFunctionCall1(jsonb_in,
								   CStringGetDatum(TextDatumGetCString(body)));
	if (type == JSONOID)
		return DirectFunctionCall1(json_in,
								   CStringGetDatum(TextDatumGetCString(body)));
	return body;
}

/* ---- the time limit ---- */

/* after its time limit a call is cancelled so often */
#define CANCEL_MS		1000

static volatile sig_atomic_t time_is_over = false;

/* as StatementTimeoutHandler does, and tells that it was us */
static void
end_of_time(void)
{
	time_is_over = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static TimeoutId
time_limit_id(void)
{
	static TimeoutId id = USER_TIMEOUT;
	static bool registered = false;

	if (!registered)
	{
		id = RegisterTimeout(USER_TIMEOUT, end_of_time);
		registered = true;
	}
	return id;
}

/* The call has ended: no cancel of ours may hit what comes next. */
static void
stop_time(void)
{
	disable_timeout(time_limit_id(), false);
	if (time_is_over)
		QueryCancelPending = false;
}

/* ---- what may not outlast the call ---- */

/*
 * Constraints that could be deferred are checked at once, since what is deferred is
 * refused: else no function could write to a table that has one.  In another's
 * transaction that would check what he has deferred, so it is left as it is.
 */
static void
defer_nothing(void)
{
	if (lanes_own_transaction())
		AfterTriggerSetState(makeNode(ConstraintsSetStmt));
}

/* Session-level locks of a function would be held by the worker for good. */
static void
give_locks_back(void)
{
	if (MyBackendType == B_BG_WORKER)
		LockReleaseSession(USER_LOCKMETHOD);
}

/*
 * Types in pg_temp would be found before all others by whoever comes later in this
 * session.  Recent minor releases of PostgreSQL refuse them in a restricted
 * operation, earlier ones do not.  What the session itself has there is its own.
 */
static void
refuse_temporary_types(Oid caller)
{
	Oid			temporary;
	Oid			toast;
	Relation	types;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	bool		planted = false;

	GetTempNamespaceState(&temporary, &toast);
	if (!OidIsValid(temporary))
		return;
	CommandCounterIncrement();
	ScanKeyInit(&key, Anum_pg_type_typnamespace, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(temporary));
	types = table_open(TypeRelationId, AccessShareLock);
	scan = systable_beginscan(types, InvalidOid, false, NULL, 1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
		planted |= ((Form_pg_type) GETSTRUCT(tuple))->typowner != caller &&
			TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
	systable_endscan(scan);
	table_close(types, AccessShareLock);
	if (planted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the function has created a type in pg_temp"),
				 errhint("Create it in another schema.")));
}

/* ---- the call ---- */

/* The function by its name and argument, or InvalidOid. */
static Oid
find_function(const char *signature)
{
	LOCAL_FCINFO(call, 1);
	Datum		function;

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = CStringGetTextDatum(signature);
	call->args[0].isnull = false;
	function = to_regprocedure(call);
	return call->isnull ? InvalidOid : DatumGetObjectId(function);
}

/* Looks the function up, asks for its rights, and calls it. */
static void
look_up_and_call(const DeliveryRoute *route, const Delivery *delivery,
				 Outcome *outcome)
{
	Oid			function = find_function(route->subscription->endpoint);
	FmgrInfo	flinfo;
	LOCAL_FCINFO(call, 1);
	Oid		   *types;
	int			count;

	if (!OidIsValid(function))
	{
		outcome_set(outcome, OUTCOME_HOPELESS, "the function does not exist");
		return;
	}
	if (!may_execute_function(function))
	{
		outcome_set(outcome, OUTCOME_HOPELESS,
					"the subscription's owner may not call the function");
		return;
	}
	(void) get_func_signature(function, &types, &count);
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, DEFAULT_COLLATION_OID, NULL, NULL);
	call->args[0].value = argument_of(delivery, types[0]);
	call->args[0].isnull = false;
	/* what it returns, and be it NULL, means nothing */
	(void) FunctionCallInvoke(call);
	outcome->kind = OUTCOME_DELIVERED;
}

/* The same as the subscription's owner, with a snapshot of its own. */
static void
call_as_owner(const DeliveryRoute *route, const Delivery *delivery,
			  Outcome *outcome)
{
	Oid			user;
	int			context;
	int			nest_level = NewGUCNestLevel();

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(route->owner,
						   context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	/* PostgreSQL's own default; a function that needs another one sets it */
	(void) set_config_option("search_path", "\"$user\", public, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	look_up_and_call(route, delivery, outcome);
	refuse_temporary_types(user);
	PopActiveSnapshot();
	AtEOXact_GUC(false, nest_level);
	SetUserIdAndSecContext(user, context);
}

void
to_function(const DeliveryRoute *route, const Delivery *delivery,
			Outcome *outcome)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	time_is_over = false;
	defer_nothing();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	enable_timeout_every(time_limit_id(),
						 GetCurrentTimestamp() +
						 subscription_time_limit(route->subscription),
						 CANCEL_MS);
	PG_TRY();
	{
		call_as_owner(route, delivery, outcome);
		stop_time();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		stop_time();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		/* the text may have what the message has: it is the owner's to see */
		outcome_set(outcome, OUTCOME_TRY_AGAIN,
					time_is_over ? "the function took too long" :
					error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	give_locks_back();
}
