/*
 * egress.c
 *		The program decouple-egress, as this process has it.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/settings.h"
#include "delivery/egress.h"
#include "egress/address.h"

/* a start that failed costs a pause, which doubles with each in a row */
#define START_PAUSE_FIRST	(100 * INT64CONST(1000))
#define START_PAUSE_LAST	(30 * USECS_PER_SEC)

#define CONNECT_TIME_LIMIT_MS	5000
#define ANSWER_MAX				(64 * 1024)
#define READ_SIZE				(64 * 1024)

static pid_t child = 0;
static pgsocket connection = PGINVALID_SOCKET;
static FrameBuffer output;
static FrameBuffer input;
static char *configured = NULL; /* the egress_allow that it was told */
static TimestampTz retry_at = 0;
static int64 pause_time = 0;

extern char **environ;

/* ---- start and end ---- */

/* Ends it. */
static void
stop(void)
{
	if (connection != PGINVALID_SOCKET)
		close(connection);
	connection = PGINVALID_SOCKET;
	if (child != 0)
	{
		/* its end of the conversation is closed; it is not waited for long */
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
	frame_free(&output);
	frame_free(&input);
	free(configured);
	configured = NULL;
}

static void
stop_at_exit(int code, Datum argument)
{
	stop();
}

/* It has ended, or does not say what it should. */
static void
lose(void)
{
	stop();
	pause_time = Min(Max(pause_time * 2, START_PAUSE_FIRST), START_PAUSE_LAST);
	retry_at = GetCurrentTimestamp() + pause_time;
	ereport(LOG,
			(errmsg("decouple-egress has ended, and is started again in %d ms",
					(int) (pause_time / 1000))));
}

/* Spawns the program with "socket" as its file descriptor 0. */
static bool
spawn(pgsocket socket)
{
	char		path[MAXPGPATH];
	char	   *arguments[] = {"decouple-egress", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t	none;
	sigset_t	all;
	int			result;

	snprintf(path, sizeof(path), "%s/decouple-egress", pkglib_path);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes,
							 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	result = posix_spawn(&child, path, &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (result == 0)
		return true;
	child = 0;
	errno = result;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not start \"%s\": %m", path),
			 errhint("Install decouple whole, with make install.")));
	return false;
}

