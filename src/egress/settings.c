/*
 * settings.c
 *		What the worker says of all requests of decouple-egress.
 */
#include <stdlib.h>

#include "egress/settings.h"

#define CONNECT_TIMEOUT		5000
#define ANSWER_LIMIT		(64 * 1024)

void
settings_reset(Settings *settings)
{
	free(settings->allowed);
	settings->allowed = NULL;
	settings->allowed_count = 0;
	settings->connect_timeout = CONNECT_TIMEOUT;
	settings->answer_limit = ANSWER_LIMIT;
}

/*
 * What is no network is left out: less is allowed than was meant, but requests
 * to public addresses go on.
 */
bool
settings_read(Settings *settings, FrameView *view)
{
	uint32_t	count = frame_get_u32(view);

	settings_reset(settings);
	/* each takes four bytes at least */
	if (count > (view->length - view->position) / 4)
		return false;
	settings->allowed = calloc(count + 1, sizeof(AddressNetwork));
	if (settings->allowed == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
	{
		size_t		length;
		const char *text = frame_get_string(view, &length);
		AddressNetwork *next = &settings->allowed[settings->allowed_count];

		if (address_parse_network(text, length, next))
			settings->allowed_count++;
	}
	settings->connect_timeout = frame_get_u32(view);
	settings->answer_limit = frame_get_u32(view);
	return frame_done(view);
}
