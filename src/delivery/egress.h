/*
 * egress.h
 *		The program decouple-egress, as this process has it: started, spoken to,
 *		and started again when it has ended.
 *
 * It is a child with one end of a socket pair; frames go both ways
 * (egress/frame.h).  Nothing here waits: what cannot be written yet is kept, and
 * what is not there to be read yet comes later.
 */
#ifndef DECOUPLE_EGRESS_H
#define DECOUPLE_EGRESS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "utils/guc.h"

#include "egress/frame.h"

/* decouple.egress_allow is a list of networks, or is refused */
extern bool egress_allow_check(char **value, void **extra, GucSource source);

/*
 * Does it run?  If not it is started, unless it has just failed: then *retry_at
 * is when it will be tried again.
 */
extern bool egress_ensure(TimestampTz *retry_at);

/* where to put frames for it */
extern FrameBuffer *egress_output(void);

/* how much of that is not written yet */
extern size_t egress_backlog(void);

/* called for each outcome that it tells */
typedef void (*EgressOutcome) (uint64 id, int verdict, int32 status,
							   int32 retry_after, const char *error,
							   size_t error_length);

/*
 * Writes and reads what can be.  False where it has ended: what it was given and
 * has not told of is lost.
 */
extern bool egress_pump(EgressOutcome outcome);

/* the socket to wait for, and for what; PGINVALID_SOCKET where it does not run */
extern pgsocket egress_socket(int *events);

#endif							/* DECOUPLE_EGRESS_H */
