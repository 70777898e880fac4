/*
 * frame.c
 *		Writes and reads the frames of frame.h.
 *
 * Linked into the extension and into decouple-egress, so plain C: memory is
 * malloc's, and nothing here reports an error but by a flag.  The flag sticks,
 * so that a caller writes or reads all fields and asks once, at the end.
 *
 * What is read comes from another process, which may have been taken over by
 * whoever it talks to: each length is checked against what is really there.
 */
#include <stdlib.h>
#include <string.h>

#include "egress/frame.h"

/* an empty buffer keeps no more memory than this */
#define BUFFER_KEPT		(1024 * 1024)
#define BUFFER_LEAST	4096

static void
write_u32(char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (char) (value >> (24 - 8 * i));
}

/* Makes room for so many bytes more, or fails. */
static bool
reserve(FrameBuffer *buffer, size_t more)
{
	size_t		capacity = buffer->capacity;
	char	   *data;

	if (buffer->failed)
		return false;
	if (more <= capacity - buffer->length)
		return true;
	if (more > SIZE_MAX / 2 - buffer->length)
	{
		buffer->failed = true;
		return false;
	}
	if (capacity < BUFFER_LEAST)
		capacity = BUFFER_LEAST;
	while (capacity - buffer->length < more)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (data == NULL)
	{
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

static void
put(FrameBuffer *buffer, const char *data, size_t length)
{
	if (!reserve(buffer, length) || length == 0)
		return;
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

void
frame_begin(FrameBuffer *buffer, char kind, size_t *start)
{
	char		header[FRAME_HEADER + 1] = {0};

	*start = buffer->length;
	header[FRAME_HEADER] = kind;
	put(buffer, header, sizeof(header));
}

void
frame_put_u8(FrameBuffer *buffer, uint8_t value)
{
	char		byte = (char) value;

	put(buffer, &byte, 1);
}

void
frame_put_u32(FrameBuffer *buffer, uint32_t value)
{
	char		bytes[4];

	write_u32(bytes, value);
	put(buffer, bytes, sizeof(bytes));
}

void
frame_put_u64(FrameBuffer *buffer, uint64_t value)
{
	frame_put_u32(buffer, (uint32_t) (value >> 32));
	frame_put_u32(buffer, (uint32_t) value);
}

void
frame_put_string(FrameBuffer *buffer, const char *data, size_t length)
{
	/* before memory is asked for that no frame may have */
	if (length > FRAME_MAX)
	{
		buffer->failed = true;
		return;
	}
	frame_put_u32(buffer, (uint32_t) length);
	put(buffer, data, length);
}

/*
 * A frame that failed is taken off again: what was written before it stays
 * well-formed, and the caller, once it has cleared the flag, may go on.
 */
void
frame_end(FrameBuffer *buffer, size_t start)
{
	size_t		length;

	if (!buffer->failed)
	{
		length = buffer->length - start - FRAME_HEADER;
		if (length <= FRAME_MAX)
		{
			write_u32(buffer->data + start, (uint32_t) length);
			return;
		}
		buffer->failed = true;
	}
	if (buffer->length > start)
		buffer->length = start;
}

/*
 * The rest moves to the front, so who sends a long buffer in small parts
 * better keeps a position and calls this once in a while.
 */
void
frame_consume(FrameBuffer *buffer, size_t length)
{
	if (length > buffer->length)
		length = buffer->length;
	buffer->length -= length;
	if (buffer->length > 0)
		memmove(buffer->data, buffer->data + length, buffer->length);
	else if (buffer->capacity > BUFFER_KEPT)
	{
		free(buffer->data);
		buffer->data = NULL;
		buffer->capacity = 0;
	}
}

void
frame_free(FrameBuffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

/* ---- reading ---- */

FrameResult
frame_next(const char *data, size_t length, char *kind, FrameView *view,
		   size_t *total)
{
	FrameView	header = {data, length, 0, false};
	uint32_t	follows;

	if (length < FRAME_HEADER)
		return FRAME_INCOMPLETE;
	follows = frame_get_u32(&header);
	/* said at once, not when so many bytes have come */
	if (follows < 1 || follows > FRAME_MAX)
		return FRAME_BAD;
	if (length - FRAME_HEADER < follows)
		return FRAME_INCOMPLETE;
	*kind = data[FRAME_HEADER];
	view->data = data + FRAME_HEADER + 1;
	view->length = follows - 1;
	view->position = 0;
	view->bad = false;
	*total = FRAME_HEADER + (size_t) follows;
	return FRAME_COMPLETE;
}

/* The next bytes, so many, or NULL where they are not there. */
static const unsigned char *
take(FrameView *view, size_t length)
{
	const char *found;

	if (view->bad || length > view->length - view->position)
	{
		view->bad = true;
		return NULL;
	}
	found = view->data + view->position;
	view->position += length;
	return (const unsigned char *) found;
}

uint8_t
frame_get_u8(FrameView *view)
{
	const unsigned char *bytes = take(view, 1);

	return bytes == NULL ? 0 : bytes[0];
}

uint32_t
frame_get_u32(FrameView *view)
{
	const unsigned char *bytes = take(view, 4);

	if (bytes == NULL)
		return 0;
	return ((uint32_t) bytes[0] << 24) | ((uint32_t) bytes[1] << 16) |
		((uint32_t) bytes[2] << 8) | bytes[3];
}

uint64_t
frame_get_u64(FrameView *view)
{
	uint64_t	high = frame_get_u32(view);
	uint64_t	low = frame_get_u32(view);

	return view->bad ? 0 : high << 32 | low;
}

/* Never NULL: where it is missing, it is empty. */
const char *
frame_get_string(FrameView *view, size_t *length)
{
	size_t		claimed = frame_get_u32(view);
	const unsigned char *bytes = take(view, claimed);

	*length = bytes == NULL ? 0 : claimed;
	return bytes == NULL ? "" : (const char *) bytes;
}

bool
frame_done(const FrameView *view)
{
	return !view->bad && view->position == view->length;
}
