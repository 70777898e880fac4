/*
 * backend.h
 *		What a target that runs inside PostgreSQL is.
 *
 * Its seeds and dictionary are those of fuzz.h.  Instead of fuzz_one it defines
 * fuzz_text, which gets what the server would let through: text in the
 * database's encoding.  Its first line names the sources that are watched; what
 * they call beyond that comes from the build.
 */
#ifndef FUZZ_BACKEND_H
#define FUZZ_BACKEND_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "fuzz.h"

extern void fuzz_text(char *text);

/* Splits a text at its first line break, and returns what follows it. */
extern char *fuzz_next_line(char *text);

/* NULL where the server does not take it for a jsonb, which is its affair */
extern Jsonb *fuzz_jsonb(const char *text);

/*
 * Calls, and tells whether no error was raised.  One that is raised has one of
 * the SQLSTATEs of "allowed" ("22023 54000", or "" where there may be none),
 * a hint, and text in the database's encoding, or it is a failure.
 */
typedef void (*FuzzCall) (void *argument);
extern bool fuzz_takes(FuzzCall call, void *argument, const char *allowed);

/* counts an input as one that the parser took, or refused */
extern void fuzz_count(bool taken);

#endif							/* FUZZ_BACKEND_H */
