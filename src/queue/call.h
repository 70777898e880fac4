/*
 * call.h
 *		One call on a queue: found, allowed, opened; and closed again.
 */
#ifndef DECOUPLE_CALL_H
#define DECOUPLE_CALL_H

#include "postgres.h"

#include "fmgr.h"

#include "queue/definition.h"
#include "store/store.h"

typedef struct QueueCall
{
	QueueDefinition definition;
	Store		store;
} QueueCall;

/*
 * Opens a queue to write.  "name" is a datum of type decouple.queue, "action"
 * what the policy is asked for, "call" the call's name for 25006.
 *
 * Errors: 25006 on a standby or in a read-only transaction, QU001, 55000,
 * 42501.
 */
extern void call_open(QueueCall *call, Datum name, const char *action,
					  const char *call_name);

/* the same to read: works on a standby */
extern void call_open_to_read(QueueCall *call, Datum name, const char *action);

/*
 * Opens a queue to write for one of decouple's own purposes: nobody's rights
 * are asked.  False where it is gone or its table is unfit.
 */
extern bool call_open_if_fit(QueueCall *call, const char *name);

/* the same, but false also where it would have to wait for its table */
extern bool call_open_quietly(QueueCall *call, const char *name);

/* as call_open_if_fit, to read */
extern bool call_open_to_see(QueueCall *call, const char *name);

/* closes; the locks stay until the transaction ends */
extern void call_close(QueueCall *call);

/* closes a call that wrote nothing and gives the locks back */
extern void call_release(QueueCall *call);

/* adds one row of type decouple.message to the result of a set function */
typedef struct MessageResult
{
	Tuplestorestate *store;
	TupleDesc	descriptor;
	Datum		no_attributes;	/* {} */
	MemoryContext row_context;	/* reset after each row */
} MessageResult;

extern void message_result_begin(MessageResult *result,
								 FunctionCallInfo fcinfo);
extern void message_result_add(MessageResult *result, const QueueCall *call,
							   MessageRow *row,
							   const Receipt *receipt);

#endif							/* DECOUPLE_CALL_H */
