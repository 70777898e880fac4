/*
 * request.c
 *		One HTTP request of decouple-egress, from its frame to its outcome.
 *
 * The URL comes from whoever may subscribe, the answer from whoever is behind
 * it: neither is trusted.  Before anything is sent the URL and the header
 * lines are looked at; what libcurl then uses is the URL as it was parsed here,
 * so the two cannot understand it differently.  Where it leads to is judged
 * by address, each time a socket is made, and again before each request, as
 * that may find an open connection.  See address.c.
 *
 * Of the answer the status matters, and Retry-After.  Once the header lines of
 * a final status have ended, the request is answered, whatever comes then: a
 * body that is too long, too slow or cut would only be thrown away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "egress/check.h"
#include "egress/handle.h"
#include "egress/request.h"

#define ANSWER_HEADERS_LIMIT (64 * 1024)
#define HEADER_LINES_MOST	256
#define ERROR_LENGTH		200

struct Request
{
	uint64_t	id;
	const Settings *settings;
	uint32_t	time_limit;
	uint8_t		flags;
	char	   *url;
	char	   *ca;
	char	   *user;
	char	   *password;
	char	   *body;
	size_t		ca_length;
	size_t		body_length;
	size_t		size;			/* of all of them */
	struct curl_slist *headers;

	CURLU	   *parsed;
	CURL	   *easy;
	int64_t		began;			/* milliseconds */

	/* why it is not to be sent, and what that makes it */
	const char *problem;
	OutcomeVerdict verdict;

	/* what happened on the way */
	char		denied[ADDRESS_TEXT];	/* an address, and what it is */
	const char *denial;			/* NULL: none was denied */
	bool		opened;			/* an address was not denied */
	size_t		header_bytes;
	uint64_t	answer_bytes;
	long		status;			/* final, and its header lines have ended */
	int32_t		retry_after;	/* -1: none */
	char		detail[CURL_ERROR_SIZE];
};

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Notes why a request is not to be sent; the first reason stays. */
static void
reject(Request *request, OutcomeVerdict verdict, const char *problem)
{
	if (request->problem != NULL)
		return;
	request->verdict = verdict;
	request->problem = problem;
}

/* ---- the request's frame ---- */

/* A string of the frame, with an end mark; NULL where memory is short. */
static char *
copy_string(Request *request, FrameView *view, size_t *length)
{
	const char *data = frame_get_string(view, length);
	char	   *copy = malloc(*length + 1);

	if (copy == NULL)
	{
		*length = 0;
		reject(request, OUTCOME_FAILED, check_no_memory);
		return NULL;
	}
	memcpy(copy, data, *length);
	copy[*length] = '\0';
	request->size += *length;
	return copy;
}

/* The same, where a control character would end the line, or the string. */
static char *
copy_text(Request *request, FrameView *view, size_t *length,
		  const char *problem)
{
	char	   *text = copy_string(request, view, length);

	for (size_t i = 0; i < *length; i++)
	{
		if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
			reject(request, OUTCOME_REFUSED, problem);
	}
	return text;
}

static void
add_line(Request *request, const char *line)
{
	struct curl_slist *longer = curl_slist_append(request->headers, line);

	if (longer == NULL)
		reject(request, OUTCOME_FAILED, check_no_memory);
	else
		request->headers = longer;
}

/*
 * Adds "Name: value", as given.  To libcurl a line without a value means that
 * the header is not to be sent; one that is to be sent empty ends in a
 * semicolon.
 */
static void
add_header(Request *request, char *line, size_t length)
{
	size_t		name;
	const char *problem;

	if (!check_header(line, &name, &problem))
		reject(request, OUTCOME_REFUSED, problem);
	if (request->problem != NULL)
		return;
	if (name + 1 + strspn(line + name + 1, " ") == length)
		memcpy(line + name, ";", 2);
	add_line(request, line);
}

