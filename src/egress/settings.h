/*
 * settings.h
 *		What the worker says of all requests of decouple-egress.
 */
#ifndef DECOUPLE_EGRESS_SETTINGS_H
#define DECOUPLE_EGRESS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "egress/address.h"
#include "egress/frame.h"

typedef struct Settings
{
	AddressNetwork *allowed;
	size_t		allowed_count;
	uint32_t	connect_timeout;	/* milliseconds */
	uint32_t	answer_limit;	/* bytes */
} Settings;

/* The defaults, until the worker has said its own. */
extern void settings_reset(Settings *settings);

/* Takes what follows FRAME_CONFIGURE; false where it is not well-formed. */
extern bool settings_read(Settings *settings, FrameView *view);

#endif							/* DECOUPLE_EGRESS_SETTINGS_H */
