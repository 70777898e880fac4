/*
 * retry.c
 *		When does a message that failed come back?
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "queue/retry.h"

int64
retry_delay(const QueueDefinition *definition, int32 receives)
{
	double		delay = (double) definition->retry_delay;
	double		limit = definition->retry_max_delay > 0 ?
		(double) definition->retry_max_delay : (double) USECS_PER_LEASE_MAX;

	switch (definition->retry_backoff)
	{
		case BACKOFF_NONE:
			break;
		case BACKOFF_LINEAR:
			delay *= Max(receives, 1);
			break;
		case BACKOFF_EXPONENTIAL:
			/* beyond 2^62 microseconds the limit decides anyway */
			delay *= (double) (INT64CONST(1) << Min(Max(receives - 1, 0), 62));
			break;
	}
	delay = Min(delay, limit);
	return (int64) (delay * (1.0 - 0.25 * pg_prng_double(&pg_global_prng_state)));
}
