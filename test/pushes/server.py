"""A web server that keeps what it was sent, a JSON line each, and answers by path.

usage: server.py file [port]; prints its port
"""
import http.server
import json
import socketserver
import sys
import threading
import time

lock = threading.Lock()
seen = set()  # what was tried before


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0))).decode()
        kept = {'path': self.path, 'headers': {k.lower(): v for k, v in self.headers.items()}, 'body': body}
        code, headers = (200, {}) if self.is_confirmation() else self.judge(body)
        kept['status'] = code
        with lock:
            with open(sys.argv[1], 'a') as file:
                file.write(json.dumps(kept) + '\n')
        if code is None:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def is_confirmation(self):
        return 'Confirmation' in self.headers.get('x-amz-sns-message-type', '')

    def is_first_attempt(self):
        with lock:
            first = self.headers['webhook-id'] not in seen
            seen.add(self.headers['webhook-id'])
        return first

    def judge(self, body):
        """The status, and headers; None closes the connection."""
        if self.path == '/status/301':
            return 301, {'Location': '/status/301/followed'}
        if self.path.startswith('/status/'):
            return int(self.path.split('/')[2]), {}
        if self.path == '/later' and self.is_first_attempt():
            return 503, {'Retry-After': '2'}
        if self.path == '/reset':
            return None, {}
        if self.path == '/slow':
            time.sleep(1)
        return 200, {}

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 200

    def handle_error(self, request, client_address):
        pass  # who was killed has gone in the middle of a request


def serve(handler):
    open(sys.argv[1], 'a').close()
    server = Server(('127.0.0.1', int(sys.argv[2]) if len(sys.argv) > 2 else 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == '__main__':
    serve(Handler)
