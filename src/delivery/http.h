/*
 * http.h
 *		Deliveries by HTTP: taken, committed, sent; settled when the answer comes.
 *
 * No transaction is open while a request is under way: what is taken is hidden
 * for as long as the request may last and a while more, and is settled only if it
 * is still ours.  Who dies between the two sends it again: at least once.
 */
#ifndef DECOUPLE_HTTP_H
#define DECOUPLE_HTTP_H

#include "postgres.h"

#include "base/steps.h"
#include "delivery/delivery.h"

extern void http_init(void);

/*
 * Takes what the endpoint has room for in the current transaction.  True if there
 * may be more; *again_at is when there will be room, DT_NOEND where an outcome
 * tells that.
 */
extern bool http_take(const DeliveryRoute *route, int allowance, int *taken,
					  TimestampTz *again_at);

/* the transaction has committed: sends what was taken in it */
extern void http_send(void);

/*
 * Settles what has been answered, in steps.  True where something was: there may
 * be room again.
 */
extern bool http_settle(EndStep end_step);

/* talks to decouple-egress; true where there is something to settle */
extern bool http_pump(void);

/* how many requests are under way */
extern int	http_under_way(void);

#endif							/* DECOUPLE_HTTP_H */
