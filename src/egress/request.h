/*
 * request.h
 *		One HTTP request of decouple-egress, from its frame to its outcome.
 */
#ifndef DECOUPLE_REQUEST_H
#define DECOUPLE_REQUEST_H

#include <curl/curl.h>
#include <stddef.h>

#include "egress/frame.h"
#include "egress/settings.h"

typedef struct Request Request;

/*
 * Takes what follows FRAME_REQUEST; NULL where it is not well-formed, or there
 * is no memory at all.  The settings are asked again and again until the end.
 */
extern Request *request_read(FrameView *view, const Settings *settings);

/*
 * The handle that performs the request, to be added to a multi handle; NULL
 * where it is not to be sent: then request_finish comes next.
 */
extern CURL *request_start(Request *request);

/* The request that a handle performs. */
extern Request *request_of(CURL *easy);

/* How many bytes it holds, beside what libcurl does. */
extern size_t request_size(const Request *request);

/*
 * Writes the outcome, and frees the request.  Its handle is out of the multi
 * handle by then.
 */
extern void request_finish(Request *request, CURLcode result,
						   FrameBuffer *output);

/* Frees a request whose outcome nobody wants any more. */
extern void request_drop(Request *request);

#endif							/* DECOUPLE_REQUEST_H */
