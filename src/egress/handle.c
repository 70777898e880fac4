/*
 * handle.c
 *		Handles of libcurl for decouple-egress, set up and kept.
 *
 * What is the same for all requests is set once, here; what differs request.c
 * sets each time, so that nothing stays from the last request.  Connections do
 * not belong to a handle: the multi handle keeps them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "egress/handle.h"

/* each that is kept holds buffers */
#define KEPT_MOST			128

/* servers close a connection that idles for a minute or more */
#define IDLE_SECONDS		55

/* a name may have got another address, a certificate may have been revoked */
#define CONNECTION_SECONDS	300
#define CERTIFICATES_SECONDS 3600

/* a server that asks for authentication again and again */
#define AUTHENTICATIONS_MOST 4

static CURL *kept[KEPT_MOST];
static int	kept_count = 0;
static char *system_file = NULL;
static char *system_folder = NULL;

static char *
copy_of(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

/*
 * A file is preferred to a folder: libcurl then reads it once for all
 * connections, which takes longer than a request.
 */
void
handles_begin(void)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *folder = getenv("SSL_CERT_DIR");

	if (file == NULL && folder == NULL)
	{
		const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

		file = version->cainfo;
		if (file == NULL || access(file, R_OK) != 0)
			folder = version->capath;
	}
	system_file = copy_of(file);
	system_folder = copy_of(folder);
}

void
handles_end(void)
{
	while (kept_count > 0)
		curl_easy_cleanup(kept[--kept_count]);
	free(system_file);
	free(system_folder);
}

static CURL *
make_handle(void)
{
	CURL	   *handle = curl_easy_init();

	if (handle == NULL)
		return NULL;

	/* what the environment or a file of the user could change */
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(handle, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);

	/* where an answer could lead to */
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(handle, CURLOPT_MAXREDIRS, (long) AUTHENTICATIONS_MOST);

	curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, (long) CERTIFICATES_SECONDS);

	curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, (long) IDLE_SECONDS);
	curl_easy_setopt(handle, CURLOPT_MAXLIFETIME_CONN, (long) CONNECTION_SECONDS);
	curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);

	curl_easy_setopt(handle, CURLOPT_POST, 1L);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	/* else a lookup that is given up is waited for, and all others with it */
	curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
	return handle;
}

CURL *
handle_take(void)
{
	return kept_count > 0 ? kept[--kept_count] : make_handle();
}

void
handle_return(CURL *handle, bool clean)
{
	if (clean && kept_count < KEPT_MOST)
		kept[kept_count++] = handle;
	else
		curl_easy_cleanup(handle);
}

void
handle_trust(CURL *handle, char *ca, size_t length)
{
	struct curl_blob blob = {ca, length, CURL_BLOB_NOCOPY};
	bool		own = length > 0;

	curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, own ? &blob : NULL);
	curl_easy_setopt(handle, CURLOPT_CAINFO, own ? NULL : system_file);
	curl_easy_setopt(handle, CURLOPT_CAPATH, own ? NULL : system_folder);
}
