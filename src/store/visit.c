/*
 * visit.c
 *		A visit to a queue: what may be received, one message after another.
 *
 * Each of its scans keeps account of how far everything is dealt with: dead,
 * taken by us, held by a transaction that will tell, or put among the
 * findings.  The first message that is none of these blocks: the scan goes
 * on, but what lies behind is not passed.  See head.h for the rules.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "store/journal.h"
#include "store/table.h"
#include "store/visit.h"
#include "store/visit_groups.h"


/* how many messages one scan of a visit by groups steps over */
#define STEPS_MAX		1000

void
visit_begin(Visit *visit, Store *store, TimestampTz now, VisitOrder order)
{
	visit->store = store;
	visit->now = now;
	visit->may_move = store->slot != NULL && !IsolationUsesXactSnapshot();
	visit->stage = VISIT_PARKED;
	visit->scanning = visit->waiting_row = false;
	visit->head.moving = visit->parked.moving = false;
	visit->look = -1;
	visit->own = -1;
	visit->known_holder = InvalidTransactionId;
	visit->current = &visit->scan;
	visit->by_groups = order == VISIT_TO_RECEIVE &&
		store_is_fifo(store);
	visit->snapshot = NULL;
	visit->run.open = false;
	visit->seen = NULL;
	visit->cut = false;
	visit->tries = 0;
}

static void
reset_account(Visit *visit, int64 passed)
{
	visit->scanning = true;
	visit->blocked = visit->left = false;
	visit->passed = visit->last_id = passed;
	visit->own_due = DT_NOEND;
	visit->findings.full = false;
	visit->findings.count = 0;
	visit->steps = 0;
}

/* ---- the scans, begun ---- */

/* Begins the scan of what is parked, if something there can be due. */
static void
begin_parked(Visit *visit)
{
	Store	   *store = visit->store;
	ParkedView *parked = &visit->parked;
	bool		own = store->slot != NULL &&
		journal_own_parked(store, visit->now);

	if (store_is_fifo(store))
	{
		parked_never(store->slot, store->queue_number);
		return;					/* a FIFO queue parks nothing */
	}
	parked_view(store->slot, store->queue_number, visit->now,
				visit->may_move && !own, parked);
	if (parked->nothing_due && !own)
		return;
	if (own)
	{
		parked->bound = DT_NOBEGIN;
		parked->bound_id = 0;
	}
	reset_account(visit, parked->bound_id);
	visit->passed_due = parked->bound;
	scan_begin_due(&visit->scan, store, parked->bound, parked->bound_id,
				   visit->now);
}

static void
begin_look(Visit *visit)
{
	HeldRange  *range = &visit->head.looks[visit->look];

	reset_account(visit, range->first - 1);
	scan_begin_range(&visit->scan, visit->store, RECEIPT_IN_QUEUE,
					 range->first, range->last);
}

static void
begin_own(Visit *visit, const JournalEntry *entry)
{
	reset_account(visit, entry->first - 1);
	visit->own_last = entry->last;
	scan_begin_range(&visit->scan, visit->store, RECEIPT_IN_QUEUE,
					 entry->first, entry->last);
}

static void
begin_beyond(Visit *visit)
{
	reset_account(visit, visit->head.bound);
	scan_begin_free(&visit->scan, visit->store, visit->head.bound);
}

/* Opens the next scan; false where there is none. */
static bool
next_scan(Visit *visit)
{
	Store	   *store = visit->store;
	JournalEntry *entry;

	switch (visit->stage)
	{
		case VISIT_PARKED:
			visit->stage = VISIT_LOOKS;
			head_view(store->slot, store->queue_number, visit->now,
					  visit->may_move, &visit->head);
			return true;
		case VISIT_LOOKS:
			if (++visit->look < visit->head.look_count)
				begin_look(visit);
			else
				visit->stage = VISIT_OWN;
			return true;
		case VISIT_OWN:
			entry = store->slot == NULL ? NULL :
				journal_next_own(store, visit->head.bound, visit->now,
								 &visit->own);
			if (entry != NULL)
				begin_own(visit, entry);
			else
			{
				visit->stage = VISIT_BEYOND;
				begin_beyond(visit);
			}
			return true;
		case VISIT_BEYOND:
			visit->stage = visit->cut ? VISIT_GROUPS : VISIT_ENDED;
			return visit->cut;
		case VISIT_GROUPS:
			visit->stage = VISIT_ENDED;
			return false;
		case VISIT_ENDED:
			return false;
	}
	return false;
}

/* ---- the scans, ended ---- */

static void
end_parked(Visit *visit, bool exhausted)
{
	Store	   *store = visit->store;
	TimestampTz next_due;

	if (!visit->parked.moving)
		return;
	if (!exhausted || visit->blocked)
		next_due = exhausted && !visit->left ?
			visit->now + UNTOLD_RECHECK : DT_NOBEGIN;
	else
	{
		next_due = scan_next_due(store, visit->now);
		visit->passed_due = visit->now;
		visit->passed = PG_INT64_MAX;
	}
	parked_moved(store->slot, store->queue_number, &visit->parked,
				 visit->passed_due, visit->passed, next_due);
}

static void
end_beyond(Visit *visit, bool exhausted)
{
	Store	   *store = visit->store;
	HeadView   *head = &visit->head;

	if (head->moving)
	{
		if (exhausted && !visit->blocked)
			visit->passed = Max(visit->passed, head->moving_limit);
		head_moved(store->slot, store->queue_number, head, visit->passed,
				   &visit->findings);
	}
	else if (visit->may_move)
		head_reached(store->slot, head, visit->last_id, exhausted);
}

