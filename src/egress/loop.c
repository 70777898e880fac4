/*
 * loop.c
 *		The conversation of decouple-egress with the worker.
 *
 * One thread waits, by epoll, for the worker and for all connections at once.
 * A turn of the loop hands what happened to libcurl, writes the outcomes of
 * what has ended, and starts what there is room for.
 *
 * Whatever the worker and the servers do, memory is bounded: requests are
 * read only while few enough run, while what they hold is little enough, and
 * while the worker takes their outcomes.  Otherwise bytes stay in the socket,
 * and the worker waits.  A request is handed to libcurl only when it can start,
 * as its time limit counts from then.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "egress/frame.h"
#include "egress/loop.h"
#include "egress/request.h"
#include "egress/settings.h"

/* of all requests that run; one alone may be as large as a frame */
#define REQUEST_BYTES_MOST	(256u * 1024 * 1024)
#define OUTPUT_MOST			(1024 * 1024)
#define INPUT_LEAST			(256 * 1024)
#define EVENTS_MOST			256

/* waits no longer, should a timer have been missed */
#define WAIT_MOST			1000

typedef struct Loop
{
	int			worker;
	int			poll;
	uint32_t	worker_events;	/* what is waited for at the worker's socket */
	CURLM	   *multi;
	int64_t		timer;			/* when libcurl wants to be called, or -1 */
	int			requests_most;
	int			requests;		/* that run */
	size_t		request_bytes;	/* what they hold */
	Settings	settings;

	/* input[input_begin .. input_end) has been read, but not been looked at */
	char	   *input;
	size_t		input_size;
	size_t		input_begin;
	size_t		input_end;
	bool		input_waits;	/* a whole frame is there, but no room for it */

	FrameBuffer output;
	size_t		output_sent;
	bool		closed;
	const char *error;
} Loop;

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
fail(Loop *loop, const char *error)
{
	if (loop->error == NULL)
		loop->error = error;
}

/* ---- libcurl's wishes ---- */

static int
want_socket(CURL *easy, curl_socket_t socket, int what, void *data,
			void *known)
{
	Loop	   *loop = data;
	struct epoll_event event = {0};
	int			how;

	(void) easy;
	event.data.fd = socket;
	if (what == CURL_POLL_REMOVE)
	{
		/* it may be closed already, and then epoll knows */
		epoll_ctl(loop->poll, EPOLL_CTL_DEL, socket, NULL);
		curl_multi_assign(loop->multi, socket, NULL);
		return 0;
	}
	if (what != CURL_POLL_OUT)
		event.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		event.events |= EPOLLOUT;
	how = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (epoll_ctl(loop->poll, how, socket, &event) != 0)
	{
		/* the number may be that of another socket by now */
		how = errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
		if (epoll_ctl(loop->poll, how, socket, &event) != 0)
			return -1;
	}
	curl_multi_assign(loop->multi, socket, loop);
	return 0;
}

static int
want_timer(CURLM *multi, long timeout, void *data)
{
	Loop	   *loop = data;

	(void) multi;
	loop->timer = timeout < 0 ? -1 : milliseconds() + timeout;
	return 0;
}

static void
act(Loop *loop, curl_socket_t socket, int what)
{
	int			running;

	if (curl_multi_socket_action(loop->multi, socket, what, &running) != CURLM_OK)
		fail(loop, "libcurl fails");
}

/* ---- requests ---- */

static void
end_request(Loop *loop, Request *request, CURLcode result)
{
	loop->requests--;
	loop->request_bytes -= request_size(request);
	request_finish(request, result, &loop->output);
	if (loop->output.failed)
		fail(loop, "out of memory");
}

static void
start_request(Loop *loop, FrameView *view)
{
	Request    *request = request_read(view, &loop->settings);
	CURL	   *easy;

	if (request == NULL)
	{
		fail(loop, "a request is not well-formed");
		return;
	}
	loop->requests++;
	loop->request_bytes += request_size(request);
	easy = request_start(request);
	if (easy == NULL)
		end_request(loop, request, CURLE_OK);
	else if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
		end_request(loop, request, CURLE_OUT_OF_MEMORY);
}

