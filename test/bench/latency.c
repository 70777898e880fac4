/*
 * latency.c
 *		Measures how long a waiting consumer waits for what was sent.
 *
 * usage: latency receive|notify|await samples
 *
 * One thread has both ends: the consumer's connection waits in the server (or,
 * for notify, as a listener), and only when the server shows it waiting does
 * the sender's connection COMMIT a send.  The clock runs from just before the
 * COMMIT until the consumer has read the whole row.  Prints the median and the
 * 99th percentile, in microseconds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#define WARM_UP 20
#define PATIENCE_MS 30000

static PGconn *sender;
static PGconn *consumer;
static PGconn *watcher;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "latency: %s: %s\n", what, why);
	exit(1);
}

static PGconn *
get_connection(void)
{
	PGconn	   *conn = PQconnectdb("");

	if (PQstatus(conn) != CONNECTION_OK)
		fail("cannot connect", PQerrorMessage(conn));
	return conn;
}

static void
check(PGconn *conn, PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail(what, PQerrorMessage(conn));
}

static void
run(PGconn *conn, const char *sql)
{
	PGresult   *result = PQexec(conn, sql);

	check(conn, result, sql);
	PQclear(result);
}

static void
prepare(PGconn *conn, const char *name, const char *sql)
{
	PGresult   *result = PQprepare(conn, name, sql, 0, NULL);

	check(conn, result, sql);
	PQclear(result);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* waits until the socket has something, and takes it in */
static void
take_in(PGconn *conn)
{
	struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};

	if (poll(&fd, 1, PATIENCE_MS) != 1)
		fail("the consumer was not woken", "no answer within 30 s");
	if (!PQconsumeInput(conn))
		fail("the connection broke", PQerrorMessage(conn));
}

static PGresult *
finish(PGconn *conn, const char *what)
{
	PGresult   *result = NULL;
	PGresult   *next;

	for (;;)
	{
		while (PQisBusy(conn))
			take_in(conn);
		next = PQgetResult(conn);
		if (next == NULL)
			break;
		PQclear(result);
		result = next;
		check(conn, result, what);
	}
	return result;
}

static void
start_prepared(PGconn *conn, const char *name)
{
	if (!PQsendQueryPrepared(conn, name, 0, NULL, NULL, NULL, 0))
		fail(name, PQerrorMessage(conn));
}

/* until the server shows the consumer waiting */
static void
watch(const char *waits)
{
	char		pid[16];
	const char *values[2] = {pid, waits};
	double		deadline = now() + PATIENCE_MS * 1e3;

	snprintf(pid, sizeof pid, "%d", PQbackendPID(consumer));
	for (;;)
	{
		PGresult   *result = PQexecPrepared(watcher, "waits", 2, values, NULL, NULL, 0);
		int			found;

		check(watcher, result, "waits");
		found = PQntuples(result);
		PQclear(result);
		if (found == 1)
			return;
		if (now() > deadline)
			fail("the consumer does not wait", "not seen within 30 s");
	}
}

/* one message's way, in microseconds */
static double
sample(const char *mode)
{
	int			listens = strcmp(mode, "notify") == 0;
	int			awaits = strcmp(mode, "await") == 0;
	PGnotify   *notification;
	PGresult   *result;
	const char *receipt[1];
	double		begin;
	double		end;

	if (!listens)
		start_prepared(consumer, awaits ? "await" : "wait");
	watch(listens ? "Client" : "Extension");

	run(sender, "BEGIN");
	PQclear(PQexecPrepared(sender, "send", 0, NULL, NULL, NULL, 0));
	if (listens)
		run(sender, "NOTIFY bench_woken");

	begin = now();
	if (!PQsendQuery(sender, "COMMIT"))
		fail("COMMIT", PQerrorMessage(sender));
	if (listens)
	{
		while ((notification = PQnotifies(consumer)) == NULL)
			take_in(consumer);
		PQfreemem(notification);
		start_prepared(consumer, "receive");
	}
	else if (awaits)
	{
		PQclear(finish(consumer, "await"));
		start_prepared(consumer, "receive");
	}
	result = finish(consumer, "receive");
	end = now();

	if (PQntuples(result) != 1)
		fail(mode, "did not receive exactly one message");
	receipt[0] = PQgetvalue(result, 0, 1);
	PQclear(finish(sender, "COMMIT"));
	PQclear(PQexecPrepared(consumer, "delete", 1, receipt, NULL, NULL, 0));
	PQclear(result);
	return end - begin;
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	int			count = argc == 3 ? atoi(argv[2]) : 0;
	double	   *times;

	if (count < 1 || (strcmp(argv[1], "receive") != 0 && strcmp(argv[1], "notify") != 0 &&
					  strcmp(argv[1], "await") != 0))
		fail("usage", "latency receive|notify|await samples");
	if ((times = malloc(count * sizeof *times)) == NULL)
		fail("out of memory", argv[2]);
	sender = get_connection();
	consumer = get_connection();
	watcher = get_connection();
	prepare(watcher, "waits", "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = $2");
	prepare(sender, "send", "SELECT decouple.send('bench', repeat('x', 150))");
	prepare(consumer, "wait", "SELECT * FROM decouple.receive('bench', wait_time => '20 s')");
	prepare(consumer, "receive", "SELECT * FROM decouple.receive('bench')");
	prepare(consumer, "await", "CALL decouple.await('bench', '20 s', NULL)");
	prepare(consumer, "delete", "SELECT decouple.delete('bench', $1)");
	if (strcmp(argv[1], "notify") == 0)
		run(consumer, "LISTEN bench_woken");

	for (int i = 0; i < WARM_UP; i++)
		sample(argv[1]);
	for (int i = 0; i < count; i++)
		times[i] = sample(argv[1]);
	qsort(times, count, sizeof *times, compare);
	printf("%.0f %.0f\n", times[count / 2], times[(int) (count * 0.99)]);
	return 0;
}
