"""`benchmarks/run`: measures, compares, keeps results.json, writes the page and its pictures."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import contenders
from benchmarks.compare import changes_agree, checks_agree
from benchmarks.contenders import CHANGE, CHECK, Contender, Found, measured, place_for
from benchmarks.documents import ITEMS, measurements
from benchmarks.fleet import FOLDER, Hosts, full_hosts, sweep, thin_hosts
from benchmarks.report import write_page
from benchmarks.results import RESULTS, Measurement, keep
from orchestrator.model.errors import CannotRunError, SopRunError

BEGAN = time.monotonic()


def say(words: str) -> None:
    """Progress, with the minutes since the start."""
    print(f"[{(time.monotonic() - BEGAN) / 60:5.1f} min] {words}", flush=True)


def numbers(text: str) -> list[int]:
    """`10,50` as numbers, ascending."""
    return sorted({int(word) for word in text.split(",")})


def chosen(all_of_them: Sequence[Contender], names: str) -> list[Contender]:
    """Those named, all without names; ours always, for the others are compared with it."""
    wanted = set(names.split(",")) if names else {c.id for c in all_of_them}
    return [c for c in all_of_them if c.id in wanted | {"sop-run"}]


def due(contender: Contender, hosts: int, repeat: int, repeats: int) -> bool:
    """Whether a contender is measured in this round."""
    most = repeats
    for size, runs in contender.repeats.items():
        if hosts >= size:
            most = min(repeats, runs)
    return hosts <= contender.most and repeat <= most


def told(contender: Contender, hosts: int, cost: dict[str, float]) -> None:
    """One line for one run."""
    say(f"{hosts:4d} hosts  {contender.words:38s} {cost['wall_s']:7.1f} s wall "
        f"{cost['cpu_s']:7.1f} s CPU {cost['controller_kb'] // 1024:5d} MB")  # fmt: skip


def check(folder: Path, sizes: list[int], who: Sequence[Contender], repeats: int) -> None:
    """SOP step 2 on thin hosts."""
    say(f"check: making {max(sizes)} thin hosts")
    with thin_hosts(folder, max(sizes)) as hosts:
        for count in sizes:
            made, reference = [], dict[str, Found]()
            for repeat in range(1, repeats + 1):
                for contender in (c for c in who if due(c, count, repeat, repeats)):
                    hosts.clean(count)
                    place = place_for(hosts, count, folder)
                    run = contender.make(place)
                    cost = measured(run, place)
                    told(contender, count, cost)
                    found = run.found()
                    names = hosts.names(count)
                    checks_agree(contender.id, found, reference.setdefault("", found), names)
                    made.append(Measurement(contender.id, count, cost))
                    shutil.rmtree(place.folder)
            keep("check", made)


def change(folder: Path, sizes: list[int], who: Sequence[Contender], repeats: int) -> None:
    """SOP steps 5 to 8 on full hosts, made anew for every run."""
    for count in sizes:
        made: list[Measurement] = []
        reference: list[str] = []
        for repeat in range(1, repeats + 1):
            for contender in (c for c in who if due(c, count, repeat, repeats)):
                with full_hosts(folder, count) as hosts:
                    cost, after = _one_change(hosts, count, contender, folder)
                told(contender, count, cost)
                reference = reference or next(iter(after.values()))
                changes_agree(contender.id, after, reference)
                made.append(Measurement(contender.id, count, cost))
        keep("change", made)


def documents(sizes: list[int]) -> None:
    """Journal → check list and report, of made-up hosts through the program's own code."""
    for count in sizes:
        made = []
        for one in measurements(count, ITEMS):
            cost = one.cost
            say(f"{count:5d} hosts  {one.contender}  {cost['fold_s']:.1f} s to read, "
                f"{cost['render_s']:.1f} s to render, {cost['peak_mb']:.0f} MB")  # fmt: skip
            made.append(one)
        keep("documents", made)


def _one_change(
    hosts: Hosts, count: int, contender: Contender, folder: Path
) -> tuple[dict[str, float], dict[str, list[str]]]:
    place = place_for(hosts, count, folder)
    before = hosts.after_change()
    run = contender.make(place)
    cost = measured(run, place)
    after = hosts.after_change()
    if any(before[host] == after[host] for host in after):
        raise CannotRunError(f"benchmark: {contender.id} changed nothing on a host")
    bad = {h: v for h, v in run.found().items() if v != "updated"}
    if contender.id in ("sop-run", "canary") and bad:
        raise CannotRunError(f"benchmark: verdicts that are not `updated`: {bad}")
    return cost, after


def main() -> int:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument(
        "--only",
        choices=("check", "change", "documents", "page"),
        help="one part; `page` only writes the page from results.json again",
    )
    parser.add_argument(
        "--sizes",
        type=numbers,
        default=[10, 50, 100, 200, 500],
        help="numbers of thin hosts of the check",
    )
    parser.add_argument(
        "--hosts", type=numbers, default=[3, 6, 10], help="numbers of full hosts of the change"
    )
    parser.add_argument(
        "--documents",
        type=numbers,
        default=[100, 1000, 10_000],
        help="numbers of made-up hosts of the documents, with 40 items each",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=3,
        help="runs of which the median counts; long ones are run less often",
    )
    parser.add_argument(
        "--contenders",
        default="",
        help=f"some of {', '.join(c.id for c in CHANGE)}; sop-run always is",
    )
    given = parser.parse_args()  # fmt: skip
    # The hosts are removed then, too; only `kill -9` leaves them, for the next call to remove.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    try:
        if given.only in (None, "check"):
            check(folder, given.sizes, chosen(CHECK, given.contenders), given.repeats)
        if given.only in (None, "change"):
            change(folder, given.hosts, chosen(CHANGE, given.contenders), given.repeats)
        if given.only in (None, "documents"):
            documents(given.documents)
        for path in write_page():
            say(f"written: {path.relative_to(contenders.ROOT)}")
    except SopRunError as error:
        say(f"{error.message}\n{error.hint}")
        return error.exit_code
    except KeyboardInterrupt:
        say("stopped; the hosts are removed")
        return 130
    finally:
        shutil.rmtree(folder)
    say(f"done; results in {RESULTS.relative_to(contenders.ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
