/*
 * database.h
 *		Which databases have workers, or shall have them.
 *
 * Shared by the launcher, the workers and the sessions, where the library is
 * preloaded.  The launcher makes an entry for each database at its start, a
 * session for its own when it first uses decouple.  An entry has a place for a
 * worker of each kind: upkeep for all that is done in the background, which
 * sessions ask for, and functions for what subscriptions call, which may take
 * their time, and which the upkeep worker asks for when there are any.
 *
 * A place is one of
 *
 *		not asked for	next: asked for
 *		asked for		next: running
 *		running			next: asked for (its worker ended), or not asked for (it
 *						left for want of work)
 *
 * and none of an entry's is filled while the entry is without (the extension is
 * not there, as a worker saw; until a session asks), or kept away from for a
 * while: somebody drops, renames or copies the database.
 */
#ifndef DECOUPLE_DATABASE_H
#define DECOUPLE_DATABASE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* how many databases can have a worker */
#define DATABASES_MAX	128

typedef enum WorkerKind
{
	WORKER_UPKEEP,
	WORKER_FUNCTIONS,
	WORKER_KINDS				/* how many */
} WorkerKind;

/* all under the lock of database.c, but "process" is read without */
typedef struct WorkerPlace
{
	bool		asked;			/* one shall run */
	bool		no_process;		/* there was no room for one */
	pid_t		pid;			/* 0: none runs */
	int			process;		/* its number among processes, or -1 */
	TimestampTz started_at;
	TimestampTz round_at;		/* when it last ended a tick */
} WorkerPlace;

/* all under the lock of database.c */
typedef struct DatabaseEntry
{
	Oid			database;		/* InvalidOid: free */
	bool		without;		/* the worker found no extension */
	TimestampTz away_until;		/* no worker before */
	WorkerPlace workers[WORKER_KINDS];
} DatabaseEntry;

/* the memory for all this; asked for and attached with that of shared.c */
extern Size database_memory(void);
extern void database_attach_memory(int tranche);

/* this session uses decouple: there shall be an upkeep worker */
extern void database_ask(void);

/* wakes this database's upkeep worker, if there is one.  Cannot fail. */
extern void database_wake_worker(void);

/* does this database have an upkeep worker now? */
extern bool database_has_worker(void);

/* a copy of an entry, by number; false after the last */
extern bool database_entry(int index, DatabaseEntry *entry);

/* a copy of the entry of a database; false where there is none */
extern bool database_find(Oid database, DatabaseEntry *entry);

/* is there a launcher, and the memory for all this? */
extern bool database_launcher_runs(void);
extern bool database_is_shared(void);

/* ---- for the launcher ---- */

extern void database_attach_launcher(void);
extern void database_add(Oid database);
extern void database_forget(Oid database);
extern void database_note_no_process(Oid database, WorkerKind kind);

/* ---- for a worker ---- */

/* false where there shall be none: another runs, or it is kept away */
extern bool database_attach_worker(WorkerKind kind);
extern void database_note_without(void);
extern void database_note_round(void);

/*
 * For the upkeep worker: there are functions to be called.  Wakes the worker for
 * that, or asks for one; false where no process is free for it.
 */
extern bool database_ask_functions(void);

/* This worker leaves for want of work: nobody shall start it before it is asked for. */
extern void database_ask_no_more(void);

/* ---- for who needs the database for himself ---- */

/*
 * Asks the database's workers to leave, and keeps them away for at most so long;
 * sets their process ids, 0 where none runs.  0 milliseconds: they may come back.
 */
extern void database_keep_away(Oid database, long milliseconds,
							   pid_t workers[WORKER_KINDS]);

#endif							/* DECOUPLE_DATABASE_H */
