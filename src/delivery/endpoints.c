/*
 * endpoints.c
 *		How endpoints do: how many requests each may have, and when not to try.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/version.h"
#include "delivery/endpoints.h"

#define ALL_MAX				256
#define SLOW_MAX			(ALL_MAX / 4)
#define ORIGIN_MAX			64
#define URL_MAX				10
#define URL_FIRST			4
#define SLOW_TIME			(2 * USECS_PER_SEC)
#define BREAKER_FAILURES	10
#define BREAKER_FIRST		(1 * USECS_PER_SEC)
#define BREAKER_LAST		(30 * USECS_PER_SEC)

/* outcomes after which the limit on all requests is doubled again */
#define RECOVERY			100

typedef struct Endpoint
{
	uint64		key;			/* hash of the URL: a collision costs fairness */
	uint64		origin;
	int			under_way;
	int			limit;
	int			failures;		/* in a row */
	int64		pause;			/* of the breaker; 0: closed */
	TimestampTz open_until;
	int64		average;		/* of the time that requests take */
} Endpoint;

typedef struct Origin
{
	uint64		key;
	int			under_way;
} Origin;

static HTAB *endpoints = NULL;
static HTAB *origins = NULL;
static int	under_way = 0;
static int	slow_under_way = 0;
static int	all_limit = ALL_MAX;
static int	outcomes = 0;

static HTAB *
make_table(const char *name, Size size)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(uint64);
	control.entrysize = size;
	control.hcxt = TopMemoryContext;
	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static uint64
hash_string_part(const char *string, size_t length)
{
	return hash_bytes_extended((const unsigned char *) string, (int) length, 0);
}

/* How long scheme, host and port are. */
static size_t
origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	if (host == NULL)
		return strlen(url);
	host += 3;
	return (size_t) (host - url) + strcspn(host, "/?#");
}

static Endpoint *
find_endpoint(const char *url)
{
	uint64		key = hash_string_part(url, strlen(url));
	bool		found;
	Endpoint   *endpoint;

	if (endpoints == NULL)
	{
		endpoints = make_table("decouple endpoints", sizeof(Endpoint));
		origins = make_table("decouple origins", sizeof(Origin));
	}
	endpoint = hash_search(endpoints, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset(endpoint, 0, sizeof(*endpoint));
		endpoint->key = key;
		endpoint->origin = hash_string_part(url, origin_length(url));
		endpoint->limit = URL_FIRST;
	}
	return endpoint;
}

static Origin *
find_origin(const Endpoint *endpoint)
{
	bool		found;
	Origin	   *origin = hash_search(origins, &endpoint->origin, HASH_ENTER, &found);

	if (!found)
		origin->under_way = 0;
	return origin;
}

static bool
is_slow(const Endpoint *endpoint)
{
	return endpoint->average > SLOW_TIME;
}

int
endpoint_room(const char *url, TimestampTz *again_at)
{
	Endpoint   *endpoint = find_endpoint(url);
	int			limit = endpoint->pause > 0 ? 1 : endpoint->limit;
	int			room = Min(limit - endpoint->under_way, all_limit - under_way);
	int			origin_room = ORIGIN_MAX - find_origin(endpoint)->under_way;

	*again_at = DT_NOEND;
	if (endpoint->pause > 0 && endpoint->open_until > GetCurrentTimestamp())
	{
		*again_at = endpoint->open_until;
		return 0;
	}
	/* its first request a URL has always, whatever the others do */
	if (endpoint->under_way == 0)
		origin_room = Max(origin_room, 1);
	room = Min(room, origin_room);
	if (is_slow(endpoint))
		room = Min(room, endpoint->under_way == 0 ?
				   Max(SLOW_MAX - slow_under_way, 1) :
				   SLOW_MAX - slow_under_way);
	return Max(room, 0);
}

void
endpoint_begin(const char *url)
{
	Endpoint   *endpoint = find_endpoint(url);

	endpoint->under_way++;
	find_origin(endpoint)->under_way++;
	under_way++;
	if (is_slow(endpoint))
		slow_under_way++;
}

/* Counts a request out. */
static Endpoint *
count_out(const char *url)
{
	Endpoint   *endpoint = find_endpoint(url);

	endpoint->under_way = Max(endpoint->under_way - 1, 0);
	find_origin(endpoint)->under_way = Max(find_origin(endpoint)->under_way - 1, 0);
	under_way = Max(under_way - 1, 0);
	/* it may have begun before its URL was known to be slow */
	if (is_slow(endpoint))
		slow_under_way = Max(slow_under_way - 1, 0);
	return endpoint;
}

void
endpoint_end(const char *url, bool good, int64 microseconds)
{
	Endpoint   *endpoint = count_out(url);
	bool		was_slow = is_slow(endpoint);

	endpoint->average += (microseconds - endpoint->average) / 4;
	if (is_slow(endpoint) != was_slow)
		slow_under_way = Max(slow_under_way + (was_slow ? -endpoint->under_way :
											   endpoint->under_way), 0);
	if (good)
	{
		endpoint->limit = Min(endpoint->limit + 1, URL_MAX);
		endpoint->failures = 0;
		endpoint->pause = 0;
	}
	else
	{
		endpoint->limit = Max(endpoint->limit / 2, 1);
		endpoint->failures++;
		if (endpoint->failures >= BREAKER_FAILURES)
		{
			endpoint->pause = Min(Max(endpoint->pause * 2, BREAKER_FIRST), BREAKER_LAST);
			endpoint->open_until = GetCurrentTimestamp() + endpoint->pause;
		}
	}
	if (++outcomes >= RECOVERY)
	{
		outcomes = 0;
		all_limit = Min(all_limit * 2, ALL_MAX);
	}
}

void
endpoint_forget(const char *url)
{
	(void) count_out(url);
}

void
endpoints_egress_died(void)
{
	all_limit = Max(all_limit / 2, 1);
	outcomes = 0;
}

int
endpoints_under_way(void)
{
	return under_way;
}
