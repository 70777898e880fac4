/*
 * round.h
 *		Upkeep in steps: what is urgent, what can be spread over time, and all.
 */
#ifndef DECOUPLE_ROUND_H
#define DECOUPLE_ROUND_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "base/steps.h"
#include "queue/upkeep.h"

/*
 * All upkeep of all queues and topics, to its end: maintain().  With "outside"
 * also what leaves the database.
 */
extern void round_all(EndStep end_step, bool outside);

/*
 * What is due of the queues that are in shared memory: rolled-back receives,
 * recounts; with fold, totals are kept too.
 */
extern void round_urgent(EndStep end_step, bool fold);

/* a bounded number of messages of each redrive that runs; true: there is more */
extern bool round_redrive(EndStep end_step);

/* a pass over all queues, spread over many calls */
typedef struct SpreadPass
{
	MemoryContext context;		/* of what follows; the caller's */
	List	   *queues;			/* names of those that are still to come */
	UpkeepPass	queue_pass;		/* of the first of them */
} SpreadPass;

/*
 * Begins a pass, where none is under way, and goes on with it for about so
 * long; true when it has come to its end.
 */
extern bool round_spread(SpreadPass *pass, EndStep end_step, long milliseconds);

/* leaves out what is left of the pass's current queue */
extern void round_skip(SpreadPass *pass);

#endif							/* DECOUPLE_ROUND_H */
