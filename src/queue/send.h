/*
 * send.h
 *		New messages, for whoever has drafts of them.
 */
#ifndef DECOUPLE_SEND_H
#define DECOUPLE_SEND_H

#include "fmgr.h"

#include "queue/call.h"
#include "queue/draft.h"

/*
 * Checks drafts and sends them to an opened queue.  "rows" is room for as many
 * rows; "ids" gets the id of each, which of a duplicate is that of the first.
 * Errors: those of draft_check.
 */
extern void send_drafts(QueueCall *call, Draft *drafts, int count,
						MessageRow *rows, int64 *ids);

/*
 * Sends drafts to an opened queue, closes it, and returns their ids as the set of
 * the calling function.
 */
extern void send_and_return(FunctionCallInfo fcinfo, QueueCall *call,
							Draft *drafts, int count);

#endif							/* DECOUPLE_SEND_H */
