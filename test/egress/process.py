"""How the process begins, what it may, and how it ends."""
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

from egress import PROGRAM, WRAPPER, SLOWNESS, Egress, Ended, check, configure, expect_end, frame, report, request
from server import Server

server = Server()
url = 'http://127.0.0.1:%d' % server.port
seed = int(os.environ.get('SEED', random.randrange(1 << 32)))
print('seed %d' % seed)
random.seed(seed)


def status_of(egress, name):
    with open('/proc/%d/status' % egress.process.pid) as file:
        return [line.split(':', 1)[1].strip() for line in file if line.startswith(name + ':')][0]


def is_there(pid):
    try:
        with open('/proc/%d/stat' % pid) as file:
            return file.read().split()[2] != 'Z'
    except OSError:
        return False


# ---- what it may ----
inherited = os.open('/etc/passwd', os.O_RDONLY)
os.set_inheritable(inherited, True)
egress = Egress(setup=lambda: os.dup2(inherited, 77), inherit=True, env={'SECRET': 'x', 'SSL_CERT_DIR': '/etc/ssl/certs'})
egress.get(url + '/status/200')
if not WRAPPER:
    folder = '/proc/%d/' % egress.process.pid
    check('no new privileges', status_of(egress, 'NoNewPrivs') == '1')
    with open(folder + 'limits') as file:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    check('no core file', limits['Max core file size'] == ['0', '0'], limits)
    check('no file is written', limits['Max file size'] == ['0', '0'], limits)
    check('files', int(limits['Max open files'][0]) <= 4096, limits)
    links = [os.readlink(folder + 'fd/' + fd) for fd in os.listdir(folder + 'fd')]
    check('no file is inherited', not any('passwd' in link for link in links), links)
    ignored = int(status_of(egress, 'SigIgn'), 16)
    check('signals are ignored', all(ignored & (1 << (s - 1)) for s in [signal.SIGPIPE, signal.SIGHUP, signal.SIGINT]))
for number in [signal.SIGHUP, signal.SIGINT, signal.SIGPIPE]:
    egress.process.send_signal(number)
check('it lives on', egress.get(url + '/status/200').status == 200)
expect_end('the end', egress)

# ---- when the other end closes: at any moment ----
expect_end('at once', Egress(allow=None))
for path in ['/silence', '/body/slow', '/status/200']:
    egress = Egress()
    for _ in range(20):
        egress.ask(url + path)
    time.sleep(random.random() / 5)
    expect_end('with requests of %s' % path, egress)
egress = Egress()
egress.send(request(1, url + '/status/200', body=b'x' * 1000000)[:500000])
expect_end('in the middle of a frame', egress)
egress = Egress()
egress.socket.shutdown(socket.SHUT_WR)
check('half closed', egress.process.wait(10 * SLOWNESS) == 0)

# ---- a worker that does not read: the rest waits ----
egress = Egress()
egress.socket.settimeout(2)
sent = 0
refused = request(1, 'x', headers=['X: ' + 'y' * 4000]) * 16
try:
    while sent < 1 << 30:
        sent += egress.socket.send(refused)
except socket.timeout:
    pass
check('it stops to read', 0 < sent < 1 << 30, sent)
check('with little memory', egress.memory() < 60 or SLOWNESS > 1, '%d MiB' % egress.memory())
outcomes = 0
try:
    while True:
        egress.outcome(1)
        outcomes += 1
except Ended:
    pass
check('and goes on', outcomes == sent // (len(refused) // 16), '%d outcomes' % outcomes)
expect_end('the end', egress)

# ---- the parent is killed ----
if not WRAPPER:
    script = '''
import socket, subprocess, sys, time
ours, theirs = socket.socketpair()
child = subprocess.Popen([%r], stdin=theirs)
kept = subprocess.Popen(['sleep', '60'], stdout=ours.fileno())  # keeps the socket open
print(child.pid, kept.pid, flush=True)
time.sleep(60)
''' % PROGRAM
    parent = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE)
    pid, kept = map(int, parent.stdout.readline().split())
    time.sleep(0.5)
    check('the child runs', is_there(pid))
    parent.kill()
    parent.wait()
    end = time.monotonic() + 5
    while is_there(pid) and time.monotonic() < end:
        time.sleep(0.02)
    check('it ends with its parent', not is_there(pid))
    os.kill(kept, signal.SIGKILL)

# ---- what is not well-formed ----
good = request(1, url + '/status/200', headers=['X: y'], body=b'body')
payload = good[5:]
bad = {'length 0': struct.pack('!I', 0), 'length beyond the most': struct.pack('!I', (66 << 20) + 1) + b'R',
       'length of all': b'\xff' * 8, 'unknown kind': frame(b'X', b''), 'an outcome': frame(b'O', b'x' * 25),
       'empty request': frame(b'R', b''), 'empty settings': frame(b'C', b''), 'more behind': frame(b'R', payload + b'x'),
       'many networks': frame(b'C', struct.pack('!III', 1 << 31, 1, 1)),
       'many headers': frame(b'R', struct.pack('!QIB', 1, 1, 0) + b'\0' * 16 + b'\xff' * 4),
       'long string': frame(b'R', struct.pack('!QIB', 1, 1, 0) + b'\xff' * 4 + b'x' * 50),
       'HTTP': b'GET / HTTP/1.1\r\n\r\n'}
for length in range(0, len(payload), 7):
    bad['cut at %d' % length] = frame(b'R', payload[:length])
for name, data in bad.items():
    egress = Egress()
    egress.send(data)
    try:
        check('%s: an end' % name, False, egress.outcome(5))
    except (Ended, ConnectionResetError):
        pass
    expect_end(name, egress, 1)
for turn in range(300 if not WRAPPER else 10):
    egress = Egress(allow=None)
    data = bytearray(configure(['127.0.0.0/8']) + good * random.randrange(1, 4))
    for _ in range(random.randrange(1, 6)):
        where = random.randrange(len(data))
        data[where:where + random.randrange(3)] = random.randbytes(random.randrange(3))
    try:
        egress.send(bytes(data))
    except (BrokenPipeError, ConnectionResetError):
        pass
    if turn % 2:
        time.sleep(0.01)
    status, said = egress.end()
    check('garbage %d' % turn, status in (0, 1) and (said == '') == (status == 0), '%s "%s"' % (status, said))

# ---- not by hand ----
by_hand = subprocess.run(WRAPPER + [PROGRAM], stdin=subprocess.DEVNULL, capture_output=True, timeout=10 * SLOWNESS)
check('by hand', by_hand.returncode == 1 and b'by hand' in by_hand.stderr, by_hand)
report()
