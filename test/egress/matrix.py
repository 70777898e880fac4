"""What becomes of a request, for each way in which a server may answer."""
import email.utils
import resource
import socket
import time

from egress import ANSWERED, FAILED, REFUSED, Egress, SLOWNESS, check, expect, expect_end, report
from server import Server

server = Server()
url = 'http://127.0.0.1:%d' % server.port
egress = Egress()


def ask(path, **arguments):
    return egress.get(url + path, **arguments)


# ---- answers: whatever the status, it is the verdict ----
for status in [200, 201, 202, 400, 401, 403, 404, 408, 410, 418, 425, 429, 499, 500, 502, 503, 504, 599, 999]:
    expect('status %d' % status, ask('/status/%d' % status), ANSWERED, status)
expect('status 204', ask('/empty'), ANSWERED, 204)
expect('103 and then 200', ask('/informed'), ANSWERED, 200)
before = len(server.requests)
for status in [301, 302, 303, 307, 308, 304]:
    expect('status %d' % status, ask('/redirect/%d' % status), ANSWERED, status)
check('redirects are not followed', len(server.requests) == before + 6, len(server.requests) - before)

# ---- Retry-After ----
expect('Retry-After in seconds', ask('/retry/120'), ANSWERED, 429, retry_after=120)
expect('Retry-After: 0', ask('/retry/0'), ANSWERED, 429, retry_after=0)
expect('no Retry-After after one', ask('/status/429'), ANSWERED, 429)
expect('Retry-After beyond all', ask('/retry/99999999999999999999'), ANSWERED, 429, retry_after=2**31 - 1)
expect('Retry-After that is none', ask('/retry/soon'), ANSWERED, 429)
expect('Retry-After in the past', ask('/retry/Wed,_21_Oct_2015_07:28:00_GMT'), ANSWERED, 429, retry_after=0)
date = email.utils.formatdate(time.time() + 1000, usegmt=True).replace(' ', '_')
outcome = ask('/retry/' + date)
check('Retry-After as a date', outcome.status == 429 and 900 < outcome.retry_after <= 1000, outcome)

# ---- what arrives is what was given ----
headers = ['X-One: 1', 'x-Two:  spaces  inside', 'X-Empty:', 'X-Blank: ', 'X-One: again', 'X-Semi: a;b,c=d',
           'Content-Type: text/plain; charset=UTF-8', 'User-Agent: decouple', 'X-Latin: \xe9']
body = bytes(range(256)) * 10
expect('headers and a body', ask('/status/200?a=b&c=%20', headers=[h.encode('latin-1') for h in headers], body=body),
       ANSWERED, 200)
seen = server.requests[-1]
check('the request line', seen.line == 'POST /status/200?a=b&c=%20 HTTP/1.1', seen.line)
check('the body', seen.body == body, len(seen.body))
expected = {'Host: 127.0.0.1:%d' % server.port, 'Content-Length: %d' % len(body), 'X-Blank:'} | \
    set(headers) - {'X-Blank: '}
check('the headers, and no others', set(seen.headers) == expected and len(seen.headers) == len(expected),
      set(seen.headers) ^ expected)
expect('no headers', ask('/status/200', body=b'x'), ANSWERED, 200)
check('none is added', len(server.requests[-1].headers) == 2, server.requests[-1].headers)
large = b'0123456789abcdef' * 65536 * 4
expect('a large body', ask('/status/200', body=large), ANSWERED, 200)
check('a large body arrives', server.requests[-1].body == large, len(server.requests[-1].body))
check('without Expect: 100-continue', not [h for h in server.requests[-1].headers if h.startswith('Expect')])
del server.requests[:]

# ---- what is not sent ----
connections, requests = server.connections, len(server.requests)
for line in ['no colon', ': no name', 'X Y: space', 'X-A: a\r\nX-B: b', 'X-A: a\nX-B: b', 'X-A: \x00', 'X-A: \x7f',
             'Host: other', 'content-length: 5', 'Transfer-Encoding: chunked', 'Expect: 100-continue',
             'Connection: close', '']:
    expect('header line %r' % line, ask('/status/200', headers=[line]), REFUSED, error='header line')
expect('too many header lines', ask('/status/200', headers=['X: y'] * 257), REFUSED, error='too many')
for bad, error in [('', 'well-formed'), ('127.0.0.1', 'well-formed'), ('http://', 'well-formed'),
                   (url + '/a b', 'well-formed'), (url + '/a\r\nX: y', 'control'), (url + '/\x00', 'control'),
                   (url + '/\x7f', 'control'), ('http://user@127.0.0.1/', 'user'), ('http://u:p@127.0.0.1/', 'user'),
                   ('http://127.0.0.1:25/', 'port'), ('http://127.0.0.1:0/', ''), ('http://127.0.0.1:1023/', 'port'),
                   ('http://127.0.0.1:65536/', ''), ('http://127.0.0.1:x/', 'well-formed'),
                   ('file:///etc/passwd', 'http'), ('gopher://127.0.0.1/', 'http'), ('ftp://127.0.0.1/', 'http'),
                   ('smtp://127.0.0.1:2525/', 'http'), ('dict://127.0.0.1:2628/', 'http'), ('x://127.0.0.1/', 'http')]:
    expect('URL %r' % bad, egress.get(bad), REFUSED, error=error)
