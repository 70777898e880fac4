/*
 * database.c
 *		Which databases have workers, or shall have them.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/version.h"

typedef struct DatabaseState
{
	LWLock		lock;
	int			launcher_process;	/* its number, or -1; lock */
	DatabaseEntry entries[DATABASES_MAX];
} DatabaseState;

static DatabaseState *state = NULL;
static DatabaseEntry *mine = NULL;	/* this session's database */
static WorkerPlace *my_place = NULL;	/* if this is a worker */

Size
database_memory(void)
{
	return sizeof(DatabaseState);
}

void
database_attach_memory(int tranche)
{
	bool		found;

	state = ShmemInitStruct("decouple databases", sizeof(DatabaseState), &found);
	if (found)
		return;
	memset(state, 0, sizeof(DatabaseState));
	state->launcher_process = -1;
	LWLockInitialize(&state->lock, tranche);
}

bool
database_is_shared(void)
{
	return state != NULL;
}

/* ---- entries; with the lock held ---- */

static DatabaseEntry *
find(Oid database)
{
	for (int i = 0; i < DATABASES_MAX; i++)
	{
		if (state->entries[i].database == database)
			return &state->entries[i];
	}
	return NULL;
}

/* lock held exclusively; NULL where there is no room */
static DatabaseEntry *
find_or_make(Oid database)
{
	DatabaseEntry *entry = find(database);

	if (entry != NULL)
		return entry;
	entry = find(InvalidOid);
	if (entry != NULL)
	{
		memset(entry, 0, sizeof(*entry));
		entry->database = database;
		for (int kind = 0; kind < WORKER_KINDS; kind++)
			entry->workers[kind].process = -1;
	}
	return entry;
}

static void
wake_process(int process)
{
	if (process >= 0)
		SetLatch(&ProcGlobal->allProcs[process].procLatch);
}

/* ---- sessions ---- */

void
database_ask(void)
{
	/* a look without the lock: at worst it is asked once more */
	if (state == NULL ||
		(mine != NULL && mine->database == MyDatabaseId &&
		 mine->workers[WORKER_UPKEEP].asked && !mine->without))
		return;
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	mine = find_or_make(MyDatabaseId);
	if (mine != NULL)
	{
		mine->workers[WORKER_UPKEEP].asked = true;
		mine->without = false;
		wake_process(state->launcher_process);
	}
	LWLockRelease(&state->lock);
}

void
database_wake_worker(void)
{
	DatabaseEntry *entry = mine;

	/* a latch that is set in vain does no harm */
	if (state != NULL && entry != NULL && entry->database == MyDatabaseId)
		wake_process(entry->workers[WORKER_UPKEEP].process);
}

bool
database_has_worker(void)
{
	return state != NULL && mine != NULL && mine->database == MyDatabaseId &&
		mine->workers[WORKER_UPKEEP].process >= 0;
}

bool
database_entry(int index, DatabaseEntry *entry)
{
	if (state == NULL || index >= DATABASES_MAX)
		return false;
	LWLockAcquire(&state->lock, LW_SHARED);
	*entry = state->entries[index];
	LWLockRelease(&state->lock);
	return true;
}

bool
database_find(Oid database, DatabaseEntry *entry)
{
	DatabaseEntry *found;

	if (state == NULL)
		return false;
	LWLockAcquire(&state->lock, LW_SHARED);
	found = find(database);
	if (found != NULL)
		*entry = *found;
	LWLockRelease(&state->lock);
	return found != NULL;
}

bool
database_launcher_runs(void)
{
	return state != NULL && state->launcher_process >= 0;
}

/* ---- the launcher ---- */

static void
detach_launcher(int code, Datum argument)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (state->launcher_process == my_process_number())
		state->launcher_process = -1;
	LWLockRelease(&state->lock);
}

void
database_attach_launcher(void)
{
	before_shmem_exit(detach_launcher, (Datum) 0);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->launcher_process = my_process_number();
	LWLockRelease(&state->lock);
}

void
database_add(Oid database)
{
	DatabaseEntry *entry;

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	entry = find_or_make(database);
	if (entry != NULL && !entry->without)
		entry->workers[WORKER_UPKEEP].asked = true;
	LWLockRelease(&state->lock);
}

void
database_forget(Oid database)
{
	DatabaseEntry *entry;
	bool		any = false;

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	entry = find(database);
	for (int kind = 0; entry != NULL && kind < WORKER_KINDS; kind++)
		any |= entry->workers[kind].pid != 0;
	if (entry != NULL && !any)
		memset(entry, 0, sizeof(*entry));
	LWLockRelease(&state->lock);
}

void
database_note_no_process(Oid database, WorkerKind kind)
{
	DatabaseEntry *entry;

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	entry = find(database);
	if (entry != NULL)
		entry->workers[kind].no_process = true;
	LWLockRelease(&state->lock);
}

/* ---- a worker ---- */

static void
detach_worker(int code, Datum argument)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (my_place != NULL && mine->database == MyDatabaseId &&
		my_place->pid == MyProcPid)
	{
		my_place->pid = 0;
		my_place->process = -1;
	}
	LWLockRelease(&state->lock);
}

bool
database_attach_worker(WorkerKind kind)
{
	bool		attached = false;

	before_shmem_exit(detach_worker, (Datum) 0);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	mine = find_or_make(MyDatabaseId);
	if (mine != NULL && mine->workers[kind].pid == 0 &&
		mine->away_until <= GetCurrentTimestamp())
	{
		my_place = &mine->workers[kind];
		my_place->pid = MyProcPid;
		my_place->process = my_process_number();
		my_place->started_at = GetCurrentTimestamp();
		my_place->no_process = false;
		attached = true;
	}
	LWLockRelease(&state->lock);
	return attached;
}

void
database_note_without(void)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	mine->without = true;
	LWLockRelease(&state->lock);
}

void
database_note_round(void)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	my_place->round_at = GetCurrentTimestamp();
	LWLockRelease(&state->lock);
}

bool
database_ask_functions(void)
{
	WorkerPlace *place = &mine->workers[WORKER_FUNCTIONS];
	int			process = place->process;
	bool		possible;

	/* a look without the lock: who is just leaving looks once more */
	if (process >= 0)
	{
		wake_process(process);
		if (place->asked)
			return true;
	}
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	place->asked = true;
	possible = !place->no_process;
	wake_process(state->launcher_process);
	LWLockRelease(&state->lock);
	return possible;
}

void
database_ask_no_more(void)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	my_place->asked = false;
	LWLockRelease(&state->lock);
}

/* ---- who needs the database for himself ---- */

void
database_keep_away(Oid database, long milliseconds, pid_t workers[WORKER_KINDS])
{
	DatabaseEntry *entry;

	memset(workers, 0, sizeof(pid_t) * WORKER_KINDS);
	if (state == NULL)
		return;
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	entry = find_or_make(database);
	if (entry != NULL)
	{
		entry->away_until = milliseconds == 0 ? 0 :
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);
		if (milliseconds == 0)
			wake_process(state->launcher_process);
		for (int kind = 0; kind < WORKER_KINDS; kind++)
		{
			workers[kind] = entry->workers[kind].pid;
			if (milliseconds > 0 && workers[kind] != 0)
				(void) kill(workers[kind], SIGTERM);
		}
	}
	LWLockRelease(&state->lock);
}
