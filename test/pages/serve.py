"""Serves a module's Flask app at a free port.

usage: serve.py module; prints the port
"""
import importlib
import logging
import sys

from werkzeug.serving import make_server

sys.dont_write_bytecode = True
logging.getLogger('werkzeug').disabled = True
server = make_server('127.0.0.1', 0, importlib.import_module(sys.argv[1]).app)
print(server.server_port, flush=True)
server.serve_forever()
