"""The warehouses of the demo: web servers that take orders, one for each region.

usage: warehouse.py file [port]; prints its port
"""
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).parent.parent / 'pushes'))
import server  # noqa: E402


class Warehouse(server.Handler):
    def judge(self, body):
        region, order = self.path[1:], json.loads(body)
        if order['amount'] < 0 and region == 'south':
            return 400, {}  # it never takes anything back
        if region == 'south' and order['order'] % 3 == 0 and self.is_first_attempt():
            return 503, {}
        if region == 'east':
            time.sleep(0.05)
        return 200, {}


server.serve(Warehouse)
