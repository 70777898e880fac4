/*
 * head.c
 *		The head bound: where a receive begins to look.
 *
 * head.h has the design.  Everything here is a few steps over a small array
 * under the slot's lock; nothing allocates, and nothing can fail, since most
 * of it is called when a transaction has ended already.
 */
#include "postgres.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/version.h"
#include "store/head.h"

/* ranges whose times differ by no more are joined where they touch */
#define JOIN_WITHIN		USECS_PER_SEC

/* the blocker of a range that was joined of those of several */
#define SEVERAL_BLOCKERS	FrozenTransactionId

/* the slot whose bounds this process is about to move, or NULL */
static QueueSlot *moving = NULL;
static QueueSlot *moving_parked = NULL;

/* ---- the list of held ranges; lock held exclusively ---- */

static void
held_renew_due(QueueSlot *slot)
{
	HeldRange  *held = slot_held(slot);

	slot->held_due = DT_NOEND;
	slot->blocked_count = 0;
	for (int i = 0; i < slot->held_count; i++)
	{
		slot->held_due = Min(slot->held_due, held[i].due);
		if (TransactionIdIsValid(held[i].blocker))
			slot->blocked_count++;
	}
}

static void
held_delete(QueueSlot *slot, int i)
{
	HeldRange  *held = slot_held(slot);

	held[i] = held[--slot->held_count];
}

static bool
may_join(const HeldRange *held, int64 first, int64 last, TimestampTz due,
		 TransactionId blocker)
{
	return first <= held->last + 1 && last >= held->first - 1 &&
		held->blocker == blocker &&
		held->due - due <= JOIN_WITHIN && due - held->due <= JOIN_WITHIN;
}

/* How many ids lie between, if the two are joined? */
static int64
gap_between(const HeldRange *held, int64 first, int64 last)
{
	if (first > held->last)
		return first - held->last;
	if (last < held->first)
		return held->first - last;
	return 0;
}

/* Who blocks a range that is joined of two? */
static TransactionId
join_blockers(TransactionId a, TransactionId b)
{
	if (a == b)
		return a;
	return TransactionIdIsValid(a) || TransactionIdIsValid(b) ?
		SEVERAL_BLOCKERS : InvalidTransactionId;
}

void
head_put(QueueSlot *slot, int64 first, int64 last, TimestampTz due,
		 TransactionId blocker)
{
	HeldRange  *held = slot_held(slot);
	HeldRange  *into = NULL;

	/*
	 * A blocker that is over has told, or is about to: who ends is out of the
	 * list of running transactions before it tells, which it does under our
	 * lock.
	 */
	if (TransactionIdIsNormal(blocker) && !TransactionIdIsInProgress(blocker))
	{
		blocker = InvalidTransactionId;
		due = DT_NOBEGIN;
	}

	for (int i = 0; i < slot->held_count && into == NULL; i++)
	{
		if (may_join(&held[i], first, last, due, blocker))
			into = &held[i];
	}
	if (into == NULL && slot->held_count < decouple_max_held_keys)
	{
		into = &held[slot->held_count++];
		into->first = first;
		into->last = last;
		into->due = due;
		into->blocker = blocker;
		if (TransactionIdIsValid(blocker))
			slot->blocked_count++;
	}
	if (into == NULL)
	{
		into = &held[0];
		for (int i = 1; i < slot->held_count; i++)
		{
			if (gap_between(&held[i], first, last) <
				gap_between(into, first, last))
				into = &held[i];
		}
	}
	into->first = Min(into->first, first);
	into->last = Max(into->last, last);
	into->due = Min(into->due, due);
	if (into->blocker != blocker)
	{
		if (!TransactionIdIsValid(into->blocker))
			slot->blocked_count++;
		into->blocker = join_blockers(into->blocker, blocker);
	}
	into->version = ++slot->versions;
	slot->held_due = Min(slot->held_due, into->due);
}

/*
 * These ids are no more.  Where they lie inside a range they stay in it: a
 * look finds nothing.
 */
