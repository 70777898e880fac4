"""Names whose addresses are not what they seem.  Needs a namespace of its own.

test/t/egress starts it with its own network and mounts: there 9.9.9.9, which
is public, is an address of this machine, and a name server of ours answers.
"""
import atexit
import os
import socket
import struct
import subprocess
import sys
import threading
import time

from egress import ANSWERED, FAILED, REFUSED, Egress, SLOWNESS, check, expect, expect_end, report
from server import Server

PUBLIC, HIDDEN = '9.9.9.9', '127.0.0.1'


def bind_files():
    """Our resolv.conf, hosts and nsswitch.conf, seen only in here."""
    for name, content in [('resolv.conf', 'nameserver 127.0.0.1\noptions timeout:20 attempts:1\n'),
                          ('hosts', '127.0.0.1 localhost\n9.9.9.9 known.test\n10.1.1.1 inner.test\n'),
                          ('nsswitch.conf', 'hosts: files dns\n')]:
        path = sys.argv[1] + '/' + name
        with open(path, 'w') as file:
            file.write(content)
        target = os.path.realpath('/etc/' + name)
        if not os.path.exists(target):
            target = '/etc/' + name
            open(target, 'w').close()
        subprocess.run(['mount', '--bind', path, target], check=True)
        atexit.register(subprocess.run, ['umount', target])


class NameServer:
    """Answers A as the name tells; AAAA with nothing."""

    def __init__(self):
        self.asked = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            labels, position = [], 12
            while query[position]:
                labels.append(query[position + 1:position + 1 + query[position]].decode())
                position += 1 + query[position]
            kind = struct.unpack('!H', query[position + 1:position + 3])[0]
            addresses = self.addresses(labels) if kind == 1 else []
            if addresses is None or labels[0] == 'silent':
                continue
            answer = query[:2] + b'\x81\x80\0\1' + struct.pack('!HHH', len(addresses), 0, 0) + \
                query[12:position + 5]
            for address in addresses:
                answer += b'\xc0\x0c\0\1\0\1\0\0\0\0\0\4' + socket.inet_aton(address)
            self.socket.sendto(answer, client)

    def addresses(self, labels):
        turn = self.asked[labels[0]] = self.asked.get(labels[0], 0) + 1
        return {'public': [PUBLIC], 'hidden': [HIDDEN], 'both': [HIDDEN, PUBLIC], 'nothing': [],
                'metadata': ['169.254.169.254'],
                'changing': [PUBLIC if turn % 2 else HIDDEN]}.get(labels[1], [])


bind_files()
subprocess.run('ip link set lo up && ip addr add %s/32 dev lo' % PUBLIC, shell=True, check=True)
names = NameServer()
public = Server(PUBLIC)
hidden = Server(HIDDEN, public.port)


def at(name, path='/status/200'):
    return 'http://%s:%d%s' % (name, public.port, path)


egress = Egress(allow=[])
expect('a public name', egress.get(at('a.public.test')), ANSWERED, 200)
expect('a name of hosts', egress.get(at('known.test')), ANSWERED, 200)
expect('a hidden name', egress.get(at('a.hidden.test')), REFUSED, error='127.0.0.1 is not allowed (loopback)')
expect('a hidden name of hosts', egress.get(at('inner.test')), REFUSED, error='10.1.1.1 is not allowed (private)')
expect('metadata by name', egress.get(at('a.metadata.test')), REFUSED, error='metadata')
expect('a name without addresses', egress.get(at('a.nothing.test')), FAILED, error='resolve')
expect('a name with both', egress.get(at('a.both.test')), ANSWERED, 200)
check('nothing hidden was reached', hidden.connections == 0, hidden.connections)

# ---- a lookup that is not answered makes nobody else wait ----
slow = [egress.ask(at('silent.a%d.test' % i), timeout=1500 * SLOWNESS) for i in range(40)]
begin = time.monotonic()
outcome = egress.get(at('b.public.test'))
expect('a quick name meanwhile', outcome, ANSWERED, 200)
check('at once', time.monotonic() - begin < 1 * SLOWNESS, outcome)
outcomes = [egress.outcome() for _ in slow]
check('they end by their time limit', all(o.verdict == FAILED and o.milliseconds < 3000 * SLOWNESS for o in outcomes),
      outcomes[-1])
begin = time.monotonic()
expect('and nobody waits after', egress.get(at('c.public.test')), ANSWERED, 200)
check('at once after', time.monotonic() - begin < 1 * SLOWNESS)
expect_end('the end', egress)

# ---- the answer changes between lookups: whatever it is now, that is judged ----
verdicts = []
for turn in range(20):
    egress = Egress(allow=[])
    outcome = egress.get(at('a.changing.test'))
    verdicts.append(outcome.verdict)
    check('turn %d' % turn, (outcome.verdict, outcome.status) in [(ANSWERED, 200), (REFUSED, 0)], outcome)
    expect_end('turn %d' % turn, egress)
check('both happened', verdicts.count(ANSWERED) == 10 and verdicts.count(REFUSED) == 10, verdicts)
check('the hidden one was never reached', hidden.connections == 0 and hidden.bytes == 0, hidden.connections)
egress = Egress(allow=['127.0.0.0/8'])
expect('unless it is allowed', egress.get(at('a.hidden.test')), ANSWERED, 200)
check('and then it is', hidden.connections == 1, hidden.connections)
expect_end('the end', egress)
report()
