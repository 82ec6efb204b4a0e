"""The lab's own Debian packages, as data: each shows one thing that an update can do to a host."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    """A tiny package; `files` maps paths to their text, executables end up below /usr/bin."""

    name: str
    version: str
    suite: str  # lab (the old versions), lab-updates or lab-security
    section: str = "utils"
    files: dict[str, str] = field(default_factory=dict)
    conffiles: tuple[str, ...] = ()
    postinst: str = ""

    @property
    def file_name(self) -> str:
        """Name of the package file."""
        return f"{self.name}_{self.version}_all.deb"


def service_files(name: str, port: int, version: str, fault: str = "") -> dict[str, str]:
    """A service that answers `NAME VERSION` over HTTP; `fault` is Python run before it listens."""
    program = f'''#!/usr/bin/python3
import http.server
import sys
{fault}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{name} {version}\\n")

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("0.0.0.0", {port}), Handler).serve_forever()
'''
    unit = f"""[Unit]
Description={name}, a test service
After=network.target

[Service]
ExecStart=/usr/bin/{name}
Restart=no

[Install]
WantedBy=multi-user.target
"""
    return {f"/usr/bin/{name}": program, f"/usr/lib/systemd/system/{name}.service": unit}


def start_script(name: str) -> str:
    """What a package does after it was installed: enable and restart its service."""
    return f"""if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --quiet {name}
    systemctl restart {name} || true
else
    systemctl enable --quiet {name}
fi
"""


def _web(version: str, suite: str) -> Package:
    files = service_files("lab-web", 8080, version)
    return Package("lab-web", version, suite, "web", files, postinst=start_script("lab-web"))


def _api(version: str, suite: str, fault: str = "") -> Package:
    files = service_files("lab-api", 8081, version, fault)
    return Package("lab-api", version, suite, "web", files, postinst=start_script("lab-api"))


def _conf(version: str, suite: str, text: str) -> Package:
    path = "/etc/lab-conf.conf"
    return Package("lab-conf", version, suite, files={path: text}, conffiles=(path,))


_ASK_REBOOT = "touch /run/reboot-required\necho lab-kernel >>/run/reboot-required.pkgs\n"
_FAIL = 'echo "lab-badpost: migration failed" >&2\nexit 1\n'
_FAULT = 'sys.exit("lab-api 2.0: cannot read /etc/lab-api.conf")'

PACKAGES = (
    _web("1.0", "lab"),
    _web("1.1", "lab-security"),  # a good update of a service
    _api("1.0", "lab"),
    _api("2.0", "lab-security", _FAULT),  # an update after which the service does not start
    Package("lab-tool", "1.0", "lab", files={"/usr/share/lab-tool/version": "1.0\n"}),
    Package("lab-tool", "1.1", "lab-updates", files={"/usr/share/lab-tool/version": "1.1\n"}),
    Package("lab-kernel", "6.1.1", "lab", "kernel"),
    Package("lab-kernel", "6.1.2", "lab-security", "kernel", postinst=_ASK_REBOOT),
    Package("lab-badpost", "1.0", "lab"),
    Package("lab-badpost", "1.1", "lab-security", postinst=_FAIL),  # leaves it half-configured
    _conf("1.0", "lab", "# lab-conf 1.0\nworkers = 2\n"),
    _conf("1.1", "lab-updates", "# lab-conf 1.1\nworkers = 4\n"),
    Package("lab-held", "1.0", "lab", files={"/usr/share/lab-held/version": "1.0\n"}),
    Package("lab-held", "1.1", "lab-updates", files={"/usr/share/lab-held/version": "1.1\n"}),
)


def package(name: str, version: str) -> Package:
    """The package of that name and version; KeyError when there is none."""
    found = {(p.name, p.version): p for p in PACKAGES}
    return found[(name, version)]
