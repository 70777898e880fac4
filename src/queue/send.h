/*
 * send.h
 *		New messages, for whoever has drafts of them.
 */
#ifndef DECOUPLE_SEND_H
#define DECOUPLE_SEND_H

#include "queue/call.h"
#include "queue/draft.h"

/*
 * Checks drafts and sends them to an opened queue.  "rows" is room for as many
 * rows; "ids" gets the id of each, which of a duplicate is that of the first.
 * Errors: those of draft_check.
 */
extern void send_drafts(QueueCall *call, Draft *drafts, int count,
						MessageRow *rows, int64 *ids);

#endif							/* DECOUPLE_SEND_H */