/* Closes the open scan; exhausted: it came to its end. */
static void
end_scan(Visit *visit, bool exhausted)
{
	Store	   *store = visit->store;

	scan_end(&visit->scan);
	visit->scanning = false;
	switch (visit->stage)
	{
		case VISIT_PARKED:
			end_parked(visit, exhausted);
			break;
		case VISIT_LOOKS:
			if (exhausted && !visit->blocked)
				visit->passed = visit->head.looks[visit->look].last;
			if (visit->may_move)
				head_looked(store->slot, store->queue_number,
							&visit->head.looks[visit->look], visit->passed,
							&visit->findings);
			break;
		case VISIT_OWN:
			if (exhausted && !visit->blocked)
				journal_own_looked(visit->own, visit->own_last, visit->own_due);
			break;
		case VISIT_BEYOND:
			end_beyond(visit, exhausted);
			break;
		case VISIT_GROUPS:
		case VISIT_ENDED:
			break;
	}
}

/* ---- one version after another ---- */

/* Will the transaction that holds the version tell what it did? */
static bool
holder_tells(Visit *visit, TransactionId holder)
{
	if (holder != visit->known_holder)
	{
		visit->known_holder = holder;
		visit->known_registered =
			TransactionIdIsCurrentTransactionId(holder) ||
			journal_is_registered(holder);
	}
	return visit->known_registered;
}

/* The current version stays behind, worth a look at "due". */
void
visit_leave(Visit *visit, TimestampTz due)
{
	visit->own_due = Min(visit->own_due, due);
	if (visit->stage == VISIT_PARKED)
	{
		/* there is no list: the bound stops here */
		visit->blocked = true;
		return;
	}
	if (!visit->blocked)
		head_found(&visit->findings, visit->last_id, due,
				   InvalidTransactionId);
	if (visit->findings.full)
		visit->blocked = true;
}

/* All up to the current version is dealt with, if nothing blocks. */
void
visit_pass(Visit *visit)
{
	if (!visit->blocked)
	{
		visit->passed = visit->last_id;
		if (visit->stage == VISIT_PARKED)
			visit->passed_due = slot_standing(visit->scan.slot).due;
	}
}

/* Deals with a version that is not to be given. */
static void
step_over(Visit *visit, VersionStanding standing)
{
	switch (standing)
	{
		case VERSION_HELD:
			if (visit->may_move && !holder_tells(visit, visit->scan.holder))
				visit_leave(visit, visit->now + UNTOLD_RECHECK);
			break;
		case VERSION_TOO_NEW:
			visit->own_due = DT_NOBEGIN;
			break;
		case VERSION_OUT_OF_SIGHT:
			visit->blocked = true;
			break;
		case VERSION_FREE:
			visit_leave(visit, slot_standing(visit->scan.slot).due);
			break;
	}
	visit_pass(visit);
}

/* ---- the visit ---- */

/* What the caller did not take was left. */
static void
leave_waiting(Visit *visit)
{
	if (!visit->waiting_row)
		return;
	visit->waiting_row = false;
	if (visit->run.open)
		visit_finish_run(visit);
	else
		/* it stays visible: nobody will tell of it */
		visit->blocked = visit->left = true;
}

/* Goes on in the open scan; true at a message to give, false at its end. */
static bool
next_of_scan(Visit *visit)
{
	VersionStanding standing;

	while (scan_step(&visit->scan, &standing))
	{
		visit->last_id = slot_message_id(visit->scan.slot);
		if (standing == VERSION_FREE &&
			slot_standing(visit->scan.slot).due <= visit->now)
		{
			if (!visit->by_groups)
			{
				scan_read(&visit->scan);
				visit->waiting_row = true;
				return true;
			}
			if (visit_consider(visit))
				return true;
		}
		else
		{
			if (visit->by_groups)
				visit_meet_blocker(visit, standing);
			step_over(visit, standing);
		}
		if (visit->by_groups && ++visit->steps > STEPS_MAX)
		{
			visit->cut = true;
			end_scan(visit, false);
			return false;
		}
	}
	end_scan(visit, true);
	return false;
}

bool
visit_next(Visit *visit)
{
	leave_waiting(visit);
	if (visit->stage == VISIT_PARKED && !visit->scanning)
		begin_parked(visit);
	for (;;)
	{
		if (visit->run.open && visit_next_of_run(visit))
			return true;
		if (visit->stage == VISIT_GROUPS && visit_try_groups(visit))
			return true;
		if (visit->scanning && next_of_scan(visit))
			return true;
		if (!visit->scanning && !next_scan(visit))
			return false;
	}
}

void
visit_took(Visit *visit)
{
	visit->waiting_row = false;
	if (!visit->run.open)
		visit_pass(visit);
	else if (visit->scanning &&
			 slot_message_id(visit->run.scan.slot) == visit->last_id)
		visit->run_took_id = true;
}

void
visit_hid(Visit *visit)
{
	visit_took(visit);
	if (visit->run.open)
		visit_finish_run(visit);
}

void
visit_end(Visit *visit)
{
	leave_waiting(visit);
	if (visit->run.open)
		visit_finish_run(visit);
	if (visit->scanning)
		end_scan(visit, false);
	visit_forget_groups(visit);
	if (visit->head.moving)
	{
		/* the caller had enough before the bound's turn came */
		visit->findings.count = 0;
		head_moved(visit->store->slot, visit->store->queue_number,
				   &visit->head, visit->head.bound, &visit->findings);
		visit->store->slot->far = true;
	}
	visit->stage = VISIT_ENDED;
}
