"""Which addresses are reached, whatever way they are written."""
import socket

from egress import ANSWERED, FAILED, REFUSED, Egress, check, configure, expect, expect_end, report
from server import Server

server = Server()
server6 = Server('::1', server.port, family=socket.AF_INET6)
LITERALS = ['127.0.0.1', '2130706433', '017700000001', '0x7f000001', '0177.0.0.1', '0x7f.1', '127.1', '127.0.1',
            '0x7f.0.0.0x1', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]', '127.0.0.1.',
            '%31%32%37.0.0.1', 'localhost', 'LocalHost.', 'a.localhost']
LITERALS6 = ['[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]']


def at(host):
    return 'http://%s:%d/status/200' % (host, server.port)


# ---- by default nothing local ----
for name, egress in [('before any settings', Egress(allow=None)), ('nothing allowed', Egress(allow=[])),
                     ('everything but what is meant', Egress(allow=['10.0.0.0/8', '2000::/3', 'nonsense', '127.0.0.0/7'])),
                     ('proxies in the environment', Egress(allow=[], env={
                         n: 'http://127.0.0.1:%d' % server.port
                         for n in ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']}))]:
    for host in LITERALS + LITERALS6:
        outcome = egress.get(at(host))
        # what is no address to libcurl is a name that nobody has
        good = outcome.verdict == REFUSED or (outcome.verdict == FAILED and 'resolve' in outcome.error)
        check('%s: %s' % (name, host), good, outcome)
    for host, what in [('127.0.0.1', '127.0.0.1 is not allowed (loopback)'), ('[::1]', '::1 is not allowed (loopback)'),
                       ('169.254.169.254', 'metadata'), ('168.63.129.16', 'metadata'), ('[fd00:ec2::254]', 'metadata'),
                       ('10.0.0.1', 'private') if name != 'everything but what is meant' else ('172.16.0.1', 'private'),
                       ('0.0.0.0', 'this host'), ('[::]', 'unspecified'), ('[64:ff9b::7f00:1]', 'NAT64'),
                       ('[::127.0.0.1]', 'reserved'), ('[2002:7f00:1::]', '6to4'), ('255.255.255.255', 'reserved')]:
        expect('%s: %s is refused' % (name, host), egress.get(at(host)), REFUSED, error=what)
    expect('%s: localhost' % name, egress.get(at('localhost')), REFUSED, error='loopback')
    expect_end('the end, %s' % name, egress)
check('nothing arrived', server.connections == 0 and server6.connections == 0, server.connections)

# ---- the networks that are allowed, and these alone ----
egress = Egress(allow=['127.0.0.0/8'])
for host in LITERALS:
    outcome = egress.get(at(host))
    check('allowed: %s' % host, outcome.status == 200 or 'resolve' in outcome.error, outcome)
check('most literals arrived', len(server.requests) > 10, len(server.requests))
expect('IPv6 is not', egress.get(at('[::1]')), REFUSED, error='loopback')
expect('localhost by what is allowed of it', egress.get(at('localhost')), ANSWERED, 200)
expect_end('the end', egress)
egress = Egress(allow=['::1/128'])
expect('IPv6', egress.get(at('[::1]')), ANSWERED, 200)
expect('IPv4 is not', egress.get(at('127.0.0.1')), REFUSED, error='loopback')
expect('nor mapped', egress.get(at('[::ffff:127.0.0.1]')), REFUSED, error='loopback')

# ---- settings change: also for a connection that is open ----
egress.send(configure(['127.0.0.1']))
expect('allowed later', egress.get(at('127.0.0.1')), ANSWERED, 200)
requests, connections = len(server.requests), server.connections
egress.send(configure([]))
expect('no longer', egress.get(at('127.0.0.1')), REFUSED, error='127.0.0.1 is not allowed')
egress.send(configure(['0.0.0.0/0', '::/0']))
check('it was not sent', len(server.requests) == requests and server.connections == connections)
expect('again', egress.get(at('127.0.0.1')), ANSWERED, 200)
expect('metadata is not lifted', egress.get('http://169.254.169.254/latest/meta-data/'), REFUSED, error='metadata')
expect('nor that of IPv6', egress.get('http://[fd00:ec2::254]/'), REFUSED, error='metadata')
expect('nor what is nowhere', egress.get('http://224.0.0.1/'), REFUSED, error='multicast')
expect_end('the end', egress)
report()
