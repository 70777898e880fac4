/*
 * main.c
 *		decouple-egress: sends HTTP requests for a worker of PostgreSQL.
 *
 * libcurl, TLS and whatever a server on the internet answers stay in a process
 * of their own: one that crashes costs the requests that it ran, where a
 * crash of the worker would restart the whole server.  It has no connection to
 * the database, opens no file for writing, and knows of the data only the
 * requests that it is sending.
 *
 * It is started by the worker, with one end of a socket pair as its file
 * descriptor 0, on which both speak as frame.h says.  It ends when the worker
 * closes the other end, or dies in any way.
 *
 * Exit status: 0 where the worker has closed, 1 where it said what is not
 * well-formed, or where this program cannot work; then a line on stderr says
 * why.
 */
#define _GNU_SOURCE				/* pthread_setattr_default_np */
#include <curl/curl.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "egress/handle.h"
#include "egress/loop.h"

#define WORKER			0		/* the file descriptor */
#define FILES_MOST		4096
#define MEMORY_MOST		(2ul * 1024 * 1024 * 1024)
#define STACK_SIZE		(256 * 1024)

static int
give_up(const char *why)
{
	char		line[256];
	int			length = snprintf(line, sizeof(line), "decouple-egress: %s\n", why);

	/* there is nobody to tell where even that fails */
	if (write(STDERR_FILENO, line, (size_t) length) < 0)
		return 1;
	return 1;
}

/* Closes what was inherited, but for the worker's socket and stderr. */
static void
close_others(void)
{
	struct rlimit limit;
	int			null;

	/* a connection must not become stderr */
	do
	{
		null = open("/dev/null", O_RDWR);
	} while (null >= 0 && null <= STDERR_FILENO);

#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (int fd = STDERR_FILENO + 1; fd < (int) limit.rlim_cur; fd++)
		close(fd);
}

/*
 * Dies with the worker.  Where that has died before we could ask for it, init
 * is the parent; and the socket tells it, too.
 */
static bool
die_with_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != 1;
}

/* Sets a limit, as far as that is allowed; tells what it is then. */
static rlim_t
set_limit(int which, rlim_t value, bool for_good)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) != 0)
		return value;
	limit.rlim_cur = limit.rlim_max < value ? limit.rlim_max : value;
	if (for_good)
		limit.rlim_max = limit.rlim_cur;
	setrlimit(which, &limit);
	return limit.rlim_cur;
}

/*
 * Bodies are secret, so there is no core file.  Memory is limited as it is
 * written to, not as addresses, of which threads and sanitizers reserve many.
 */
static void
set_limits(void)
{
	pthread_attr_t attributes;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	set_limit(RLIMIT_CORE, 0, true);
	set_limit(RLIMIT_FSIZE, 0, true);
#ifndef __SANITIZE_ADDRESS__
	set_limit(RLIMIT_DATA, MEMORY_MOST, true);
#endif

	/* libcurl looks each name up in a thread, so there may be many */
	mallopt(M_ARENA_MAX, 2);
	if (pthread_attr_init(&attributes) == 0)
	{
		pthread_attr_setstacksize(&attributes, STACK_SIZE);
		pthread_setattr_default_np(&attributes);
		pthread_attr_destroy(&attributes);
	}
}

/*
 * A request takes a connection, and for a moment what looking its name up
 * takes; as many connections are kept open for later.
 */
static int
requests_most(void)
{
	rlim_t		files = set_limit(RLIMIT_NOFILE, FILES_MOST, false);
	rlim_t		most = files > 64 ? (files - 64) / 3 : 1;

	return most > LOOP_REQUESTS_MOST ? LOOP_REQUESTS_MOST : (int) most;
}

static void
ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* of a terminal: the worker decides */
	signal(SIGXFSZ, SIG_IGN);	/* where stderr is a file */
}

int
main(void)
{
	int			type;
	socklen_t	length = sizeof(type);
	const char *error;

	if (getsockopt(WORKER, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
		type != SOCK_STREAM)
		return give_up("started by hand: standard input is not a socket");
	ignore_signals();
	if (!die_with_parent())
		return give_up("the worker is gone");
	close_others();
	set_limits();

	/* proxies, options of the resolver, of OpenSSL: nothing of it counts */
	handles_begin();
	clearenv();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return give_up("libcurl cannot begin");

	error = loop_run(WORKER, requests_most());
	return error == NULL ? 0 : give_up(error);
}
