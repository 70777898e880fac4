/*
 * wait.h
 *		A call that waits for messages of some queues.
 *
 * The caller joins, looks, and sleeps where it found nothing, again and again:
 * what is committed after the look wakes it.  Nothing here holds a lock, a
 * snapshot or memory while asleep.
 */
#ifndef DECOUPLE_WAIT_H
#define DECOUPLE_WAIT_H

#include "datatype/timestamp.h"

#include "queue/definition.h"

typedef struct Wait
{
	TimestampTz start;
	int			seen;			/* queues, up to room */
	int			room;
	int32	   *numbers;
	int64		wait_time;		/* of the most patient of them */
	bool		joined;			/* all of their lists */
	long		pause;			/* where it polls */
} Wait;

extern void wait_begin(Wait *wait, int queue_count);

/* the caller looked at that queue */
extern void wait_saw(Wait *wait, const QueueDefinition *definition);

/* joins the lists of all queues that were seen, before the next look */
extern void wait_join(Wait *wait);

/*
 * Sleeps until there may be something, or it is time to look; false when
 * wait_time (microseconds since the beginning) is over.
 */
extern bool wait_sleep(Wait *wait, int64 wait_time);

extern void wait_end(Wait *wait);

#endif							/* DECOUPLE_WAIT_H */
