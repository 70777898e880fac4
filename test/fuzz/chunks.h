/*
 * chunks.h
 *		A memory context each of whose chunks the sanitizer watches.
 */
#ifndef FUZZ_CHUNKS_H
#define FUZZ_CHUNKS_H

#include "postgres.h"

#include "utils/palloc.h"

/* below the current context; reset and deleted as any other */
extern MemoryContext chunks_create(void);

#endif							/* FUZZ_CHUNKS_H */
