/*
 * unit.c
 *		Tests of the functions of frame.c and address.c by themselves.
 *
 * Prints a seed; SEED=n repeats what is random.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "egress/address.h"
#include "egress/frame.h"

static int	checks = 0;
static int	failures = 0;
static uint64_t state;

static void
check(bool good, const char *what)
{
	checks++;
	if (good)
		return;
	failures++;
	printf("NOT %s\n", what);
}

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* ---- frames ---- */

static void
test_frame(void)
{
	FrameBuffer buffer = {0};
	FrameView	view;
	size_t		start;
	size_t		total;
	size_t		length;
	char		kind;
	const char *text;

	frame_begin(&buffer, 'R', &start);
	frame_put_u64(&buffer, 0x0123456789abcdefu);
	frame_put_u32(&buffer, 0xfedcba98u);
	frame_put_u8(&buffer, 0xff);
	frame_put_string(&buffer, "a\0b", 3);
	frame_put_string(&buffer, NULL, 0);
	frame_end(&buffer, start);
	check(!buffer.failed && buffer.length == 29, "the length of a frame");
	check(memcmp(buffer.data, "\0\0\0\031R\001\043\105\147\211\253\315\357\376", 14) == 0,
		  "the bytes of a frame");
	for (size_t i = 0; i < buffer.length; i++)
		check(frame_next(buffer.data, i, &kind, &view, &total) == FRAME_INCOMPLETE,
			  "a part of a frame");
	check(frame_next(buffer.data, buffer.length, &kind, &view, &total) == FRAME_COMPLETE &&
		  kind == 'R' && total == buffer.length, "a whole frame");
	check(frame_get_u64(&view) == 0x0123456789abcdefu, "u64");
	check(frame_get_u32(&view) == 0xfedcba98u, "u32");
	check(frame_get_u8(&view) == 0xff, "u8");
	text = frame_get_string(&view, &length);
	check(length == 3 && memcmp(text, "a\0b", 3) == 0, "a string");
	check(!frame_done(&view), "more is left");
	text = frame_get_string(&view, &length);
	check(length == 0 && text != NULL && frame_done(&view), "an empty string");
	check(frame_get_u8(&view) == 0 && view.bad && !frame_done(&view), "nothing is left");
	text = frame_get_string(&view, &length);
	check(text != NULL && length == 0, "a string that is not there");
	frame_free(&buffer);
}

static void
test_frame_limits(void)
{
	FrameBuffer buffer = {0};
	FrameView	view;
	size_t		start;
	size_t		total;
	char		kind;
	char	   *large = calloc(1, FRAME_MAX + 1);

	check(frame_next("\0\0\0\0", 4, &kind, &view, &total) == FRAME_BAD, "length 0");
	check(frame_next("\377\377\377\377", 4, &kind, &view, &total) == FRAME_BAD, "length 2^32 - 1");
	check(frame_next("\004\040\0\001", 4, &kind, &view, &total) == FRAME_BAD, "one more than the most");
	check(frame_next("\004\040\0\0", 4, &kind, &view, &total) == FRAME_INCOMPLETE, "the most");

	frame_begin(&buffer, 'O', &start);
	frame_put_u8(&buffer, 1);
	frame_end(&buffer, start);
	frame_begin(&buffer, 'R', &start);
	frame_put_string(&buffer, large, FRAME_MAX);
	frame_end(&buffer, start);
	check(buffer.failed && buffer.length == 6, "a frame that is too long is taken off");
	frame_put_u64(&buffer, 1);
	check(buffer.length == 6, "nothing is added to what failed");
	buffer.failed = false;
	frame_put_string(&buffer, large, (size_t) FRAME_MAX + 1);
	check(buffer.failed && buffer.length == 6, "a string that is too long");
	buffer.failed = false;
	frame_begin(&buffer, 'R', &start);
	frame_put_string(&buffer, large, FRAME_MAX - 5);
	frame_end(&buffer, start);
	check(!buffer.failed && buffer.length == 6 + 4 + (size_t) FRAME_MAX, "the longest frame");
	frame_consume(&buffer, 6);
	check(frame_next(buffer.data, buffer.length, &kind, &view, &total) == FRAME_COMPLETE,
		  "the longest frame is read");
	frame_consume(&buffer, buffer.length + 5);
	check(buffer.length == 0 && buffer.capacity == 0, "much memory is not kept");
	frame_free(&buffer);
	free(large);
}

