/*
 * database.h
 *		Which databases have a worker, or shall have one.
 *
 * Shared by the launcher, the workers and the sessions, where the library is
 * preloaded.  The launcher makes an entry for each database at its start, a
 * session for its own when it first uses decouple.
 *
 * An entry is one of
 *
 *		asked for		next: running, or without
 *		running			next: asked for (its worker ended), or without
 *		without			the extension is not there; next: asked for
 *		free			next: asked for
 *
 * and, beside that, may be kept away from for a while: somebody drops, renames
 * or copies the database.
 */
#ifndef DECOUPLE_DATABASE_H
#define DECOUPLE_DATABASE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* how many databases can have a worker */
#define DATABASES_MAX	128

/* all under the lock of database.c, but "worker_process" is read without */
typedef struct DatabaseEntry
{
	Oid			database;		/* InvalidOid: free */
	bool		asked;			/* somebody uses decouple there */
	bool		without;		/* the worker found no extension */
	bool		no_process;		/* there was no room for a worker */
	pid_t		worker;			/* 0: none runs */
	int			worker_process; /* its number among processes, or -1 */
	TimestampTz started_at;
	TimestampTz round_at;		/* when the worker last ended a tick */
	TimestampTz away_until;		/* no worker before */
} DatabaseEntry;

/* the memory for all this; asked for and attached with that of shared.c */
extern Size database_memory(void);
extern void database_attach_memory(int tranche);

/* this session uses decouple: there shall be a worker */
extern void database_ask(void);

/* wakes this database's worker, if there is one.  Cannot fail. */
extern void database_wake_worker(void);

/* does this database have a worker now? */
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
extern void database_note_no_process(Oid database);

/* ---- for a worker ---- */

/* false where there shall be none: another runs, or it is kept away */
extern bool database_attach_worker(void);
extern void database_note_without(void);
extern void database_note_round(void);

/* ---- for who needs the database for himself ---- */

/*
 * Asks the database's worker to leave, and keeps it away for at most so long;
 * returns its process id, or 0.  0 milliseconds: it may come back.
 */
extern pid_t database_keep_away(Oid database, long milliseconds);

#endif							/* DECOUPLE_DATABASE_H */
