/*
 * fair.h
 *		Fair queues: a noisy group does not starve the others of its queue.
 *
 * On a standard queue a group is a tenant.  Where one has much more waiting than
 * the others, it is noisy, and a new message of one that is not goes on the
 * list of ids that a receive looks at first (store/head.h): it does not wait for
 * the backlog (sqs: sqs-fair-queues).  There is no promise of an order on a
 * standard queue, and no limit for a noisy group where nobody else waits.
 *
 * Who is noisy is an estimate: a few counters for each queue, of the groups that
 * have the most waiting (Misra and Gries, 1982: too low by at most the number
 * of messages over the number of counters).  It begins anew with the server.
 */
#ifndef DECOUPLE_FAIR_H
#define DECOUPLE_FAIR_H

#include "store/journal.h"

/*
 * A transaction has committed this note of messages that appear or vanish; the
 * slot's lock is held exclusively.
 */
extern void fair_tell(QueueSlot *slot, const JournalEntry *entry);

#endif							/* DECOUPLE_FAIR_H */
