/*
 * shared.c
 *		What the sessions of a server share about queues, in shared memory.
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/shared.h"
#include "base/version.h"
#include "base/waiting.h"

typedef struct SlotKey
{
	Oid			database;
	int32		number;
} SlotKey;

typedef struct SlotEntry
{
	SlotKey		key;
	int			index;
} SlotEntry;

SharedState *shared = NULL;

static char *slots = NULL;		/* slot_size() each */
static HTAB *slot_index = NULL; /* SlotEntry; SharedState.lock */
static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

/* this session's way to slots that it used, by the number's low bits */
#define KNOWN_SLOTS		64
static QueueSlot *known_slots[KNOWN_SLOTS];

int
shared_process_count(void)
{
	return MaxBackends + NUM_AUXILIARY_PROCS + max_prepared_xacts;
}

static Size
held_offset(void)
{
	return MAXALIGN(sizeof(QueueSlot));
}

static Size
notes_offset(void)
{
	return held_offset() + mul_size(decouple_max_held_keys, sizeof(HeldRange));
}

static Size
slot_size(void)
{
	return CACHELINEALIGN(notes_offset() +
						  mul_size(decouple_max_held_keys,
								   sizeof(AttemptNote)));
}

static Size
state_size(void)
{
	return CACHELINEALIGN(sizeof(SharedState)) +
		mul_size(sizeof(pg_atomic_uint32) + sizeof(TransactionId) +
				 WAIT_QUEUES_MAX * sizeof(WaitNode),
				 shared_process_count());
}

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(state_size());
	RequestAddinShmemSpace(database_memory());
	RequestAddinShmemSpace(mul_size(slot_size(), decouple_max_queues));
	RequestAddinShmemSpace(hash_estimate_size(decouple_max_queues,
											  sizeof(SlotEntry)));
}

/* Makes a slot what it is for a queue of which nothing is known. */
static void
slot_reset(QueueSlot *slot, Oid database, int32 number)
{
	Size		behind_lock = offsetof(QueueSlot, lock) + sizeof(LWLock);

	memset((char *) slot + behind_lock, 0, sizeof(QueueSlot) - behind_lock);
	slot->database = database;
	slot->number = number;
	slot->mover = slot->parked_mover = -1;
	slot->parked_bound = slot->parked_due = DT_NOBEGIN;
	slot->held_due = DT_NOEND;
	slot->far = true;			/* so that the first receive moves the bound */
	dlist_init(&slot->waiters);
	pg_atomic_init_u32(&slot->notify, 0);
	pg_atomic_init_u32(&slot->attend, 0);
	pg_atomic_init_u32(&slot->call, 0);
	pg_atomic_init_u64(&slot->highest_id, 0);
	pg_atomic_init_u64(&slot->messages, 0);
	for (int i = 0; i < QUEUE_TOTALS; i++)
		pg_atomic_init_u64(&slot->totals[i], 0);
}

static QueueSlot *
slot_at(int index)
{
	return (QueueSlot *) (slots + slot_size() * index);
}

static void
fill_state(void)
{
	memset(shared, 0, state_size());
	shared->tranche = LWLockNewTrancheId();
	LWLockInitialize(&shared->lock, shared->tranche);
	shared->recounter = -1;
	shared->wait_nodes = (WaitNode *)
		((char *) shared + CACHELINEALIGN(sizeof(SharedState)));
	for (int i = 0; i < shared_process_count() * WAIT_QUEUES_MAX; i++)
		shared->wait_nodes[i].process = i / WAIT_QUEUES_MAX;
	shared->registered = (pg_atomic_uint32 *)
		(shared->wait_nodes + shared_process_count() * WAIT_QUEUES_MAX);
	shared->recount.running = (TransactionId *)
		(shared->registered + shared_process_count());
	for (int i = 0; i < shared_process_count(); i++)
		pg_atomic_init_u32(&shared->registered[i], InvalidTransactionId);
	for (int i = 0; i < decouple_max_queues; i++)
	{
		LWLockInitialize(&slot_at(i)->lock, shared->tranche);
		slot_reset(slot_at(i), InvalidOid, 0);
	}
}

/*
 * Runs in the postmaster before there are sessions, also after a crash, when
 * the memory is made anew.
 */
