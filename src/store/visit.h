/*
 * visit.h
 *		A visit to a queue: what may be received, one message after another.
 *
 * First what is due in the parked table, then what the head bound has passed
 * and is worth a look, then what lies beyond the bound; in each the oldest
 * first.  The caller takes a message (claims, moves or deletes it) and says
 * so, or leaves it.  On the way the bound moves on.
 */
#ifndef DECOUPLE_VISIT_H
#define DECOUPLE_VISIT_H

#include "store/head.h"
#include "store/store.h"

typedef enum VisitStage
{
	VISIT_PARKED,				/* then LOOKS */
	VISIT_LOOKS,				/* due ranges of held ids; then OWN */
	VISIT_OWN,					/* our own uncommitted rows; then BEYOND */
	VISIT_BEYOND,				/* beyond the bound; then ENDED */
	VISIT_ENDED
} VisitStage;

typedef struct Visit
{
	Store	   *store;
	TimestampTz now;
	bool		may_move;		/* not with a snapshot of the transaction's own */
	VisitStage	stage;
	bool		scanning;		/* scan is open */
	StoreScan	scan;			/* the current message is scan.row */
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
} Visit;

extern void visit_begin(Visit *visit, Store *store, TimestampTz now);

/* goes to the next message that is visible and that nobody holds */
extern bool visit_next(Visit *visit);

/* the current message was claimed, moved or deleted */
extern void visit_took(Visit *visit);
extern void visit_end(Visit *visit);

#endif							/* DECOUPLE_VISIT_H */