/* Writes the outcomes of what has ended. */
static void
collect(Loop *loop)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(loop->multi, &left)) != NULL)
	{
		/* the message is gone with its handle */
		CURL	   *easy = message->easy_handle;
		CURLcode	result = message->data.result;

		curl_multi_remove_handle(loop->multi, easy);
		end_request(loop, request_of(easy), result);
	}
}

/* ---- the worker's socket ---- */

static bool
has_room(const Loop *loop)
{
	return loop->requests < loop->requests_most &&
		loop->request_bytes < REQUEST_BYTES_MOST &&
		loop->output.length - loop->output_sent < OUTPUT_MOST;
}

/* Takes the frames that are there, while there is room for what they ask. */
static void
take_frames(Loop *loop)
{
	loop->input_waits = false;
	while (loop->error == NULL)
	{
		FrameView	view;
		char		kind;
		size_t		total;
		FrameResult result;

		result = frame_next(loop->input + loop->input_begin,
							loop->input_end - loop->input_begin,
							&kind, &view, &total);
		if (result == FRAME_INCOMPLETE)
			break;
		if (result == FRAME_BAD)
			fail(loop, "a frame has a bad length");
		else if (!has_room(loop))
		{
			loop->input_waits = true;
			break;
		}
		else if (kind == FRAME_REQUEST)
			start_request(loop, &view);
		else if (kind != FRAME_CONFIGURE)
			fail(loop, "a frame of an unknown kind");
		else if (!settings_read(&loop->settings, &view))
			fail(loop, "the settings are not well-formed");
		if (loop->error == NULL)
			loop->input_begin += total;
	}
}

/* Makes room for the rest of a frame, or for what may come. */
static bool
reserve_input(Loop *loop)
{
	size_t		length = loop->input_end - loop->input_begin;
	size_t		wanted = INPUT_LEAST;

	if (length >= FRAME_HEADER)
	{
		FrameView	header = {loop->input + loop->input_begin, length, 0, false};
		size_t		total = FRAME_HEADER + (size_t) frame_get_u32(&header);

		/* a length that is too large was not taken before */
		if (total > wanted)
			wanted = total;
	}
	if (length == 0)
		loop->input_begin = loop->input_end = 0;
	/* a large one is not kept for small frames */
	if (wanted > loop->input_size || loop->input_size > 4 * wanted)
	{
		char	   *larger = malloc(wanted);

		if (larger == NULL)
			return false;
		if (length > 0)
			memcpy(larger, loop->input + loop->input_begin, length);
		free(loop->input);
		loop->input = larger;
		loop->input_size = wanted;
	}
	else if (loop->input_size - loop->input_begin >= wanted)
		return true;
	else
		memmove(loop->input, loop->input + loop->input_begin, length);
	loop->input_begin = 0;
	loop->input_end = length;
	return true;
}

static void
read_worker(Loop *loop)
{
	ssize_t		got;

	if (!reserve_input(loop))
	{
		fail(loop, "out of memory");
		return;
	}
	got = recv(loop->worker, loop->input + loop->input_end,
			   loop->input_size - loop->input_end, MSG_DONTWAIT);
	if (got > 0)
		loop->input_end += (size_t) got;
	else if (got == 0 || errno == ECONNRESET)
		loop->closed = true;
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		fail(loop, "the worker's socket cannot be read");
}