void
head_remove(QueueSlot *slot, int64 first, int64 last)
{
	HeldRange  *held = slot_held(slot);

	for (int i = slot->held_count - 1; i >= 0; i--)
	{
		HeldRange  *range = &held[i];

		if (first <= range->first && last >= range->last)
			held_delete(slot, i);
		else if (first <= range->first && last >= range->first)
			range->first = last + 1;
		else if (last >= range->last && first <= range->last)
			range->last = first - 1;
		else
			continue;
		range->version = ++slot->versions;
	}
	held_renew_due(slot);
}

int
head_unblock(QueueSlot *slot, TransactionId blocker)
{
	HeldRange  *held = slot_held(slot);
	int			unblocked = 0;

	if (slot->blocked_count == 0)
		return 0;
	for (int i = 0; i < slot->held_count; i++)
	{
		if (held[i].blocker != blocker && held[i].blocker != SEVERAL_BLOCKERS)
			continue;
		if (held[i].blocker == blocker)
		{
			held[i].blocker = InvalidTransactionId;
			slot->blocked_count--;
		}
		held[i].due = DT_NOBEGIN;
		held[i].version = ++slot->versions;
		slot->held_due = DT_NOBEGIN;
		unblocked++;
	}
	return unblocked;
}

/* ---- the bound ---- */

/* Copies the due ranges, the lowest ids first, as many as fit. */
static void
copy_due_ranges(QueueSlot *slot, TimestampTz now, HeadView *view)
{
	HeldRange  *held = slot_held(slot);

	for (int i = 0; i < slot->held_count; i++)
	{
		int			at;

		if (held[i].due > now)
			continue;
		at = view->look_count;
		while (at > 0 && view->looks[at - 1].first > held[i].first)
			at--;
		if (at == LOOKS_MAX)
			continue;
		if (view->look_count < LOOKS_MAX)
			view->look_count++;
		memmove(&view->looks[at + 1], &view->looks[at],
				sizeof(HeldRange) * (view->look_count - 1 - at));
		view->looks[at] = held[i];
	}
}

void
head_view(QueueSlot *slot, int32 number, TimestampTz now, bool may_move,
		  HeadView *view)
{
	bool		move;

	view->bound = 0;
	view->moving = false;
	view->look_count = 0;
	if (slot == NULL)
		return;
	move = may_move && slot->far && slot->mover < 0 && moving == NULL;
	if (!slot_lock(slot, number, move ? LW_EXCLUSIVE : LW_SHARED))
		return;
	view->bound = slot->bound;
	if (slot->held_due <= now)
		copy_due_ranges(slot, now, view);
	if (move && slot->mover < 0)
	{
		view->moving = true;
		view->moving_limit = (int64) pg_atomic_read_u64(&slot->highest_id);
		slot->mover = my_process_number();
		slot->moving_limit = view->moving_limit;
		slot->far = false;
		moving = slot;
	}
	slot_unlock(slot);
}

void
head_found(HeadFindings *findings, int64 id, TimestampTz due,
		   TransactionId blocker)
{
	HeldRange  *last = findings->count > 0 ?
		&findings->ranges[findings->count - 1] : NULL;

	if (last != NULL && id > last->last && may_join(last, id, id, due, blocker))
	{
		last->last = id;
		last->due = Min(last->due, due);
		return;
	}
	if (findings->count == FOUND_MAX)
	{
		findings->full = true;
		return;
	}
	last = &findings->ranges[findings->count++];
	last->first = last->last = id;
	last->due = due;
	last->blocker = blocker;
}

