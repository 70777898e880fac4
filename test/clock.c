/*
 * clock.c
 *		Preloaded into a server under test: its clock is TEST_CLOCK_SHIFT seconds
 *		ahead, and goes on at its own pace.
 *
 * libfaketime does not do: PostgreSQL 15 starts its workers in signal handlers
 * that interrupt a select(), and there it leaves the clock alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t shift;
static int	(*real_gettimeofday) (struct timeval *, void *);
static int	(*real_clock_gettime) (clockid_t, struct timespec *);

__attribute__((constructor))
static void
find_real(void)
{
	const char *seconds = getenv("TEST_CLOCK_SHIFT");

	shift = seconds == NULL ? 0 : atol(seconds);
	real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
	real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int			result = real_gettimeofday(now, zone);

	now->tv_sec += shift;
	return result;
}

int
clock_gettime(clockid_t which, struct timespec *now)
{
	int			result = real_clock_gettime(which, now);

	if (which == CLOCK_REALTIME)
		now->tv_sec += shift;
	return result;
}

time_t
time(time_t *where)
{
	struct timeval now;

	(void) gettimeofday(&now, NULL);
	if (where != NULL)
		*where = now.tv_sec;
	return now.tv_sec;
}
