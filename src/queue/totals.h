/*
 * totals.h
 *		The counters of a queue, kept over a restart.
 */
#ifndef DECOUPLE_TOTALS_H
#define DECOUPLE_TOTALS_H

#include "postgres.h"

/* adds what earlier lives of the server counted, once in this one */
extern void totals_load(int32 number);

/* writes the counters to decouple.queue_totals if they have changed */
extern void totals_fold(int32 number);

/* removes rows of queues that are no more */
extern void totals_forget(void);

#endif							/* DECOUPLE_TOTALS_H */