/* Keeps libcurl from adding a header of its own. */
static void
suppress_header(Request *request, const char *line)
{
	size_t		name = strlen(line) - 1;

	for (struct curl_slist *i = request->headers; i != NULL; i = i->next)
	{
		if (strncasecmp(i->data, line, name) == 0 &&
			(i->data[name] == ':' || i->data[name] == ';'))
			return;
	}
	add_line(request, line);
}

static void
read_headers(Request *request, FrameView *view)
{
	uint32_t	count = frame_get_u32(view);

	if (count > HEADER_LINES_MOST)
		reject(request, OUTCOME_REFUSED, "too many header lines");
	for (uint32_t i = 0; i < count && !view->bad; i++)
	{
		size_t		length;
		char	   *line = copy_text(request, view, &length,
									 "a header line has a control character");

		if (request->problem == NULL && !view->bad)
			add_header(request, line, length);
		request->size -= length;
		free(line);
	}
	suppress_header(request, "Accept:");
	suppress_header(request, "Content-Type:");
	suppress_header(request, "Expect:");
}

Request *
request_read(FrameView *view, const Settings *settings)
{
	Request    *request = calloc(1, sizeof(Request));
	size_t		length;

	if (request == NULL)
		return NULL;
	request->settings = settings;
	request->retry_after = -1;
	request->id = frame_get_u64(view);
	request->time_limit = frame_get_u32(view);
	request->flags = frame_get_u8(view);
	request->url = copy_text(request, view, &length,
							 "the URL has a control character");
	request->ca = copy_string(request, view, &request->ca_length);
	request->user = copy_text(request, view, &length,
							  "the user has a control character");
	request->password = copy_text(request, view, &length,
								  "the password has a control character");
	read_headers(request, view);
	request->body = copy_string(request, view, &request->body_length);
	if (!frame_done(view))
	{
		request_drop(request);
		return NULL;
	}
	return request;
}

size_t
request_size(const Request *request)
{
	return request->size;
}

/* ---- where it leads to ---- */

/*
 * Makes a socket, where its address may be reached.  An answer that asked for
 * authentication, on another connection, counts no more.
 */
static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	Request    *request = data;
	const char *denial;

	denial = address_denied(&address->addr, address->addrlen,
							request->settings->allowed,
							request->settings->allowed_count);
	if (denial != NULL || purpose != CURLSOCKTYPE_IPCXN)
	{
		request->denial = denial != NULL ? denial : "not a connection";
		address_text(&address->addr, address->addrlen, request->denied);
		return CURL_SOCKET_BAD;
	}
	request->opened = true;
	request->status = 0;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
				  address->protocol);
}

/*
 * Asked before each request is written, be the connection new or old: what is
 * allowed may have changed since it was made.  After a demand for
 * authentication it is asked again, and the first answer counts no more.
 */
