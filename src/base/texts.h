/*
 * texts.h
 *		Texts by their bytes, whatever the database's collation.
 */
#ifndef DECOUPLE_TEXTS_H
#define DECOUPLE_TEXTS_H

#include "postgres.h"

#include "common/hashfn.h"

#include "base/version.h"

static inline bool
texts_equal(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* a hash, begun with another one or 0 */
static inline uint64
text_hash(const text *value, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) VARDATA_ANY(value),
							   VARSIZE_ANY_EXHDR(value), seed);
}

#endif							/* DECOUPLE_TEXTS_H */
