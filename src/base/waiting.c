/*
 * waiting.c
 *		Sessions that wait for messages, and those that wake them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "base/database.h"
#include "base/version.h"
#include "base/waiting.h"

/* the queues that this session waits for; nodes in use lie at the front */
static int	joined_count = 0;
static int32 joined[WAIT_QUEUES_MAX];

/* we were woken for it, and have not looked since */
static bool woken[WAIT_QUEUES_MAX];

static WaitNode *
my_node(int i)
{
	return &shared->wait_nodes[my_process_number() * WAIT_QUEUES_MAX + i];
}

bool
waiting_join(int32 number)
{
	QueueSlot  *slot = slot_of_queue(number);
	int			i = 0;

	while (i < joined_count && joined[i] != number)
		i++;
	if (slot == NULL || i == WAIT_QUEUES_MAX ||
		!slot_lock(slot, number, LW_EXCLUSIVE))
		return false;
	if (i == joined_count)
	{
		joined[joined_count++] = number;
		woken[i] = false;
	}
	else if (!my_node(i)->waits)
		woken[i] = true;
	if (!my_node(i)->waits)
	{
		my_node(i)->waits = true;
		dlist_push_tail(&slot->waiters, &my_node(i)->link);
		slot->waiter_count++;
		/* the worker is to wake us when the next is due */
		if (Min(slot->held_due, slot->parked_due) != DT_NOEND)
			database_wake_worker();
	}
	slot_unlock(slot);
	return true;
}

void
waiting_leave(void)
{
	for (int i = 0; i < joined_count; i++)
	{
		QueueSlot  *slot = slot_find(joined[i]);

		/* a slot is not freed while somebody is on its list */
		if (slot == NULL || !slot_lock(slot, joined[i], LW_EXCLUSIVE))
			continue;
		if (my_node(i)->waits)
		{
			my_node(i)->waits = false;
			dlist_delete(&my_node(i)->link);
			slot->waiter_count--;
		}
		else
			waiting_wake(slot, 1);
		if (woken[i])
			waiting_wake(slot, 1);
		slot_unlock(slot);
	}
	joined_count = 0;
}

bool
waiting_woken(void)
{
	for (int i = 0; i < joined_count; i++)
	{
		/* without a lock: who sets it sets our latch after it */
		if (!((volatile WaitNode *) my_node(i))->waits)
			return true;
	}
	return false;
}

void
waiting_looked(void)
{
	memset(woken, false, sizeof(woken));
}

void
waiting_wake(QueueSlot *slot, int64 count)
{
	while (count-- > 0 && !dlist_is_empty(&slot->waiters))
	{
		WaitNode   *node = dlist_container(WaitNode, link,
										   dlist_pop_head_node(&slot->waiters));

		node->waits = false;
		slot->waiter_count--;
		SetLatch(&ProcGlobal->allProcs[node->process].procLatch);
	}
}

void
waiting_wake_due(QueueSlot *slot, int32 number, TimestampTz now)
{
	if (slot == NULL || slot->waiter_count == 0 ||
		!slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	if (slot->held_due <= now || slot->parked_due <= now)
		waiting_wake(slot, 1);
	slot_unlock(slot);
}

/* A wait that ends with an error, or with the session, leaves its lists. */
static void
leave_at_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT && joined_count > 0)
		waiting_leave();
}

static void
leave_at_sub_abort(SubXactEvent event, SubTransactionId subxact,
				   SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && joined_count > 0)
		waiting_leave();
}

void
waiting_init(void)
{
	RegisterXactCallback(leave_at_end, NULL);
	RegisterSubXactCallback(leave_at_sub_abort, NULL);
}
