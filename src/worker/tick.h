/*
 * tick.h
 *		What a database's worker does each time it wakes.
 */
#ifndef DECOUPLE_TICK_H
#define DECOUPLE_TICK_H

#include "postgres.h"

/*
 * Does what is due, each piece in a transaction of its own, outside of any.
 * Returns how many milliseconds may pass until it has to be called again, if
 * nobody sets the worker's latch before: at most upkeep_interval.
 *
 * An error in a piece of work comes out as an error, with the transaction
 * still open: the caller aborts it and calls again.
 */
extern long worker_tick(void);

/* what a worker's tick returns that has nothing to do and shall end */
#define WORKER_DONE		(-1)

/* the last tick ended with an error: what it was at is begun anew later */
extern void worker_tick_failed(void);

#endif							/* DECOUPLE_TICK_H */