static bool
start(void)
{
	static bool registered = false;
	int			ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	if (!registered)
	{
		on_proc_exit(stop_at_exit, (Datum) 0);
		registered = true;
	}
	if (!spawn(ends[1]))
	{
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	close(ends[1]);
	connection = ends[0];
	pg_set_noblock(connection);
	return true;
}

/* ---- settings ---- */

/*
 * The check hook of decouple.egress_allow.  The list is split as configure() does,
 * and read as the program does, which leaves out what it cannot read.
 */
bool
egress_allow_check(char **value, void **extra, GucSource source)
{
	List	   *networks;
	ListCell   *cell;

	if (!SplitGUCList(pstrdup(*value), ',', &networks))
	{
		GUC_check_errdetail("It is not a list of networks, separated by commas.");
		return false;
	}
	foreach(cell, networks)
	{
		const char *item = lfirst(cell);
		AddressNetwork network;

		if (address_parse_network(item, strlen(item), &network))
			continue;
		GUC_check_errdetail("\"%s\" is not an address or a network.", item);
		GUC_check_errhint("For example 10.2.0.0/16, 127.0.0.1 or fd00::/8, with no bits set behind the prefix.");
		return false;
	}
	return true;
}

/* Tells the program what it may reach, if that is not what it was told. */
static void
configure(void)
{
	const char *allow = decouple_egress_allow == NULL ? "" : decouple_egress_allow;
	List	   *networks = NIL;
	ListCell   *cell;
	size_t		begin;

	if (configured != NULL && strcmp(configured, allow) == 0)
		return;
	free(configured);
	configured = strdup(allow);
	if (!SplitGUCList(pstrdup(allow), ',', &networks))
		networks = NIL;
	frame_begin(&output, FRAME_CONFIGURE, &begin);
	frame_put_u32(&output, (uint32) list_length(networks));
	foreach(cell, networks)
		frame_put_string(&output, lfirst(cell), strlen(lfirst(cell)));
	frame_put_u32(&output, CONNECT_TIME_LIMIT_MS);
	frame_put_u32(&output, ANSWER_MAX);
	frame_end(&output, begin);
}

bool
egress_ensure(TimestampTz *next_try)
{
	if (connection == PGINVALID_SOCKET)
	{
		*next_try = retry_at;
		if (retry_at > GetCurrentTimestamp())
			return false;
		if (!start())
		{
			lose();
			*next_try = retry_at;
			return false;
		}
	}
	configure();
	return true;
}

/* ---- talking ---- */

FrameBuffer *
egress_output(void)
{
	return &output;
}

size_t
egress_backlog(void)
{
	return output.length;
}

pgsocket
egress_socket(int *events)
{
	*events = WL_SOCKET_READABLE | (output.length > 0 ? WL_SOCKET_WRITEABLE : 0);
	return connection;
}

/* Writes what can be; false where the connection is broken. */
static bool
write_some(void)
{
	if (output.failed)
		return false;
	while (output.length > 0)
	{
		ssize_t		written = send(connection, output.data, output.length,
								   MSG_NOSIGNAL);

		if (written > 0)
			frame_consume(&output, (size_t) written);
		else if (errno == EINTR)
			continue;
		else
			return errno == EAGAIN || errno == EWOULDBLOCK;
	}
	return true;
}

/* Makes room for what is read next. */
static bool
input_reserve(size_t more)
{
	size_t		wanted = input.length + more;
	char	   *data;

	if (wanted <= input.capacity)
		return true;
	data = realloc(input.data, wanted);
	if (data == NULL)
		return false;
	input.data = data;
	input.capacity = wanted;
	return true;
}

/* Hands on an outcome; false where it is none. */
static bool
take_outcome(char kind, FrameView *view, EgressOutcome outcome)
{
	uint64		id = frame_get_u64(view);
	int			verdict = frame_get_u8(view);
	uint32		status = frame_get_u32(view);
	int32		retry_after = (int32) frame_get_u32(view);
	size_t		length;
	const char *error;

	(void) frame_get_u32(view);	/* how long it took; we have our own clock */
	error = frame_get_string(view, &length);
	if (kind != FRAME_OUTCOME || !frame_done(view) || status > 999)
		return false;
	outcome(id, verdict, (int32) status, retry_after, error, length);
	pause_time = 0;
	return true;
}

static bool
take_frames(EgressOutcome outcome)
{
	for (;;)
	{
		FrameView	view;
		size_t		total;
		char		kind;

		switch (frame_next(input.data, input.length, &kind, &view, &total))
		{
			case FRAME_INCOMPLETE:
				return true;
			case FRAME_BAD:
				return false;
			case FRAME_COMPLETE:
				if (!take_outcome(kind, &view, outcome))
					return false;
				frame_consume(&input, total);
				break;
		}
	}
}

/* Reads what is there; false where the connection is broken or closed. */
static bool
read_some(EgressOutcome outcome)
{
	for (;;)
	{
		ssize_t		count;

		if (!input_reserve(READ_SIZE))
			return false;
		count = recv(connection, input.data + input.length, READ_SIZE, 0);
		if (count == 0)
			return false;
		if (count < 0)
		{
			if (errno == EINTR)
				continue;
			return errno == EAGAIN || errno == EWOULDBLOCK;
		}
		input.length += (size_t) count;
		if (!take_frames(outcome))
			return false;
	}
}

bool
egress_pump(EgressOutcome outcome)
{
	if (connection == PGINVALID_SOCKET)
		return true;
	if (write_some() && read_some(outcome))
		return true;
	lose();
	return false;
}