static void
attach_memory(void)
{
	HASHCTL		control = {0};
	bool		found;

	if (next_startup_hook)
		next_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	slots = ShmemInitStruct("decouple queues",
							mul_size(slot_size(), decouple_max_queues), &found);
	control.keysize = sizeof(SlotKey);
	control.entrysize = sizeof(SlotEntry);
	slot_index = ShmemInitHash("decouple queue index", decouple_max_queues,
							   decouple_max_queues, &control,
							   HASH_ELEM | HASH_BLOBS);
	shared = ShmemInitStruct("decouple", state_size(), &found);
	if (!found)
		fill_state();
	LWLockRegisterTranche(shared->tranche, "decouple");
	database_attach_memory(shared->tranche);
	LWLockRelease(AddinShmemInitLock);
}

void
shared_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = attach_memory;
}

/* ---- slots ---- */

QueueSlot *
slot_by_index(int index)
{
	return index < shared->slots_used ? slot_at(index) : NULL;
}

QueueSlot *
slot_next_here(int *index)
{
	QueueSlot  *slot;

	while ((slot = slot_by_index((*index)++)) != NULL)
	{
		if (slot->database == MyDatabaseId)
			return slot;
	}
	return NULL;
}

HeldRange *
slot_held(QueueSlot *slot)
{
	return (HeldRange *) ((char *) slot + held_offset());
}

AttemptNote *
slot_notes(QueueSlot *slot)
{
	return (AttemptNote *) ((char *) slot + notes_offset());
}

/* SharedState.lock is held exclusively */
static QueueSlot *
make_slot(const SlotKey *key)
{
	SlotEntry  *entry;
	QueueSlot  *slot;
	int			index = 0;

	if (shared->queue_count >= decouple_max_queues)
		return NULL;
	while (OidIsValid(slot_at(index)->database))
		index++;
	entry = hash_search(slot_index, key, HASH_ENTER_NULL, NULL);
	if (entry == NULL)
		return NULL;
	entry->index = index;
	slot = slot_at(index);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot_reset(slot, key->database, key->number);
	LWLockRelease(&slot->lock);
	shared->queue_count++;
	shared->slots_used = Max(shared->slots_used, index + 1);
	return slot;
}

static QueueSlot *
look_up_slot(int32 number, bool make)
{
	QueueSlot **known = &known_slots[number % KNOWN_SLOTS];
	SlotKey		key = {MyDatabaseId, number};
	SlotEntry  *entry;

	if (shared == NULL)
		return NULL;
	/* a look without a lock: whoever uses the slot looks again */
	if (*known != NULL && (*known)->number == number &&
		(*known)->database == MyDatabaseId)
		return *known;

	LWLockAcquire(&shared->lock, LW_SHARED);
	entry = hash_search(slot_index, &key, HASH_FIND, NULL);
	make = make && entry == NULL && shared->queue_count < decouple_max_queues;
	*known = entry == NULL ? NULL : slot_at(entry->index);
	LWLockRelease(&shared->lock);
	if (!make)
		return *known;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	entry = hash_search(slot_index, &key, HASH_FIND, NULL);
	*known = entry == NULL ? make_slot(&key) : slot_at(entry->index);
	LWLockRelease(&shared->lock);
	return *known;
}

QueueSlot *
slot_of_queue(int32 number)
{
	if (shared == NULL || RecoveryInProgress())
		return NULL;
	return look_up_slot(number, true);
}

QueueSlot *
slot_find(int32 number)
{
	return look_up_slot(number, false);
}

QueueSlot *
slot_of_new_queue(int32 number)
{
	QueueSlot  *slot = slot_of_queue(number);

	if (slot == NULL || !slot_lock(slot, number, LW_EXCLUSIVE))
		return NULL;
	/* who still waits for the other one finds that it is gone */
	waiting_wake(slot, slot->waiter_count);
	slot_reset(slot, MyDatabaseId, number);
	slot_unlock(slot);
	return slot;
}

bool
slot_lock(QueueSlot *slot, int32 number, LWLockMode mode)
{
	LWLockAcquire(&slot->lock, mode);
	if (slot->number == number && slot->database == MyDatabaseId)
		return true;
	LWLockRelease(&slot->lock);
	return false;
}

void
slot_unlock(QueueSlot *slot)
{
	LWLockRelease(&slot->lock);
}

void
slot_free(QueueSlot *slot, Oid database, int32 number)
{
	SlotKey		key = {database, number};

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (slot->database == database && slot->number == number &&
		dlist_is_empty(&slot->waiters))
	{
		hash_search(slot_index, &key, HASH_REMOVE, NULL);
		slot_reset(slot, InvalidOid, 0);
		shared->queue_count--;
	}
	LWLockRelease(&slot->lock);
	LWLockRelease(&shared->lock);
}
