/*
 * waiting.h
 *		Sessions that wait for messages, and those that wake them.
 *
 * A session that waits puts itself on the list of each queue, looks once
 * more, and sleeps on its latch.  Whoever makes a message available takes
 * the first off the list and sets its latch: one message wakes one.  A session
 * that was woken and leaves without the message (it was cancelled, another
 * was faster) wakes the next one; so a wake-up is never lost with it.
 *
 * What becomes due by time, the database's worker notices and wakes; without
 * a worker those who wait look by themselves, at growing intervals.
 */
#ifndef DECOUPLE_WAITING_H
#define DECOUPLE_WAITING_H

#include "base/shared.h"

/* cleans up after waits that ended with an error */
extern void waiting_init(void);

/*
 * Puts this session on the list of a queue, if it is not there.  False where
 * it cannot: then it has to poll.
 */
extern bool waiting_join(int32 number);

/*
 * Leaves all lists.  Whoever took us off one since we last looked there did it
 * in vain: the next one is woken.
 */
extern void waiting_leave(void);

/* was this session taken off a list? */
extern bool waiting_woken(void);

/* it has looked at all its queues since it joined their lists */
extern void waiting_looked(void);

/*
 * Wakes up to "count" sessions that wait for the queue.  The slot's lock is
 * held exclusively.  Cannot fail.
 */
extern void waiting_wake(QueueSlot *slot, int64 count);

/* wakes one where something may have become due by "now" */
extern void waiting_wake_due(QueueSlot *slot, int32 number, TimestampTz now);

#endif							/* DECOUPLE_WAITING_H */
