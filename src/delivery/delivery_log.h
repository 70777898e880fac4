/*
 * delivery_log.h
 *		What is written down of deliveries: decouple.delivery_records.
 *
 * Each attempt that failed, and of good ones as many as the topic's
 * success_sample_rate says (sns: delivery status logging).
 */
#ifndef DECOUPLE_DELIVERY_LOG_H
#define DECOUPLE_DELIVERY_LOG_H

#include "delivery/delivery.h"

typedef enum LogStatus
{
	LOG_SUCCESS,
	LOG_RETRY,					/* it will be tried again */
	LOG_FAILURE					/* it will not */
} LogStatus;

extern void delivery_log(const DeliveryRoute *route, const Delivery *delivery,
						 LogStatus status, const Outcome *outcome);

/* removes a bounded number of old records; true if there are more */
extern bool delivery_log_trim(void);

#endif							/* DECOUPLE_DELIVERY_LOG_H */