static void
write_worker(Loop *loop)
{
	while (loop->output_sent < loop->output.length)
	{
		ssize_t		sent = send(loop->worker, loop->output.data + loop->output_sent,
								loop->output.length - loop->output_sent,
								MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
			loop->output_sent += (size_t) sent;
		else if (sent < 0 && errno == EINTR)
			continue;
		else
		{
			if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
				loop->closed = true;
			else if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
				fail(loop, "the worker's socket cannot be written");
			break;
		}
	}
	/* not for each few bytes, as the rest has to move */
	if (loop->output_sent == loop->output.length ||
		loop->output_sent > OUTPUT_MOST)
	{
		frame_consume(&loop->output, loop->output_sent);
		loop->output_sent = 0;
	}
}

/* Waits for the worker only for what there is to do. */
static void
watch_worker(Loop *loop)
{
	struct epoll_event event = {0};

	/* that it has closed is told in any case */
	if (!loop->input_waits && has_room(loop))
		event.events |= EPOLLIN;
	if (loop->output_sent < loop->output.length)
		event.events |= EPOLLOUT;
	if (event.events == loop->worker_events)
		return;
	event.data.fd = loop->worker;
	if (epoll_ctl(loop->poll, EPOLL_CTL_MOD, loop->worker, &event) != 0)
		fail(loop, "the worker's socket cannot be watched");
	loop->worker_events = event.events;
}

/* ---- the loop ---- */

static void
handle_event(Loop *loop, const struct epoll_event *event)
{
	int			what = 0;

	if (event->data.fd == loop->worker)
	{
		if (event->events & EPOLLIN)
			read_worker(loop);
		else if (event->events & (EPOLLHUP | EPOLLERR))
			loop->closed = true;
		return;
	}
	if (event->events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (event->events & (EPOLLHUP | EPOLLERR))
		what |= CURL_CSELECT_ERR;
	act(loop, event->data.fd, what);
}

static int
time_to_wait(const Loop *loop)
{
	int64_t		left;

	if (loop->timer < 0)
		return WAIT_MOST;
	left = loop->timer - milliseconds();
	if (left < 0)
		return 0;
	return left > WAIT_MOST ? WAIT_MOST : (int) left;
}

static void
turn(Loop *loop)
{
	struct epoll_event events[EVENTS_MOST];
	int			count;

	count = epoll_wait(loop->poll, events, EVENTS_MOST, time_to_wait(loop));
	if (count < 0 && errno != EINTR)
		fail(loop, "epoll fails");
	for (int i = 0; i < count && loop->error == NULL; i++)
		handle_event(loop, &events[i]);
	if (loop->timer >= 0 && loop->timer <= milliseconds())
	{
		loop->timer = -1;
		act(loop, CURL_SOCKET_TIMEOUT, 0);
	}
	collect(loop);
	write_worker(loop);
	/* after outcomes went, as there may be room now */
	take_frames(loop);
	watch_worker(loop);
}

static bool
begin(Loop *loop, int worker, int requests_most)
{
	struct epoll_event event = {.events = EPOLLIN};

	loop->worker = event.data.fd = worker;
	loop->worker_events = event.events;
	loop->requests_most = requests_most;
	loop->timer = -1;
	settings_reset(&loop->settings);
	loop->poll = epoll_create1(EPOLL_CLOEXEC);
	loop->multi = curl_multi_init();
	if (loop->poll < 0 || loop->multi == NULL ||
		epoll_ctl(loop->poll, EPOLL_CTL_ADD, worker, &event) != 0)
		return false;
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
	curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long) requests_most);
#if LIBCURL_VERSION_NUM >= 0x081400
	/*
	 * From 8.20 on lookups share 20 threads, and one that nobody answers keeps
	 * others waiting; before, each had its own.
	 */
	curl_multi_setopt(loop->multi, CURLMOPT_RESOLVE_THREADS_MAX, (long) requests_most);
#endif
	return true;
}

/*
 * What it holds in the end is not freed: the program ends then, and the worker
 * may be waiting for that.
 */
const char *
loop_run(int worker, int requests_most)
{
	static Loop loop;

	if (!begin(&loop, worker, requests_most))
		return "cannot begin";
	while (!loop.closed && loop.error == NULL)
		turn(&loop);
	return loop.closed ? NULL : loop.error;
}
