#include "../../daemon/address.h"
#include "../../daemon/peer.h"
#include "testing.h"

#include <arpa/inet.h>

static struct listen_address v6(const char *host)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(5328) };
	struct listen_address a = { .len = sizeof(in6) };

	ck_assert_int_eq(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	memcpy(&a.socket, &in6, sizeof(in6));
	return a;
}

START_TEST(an_address_is_written_as_it_was_read)
{
	static const char *const texts[] = { "127.0.0.1:5328", "[::1]:0", "[2001:db8::1]:65535", "unix:/run/leat.sock", "tls:0.0.0.0:1" };

	for (size_t i = 0; i < countof(texts); i++) {
		struct listen_address a;
		char room[LISTEN_ADDRESS_TEXT_MAX];

		ck_assert_ptr_null(listen_address_parse(&a, slice_of(texts[i])));
		listen_address_text(&a, room);
		ck_assert_str_eq(room, texts[i]);
	}
}
END_TEST

START_TEST(an_ipv4_address_in_an_ipv6_one_is_itself)
{
	static const struct {
		const char *host, *text, *peer;
		bool local;
	} rows[] = {
		{ "::ffff:127.0.0.1", "127.0.0.1:5328", "127.0.0.1:5328", true },
		{ "::ffff:192.0.2.7", "192.0.2.7:5328", "192.0.2.7:5328", false },
		{ "::1", "[::1]:5328", "[::1]:5328", true },
		{ "::", "[::]:5328", "[::]:5328", false },
		{ "64:ff9b::7f00:1", "[64:ff9b::7f00:1]:5328", "[64:ff9b::7f00:1]:5328", false },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct listen_address a = v6(rows[i].host);
		struct peer peer = peer_of(-1, &a.socket);
		char room[LISTEN_ADDRESS_TEXT_MAX], peer_room[PEER_TEXT_MAX];

		address_unmap(&a.socket);
		listen_address_text(&a, room);
		ck_assert_str_eq(room, rows[i].text);
		ck_assert(listen_address_is_local(&a) == rows[i].local);
		peer_text(&peer, peer_room);
		ck_assert_str_eq(peer_room, rows[i].peer);
	}
}
END_TEST

START_TEST(a_client_is_one_host_by_whichever_socket_it_comes)
{
	struct listen_address six = v6("::ffff:127.0.0.1"), four;
	struct peer by_six = peer_of(-1, &six.socket), by_four;
	struct peer_host a, b;

	ck_assert_ptr_null(listen_address_parse(&four, SLICE("127.0.0.1:40000")));
	by_four = peer_of(-1, &four.socket);
	a = peer_host(&by_six);
	b = peer_host(&by_four);
	ck_assert(peer_host_is(&a, &b));
}
END_TEST

Suite *address_suite(void);

Suite *address_suite(void)
{
	const TTest *tests[] = {
		an_address_is_written_as_it_was_read,
		an_ipv4_address_in_an_ipv6_one_is_itself,
		a_client_is_one_host_by_whichever_socket_it_comes,
	};
	return suite_of("address", tests, countof(tests));
}
