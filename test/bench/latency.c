/*
 * latency.c
 *		How long after the COMMIT of a send does a waiting receiver have the
 *		message?  Prints milliseconds, one line for each message.
 *
 * usage: latency receive|await|notify queue count
 *
 * Two connections, made as libpq's environment says: one sends, one waits.
 * The clock starts when the sender's COMMIT is written.  The receiver is a
 * backend of its own, so that one thread here is enough for both.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#define BOUND_MS		30000

static void
fail(const char *what, PGconn *conn)
{
	fprintf(stderr, "latency: %s: %s\n", what, conn ? PQerrorMessage(conn) : "");
	exit(1);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static PGconn *
open_connection(void)
{
	PGconn	   *conn = PQconnectdb("");

	if (PQstatus(conn) != CONNECTION_OK)
		fail("could not connect", conn);
	return conn;
}

/* Waits until the socket has something; false when the bound has passed. */
static int
readable(PGconn *conn)
{
	struct pollfd wait = {.fd = PQsocket(conn), .events = POLLIN};

	return poll(&wait, 1, BOUND_MS) > 0 && PQconsumeInput(conn);
}

/* Reads the answer to what was sent; the caller clears it. */
static PGresult *
answer(PGconn *conn)
{
	PGresult   *last = NULL;
	PGresult   *result;

	while (PQisBusy(conn))
		if (!readable(conn))
			fail("no answer", conn);
	while ((result = PQgetResult(conn)) != NULL)
	{
		if (PQresultStatus(result) != PGRES_TUPLES_OK &&
			PQresultStatus(result) != PGRES_COMMAND_OK)
			fail("error", conn);
		PQclear(last);
		last = result;
	}
	if (last == NULL)
		fail("no answer", conn);
	return last;
}

static void
start(PGconn *conn, const char *sql)
{
	if (!PQsendQuery(conn, sql))
		fail("could not send", conn);
}

static void
run(PGconn *conn, const char *sql)
{
	start(conn, sql);
	PQclear(answer(conn));
}

/* Waits for a notification, and forgets it. */
static void
heed_notification(PGconn *conn)
{
	PGnotify   *notification;

	while ((notification = PQnotifies(conn)) == NULL)
		if (!readable(conn))
			fail("no notification", conn);
	PQfreemem(notification);
}

int
main(int argc, char **argv)
{
	const char *mode = argc == 4 ? argv[1] : "";
	int			wait = strcmp(mode, "receive") == 0;
	int			await = strcmp(mode, "await") == 0;
	int			notify = strcmp(mode, "notify") == 0;
	char		receive[512];
	char		waiting[512];
	char		send[512];
	PGconn	   *sender;
	PGconn	   *receiver;

	if (!wait && !await && !notify)
	{
		fprintf(stderr, "usage: latency receive|await|notify queue count\n");
		return 2;
	}
	sender = open_connection();
	receiver = open_connection();
	run(sender, "SET synchronous_commit = off");
	snprintf(receive, sizeof(receive),
			 "SELECT receipt FROM decouple.receive('%s', wait_time => '%s')",
			 argv[2], wait ? "20 s" : "0");
	snprintf(waiting, sizeof(waiting), "CALL decouple.await('%s', '20 s', NULL)",
			 argv[2]);
	snprintf(send, sizeof(send), "SELECT decouple.send('%s', repeat('x', 150))%s",
			 argv[2], notify ? "; NOTIFY bench_latency" : "");
	if (notify)
		run(receiver, "LISTEN bench_latency");

	for (int i = 0; i < atoi(argv[3]); i++)
	{
		PGresult   *row;
		double		begin;
		double		end;
		char		settle[512];
		/* a receiver that has waited for a while, not always as long */
		long		idle_ms = 20 + i * 37 % 200;
		struct timespec idle = {0, idle_ms * 1000000L};

		if (!notify)
			start(receiver, wait ? receive : waiting);
		nanosleep(&idle, NULL);
		run(sender, "BEGIN");
		run(sender, send);
		begin = now_ms();
		start(sender, "COMMIT");
		if (notify)
			heed_notification(receiver);
		else if (await)
			PQclear(answer(receiver));
		if (!wait)
			start(receiver, receive);
		row = answer(receiver);
		end = now_ms();
		PQclear(answer(sender));
		if (PQntuples(row) != 1)
			fail("the message did not come", NULL);
		printf("%.3f\n", end - begin);
		snprintf(settle, sizeof(settle), "SELECT decouple.delete('%s', '%s')",
				 argv[2], PQgetvalue(row, 0, 0));
		PQclear(row);
		run(receiver, settle);
	}
	PQfinish(sender);
	PQfinish(receiver);
	return 0;
}
