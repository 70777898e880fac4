/*
 * metrics.h
 *		How many messages a queue has, and the oldest of them.
 */
#ifndef DECOUPLE_METRICS_H
#define DECOUPLE_METRICS_H

#include "queue/call.h"
#include "store/count.h"

typedef enum MeasureNeed
{
	COUNT_EXACTLY,				/* whatever it costs */
	COUNT_QUICKLY				/* a long queue may be counted wrong; it says so */
} MeasureNeed;

/*
 * Fills the counts, and when the oldest message was sent, or DT_NOEND.  True
 * where totals and waiters are known: with preload.
 */
extern bool queue_measure(QueueCall *call, MeasureNeed need,
						  QueueCounts *counts, TimestampTz *oldest);

#endif							/* DECOUPLE_METRICS_H */
