/*
 * frame.h
 *		What the worker and decouple-egress say to each other.
 *
 * Both ends of a stream socket send frames: a length of four bytes, which
 * counts what follows, a byte for the kind, and the kind's fields.  Numbers are
 * in network order.  A string is a length of four bytes and so many bytes,
 * with no end mark; it may hold any byte unless said otherwise.
 *
 *	'C'  worker to egress, first and whenever the settings change:
 *		u32 count, so many strings: networks (CIDR) that may be reached although
 *			they are private or local
 *		u32 connect timeout, milliseconds
 *		u32 largest number of bytes of an answer that are read
 *
 *	'R'  worker to egress, a request:
 *		u64 id, the worker's; returned in the outcome
 *		u32 time limit of the whole request, milliseconds
 *		u8  flags, REQUEST_*
 *		string url; string ca: certificates in PEM, or empty for the system's
 *		string user, string password: for HTTP authentication, or empty
 *		u32 count, so many strings: header lines "Name: value"
 *		string body, sent by POST
 *
 *	'O'  egress to worker, one for each request:
 *		u64 id
 *		u8  verdict, OUTCOME_*
 *		u32 HTTP status, 0 where there was no answer
 *		i32 seconds of Retry-After, -1 where there is none
 *		u32 milliseconds that it took
 *		string error: one line of ASCII, at most 200 bytes, no secret; empty
 *			where an answer came
 *
 * Either end takes a frame that is longer than FRAME_MAX or not well-formed
 * for the end of the conversation.  Nothing here knows PostgreSQL.
 */
#ifndef DECOUPLE_FRAME_H
#define DECOUPLE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* a message of 64 MiB, and what goes with it */
#define FRAME_MAX			(66u * 1024 * 1024)
#define FRAME_HEADER		4

#define FRAME_CONFIGURE		'C'
#define FRAME_REQUEST		'R'
#define FRAME_OUTCOME		'O'

/* flags of a request */
#define REQUEST_HTTPS_ONLY	1	/* an http URL is refused */

/* what became of a request */
typedef enum OutcomeVerdict
{
	OUTCOME_ANSWERED = 0,		/* there is an HTTP status */
	OUTCOME_FAILED = 1,			/* no answer: name, connection, TLS, time */
	OUTCOME_REFUSED = 2			/* not sent: bad URL, address not allowed */
} OutcomeVerdict;

/* ---- writing: a buffer that grows ---- */

typedef struct FrameBuffer
{
	char	   *data;
	size_t		length;
	size_t		capacity;
	bool		failed;			/* out of memory, or the frame is too long */
} FrameBuffer;

extern void frame_begin(FrameBuffer *buffer, char kind, size_t *start);
extern void frame_put_u8(FrameBuffer *buffer, uint8_t value);
extern void frame_put_u32(FrameBuffer *buffer, uint32_t value);
extern void frame_put_u64(FrameBuffer *buffer, uint64_t value);
extern void frame_put_string(FrameBuffer *buffer, const char *data,
							 size_t length);

/* writes the length of the frame that began at "start" */
extern void frame_end(FrameBuffer *buffer, size_t start);

/* takes what was sent off the front */
extern void frame_consume(FrameBuffer *buffer, size_t length);
extern void frame_free(FrameBuffer *buffer);

/* ---- reading: a view into bytes that stay where they are ---- */

typedef struct FrameView
{
	const char *data;
	size_t		length;
	size_t		position;
	bool		bad;			/* something was missing; values read are 0 */
} FrameView;

typedef enum FrameResult
{
	FRAME_INCOMPLETE,			/* more bytes are needed */
	FRAME_COMPLETE,
	FRAME_BAD					/* end the conversation */
} FrameResult;

/*
 * Looks for a whole frame at the front of "data".  Where there is one, *view is
 * what follows its kind, and *total how many bytes it takes.
 */
extern FrameResult frame_next(const char *data, size_t length, char *kind,
							  FrameView *view, size_t *total);
extern uint8_t frame_get_u8(FrameView *view);
extern uint32_t frame_get_u32(FrameView *view);
extern uint64_t frame_get_u64(FrameView *view);
extern const char *frame_get_string(FrameView *view, size_t *length);

/* was all read, and nothing missing? */
extern bool frame_done(const FrameView *view);

#endif							/* DECOUPLE_FRAME_H */
