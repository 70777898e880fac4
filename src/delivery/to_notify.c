/*
 * to_notify.c
 *		To those who LISTEN: the message as the payload.
 *
 * Nothing tells whether somebody listens, so a delivery is done when the
 * notification is sent.  A commit with notifications takes a lock of the whole
 * cluster for a moment: so it is the worker's, one for many, and never a
 * publisher's.
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/builtins.h"

#include "delivery/transport.h"

/* a payload is shorter than 8000 bytes (LISTEN, NOTIFY) */
#define PAYLOAD_MAX		7999

void
to_notify(const DeliveryRoute *route, const Delivery *delivery,
		  Outcome *outcome)
{
	text	   *body = DatumGetTextPP(ROW_VALUE(&delivery->row, MESSAGE_BODY));

	/* what is larger tells its id */
	Async_Notify(route->subscription->endpoint,
				 VARSIZE_ANY_EXHDR(body) <= PAYLOAD_MAX ?
				 text_to_cstring(body) :
				 psprintf("{\"message_id\": " INT64_FORMAT "}",
						  delivery_message_id(delivery)));
	outcome->kind = OUTCOME_DELIVERED;
}