static int
before_request(void *data, char *remote, char *local, int remote_port,
			   int local_port)
{
	Request    *request = data;
	const char *denial;

	(void) local;
	(void) remote_port;
	(void) local_port;
	request->status = 0;
	request->retry_after = -1;
	denial = address_text_denied(remote, request->settings->allowed,
								 request->settings->allowed_count);
	if (denial != NULL)
	{
		request->denial = denial;
		request->opened = false;
		snprintf(request->denied, sizeof(request->denied), "%s", remote);
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* ---- the answer ---- */

static size_t
drop_body(char *data, size_t size, size_t count, void *whose)
{
	Request    *request = whose;

	(void) data;
	request->answer_bytes += size * count;
	if (request->answer_bytes > request->settings->answer_limit)
		return 0;				/* ends the transfer */
	return size * count;
}

/* Seconds, or a date; what is neither says nothing. */
static void
read_retry_after(Request *request, const char *value, size_t length)
{
	char		text[64];
	size_t		digits;
	int64_t		seconds;

	while (length > 0 && (*value == ' ' || *value == '\t'))
		value++, length--;
	while (length > 0 && strchr(" \t\r\n", value[length - 1]) != NULL)
		length--;
	if (length == 0 || length >= sizeof(text))
		return;
	memcpy(text, value, length);
	text[length] = '\0';
	digits = strspn(text, "0123456789");
	if (digits == length)
		seconds = digits > 10 ? INT32_MAX : strtoll(text, NULL, 10);
	else
	{
		time_t		date = curl_getdate(text, NULL);

		if (date == -1)
			return;
		seconds = (int64_t) date - (int64_t) time(NULL);
		if (seconds < 0)
			seconds = 0;
	}
	request->retry_after = seconds > INT32_MAX ? INT32_MAX : (int32_t) seconds;
}

/* Called for each line; an empty one ends them. */
static size_t
read_header(char *line, size_t size, size_t count, void *whose)
{
	static const char name[] = "Retry-After:";
	Request    *request = whose;
	size_t		length = size * count;

	request->header_bytes += length;
	if (request->header_bytes > ANSWER_HEADERS_LIMIT)
		return 0;
	if (length >= sizeof(name) - 1 && strncasecmp(line, name, sizeof(name) - 1) == 0)
		read_retry_after(request, line + sizeof(name) - 1,
						 length - (sizeof(name) - 1));
	if (length > 0 && (line[0] == '\r' || line[0] == '\n'))
	{
		long		status = 0;

		curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status >= 200)
			request->status = status;
	}
	return length;
}

/* ---- from start to end ---- */

static long
clamp_time(uint32_t milliseconds)
{
	/* 0 would mean no limit */
	if (milliseconds == 0)
		return 1;
	return milliseconds > INT32_MAX ? INT32_MAX : (long) milliseconds;
}

/*
 * Both Basic and Digest, whichever the server asks for: the first request goes
 * without credentials, as SNS does it.  Without TLS a password is not sent, so
 * then only Digest.  Where libcurl may use but one method, it sends a request
 * without the body first, which a server may take for the message; so there is
 * a second, which no server asks for.
 */
static void
set_credentials(Request *request, bool secure)
{
	bool		given = *request->user != '\0' && *request->password != '\0';
	unsigned long other = secure ? CURLAUTH_BASIC : CURLAUTH_AWS_SIGV4;
	unsigned long how = CURLAUTH_DIGEST | other;

	curl_easy_setopt(request->easy, CURLOPT_USERNAME,
					 given ? request->user : NULL);
	curl_easy_setopt(request->easy, CURLOPT_PASSWORD,
					 given ? request->password : NULL);
	curl_easy_setopt(request->easy, CURLOPT_HTTPAUTH, given ? (long) how : 0L);
}

static void
set_callbacks(Request *request)
{
	CURL	   *easy = request->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->detail);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
}

CURL *
request_start(Request *request)
{
	bool		secure = false;
	const char *problem;
	CURL	   *easy;

	request->began = milliseconds();
	if (request->problem == NULL &&
		!check_url(request->url, request->flags & REQUEST_HTTPS_ONLY,
				   &request->parsed, &secure, &problem))
		reject(request, problem == check_no_memory ? OUTCOME_FAILED : OUTCOME_REFUSED,
			   problem);
	if (request->problem != NULL)
		return NULL;
	easy = request->easy = handle_take();
	if (easy == NULL)
	{
		reject(request, OUTCOME_FAILED, check_no_memory);
		return NULL;
	}
	set_callbacks(request);
	set_credentials(request, secure);
	handle_trust(easy, request->ca, request->ca_length);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
					 request->flags & REQUEST_HTTPS_ONLY ? "https" : "http,https");
	/* a plain connection is never shared, so nobody waits to share it */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
					 (long) (secure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, secure ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_CURLU, request->parsed);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
					 clamp_time(request->settings->connect_timeout));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, clamp_time(request->time_limit));
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
					 (curl_off_t) request->body_length);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	return easy;
}

Request *
request_of(CURL *easy)
{
	char	   *request = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
	return (Request *) request;
}

/* One line of ASCII; what libcurl has to say may quote the other side. */
static void
put_error(FrameBuffer *output, const char *what, const char *separator,
		  const char *detail)
{
	char		text[ERROR_LENGTH + 1];

	snprintf(text, sizeof(text), "%s%s%s", what, separator, detail);
	for (char *c = text; *c != '\0'; c++)
	{
		if ((unsigned char) *c < 0x20 || (unsigned char) *c >= 0x7f)
			*c = '?';
	}
	frame_put_string(output, text, strlen(text));
}

