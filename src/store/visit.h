/*
 * visit.h
 *		A visit to a queue: what may be received, one message after another.
 *
 * First what is due in the parked table, then what the head bound has passed
 * and is worth a look, then what lies beyond the bound; in each the oldest
 * first.  The caller takes a message (claims, moves or deletes it) and says
 * so, or leaves it.  On the way the bound moves on.
 *
 * A visit to a FIFO queue by groups goes the same way, but each message that it
 * comes to only shows that its group may have something: what it gives is the
 * group's run from its first message on (store/group.h), once in a visit.  What
 * is blocked is stepped over, a limited number of them.  Where the limit ends a
 * scan, a stretch of the index of groups is tried as well, another one in each
 * visit: so a long backlog of blocked groups does not hide the others.
 */
#ifndef DECOUPLE_VISIT_H
#define DECOUPLE_VISIT_H

#include "store/group.h"
#include "store/head.h"
#include "store/store.h"

typedef enum VisitStage
{
	VISIT_PARKED,				/* then LOOKS */
	VISIT_LOOKS,				/* due ranges of held ids; then OWN */
	VISIT_OWN,					/* our own uncommitted rows; then BEYOND */
	VISIT_BEYOND,				/* beyond the bound; then GROUPS or ENDED */
	VISIT_GROUPS,				/* one group after another; then ENDED */
	VISIT_ENDED
} VisitStage;

typedef struct Visit
{
	Store	   *store;
	TimestampTz now;
	bool		may_move;		/* not with a snapshot of the transaction's own */
	VisitStage	stage;
	bool		scanning;		/* scan is open */
	StoreScan	scan;
	StoreScan  *current;		/* the current message is current->row */
	bool		waiting_row;	/* it was given, and not taken yet */
	HeadView	head;
	ParkedView	parked;
	int			look;			/* which due range */
	int			own;			/* which entry of the journal, */
	int64		own_last;		/* and its last id when it was looked up */
	/* of the scan that is open: */
	bool		blocked;		/* something stays that nobody will tell of */
	bool		left;			/* that is a visible message */
	int64		passed;			/* all up to this id is dealt with */
	TimestampTz passed_due;		/* the same of parked ones, with their times */
	int64		last_id;		/* of the last version seen */
	TimestampTz own_due;
	HeadFindings findings;
	TransactionId known_holder; /* the last one that was asked about */
	bool		known_registered;
	/* of a visit by groups: */
	bool		by_groups;
	Snapshot	snapshot;		/* runs are judged with it; NULL until needed */
	GroupRun	run;			/* while it is open, current is its scan */
	bool		run_took_id;	/* it took the message of last_id */
	struct seen_hash *seen;		/* groups met; NULL until needed */
	struct SeenGroup *run_group;
	int			steps;			/* messages stepped over by the open scan */
	bool		cut;			/* a scan was ended by their limit */
	int			tries;			/* groups that were tried one by one */
} Visit;

/* what a visit is for */
typedef enum VisitOrder
{
	VISIT_TO_RECEIVE,			/* by groups, where the queue is FIFO */
	VISIT_BY_ID					/* whatever the groups */
} VisitOrder;

extern void visit_begin(Visit *visit, Store *store, TimestampTz now,
						VisitOrder order);

/* goes to the next message that is visible and that nobody holds */
extern bool visit_next(Visit *visit);

/* the current message was claimed, moved or deleted */
extern void visit_took(Visit *visit);

/* it was hidden, and blocks what lies behind it in its group */
extern void visit_hid(Visit *visit);
extern void visit_end(Visit *visit);

#endif							/* DECOUPLE_VISIT_H */
