"""A web server that keeps what it was sent, a JSON line each, and answers by path.

usage: server.py file; prints its port
"""
import http.server
import json
import socketserver
import sys
import threading
import time

lock = threading.Lock()
seen_later = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        with lock:
            with open(sys.argv[1], 'a') as kept:
                kept.write(json.dumps({
                    'path': self.path,
                    'headers': {k.lower(): v for k, v in self.headers.items()},
                    'body': body.decode()}) + '\n')
        confirmation = 'Confirmation' in self.headers.get('x-amz-sns-message-type', '')
        code = 200
        if self.path.startswith('/status/') and not confirmation:
            code = int(self.path.split('/')[2])
        elif self.path == '/slow' and not confirmation:
            time.sleep(1)
        elif self.path == '/reset' and not confirmation:
            self.close_connection = True
            self.connection.close()
            return
        elif self.path == '/later' and not confirmation:
            with lock:
                key = self.headers['webhook-id']
                code = 200 if key in seen_later else 503
                seen_later.add(key)
        self.send_response(code)
        if code == 301:
            self.send_header('Location', '/status/301/followed')
        if code == 503 and self.path == '/later':
            self.send_header('Retry-After', '2')
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 200

    def handle_error(self, request, client_address):
        pass  # who was killed has gone in the middle of a request


open(sys.argv[1], 'a').close()
server = Server(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
