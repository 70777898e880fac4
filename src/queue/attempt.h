/*
 * attempt.h
 *		A receive that is repeated: the same attempt gets the same messages.
 *
 * Who does not know whether a receive from a FIFO queue succeeded (the
 * connection broke) repeats it with the same attempt_id.  For five minutes, and
 * while their visibility lasts and none of them was deleted or had its
 * visibility changed, it gets the same messages with the same receipts, hidden
 * anew; else it is an ordinary receive (sqs: ReceiveRequestAttemptId; reference
 * 1.6).
 *
 * One row of decouple.receive_attempts for each that got something.
 */
#ifndef DECOUPLE_ATTEMPT_H
#define DECOUPLE_ATTEMPT_H

#include "queue/call.h"

/* how long an attempt can be repeated */
#define ATTEMPT_KEPT	(5 * USECS_PER_MINUTE)

/*
 * Repeats an attempt, hiding its messages until "until", into "result".  False
 * where there is nothing to repeat.  Repetitions at the same time wait for each
 * other until commit.
 */
extern bool attempt_repeat(QueueCall *call, const text *attempt_id,
						   TimestampTz now, TimestampTz until,
						   MessageResult *result);

/*
 * Remembers what an attempt received that was not to be repeated, and until when
 * that is hidden.
 */
extern void attempt_remember(QueueCall *call, const text *attempt_id,
							 TimestampTz now, TimestampTz until,
							 const Receipt *receipts, int count);

#endif							/* DECOUPLE_ATTEMPT_H */