/* CURLE_TOO_LARGE of libcurl 8.6 and later; earlier ones are out of memory then */
#define RESULT_TOO_LARGE	((CURLcode) 100)

/* Why there was no answer. */
static void
put_failure(Request *request, CURLcode result, FrameBuffer *output)
{
	const char *what = curl_easy_strerror(result);
	long		number = 0;
	curl_off_t	connected = 0;

	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &number);
	curl_easy_getinfo(request->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (result == CURLE_OK)
		put_error(output, "The connection ended without an answer", "", "");
	else if (request->header_bytes > ANSWER_HEADERS_LIMIT)
		put_error(output, "The header lines of the answer are too long", "", "");
	else if (result == RESULT_TOO_LARGE && connected > 0)
		put_error(output, "A header line of the answer is too long", "", "");
	else if (result == CURLE_OUT_OF_MEMORY && connected > 0)
		put_error(output, what, ", or a header line of the answer is too long", "");
	else if (result == CURLE_UNSUPPORTED_PROTOCOL)
		put_error(output, "The answer is not HTTP", "", "");
	else if (result == CURLE_OPERATION_TIMEDOUT)
		put_error(output, what, " ",
				  connected > 0 ? "before an answer came" : "while connecting");
	else if (result == CURLE_COULDNT_CONNECT && number != 0)
		put_error(output, what, ": ", strerror((int) number));
	else if ((result == CURLE_PEER_FAILED_VERIFICATION ||
			  result == CURLE_SSL_CONNECT_ERROR) && request->detail[0] != '\0')
		put_error(output, what, ": ", request->detail);
	else
		put_error(output, what, "", "");
}

/* It names the address, so that it can be allowed. */
static void
put_denial(const Request *request, FrameBuffer *output)
{
	char		text[ERROR_LENGTH];

	snprintf(text, sizeof(text), "address %s is not allowed (%s)",
			 request->denied, request->denial);
	put_error(output, text, "", "");
}

static OutcomeVerdict
judge(const Request *request, CURLcode result)
{
	if (request->problem != NULL)
		return request->verdict;
	if (request->status != 0)
		return OUTCOME_ANSWERED;
	if (request->denial != NULL && !request->opened)
		return OUTCOME_REFUSED;
	return result == CURLE_URL_MALFORMAT ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

void
request_finish(Request *request, CURLcode result, FrameBuffer *output)
{
	OutcomeVerdict verdict = judge(request, result);
	bool		answered = verdict == OUTCOME_ANSWERED;
	int64_t		took = milliseconds() - request->began;
	size_t		start;

	frame_begin(output, FRAME_OUTCOME, &start);
	frame_put_u64(output, request->id);
	frame_put_u8(output, (uint8_t) verdict);
	frame_put_u32(output, answered ? (uint32_t) request->status : 0);
	frame_put_u32(output, answered ? (uint32_t) request->retry_after : UINT32_MAX);
	frame_put_u32(output, took > UINT32_MAX ? UINT32_MAX : (uint32_t) took);
	if (answered)
		frame_put_string(output, "", 0);
	else if (request->problem != NULL)
		put_error(output, request->problem, "", "");
	else if (verdict == OUTCOME_REFUSED && request->denial != NULL)
		put_denial(request, output);
	else
		put_failure(request, result, output);
	frame_end(output, start);
	request_drop(request);
}

void
request_drop(Request *request)
{
	if (request->easy != NULL)
	{
		curl_easy_setopt(request->easy, CURLOPT_ERRORBUFFER, NULL);
		/* what a server said for Digest stays in the handle */
		handle_return(request->easy, *request->user == '\0');
	}
	curl_url_cleanup(request->parsed);
	curl_slist_free_all(request->headers);
	free(request->url);
	free(request->ca);
	free(request->user);
	free(request->password);
	free(request->body);
	free(request);
}
