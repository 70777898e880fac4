"""A server that answers, well or badly, as the path of the request tells."""
import socket
import ssl
import struct
import threading
import time


class Seen:
    """A request as it arrived."""

    def __init__(self, line, headers, body):
        self.line, self.headers, self.body = line, headers, body


def receive(connection, reader):
    """One request; None where the client has closed."""
    line = reader.readline().decode('latin-1').rstrip('\r\n')
    if not line:
        return None
    headers = []
    while True:
        header = reader.readline().decode('latin-1').rstrip('\r\n')
        if not header:
            break
        headers.append(header)
    length = 0
    for header in headers:
        name, _, value = header.partition(':')
        if name.lower() == 'content-length':
            length = int(value)
    return Seen(line, headers, reader.read(length))


def simple(status, *headers, body=b'ok'):
    text = 'HTTP/1.1 %d X\r\n' % status
    for header in headers:
        text += header + '\r\n'
    return (text + 'Content-Length: %d\r\n\r\n' % len(body)).encode() + body


class Server:
    """Serves until the test ends, one thread for each connection."""

    def __init__(self, host='127.0.0.1', port=0, context=None, family=socket.AF_INET):
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        self.context = context
        self.connections = 0
        self.bytes = 0
        self.requests = []
        self.running = self.most = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                break
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                if connection.selected_alpn_protocol() == 'h2':
                    return self.serve_http2(connection)
            reader = connection.makefile('rb')
            while True:
                seen = receive(connection, reader)
                if seen is None:
                    break
                self.bytes += len(seen.line)
                self.requests.append(seen)
                if not self.answer(connection, seen):
                    break
            reader.close()
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def answer(self, connection, seen):
        """Answers; false where the connection is not to go on."""
        path = seen.line.split(' ')[1].partition('?')[0]
        name, _, value = path[1:].partition('/')
        if name == 'status':
            connection.sendall(simple(int(value)))
        elif name == 'empty':
            connection.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')
        elif name == 'redirect':
            connection.sendall(simple(int(value), 'Location: /status/200'))
        elif name == 'retry':
            connection.sendall(simple(429, 'Retry-After: ' + value.replace('_', ' ')))
        elif name == 'informed':
            connection.sendall(b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' + simple(200))
        elif name == 'wait':
            with self.lock:
                self.running += 1
                self.most = max(self.most, self.running)
            time.sleep(float(value))
            with self.lock:
                self.running -= 1
            connection.sendall(simple(200))
        elif name == 'digest':
            self.demand(connection, seen, 'Digest realm="r", nonce="n", qop="auth"')
        elif name == 'basic':
            self.demand(connection, seen, 'Basic realm="r"')
        elif name == 'stale':
            connection.sendall(simple(401, 'WWW-Authenticate: Digest realm="r", nonce="%d", '
                                      'qop="auth", stale=true' % time.monotonic_ns()))
        else:
            return getattr(self, 'bad_' + name, self.bad_close)(connection, value)
        return True

    @staticmethod
    def demand(connection, seen, challenge):
        given = [h for h in seen.headers if h.startswith('Authorization: ')]
        if given and given[0].split()[1] == challenge.split()[0]:
            connection.sendall(simple(200))
        else:
            connection.sendall(simple(401, 'WWW-Authenticate: ' + challenge))

    @staticmethod
    def bad_silence(connection, value):
        connection.recv(1)

    @staticmethod
    def bad_reset(connection, value):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    @staticmethod
    def bad_close(connection, value):
        pass

    @staticmethod
    def bad_body(connection, value):
        """A body without an end: at once, or a byte now and then."""
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n')
        while True:
            if value == 'slow':
                connection.sendall(b'x')
                time.sleep(0.05)
            else:
                connection.sendall(b'x' * 65536)

    @staticmethod
    def bad_headers(connection, value):
        connection.sendall(b'HTTP/1.1 200 OK\r\n')
        while True:
            connection.sendall(b'X-Header: ' + b'x' * 1000 + b'\r\n')

    @staticmethod
    def bad_header(connection, value):
        """One line without an end."""
        connection.sendall(b'HTTP/1.1 200 OK\r\nX-Header: ')
        while True:
            connection.sendall(b'x' * 10000)

    @staticmethod
    def bad_informing(connection, value):
        while True:
            connection.sendall(b'HTTP/1.1 103 Early Hints\r\n\r\n' * 100)

    @staticmethod
    def bad_half(connection, value):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Le')

    @staticmethod
    def bad_cut(connection, value):
        connection.sendall(b'HTTP/1.1 500 X\r\nContent-Length: 1000\r\n\r\nxyz')

    @staticmethod
    def bad_chunks(connection, value):
        connection.sendall(b'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n')

    @staticmethod
    def bad_garbage(connection, value):
        connection.sendall(b'\x00\x01garbage\r\n\r\n')

    @staticmethod
    def bad_smtp(connection, value):
        connection.sendall(b'220 mail.example ESMTP\r\n')

    # ---- HTTP/2: as little as a client needs that asks for a status ----

    def serve_http2(self, connection):
        reader = connection.makefile('rb')
        reader.read(24)
        lock = threading.Lock()

        def send(kind, flags, stream, payload=b''):
            with lock:
                connection.sendall(struct.pack('!I', len(payload))[1:] +
                                   bytes([kind, flags]) + struct.pack('!I', stream) + payload)

        def answer(stream):
            time.sleep(0.2)
            with self.lock:
                self.running -= 1
            send(1, 5, stream, b'\x88')  # HEADERS that end all: status 200

        send(4, 0, 0)
        while True:
            header = reader.read(9)
            if len(header) < 9:
                return
            length = int.from_bytes(header[:3], 'big')
            kind, flags = header[3], header[4]
            stream = int.from_bytes(header[5:], 'big')
            payload = reader.read(length)
            if kind == 4 and not flags & 1:
                send(4, 1, 0)
            if kind == 0 and length:
                send(8, 0, 0, struct.pack('!I', length))
            if kind in (0, 1) and flags & 1:
                self.requests.append(Seen('HTTP/2', [], payload))
                if payload == b'reset':
                    send(3, 0, stream, struct.pack('!I', 2))
                    continue
                with self.lock:
                    self.running += 1
                    self.most = max(self.most, self.running)
                threading.Thread(target=answer, args=(stream,), daemon=True).start()


def tls(certificate, key, *protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
