/*
 * retry.h
 *		When does a message that failed come back?
 */
#ifndef DECOUPLE_RETRY_H
#define DECOUPLE_RETRY_H

#include "queue/definition.h"

/*
 * The delay of the queue's retry policy in microseconds: retry_delay, growing
 * with the number of receives in this queue, at most retry_max_delay.  It is
 * shortened at random by up to a quarter, so that messages that failed
 * together do not come back together.
 */
extern int64 retry_delay(const QueueDefinition *definition, int32 receives);

#endif							/* DECOUPLE_RETRY_H */
