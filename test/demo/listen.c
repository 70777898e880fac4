/*
 * listen.c
 *		A worker of the demo that sleeps until it is notified.
 *
 * It works until there is nothing, then waits for a notification on the
 * queue's channel; now and then it looks without one, for what it may have
 * missed while it was not listening yet.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS	5000

static void
finish(PGconn *connection)
{
	fprintf(stderr, "%s", PQerrorMessage(connection));
	PQfinish(connection);
	exit(1);
}

/* how many messages were handled */
static long
run(PGconn *connection, const char *command)
{
	PGresult   *result = PQexec(connection, command);
	long		number = 0;

	switch (PQresultStatus(result))
	{
		case PGRES_TUPLES_OK:
			number = atol(PQgetvalue(result, 0, 0));
			break;
		case PGRES_COMMAND_OK:
			break;
		default:
			PQclear(result);
			finish(connection);
	}
	PQclear(result);
	return number;
}

int
main(void)
{
	PGconn	   *connection = PQconnectdb("");
	PGnotify   *notification;

	if (PQstatus(connection) != CONNECTION_OK)
		finish(connection);
	run(connection, "LISTEN \"decouple.billing\"");
	for (;;)
	{
		struct pollfd socket = {.fd = PQsocket(connection), .events = POLLIN};

		while (run(connection, "SELECT work(20, '0')") > 0)
			;
		if (poll(&socket, 1, LOOK_MS) < 0 || !PQconsumeInput(connection))
			finish(connection);
		while ((notification = PQnotifies(connection)) != NULL)
			PQfreemem(notification);
	}
}
