"""Packs the host programs into one self-contained Python text, and is packed along with them.

The text needs nothing on the host but Python 3.6: it carries the sources of the `hostside` package
and the request, and runs `hostside.main.main(request)`. The control node pipes it over SSH; a
transaction writes the same text to disk as its detached worker.
"""

import base64
import json
import os
import zlib

TEMPLATE = """\
import sys
if sys.version_info < (3, 6):
    sys.stderr.write("sop-run: this Python is too old: %d.%d\\n" % sys.version_info[:2])
    sys.exit(126)
try:
    import base64, importlib.util, json, zlib
except ImportError as error:
    sys.stderr.write("sop-run: this Python is incomplete: %s\\n" % error)
    sys.exit(126)
PAYLOAD = "@PAYLOAD@"
REQUEST = "@REQUEST@"
def unpack(text):
    return json.loads(zlib.decompress(base64.b64decode(text)).decode("utf-8"))
SOURCES = unpack(PAYLOAD)
class Finder(object):
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in SOURCES:
            return importlib.util.spec_from_loader(name, Finder, is_package=name == "hostside")
    @staticmethod
    def get_source(name):
        return SOURCES[name]
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        name = module.__name__
        exec(compile(SOURCES[name], "<%s>" % name, "exec"), module.__dict__)
sys.dont_write_bytecode = True
sys.meta_path.insert(0, Finder)
from hostside.main import main
main(unpack(REQUEST), PAYLOAD)
"""


def pack(value):
    """JSON → zlib → base64: plain ASCII that needs no quoting."""
    raw = json.dumps(value, sort_keys=True).encode("utf-8")
    return base64.b64encode(zlib.compress(raw, 6)).decode("ascii")


BY_HYPERVISORS = ("snapshot", "proof", "revert")
"""Phases that hypervisors are asked for; no other phase needs their modules."""
FOR_HYPERVISORS = frozenset((
    *BY_HYPERVISORS, "hypervisors", "virsh", "guestmatch", "vendor", "proxmox", "pveguest",
    "vmware", "vmguest", "govcenv",
))


def payload(folder, phase):
    """The packed sources of the modules in `folder` (the hostside package) that a phase may need.

    What works with hypervisors goes to hypervisors only: every host waits for what is sent.
    """
    sources = {}
    for name in sorted(os.listdir(folder)):
        if name[:-3] in FOR_HYPERVISORS and phase not in BY_HYPERVISORS:
            continue
        if name.endswith(".py"):
            module = "hostside" if name == "__init__.py" else "hostside." + name[:-3]
            with open(os.path.join(folder, name), "r", encoding="utf-8") as handle:
                sources[module] = handle.read()
    return pack(sources)


def program(packed_sources, request):
    """The program's text for a request (a dict that JSON can hold)."""
    text = TEMPLATE.replace("@PAYLOAD@", packed_sources)
    return text.replace("@REQUEST@", pack(request))
