"""Disguises a Debian root as a SUSE Linux Enterprise Server: real zypper, libzypp and rpm.

An imitation: it proves that the zypper path works, not that SLES or openSUSE does.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.lab.process import run
from orchestrator.lab.recipe import WEB
from orchestrator.lab.root import write
from orchestrator.lab.rpmrepo import KEY_PATH, REPOSITORIES, forget_debian

OS_RELEASE = """NAME="SLES"
VERSION="15-SP7 (lab imitation)"
VERSION_ID="15.7"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP7 (lab imitation on a Debian userland)"
ID="sles"
ID_LIKE="suse"
"""
PRODUCT = """<?xml version="1.0" encoding="UTF-8"?>
<product schemeversion="0">
  <vendor>lab</vendor>
  <name>SLES</name>
  <version>15.7</version>
  <release>0</release>
  <arch>noarch</arch>
  <productline>sles</productline>
  <summary>SUSE Linux Enterprise Server 15 SP7 (lab imitation)</summary>
</product>
"""
RPM_DATABASE = "usr/lib/sysimage/rpm"
# As SUSE ships it: kernels stay side by side.
ZYPP_CONF = "[main]\nmultiversion = provides:multiversion(kernel)\n"


def disguise_suse(root: Path, repositories: Path) -> None:
    """Turn a Debian root with zypper and rpm into the imitation of a SLES 15 host."""
    forget_debian(root)
    write(root, "usr/lib/os-release", OS_RELEASE)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    write(root, "etc/products.d/SLES.prod", PRODUCT)
    (root / "etc/products.d/baseproduct").symlink_to("SLES.prod")
    write(root, "etc/zypp/zypp.conf", ZYPP_CONF)
    # Debian keeps rpm's database in root's home; SUSE has it here, and a link at the old place.
    write(root, "etc/rpm/macros", f"%_dbpath /{RPM_DATABASE}\n")
    (root / RPM_DATABASE).mkdir(parents=True)
    database = root / "var/lib/rpm"
    if database.is_dir():
        database.rmdir()
    database.symlink_to(f"../../{RPM_DATABASE}")
    key = (repositories / "RPM-GPG-KEY-lab").read_text(encoding="utf-8")
    write(root, KEY_PATH.lstrip("/"), key)
    for name in REPOSITORIES:
        text = (
            f"[{name}]\nname=lab {name}\nenabled=1\nautorefresh=1\nbaseurl={WEB}/rpm/{name}\n"
            f"type=rpm-md\ngpgcheck=1\ngpgkey=file://{KEY_PATH}\n"
        )
        write(root, f"etc/zypp/repos.d/{name}.repo", text)
    run(["chroot", root, "rpm", "--import", KEY_PATH])
