"""Gets a URL: prints the body, or the status where that is no good one.

usage: get.py url
"""
import sys
import urllib.error
import urllib.request

try:
    sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())
except urllib.error.HTTPError as error:
    sys.stdout.write(str(error.code))