/* ---- addresses ---- */

/* What is said of an address that is written so; "" where nothing. */
static const char *
denial(const char *text, const char *allowed)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	AddressNetwork networks[8];
	size_t		count = 0;
	const char *by_socket;
	const char *by_text;

	while (*allowed != '\0')
	{
		size_t		length = strcspn(allowed, " ");

		if (address_parse_network(allowed, length, &networks[count]))
			count++;
		else
			printf("NOT a network: %s\n", allowed), failures++;
		allowed += length + (allowed[length] == ' ');
	}
	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		by_socket = address_denied((struct sockaddr *) &four, sizeof(four), networks, count);
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		by_socket = address_denied((struct sockaddr *) &six, sizeof(six), networks, count);
	else
		by_socket = "none";
	by_text = address_text_denied(text, networks, count);
	check(by_text == by_socket, text);
	return by_text == NULL ? "" : by_text;
}

static void
test_addresses(void)
{
	static const struct
	{
		const char *address;
		const char *allowed;
		const char *denial;
	}			cases[] = {
		/* the first and last of each range, and their neighbours outside */
		{"0.0.0.0", "", "this host"}, {"0.255.255.255", "", "this host"}, {"1.0.0.0", "", ""},
		{"9.255.255.255", "", ""}, {"10.0.0.0", "", "private"}, {"10.255.255.255", "", "private"},
		{"11.0.0.0", "", ""}, {"100.63.255.255", "", ""}, {"100.64.0.0", "", "shared address space"},
		{"100.127.255.255", "", "shared address space"}, {"100.128.0.0", "", ""},
		{"126.255.255.255", "", ""}, {"127.0.0.0", "", "loopback"}, {"127.255.255.255", "", "loopback"},
		{"128.0.0.0", "", ""}, {"169.253.255.255", "", ""}, {"169.254.0.0", "", "link-local"},
		{"169.254.255.255", "", "link-local"}, {"169.255.0.0", "", ""}, {"172.15.255.255", "", ""},
		{"172.16.0.0", "", "private"}, {"172.31.255.255", "", "private"}, {"172.32.0.0", "", ""},
		{"191.255.255.255", "", ""}, {"192.0.0.0", "", "protocol assignments"},
		{"192.0.0.255", "", "protocol assignments"}, {"192.0.1.0", "", ""}, {"192.0.2.0", "", "documentation"},
		{"192.0.2.255", "", "documentation"}, {"192.0.3.0", "", ""}, {"192.88.98.255", "", ""},
		{"192.88.99.0", "", "6to4 relay"}, {"192.88.100.0", "", ""}, {"192.167.255.255", "", ""},
		{"192.168.0.0", "", "private"}, {"192.168.255.255", "", "private"}, {"192.169.0.0", "", ""},
		{"198.17.255.255", "", ""}, {"198.18.0.0", "", "benchmarking"}, {"198.19.255.255", "", "benchmarking"},
		{"198.20.0.0", "", ""}, {"198.51.99.255", "", ""}, {"198.51.100.0", "", "documentation"},
		{"198.51.101.0", "", ""}, {"203.0.112.255", "", ""}, {"203.0.113.255", "", "documentation"},
		{"203.0.114.0", "", ""}, {"223.255.255.255", "", ""}, {"224.0.0.0", "", "multicast"},
		{"239.255.255.255", "", "multicast"}, {"240.0.0.0", "", "reserved"}, {"255.255.255.255", "", "reserved"},
		{"168.63.129.16", "", "cloud metadata"}, {"168.63.129.15", "", ""}, {"169.254.169.254", "", "cloud metadata"},
		{"169.254.170.2", "", "cloud metadata"}, {"100.100.100.200", "", "cloud metadata"},
		{"::", "", "unspecified"}, {"::1", "", "loopback"}, {"::2", "", "reserved"}, {"::7f00:1", "", "reserved"},
		{"::ffff:8.8.8.8", "", ""}, {"::ffff:127.0.0.1", "", "loopback"}, {"::ffff:10.1.2.3", "", "private"},
		{"::ffff:169.254.169.254", "", "cloud metadata"}, {"::fffe:7f00:1", "", "reserved"},
		{"64:ff9b::808:808", "", "NAT64"}, {"64:ff9b:1::1", "", "local NAT64"}, {"100::1", "", "discard-only"},
		{"100:0:0:1::1", "", "dummy prefix"}, {"200::1", "", ""}, {"2001::1", "", "protocol assignments"},
		{"2001:1ff:ffff::", "", "protocol assignments"}, {"2001:200::", "", ""}, {"2001:db8::1", "", "documentation"},
		{"2001:db9::1", "", ""}, {"2002:7f00:1::", "", "6to4"}, {"2002:808:808::", "", "6to4"}, {"2003::", "", ""},
		{"2606:4700::1111", "", ""}, {"3fff::1", "", "documentation"}, {"3fff:1000::", "", ""},
		{"5f00::1", "", "segment routing"}, {"fc00::1", "", "private"}, {"fdff::1", "", "private"},
		{"fd00:ec2::254", "", "cloud metadata"}, {"fe00::1", "", ""}, {"fe80::1", "", "link-local"},
		{"febf::1", "", "link-local"}, {"fec0::1", "", "site-local"}, {"ff02::1", "", "multicast"},
		/* what is allowed */
		{"10.1.2.3", "10.0.0.0/8", ""}, {"11.1.2.3", "10.0.0.0/8", ""}, {"10.1.2.3", "10.1.2.0/25", ""},
		{"10.1.2.128", "10.1.2.0/25", "private"}, {"127.0.0.1", "10.0.0.0/8 127.0.0.1", ""},
		{"127.0.0.2", "127.0.0.1", "loopback"}, {"::ffff:127.0.0.1", "127.0.0.0/8", ""},
		{"127.0.0.1", "::ffff:127.0.0.1", ""}, {"127.0.0.1", "::ffff:7f00:0/104", ""},
		{"127.0.0.1", "::/0", "loopback"}, {"::ffff:127.0.0.1", "::/0", "loopback"}, {"::1", "0.0.0.0/0", "loopback"},
		{"::1", "::1", ""}, {"fc00::1", "fc00::/7", ""}, {"fe80::1", "::/0", ""}, {"192.168.1.1", "0.0.0.0/0", ""},
		{"224.0.0.1", "0.0.0.0/0", "multicast"}, {"0.0.0.0", "0.0.0.0/0", "this host"},
		{"0.0.0.0", "0.0.0.0", "this host"}, {"2002:7f00:1::", "::/0", "6to4"}, {"::7f00:1", "::/0", "reserved"},
		{"169.254.169.254", "0.0.0.0/0", "cloud metadata"}, {"169.254.169.254", "169.254.169.254/31", "cloud metadata"},
		{"169.254.169.254", "169.254.169.254/32", ""}, {"169.254.169.254", "169.254.169.254", ""},
		{"168.63.129.16", "168.63.129.16/32", ""}, {"fd00:ec2::254", "fc00::/7", "cloud metadata"},
		{"fd00:ec2::254", "fd00:ec2::254/128", ""}, {"fd00:ec2::255", "fc00::/7", ""},
		/* through a translator: also what is inside has to be allowed */
		{"64:ff9b::808:808", "64:ff9b::/96", ""}, {"64:ff9b::7f00:1", "64:ff9b::/96", "loopback"},
		{"64:ff9b::7f00:1", "64:ff9b::/96 127.0.0.0/8", ""}, {"64:ff9b::a9fe:a9fe", "::/0 0.0.0.0/0", "cloud metadata"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *got = denial(cases[i].address, cases[i].allowed);

		checks++;
		if (strcmp(got, cases[i].denial) == 0)
			continue;
		failures++;
		printf("NOT %s with \"%s\": \"%s\", expected \"%s\"\n", cases[i].address,
			   cases[i].allowed, got, cases[i].denial);
	}
}

static void
test_other_families(void)
{
	struct sockaddr_storage any = {0};
	char		text[ADDRESS_TEXT];

	any.ss_family = AF_UNIX;
	check(address_denied((struct sockaddr *) &any, sizeof(any), NULL, 0) != NULL, "a Unix socket");
	any.ss_family = AF_INET;
	check(address_denied((struct sockaddr *) &any, 4, NULL, 0) != NULL, "a short address");
	check(address_text_denied("", NULL, 0) != NULL, "an empty address");
	check(address_text_denied("8.8.8.8.", NULL, 0) != NULL, "no address");
	address_text((struct sockaddr *) &any, sizeof(any), text);
	check(strcmp(text, "0.0.0.0") == 0, "an address as text");
}

static void
test_networks(void)
{
	static const char *const good[] = {
		"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "1.2.3.4/32", "::/0", "::1", "::1/128", "fe80::/10",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128"
	};
	static const char *const bad[] = {
		"", "/", "/8", "10/8", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
		"10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8/8", "10.0.0.1/8", "010.0.0.0/8", "0x7f.0.0.1", "::/129", "::1/127",
		"fe80::1%lo", "fe80::1%1/128", "localhost", "10.0.0.0/99999999999999999999", "1.2.3.4.5", "::1::", "10.0.0.0\n"
	};
	AddressNetwork network;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(address_parse_network(good[i], strlen(good[i]), &network), good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(!address_parse_network(bad[i], strlen(bad[i]), &network), bad[i]);
	check(!address_parse_network("1.2.3.4\0/8", 10, &network), "a network with a zero byte");
}

/* ---- random ---- */

static void
test_random(void)
{
	for (int i = 0; i < 300000; i++)
	{
		unsigned char bytes[24];
		char		text[24];
		AddressNetwork everything[2] = {{.family = AF_INET}, {.family = AF_INET6}};
		AddressNetwork network;
		struct sockaddr_in6 six = {.sin6_family = AF_INET6};
		size_t		length = next_random() % sizeof(bytes);

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (unsigned char) next_random();
		memcpy(&six.sin6_addr, bytes, 16);
		if (i % 2)
			memcpy(&six.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
		/* mapped or not, it is the same; and more that is allowed never denies */
		if (i % 2)
			check((address_denied((struct sockaddr *) &six, sizeof(six), NULL, 0) == NULL) ==
				  (denial(inet_ntop(AF_INET, bytes + 12, text, sizeof(text)), "")[0] == '\0'), "mapped");
		if (address_denied((struct sockaddr *) &six, sizeof(six), NULL, 0) == NULL)
			check(address_denied((struct sockaddr *) &six, sizeof(six), everything, 2) == NULL, "allowed");
		/* near to what a network looks like */
		for (size_t k = 0; k < length; k++)
			text[k] = "0123456789abcdef:./\0 %"[bytes[k] % 22];
		if (address_parse_network(text, length, &network))
			check(network.prefix >= 0 && network.prefix <= (network.family == AF_INET ? 32 : 128), "a random network");
	}
}

int
main(void)
{
	const char *seed = getenv("SEED");

	state = seed != NULL ? strtoull(seed, NULL, 10) : ((uint64_t) time(NULL) << 16 ^ (uint64_t) getpid());
	printf("seed %llu\n", (unsigned long long) state);
	state |= 1;
	test_frame();
	test_frame_limits();
	test_addresses();
	test_other_families();
	test_networks();
	test_random();
	printf("%d checks, %d failed\n", checks, failures);
	return failures == 0 && checks > 0 ? 0 : 1;
}
