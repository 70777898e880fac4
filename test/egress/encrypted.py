"""TLS and HTTP/2.  usage: encrypted.py folder-of-certificates"""
import ssl
import sys
import warnings

from egress import ANSWERED, FAILED, Egress, HTTPS_ONLY, SLOWNESS, check, expect, expect_end, report
from server import Server, tls

folder = sys.argv[1] + '/'


def read(name):
    with open(folder + name) as file:
        return file.read()


def serve(name, *protocols):
    return Server(context=tls(folder + name + '.pem', folder + name + '.key', *protocols))


def at(server, path='/status/200', host='localhost'):
    return 'https://%s:%d%s' % (host, server.port, path)


ca = read('ca.pem')
good, wrong, expired, alone = [serve(name) for name in ['good', 'wrong', 'expired', 'alone']]
egress = Egress()

expect('our own CA', egress.get(at(good), ca=ca, flags=HTTPS_ONLY), ANSWERED, 200)
expect('without it', egress.get(at(good)), FAILED, error='certificate')
expect('with it again, and with another before', egress.get(at(good), ca=ca), ANSWERED, 200)
expect('an address that is not in it', egress.get(at(good, host='127.0.0.1'), ca=ca), FAILED, error='certificate')
expect('self-signed', egress.get(at(alone)), FAILED, error='certificate')
expect('self-signed, and trusted', egress.get(at(alone), ca=read('alone.pem')), ANSWERED, 200)
expect('trusted by its address', egress.get(at(alone, host='127.0.0.1'), ca=read('alone.pem')), ANSWERED, 200)
expect('another CA', egress.get(at(good), ca=read('alone.pem')), FAILED, error='certificate')
expect('another host', egress.get(at(wrong), ca=ca), FAILED, error='subject name')
expect('expired', egress.get(at(expired), ca=ca), FAILED, error='expired')
expect('a CA that is none', egress.get(at(good), ca='no certificate'), FAILED)
check('what failed was not sent', not wrong.requests and not expired.requests)
plain = Server()
expect('a server without TLS', egress.get(at(plain), ca=ca), FAILED)
old = serve('good')
warnings.simplefilter('ignore', DeprecationWarning)
old.context.minimum_version = old.context.maximum_version = ssl.TLSVersion.TLSv1_1
old.context.set_ciphers('ALL:@SECLEVEL=0')
expect('a server of TLS 1.1', egress.get(at(old), ca=ca), FAILED)
expect('Basic over TLS', egress.get(at(good, '/basic'), ca=ca, user='u', password='p', body=b'x'), ANSWERED, 200)
check('the password was sent', good.requests[-1].headers[1] == 'Authorization: Basic dTpw', good.requests[-1].headers)
expect('Digest over TLS', egress.get(at(good, '/digest'), ca=ca, user='u', password='p', body=b'x'), ANSWERED, 200)
connections = good.connections
for _ in range(20):
    egress.get(at(good), ca=ca)
check('20 requests take one connection', good.connections <= connections + 1, good.connections - connections)
expect_end('the end', egress)

# ---- the system's certificates, as the environment names them ----
egress = Egress(env={'SSL_CERT_FILE': folder + 'ca.pem'})
expect('SSL_CERT_FILE', egress.get(at(good)), ANSWERED, 200)
expect('another CA instead', egress.get(at(good), ca=read('alone.pem')), FAILED, error='certificate')
expect_end('the end with SSL_CERT_FILE', egress)

egress = Egress(env={'SSL_CERT_DIR': folder + 'trusted'})
expect('SSL_CERT_DIR', egress.get(at(good)), ANSWERED, 200)
expect('and another CA instead of it', egress.get(at(good), ca=read('alone.pem')), FAILED, error='certificate')
expect_end('the end with SSL_CERT_DIR', egress)

# ---- HTTP/2: all wait for the first connection, and share it ----
two = serve('good', 'h2')
egress = Egress()
for _ in range(90):
    egress.ask(at(two), ca=ca, body=b'x', timeout=20000 * SLOWNESS)
check('90 requests are answered', all(egress.outcome().status == 200 for _ in range(90)))
check('over one connection', two.connections == 1, two.connections)
check('at once', two.most > 50 or SLOWNESS > 1, two.most)
expect('a stream that is reset', egress.get(at(two), ca=ca, body=b'reset'), FAILED)
expect('the next', egress.get(at(two), ca=ca, body=b'x'), ANSWERED, 200)
expect_end('the end of HTTP/2', egress)
report()
