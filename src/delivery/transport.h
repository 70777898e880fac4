/*
 * transport.h
 *		The ways to deliver: one row of a table for each protocol.
 *
 * A transport inside the database does its work in the transaction that takes and
 * settles the delivery, so effect and acknowledgement are one.  What leaves the
 * database has none: it is taken, sent by decouple-egress with no transaction
 * open, and settled when the answer has come (http.h).
 */
#ifndef DECOUPLE_TRANSPORT_H
#define DECOUPLE_TRANSPORT_H

#include "delivery/delivery.h"

/* tries a delivery and sets the outcome; no error leaves it but a cancel */
typedef void (*TransportCall) (const DeliveryRoute *route,
							   const Delivery *delivery, Outcome *outcome);

typedef struct Transport
{
	TransportCall call;			/* NULL: by decouple-egress */
	int			batch;			/* how many in one transaction */
	bool		apart;			/* by a process of its own, where there is one */
} Transport;

extern const Transport *transport_of(Protocol protocol);

/* to_queue.c, to_function.c, to_notify.c */
extern void to_queue(const DeliveryRoute *route, const Delivery *delivery,
					 Outcome *outcome);
extern void to_function(const DeliveryRoute *route, const Delivery *delivery,
						Outcome *outcome);
extern void to_notify(const DeliveryRoute *route, const Delivery *delivery,
					  Outcome *outcome);

#endif							/* DECOUPLE_TRANSPORT_H */