expect('only https', ask('/status/200', flags=1), REFUSED, error='https')
expect('a user with a line end', ask('/status/200', user='a\nb', password='c'), REFUSED, error='user')
check('nothing of that was sent', (server.connections, len(server.requests)) == (connections, requests))

# ---- credentials ----
body = b'secret body'
expect('Digest', ask('/digest', user='user', password='word', body=body), ANSWERED, 200)
check('both requests had the body', [r.body for r in server.requests[-2:]] == [body, body])
check('Digest was sent', any(h.startswith('Authorization: Digest username="user"') for h in server.requests[-1].headers))
expect('no Basic without TLS', ask('/basic', user='user', password='word', body=body), ANSWERED, 401)
check('no password was sent', not any(h.startswith('Authorization') for r in server.requests for h in r.headers
                                      if 'Basic' in h))
expect('credentials that are not asked for', ask('/status/200', user='user', password='word', body=body), ANSWERED, 200)
check('the body was sent at once', server.requests[-1].body == body)
expect('the next goes without', ask('/digest', body=body), ANSWERED, 401)
expect('a server that asks for ever', ask('/stale', user='user', password='word', body=body), ANSWERED, 401)

# ---- failures ----
outcome = ask('/silence', timeout=300 * SLOWNESS)
expect('no answer', outcome, FAILED, error='before an answer')
check('it took the time limit', 300 <= outcome.milliseconds / SLOWNESS < 900, outcome)
expect('a slow answer', ask('/wait/5', timeout=300 * SLOWNESS), FAILED, error='before an answer')
expect('no time at all', ask('/wait/5', timeout=0), FAILED)
expect('reset', ask('/reset'), FAILED)
expect('closed', ask('/close'), FAILED)
expect('endless headers', ask('/headers'), FAILED, error='too long')
expect('an endless header', ask('/header'), FAILED, error='too long')
expect('endless 103', ask('/informing'), FAILED, error='too long')
expect('half a header', ask('/half'), FAILED)
expect('garbage', ask('/garbage'), FAILED, error='not HTTP')
expect('another protocol', ask('/smtp'), FAILED, error='not HTTP')
free = socket.socket()
free.bind(('127.0.0.1', 0))
expect('connection refused', egress.get('http://127.0.0.1:%d/' % free.getsockname()[1]), FAILED, error='refused')
expect('a name that does not exist', egress.get('http://does-not-exist.invalid/'), FAILED, error='resolve')
expect('a secret in the query', egress.get('http://does-not-exist.invalid/?token=sesame'), FAILED, error='resolve')

# ---- answered, though the rest is bad ----
outcome = ask('/body/fast')
expect('an endless body', outcome, ANSWERED, 200)
check('it is not read for long', outcome.milliseconds < 1000 * SLOWNESS, outcome)
expect('a slow body', ask('/body/slow', timeout=500 * SLOWNESS), ANSWERED, 200)
expect('a cut body', ask('/cut'), ANSWERED, 500)
expect('bad chunks', ask('/chunks'), ANSWERED, 202)
check('memory after all that', egress.memory() < 60 or SLOWNESS > 1, '%d MiB' % egress.memory())

# ---- keep-alive ----
connections = server.connections
for _ in range(50):
    ask('/status/200')
check('50 requests take one connection', server.connections <= connections + 1, server.connections - connections)
expect_end('the end', egress)

# ---- many at once ----
server = Server()
url = 'http://127.0.0.1:%d' % server.port
egress = Egress()
for _ in range(300):
    egress.ask(url + '/wait/%s' % (1 if SLOWNESS == 1 else 5), timeout=30000 * SLOWNESS)
outcomes = [egress.outcome() for _ in range(300)]
check('300 at once are all answered', all(o.status == 200 for o in outcomes) and len({o.number for o in outcomes}) == 300)
check('300 run at once', server.most == 300, server.most)
expect_end('the end after many', egress)

# ---- more than may run: no more than the bound, and none is lost ----
egress = Egress()
server.most = 0
if SLOWNESS == 1:
    for _ in range(2500):
        egress.ask(url + '/wait/1', timeout=60000)
    outcomes = [egress.outcome(60) for _ in range(2500)]
    check('2500 are all answered', all(o.status == 200 for o in outcomes) and len({o.number for o in outcomes}) == 2500)
    check('1024 of them at once', 900 < server.most <= 1024, server.most)
    check('memory of 2500', egress.memory() < 250, '%d MiB' % egress.memory())
expect_end('the end after more', egress)

# ---- with few files ----
egress = Egress(setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
for _ in range(100):
    egress.ask(url + '/wait/0.01', timeout=30000 * SLOWNESS)
outcomes = [egress.outcome() for _ in range(100)]
check('with few files all are answered', all(o.status == 200 for o in outcomes), outcomes[-1])
expect_end('the end with few files', egress)

# ---- large ones: what runs is bounded by bytes ----
if SLOWNESS == 1:
    egress = Egress()
    large = b'x' * (20 << 20)
    for _ in range(24):
        egress.ask(url + '/wait/3', body=large, timeout=60000)
    outcomes = [egress.outcome(60) for _ in range(24)]
    check('480 MiB are all answered', all(o.status == 200 for o in outcomes), outcomes[-1])
    check('memory of 480 MiB', 200 < egress.memory() < 400, '%d MiB' % egress.memory())
    expect_end('the end after large ones', egress)
report()
