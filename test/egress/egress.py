"""Starts decouple-egress and speaks its frames; what the tests share."""
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get('EGRESS', TOP + '/src/egress/decouple-egress')
# a command to run it under, as valgrind
WRAPPER = os.environ.get('EGRESS_WRAPPER', '').split()
SLOWNESS = int(os.environ.get('SLOWNESS', '1'))

ANSWERED, FAILED, REFUSED = range(3)
VERDICTS = ['answered', 'failed', 'refused']
HTTPS_ONLY = 1
LOOPBACK = ['127.0.0.0/8', '::1/128']


def string(value):
    if isinstance(value, str):
        value = value.encode()
    return struct.pack('!I', len(value)) + value


def frame(kind, payload):
    return struct.pack('!I', len(payload) + 1) + kind + payload


def configure(allow=(), connect_timeout=2000 * SLOWNESS, answer_limit=65536):
    return frame(b'C', struct.pack('!I', len(allow)) + b''.join(map(string, allow)) +
                 struct.pack('!II', connect_timeout, answer_limit))


def request(number, url, timeout=5000 * SLOWNESS, flags=0, ca='', user='', password='',
            headers=(), body=b''):
    return frame(b'R', struct.pack('!QIB', number, timeout, flags) + string(url) + string(ca) +
                 string(user) + string(password) + struct.pack('!I', len(headers)) +
                 b''.join(map(string, headers)) + string(body))


class Outcome:
    def __init__(self, payload):
        self.number, self.verdict, self.status, self.retry_after, self.milliseconds, length = \
            struct.unpack('!QBIiII', payload[:25])
        self.error = payload[25:].decode('ascii')
        assert len(self.error) == length <= 200, payload

    def __str__(self):
        return '%s %d, retry after %d, "%s", %d ms' % (
            VERDICTS[self.verdict], self.status, self.retry_after, self.error, self.milliseconds)


class Ended(Exception):
    pass


class Egress:
    """One running program."""

    def __init__(self, allow=LOOPBACK, env=None, setup=None, inherit=False, **settings):
        self.socket, theirs = socket.socketpair()
        environment = {'PATH': os.environ['PATH']}
        environment.update(env or {})
        self.process = subprocess.Popen(WRAPPER + [PROGRAM], stdin=theirs, stderr=subprocess.PIPE,
                                        env=environment, preexec_fn=setup, close_fds=not inherit)
        theirs.close()
        self.data = b''
        self.last = 0
        self.said = ''
        if allow is not None:
            self.send(configure(allow, **settings))

    def send(self, data):
        self.socket.settimeout(30 * SLOWNESS)
        self.socket.sendall(data)

    def ask(self, url, **arguments):
        self.last += 1
        self.send(request(self.last, url, **arguments))
        return self.last

    def outcome(self, seconds=20):
        """The next outcome, whichever request it is of."""
        end = time.monotonic() + seconds * SLOWNESS
        while True:
            if len(self.data) >= 4:
                length = struct.unpack('!I', self.data[:4])[0]
                if len(self.data) >= 4 + length:
                    payload = self.data[4:4 + length]
                    self.data = self.data[4 + length:]
                    assert payload[:1] == b'O', payload
                    return Outcome(payload[1:])
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise Ended('no outcome within %d seconds' % (seconds * SLOWNESS))
            more = self.socket.recv(1 << 20)
            if not more:
                self.said = self.process.stderr.read().decode()
                raise Ended('the program ended: ' + self.said)
            self.data += more

    def get(self, url, **arguments):
        number = self.ask(url, **arguments)
        outcome = self.outcome()
        assert outcome.number == number, 'outcome %d, not %d' % (outcome.number, number)
        return outcome

    def memory(self):
        """The most that it had at once, in MiB."""
        with open('/proc/%d/status' % self.process.pid) as file:
            for line in file:
                if line.startswith('VmHWM'):
                    return int(line.split()[1]) // 1024

    def end(self, seconds=10):
        """Closes, and returns the exit status and what was said."""
        self.socket.close()
        try:
            status = self.process.wait(seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            status = 'none: it does not end'
        said = self.said + self.process.stderr.read().decode()
        self.process.stderr.close()
        return status, said


checks = 0
failures = 0


def check(what, good, seen=''):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print('NOT %s: %s' % (what, seen), flush=True)


def expect(what, outcome, verdict, status=0, error=None, retry_after=-1):
    good = outcome.verdict == verdict and outcome.status == status and \
        outcome.retry_after == retry_after and \
        (outcome.error == '' if verdict == ANSWERED else outcome.error != '') and \
        (error is None or error in outcome.error)
    check(what, good, '%s; expected %s %d %s' % (outcome, VERDICTS[verdict], status, error or ''))


def expect_end(what, egress, status=0):
    got, said = egress.end()
    check(what, got == status and (said == '') == (status == 0),
          'status %s, "%s"' % (got, said))


def report():
    print('%d checks, %d failed' % (checks, failures))
    sys.exit(1 if failures or not checks else 0)
