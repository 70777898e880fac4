/*
 * endpoints.h
 *		How endpoints do: how many requests each may have, and when not to try.
 *
 * Each URL has a limit of its own on requests under way, which grows by one with
 * each success and is halved by a failure, between 1 and 10.  After ten failures
 * in a row its breaker opens: nothing is sent for a while, which doubles up to 30
 * seconds, and then one request tries.  Deliveries wait meanwhile, and use up no
 * attempts.
 *
 * There is a limit on all requests; of these those to slow URLs (more than two
 * seconds on average) may take a quarter.  An origin (scheme, host and port) may
 * have 64, but each of its URLs always has one, so none starves another.
 *
 * All this is a process's own memory.
 */
#ifndef DECOUPLE_ENDPOINTS_H
#define DECOUPLE_ENDPOINTS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* how many more requests a URL may have; where none: *again_at, if that is known */
extern int	endpoint_room(const char *url, TimestampTz *again_at);

/* a request begins, and ends */
extern void endpoint_begin(const char *url);
extern void endpoint_end(const char *url, bool good, int64 microseconds);

/* it ended with decouple-egress: nothing is known of the URL */
extern void endpoint_forget(const char *url);

/* the limit on all requests, halved when decouple-egress dies */
extern void endpoints_egress_died(void);

/* how many requests are under way */
extern int	endpoints_under_way(void);

#endif							/* DECOUPLE_ENDPOINTS_H */
