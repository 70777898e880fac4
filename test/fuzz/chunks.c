/*
 * chunks.c
 *		A memory context each of whose chunks the sanitizer watches.
 *
 * PostgreSQL's own contexts cut chunks out of large blocks and round them up,
 * so that who reads beyond one, or one that was freed, finds memory.  Here each
 * chunk is malloc'ed to the byte.  As the context is the current one while an
 * input is parsed, this also holds for what the server makes: the jsonb that is
 * read, the strings and lists that hang in our structures.  Replacing palloc in
 * our sources by macros would need no knowledge of contexts, but would leave
 * those out, and could not tell whose chunk a pfree is about.
 *
 * Contexts of one's own went away with PostgreSQL 16, which finds a chunk's
 * methods by a number.
 */
#include "postgres.h"

#include <sanitizer/asan_interface.h>

#include "lib/ilist.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "chunks.h"

#if PG_VERSION_NUM >= 160000
#error "fuzzing in a backend needs PostgreSQL 15"
#endif

typedef struct ChunkContext
{
	MemoryContextData header;
	dlist_head	chunks;
	char		fill;			/* what the next chunk is full of */
} ChunkContext;

/*
 * What stands before a chunk.  PostgreSQL wants the context right before it;
 * our own code has no business there, so it is poisoned: the server is not
 * compiled with the sanitizer and does not notice.
 */
typedef struct Chunk
{
	dlist_node	node;
	Size		size;
	MemoryContext context;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} Chunk;

#define UNWATCHED	__attribute__((no_sanitize("address", "undefined")))

static Chunk *
chunk_of(void *pointer)
{
	Chunk	   *chunk = (Chunk *) ((char *) pointer - offsetof(Chunk, data));

	__asan_unpoison_memory_region(chunk, offsetof(Chunk, data));
	return chunk;
}

/* The list runs through all headers, so nothing that walks it is watched. */
UNWATCHED static void
unlink_chunk(Chunk *chunk)
{
	chunk->node.prev->next = chunk->node.next;
	chunk->node.next->prev = chunk->node.prev;
}

UNWATCHED static void
link_chunk(ChunkContext *context, Chunk *chunk)
{
	dlist_node *head = &context->chunks.head;

	chunk->node.prev = head;
	chunk->node.next = head->next;
	head->next->prev = &chunk->node;
	head->next = &chunk->node;
}

/* Never all the same: what depends on memory that was not set is not repeated. */
static void *
allocate(MemoryContext context, Size size)
{
	ChunkContext *self = (ChunkContext *) context;
	Chunk	   *chunk = malloc(offsetof(Chunk, data) + size);

	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	chunk->context = context;
	link_chunk(self, chunk);
	memset(chunk->data, self->fill++, size);
	__asan_poison_memory_region(chunk, offsetof(Chunk, data));
	return chunk->data;
}

static void
release(MemoryContext context, void *pointer)
{
	Chunk	   *chunk = chunk_of(pointer);

	unlink_chunk(chunk);
	free(chunk);
}

/* always moves it, so that a pointer to the old place is found out */
static void *
reallocate(MemoryContext context, void *pointer, Size size)
{
	Size		old = chunk_of(pointer)->size;
	void	   *moved = allocate(context, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(old, size));
	release(context, pointer);
	return moved;
}

static void
reset(MemoryContext context)
{
	ChunkContext *self = (ChunkContext *) context;

	while (!dlist_is_empty(&self->chunks))
	{
		Chunk	   *chunk = dlist_head_element(Chunk, node, &self->chunks);

		release(context, chunk->data);
	}
	self->fill = 1;
}

static void
delete_context(MemoryContext context)
{
	reset(context);
	free(context);
}

static Size
chunk_space(MemoryContext context, void *pointer)
{
	return chunk_of(pointer)->size;
}

static bool
is_empty(MemoryContext context)
{
	return dlist_is_empty(&((ChunkContext *) context)->chunks);
}

/* nobody asks: a backend out of memory has none to fuzz in */
static void
stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru,
	  MemoryContextCounters *totals, bool print_to_stderr)
{
}

static const MemoryContextMethods methods = {
	.alloc = allocate,
	.free_p = release,
	.realloc = reallocate,
	.reset = reset,
	.delete_context = delete_context,
	.get_chunk_space = chunk_space,
	.is_empty = is_empty,
	.stats = stats
};

MemoryContext
chunks_create(void)
{
	ChunkContext *context = calloc(1, sizeof(ChunkContext));

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	dlist_init(&context->chunks);
	MemoryContextCreate(&context->header, T_AllocSetContext, &methods,
						CurrentMemoryContext, "fuzz");
	return &context->header;
}
