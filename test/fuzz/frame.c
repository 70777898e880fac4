/* links: src/egress/frame.c src/egress/address.c */
/*
 * frame.c
 *		The frames between the worker and decouple-egress.
 *
 * Reads as both ends do; and what was read, written again, is what it was.
 */
#include <stdlib.h>
#include <string.h>

#include "egress/address.h"
#include "egress/frame.h"
#include "fuzz.h"

const FuzzSeed fuzz_seeds[] = {
	SEED("\0\0\0\2O\0"),
	SEED("\0\0\0\x1b" "C\0\0\0\1\0\0\0\n10.0.0.0/8\0\0\1\0\0\0\1\0"),
	SEED("\0\0\0\x1b" "O\0\0\0\0\0\0\0\7\0\0\0\0\xc8\377\377\377\377\0\0\0\5\0\0\0\1x"),
	SEED("\0\0\0\x3b" "R\0\0\0\0\0\0\0\1\0\0\1\0\0\0\0\0\7http://\0\0\0\0\0\0\0\1u\0\0\0\1p"
		 "\0\0\0\1\0\0\0\4X: y\0\0\0\4body"),
	SEEDS_END
};

/* frames are bytes */
const FuzzSeed fuzz_dictionary[] = {SEEDS_END};

/* Copies a string from one frame to another, looking at each byte. */
static void
copy_string(FrameView *view, FrameBuffer *copy)
{
	size_t		length;
	const char *text = frame_get_string(view, &length);
	AddressNetwork network;

	FUZZ_REQUIRE(text != NULL);
	FUZZ_REQUIRE(view->bad ? length == 0 : text + length <= view->data + view->length);
	if (address_parse_network(text, length, &network))
		FUZZ_REQUIRE(network.prefix >= 0 && network.prefix <= 128);
	frame_put_string(copy, text, length);
}

static void
copy_strings(FrameView *view, FrameBuffer *copy)
{
	uint32_t	count = frame_get_u32(view);

	frame_put_u32(copy, count);
	for (uint32_t i = 0; i < count && !view->bad; i++)
		copy_string(view, copy);
}

static void
copy_fields(char kind, FrameView *view, FrameBuffer *copy)
{
	if (kind == FRAME_CONFIGURE)
	{
		copy_strings(view, copy);
		frame_put_u32(copy, frame_get_u32(view));
		frame_put_u32(copy, frame_get_u32(view));
		return;
	}
	frame_put_u64(copy, frame_get_u64(view));
	if (kind == FRAME_REQUEST)
	{
		frame_put_u32(copy, frame_get_u32(view));
		frame_put_u8(copy, frame_get_u8(view));
		for (int i = 0; i < 4; i++)
			copy_string(view, copy);
		copy_strings(view, copy);
	}
	else
	{
		frame_put_u8(copy, frame_get_u8(view));
		for (int i = 0; i < 3; i++)
			frame_put_u32(copy, frame_get_u32(view));
	}
	copy_string(view, copy);
}

void
fuzz_one(const char *data, size_t length)
{
	FrameBuffer copy = {0};
	size_t		start;

	for (;;)
	{
		FrameView	view;
		char		kind;
		size_t		total;

		if (frame_next(data, length, &kind, &view, &total) != FRAME_COMPLETE)
			break;
		FUZZ_REQUIRE(total > FRAME_HEADER && total <= length);
		frame_begin(&copy, kind, &start);
		copy_fields(kind, &view, &copy);
		frame_end(&copy, start);
		FUZZ_REQUIRE(!copy.failed);
		if (frame_done(&view))
			FUZZ_REQUIRE(copy.length == total && memcmp(copy.data, data, total) == 0);
		frame_consume(&copy, copy.length);
		data += total;
		length -= total;
	}
	frame_free(&copy);
}
