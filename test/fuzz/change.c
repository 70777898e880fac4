/*
 * change.c
 *		Small changes of inputs, such as parsers fall over.
 *
 * Changed as bytes, JSON is hardly ever JSON any more, and only its parser is
 * tried.  So targets with a dictionary have their inputs changed as JSON too:
 * values are taken out, put in, and put in place of others.  What is no JSON,
 * or not any more, passes for one long word.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "change.h"

/* where a value is */
typedef struct Range
{
	size_t		begin;
	size_t		end;
} Range;

static uint64_t state;

void
random_begin(uint64_t seed)
{
	state = seed == 0 ? 1 : seed;
}

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

size_t
below(size_t most)
{
	return most == 0 ? 0 : next_random() % most;
}

/* Puts a piece in place of a range, unless that becomes too long. */
static size_t
put(char *data, size_t length, Range range, const void *piece, size_t piece_length)
{
	size_t		rest = length - range.end;

	if (range.begin + piece_length + rest > LENGTH_MOST)
		return length;
	memmove(data + range.begin + piece_length, data + range.end, rest);
	memcpy(data + range.begin, piece, piece_length);
	return range.begin + piece_length + rest;
}

/* ---- as bytes ---- */

static size_t
change_bytes(char *data, size_t length)
{
	static const char tokens[][5] = {
		"\0\0\0\0", "\0\0\0\1", "\177\377\377\377", "\377\377\377\377",
		"{\"\":", "\\u00", "%00a", "-1.0", "1e99"
	};
	size_t		where = below(length + 1);
	size_t		count = 1 + below(8);
	const char *token = tokens[below(sizeof(tokens) / sizeof(tokens[0]))];

	switch (below(7))
	{
		case 0:					/* a bit */
			if (where < length)
				data[where] ^= (char) (1 << below(8));
			return length;
		case 1:					/* a byte */
			if (where < length)
				data[where] = (char) next_random();
			return length;
		case 2:					/* a token */
			for (size_t i = 0; i < 4 && where + i < length; i++)
				data[where + i] = token[i];
			return length;
		case 3:					/* fewer */
			return where;
		case 4:					/* without some */
			if (where + count > length)
				return length;
			return put(data, length, (Range) {where, where + count}, "", 0);
		case 5:					/* some twice */
			if (where + count > length || length + count > LENGTH_MOST)
				return length;
			memmove(data + where + count, data + where, length - where);
			return length + count;
		default:				/* more */
			if (length + count > LENGTH_MOST)
				return length;
			memmove(data + where + count, data + where, length - where);
			for (size_t i = 0; i < count; i++)
				data[where + i] = (char) next_random();
			return length + count;
	}
}

/* ---- as JSON ---- */

/* Behind a string, whose first quote is at "from". */
static size_t
string_end(const char *data, size_t length, size_t from)
{
	for (size_t i = from + 1; i < length; i++)
	{
		if (data[i] == '\\')
			i++;
		else if (data[i] == '"')
			return i + 1;
	}
	return length;
}

static bool
separates(char c)
{
	return memchr(",: \n{}[]\"", c, 9) != NULL;
}

/* Behind a value: an object, an array, a string, or a word. */
static size_t
value_end(const char *data, size_t length, size_t from)
{
	size_t		depth = 0;
	size_t		i = from;

	while (i < length)
	{
		char		c = data[i];

		if (c == '"')
			i = string_end(data, length, i);
		else if (separates(c))
			i++;
		else
		{
			while (i < length && !separates(data[i]))
				i++;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth == 0)
			break;
	}
	return i;
}

/* Any value, or name, within an input; nothing where there is none. */
static Range
some_value(const char *data, size_t length)
{
	Range		range = {length, length};
	size_t		found = 0;
	size_t		i = 0;

	while (i < length)
	{
		bool		opens = data[i] == '{' || data[i] == '[';
		bool		begins = opens || data[i] == '"' || !separates(data[i]);

		if (begins && below(++found) == 0)
			range.begin = i;
		i = begins && !opens ? value_end(data, length, i) : i + 1;
	}
	if (found > 0)
		range.end = value_end(data, length, range.begin);
	return range;
}

/* a word of the dictionary, a number, or a value of the other input */
static FuzzSeed
some_piece(const FuzzSeed *other)
{
	static char number[24];
	FuzzSeed	piece;
	Range		range;
	size_t		words = 0;

	while (fuzz_dictionary[words].data != NULL)
		words++;
	if (below(8) == 0)
	{
		piece.data = number;
		piece.length = (size_t) snprintf(number, sizeof(number), "%zu",
										 below((size_t) 1 << below(33)));
		return piece;
	}
	if (below(3) != 0)
		return fuzz_dictionary[below(words)];
	range = some_value(other->data, other->length);
	piece.data = (const char *) other->data + range.begin;
	piece.length = range.end - range.begin;
	return piece;
}

static size_t
change_values(char *data, size_t length, const FuzzSeed *other)
{
	Range		range = some_value(data, length);
	Range		behind = {range.end, range.end};
	FuzzSeed	piece = some_piece(other);
	size_t		where = below(length + 1);
	size_t		inside = range.begin + below(range.end - range.begin + 1);
	size_t		count = 1 + below(4);

	switch (below(12))
	{
		case 0:					/* bytes anywhere */
			return put(data, length, (Range) {where, where}, piece.data, piece.length);
		case 6:					/* bytes within it */
		case 7:
			return put(data, length, (Range) {inside, inside}, piece.data, piece.length);
		case 8:					/* fewer bytes within it */
			range.begin = inside;
			if (range.end - inside > count)
				range.end = inside + count;
			return put(data, length, range, "", 0);
		case 1:					/* one value less */
		case 2:
			if (range.end < length && data[range.end] == ',')
				range.end++;
			return put(data, length, range, "", 0);
		case 3:					/* one more */
		case 4:
			length = put(data, length, behind, piece.data, piece.length);
			return put(data, length, behind, ",", 1);
		case 5:					/* deeper */
			length = put(data, length, behind, "]", 1);
			return put(data, length, (Range) {range.begin, range.begin}, "[", 1);
		default:				/* another */
			return put(data, length, range, piece.data, piece.length);
	}
}

size_t
change(char *data, size_t length, const FuzzSeed *other)
{
	if (fuzz_dictionary[0].data != NULL && below(6) != 0)
		return change_values(data, length, other);
	return change_bytes(data, length);
}
