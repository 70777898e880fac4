/*
 * topic_totals.h
 *		What was delivered, has failed, was filtered out: counted by subscription.
 *
 * A process counts in its memory what its transactions did, when they have
 * committed, and adds that to decouple.subscription_totals now and then: a row
 * that is written a hundred times a second would be a row that decays.  A crash
 * costs what was not added yet.
 */
#ifndef DECOUPLE_TOPIC_TOTALS_H
#define DECOUPLE_TOPIC_TOTALS_H

#include "postgres.h"

typedef enum SubscriptionTotal
{
	TOTAL_DELIVERED,
	TOTAL_FAILED,
	TOTAL_FILTERED_OUT,
	SUBSCRIPTION_TOTALS
} SubscriptionTotal;

extern void topic_totals_init(void);

/* counts, if the current transaction commits */
extern void topic_totals_add(int64 subscription_id, SubscriptionTotal total,
							 int64 count);

/* adds what was counted so far to the table */
extern void topic_totals_fold(void);

#endif							/* DECOUPLE_TOPIC_TOTALS_H */