void
head_moved(QueueSlot *slot, int32 number, HeadView *view, int64 passed,
		   const HeadFindings *findings)
{
	Assert(view->moving);
	view->moving = false;
	moving = NULL;
	if (!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	if (slot->mover == my_process_number())
	{
		passed = Min(passed, view->moving_limit);
		slot->mover = -1;
		if (passed > slot->bound)
		{
			for (int i = 0; i < findings->count; i++)
			{
				const HeldRange *range = &findings->ranges[i];

				if (range->first <= passed)
					head_put(slot, range->first, Min(range->last, passed),
							 range->due, range->blocker);
			}
			slot->bound = passed;
		}
	}
	slot_unlock(slot);
}

void
head_reached(QueueSlot *slot, const HeadView *view, int64 reached,
			 bool to_the_end)
{
	if (to_the_end)
		reached = Max(reached, (int64) pg_atomic_read_u64(&slot->highest_id));
	/* without a lock: it is a hint to those who come later */
	if (reached - view->bound >= HEAD_FAR && !slot->far)
		slot->far = true;
}

void
head_looked(QueueSlot *slot, int32 number, const HeldRange *look,
			int64 passed, const HeadFindings *findings)
{
	HeldRange  *held;

	if (!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	held = slot_held(slot);
	for (int i = 0; i < slot->held_count; i++)
	{
		/* where it has changed meanwhile somebody shall look again */
		if (held[i].version != look->version)
			continue;
		if (passed >= held[i].last)
			held_delete(slot, i);
		else
		{
			held[i].first = passed + 1;
			held[i].version = ++slot->versions;
		}
		for (int j = 0; j < findings->count; j++)
			head_put(slot, findings->ranges[j].first,
					 findings->ranges[j].last, findings->ranges[j].due,
					 findings->ranges[j].blocker);
		held_renew_due(slot);
		break;
	}
	slot_unlock(slot);
}

/* ---- parked messages ---- */

static inline bool
is_before(TimestampTz due_a, int64 id_a, TimestampTz due_b, int64 id_b)
{
	return due_a < due_b || (due_a == due_b && id_a < id_b);
}

/* the lock is held */
static void
copy_parked_bound(const QueueSlot *slot, ParkedView *view)
{
	view->bound = slot->parked_bound;
	view->bound_id = slot->parked_bound_id;
}

void
parked_view(QueueSlot *slot, int32 number, TimestampTz now, bool may_move,
			ParkedView *view)
{
	view->nothing_due = view->moving = false;
	view->bound = DT_NOBEGIN;
	view->bound_id = 0;
	if (slot == NULL || !slot_lock(slot, number, LW_SHARED))
		return;
	view->nothing_due = slot->parked_due > now;
	copy_parked_bound(slot, view);
	slot_unlock(slot);
	if (view->nothing_due || !may_move || moving_parked != NULL ||
		!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	if (slot->parked_mover < 0)
	{
		copy_parked_bound(slot, view);
		view->moving = true;
		slot->parked_mover = my_process_number();
		slot->parked_low = DT_NOEND;
		slot->parked_low_id = 0;
		moving_parked = slot;
	}
	slot_unlock(slot);
}

void
parked_put(QueueSlot *slot, TimestampTz due, int64 id)
{
	if (!is_before(slot->parked_bound, slot->parked_bound_id, due, id))
	{
		slot->parked_bound = due;
		slot->parked_bound_id = id - 1;
	}
	slot->parked_due = Min(slot->parked_due, due);
	if (slot->parked_mover >= 0 &&
		is_before(due, id, slot->parked_low, slot->parked_low_id))
	{
		slot->parked_low = due;
		slot->parked_low_id = id;
	}
}

void
parked_moved(QueueSlot *slot, int32 number, ParkedView *view,
			 TimestampTz passed, int64 passed_id, TimestampTz next_due)
{
	Assert(view->moving);
	view->moving = false;
	moving_parked = NULL;
	if (!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	if (slot->parked_mover == my_process_number())
	{
		slot->parked_mover = -1;
		if (!is_before(passed, passed_id, slot->parked_low,
					   slot->parked_low_id))
		{
			passed = slot->parked_low;
			passed_id = slot->parked_low_id - 1;
		}
		if (is_before(slot->parked_bound, slot->parked_bound_id,
					  passed, passed_id))
		{
			slot->parked_bound = passed;
			slot->parked_bound_id = passed_id;
		}
		slot->parked_due = Min(next_due, slot->parked_low);
	}
	slot_unlock(slot);
}

void
parked_never(QueueSlot *slot, int32 number)
{
	/* a look without a lock: it is set once */
	if (slot == NULL || slot->parked_due == DT_NOEND ||
		!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	slot->parked_due = DT_NOEND;
	slot_unlock(slot);
}

void
head_give_up(void)
{
	QueueSlot  *slots[2] = {moving, moving_parked};

	moving = moving_parked = NULL;
	for (int i = 0; i < 2; i++)
	{
		if (slots[i] == NULL)
			continue;
		LWLockAcquire(&slots[i]->lock, LW_EXCLUSIVE);
		if (i == 0 && slots[i]->mover == my_process_number())
		{
			slots[i]->mover = -1;
			slots[i]->far = true;
		}
		if (i == 1 && slots[i]->parked_mover == my_process_number())
			slots[i]->parked_mover = -1;
		LWLockRelease(&slots[i]->lock);
	}
}

/* ---- rolled-back attempts ---- */

void
attempts_note(QueueSlot *slot, int64 first, int64 last, int32 attempts,
			  TimestampTz at)
{
	AttemptNote *notes = slot_notes(slot);

	pg_atomic_write_u32(&slot->attend, 1);
	for (int i = 0; i < slot->note_count; i++)
	{
		if (notes[i].first == first && notes[i].last == last)
		{
			notes[i].attempts += attempts;
			notes[i].at = Max(notes[i].at, at);
			return;
		}
	}
	/* when there is no room the attempt goes uncounted */
	if (slot->note_count == decouple_max_held_keys)
		return;
	notes[slot->note_count].first = first;
	notes[slot->note_count].last = last;
	notes[slot->note_count].attempts = attempts;
	notes[slot->note_count].at = at;
	slot->note_count++;
}

/* Takes one id out of a note. */
static void
cut_note(QueueSlot *slot, int i, int64 id)
{
	AttemptNote *note = &slot_notes(slot)[i];
	AttemptNote rest = *note;

	if (note->first == note->last)
	{
		*note = slot_notes(slot)[--slot->note_count];
		return;
	}
	if (id == note->first)
	{
		note->first++;
		return;
	}
	note->last = id - 1;
	rest.first = id + 1;
	if (rest.first <= rest.last && slot->note_count < decouple_max_held_keys)
		slot_notes(slot)[slot->note_count++] = rest;
}

int32
attempts_take(QueueSlot *slot, int32 number, int64 id, TimestampTz *at)
{
	int32		attempts = 0;

	*at = DT_NOBEGIN;
	/* notes are rare: a look without a lock, after the row was seen free */
	if (slot == NULL || slot->note_count == 0 ||
		!slot_lock(slot, number, LW_EXCLUSIVE))
		return 0;
	for (int i = slot->note_count - 1; i >= 0; i--)
	{
		AttemptNote *note = &slot_notes(slot)[i];

		if (id < note->first || id > note->last)
			continue;
		attempts += note->attempts;
		*at = Max(*at, note->at);
		cut_note(slot, i, id);
	}
	slot_unlock(slot);
	return attempts;
}

int64
attempts_next(QueueSlot *slot, int32 number, int64 after, int32 *attempts,
			  TimestampTz *at)
{
	int64		next = 0;

	if (slot == NULL || slot->note_count == 0 ||
		!slot_lock(slot, number, LW_SHARED))
		return 0;
	for (int i = 0; i < slot->note_count; i++)
	{
		AttemptNote *note = &slot_notes(slot)[i];
		int64		id = Max(note->first, after + 1);

		if (id <= note->last && (next == 0 || id < next))
		{
			next = id;
			*attempts = note->attempts;
			*at = note->at;
		}
	}
	slot_unlock(slot);
	return next;
}
