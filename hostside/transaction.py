"""The asking side of a transaction: begin it once, attach to it ever after.

A phase that changes the host runs in a worker that outlives the connection (hostside/worker.py).
This side starts it, waits for its receipt, and notices when it is gone without one.
"""

import os
import re
import subprocess
import sys
import time

from hostside import bundle, durable, hostinfo, state, systemd, told, wayin
from hostside.answer import Answer
from hostside.command import ENVIRONMENT, run

WAIT_SECONDS = 1500
START_SECONDS = 20
ATTEMPTS = 4
# Outcomes that left the host as it was: asking again may try again.
UNTOUCHED = ("blocked", "refused")


def start_or_attach(request, packed_sources):
    """The evidence of the transaction `request["transaction"]`: begun now, running, or done.

    Returns None in the detached worker itself, which writes a receipt instead of an answer.
    """
    if request.get("worker"):
        from hostside import worker

        worker.work(request)
        return None
    if os.geteuid() != 0:
        return refusal(
            request, "not-root", "%s changes the host and needs root" % request["phase"],
            "Set ansible_become: true, or connect as root.",
        )
    transaction = str(request.get("transaction", ""))
    if not state.IDENTITY.match(transaction):
        return refusal(request, "no-transaction", "a change needs a transaction id", "")
    waiting = told.still_running(request)
    if waiting is not None:
        return waiting
    if nothing_to_change(request) and not os.path.isdir(state.folder(transaction)):
        from hostside.main import carry_out

        return carry_out(request)
    try:
        if request["phase"] == "restore":
            state.give_reserve_up()
        state.private_folder(state.ROOT)
        state.private_folder(state.folder(transaction))
        return Asker(request, packed_sources).ask()
    except (OSError, durable.Damaged) as error:
        # What began before may have changed the host: only a first attempt may say `refused`.
        begun = os.path.exists(state.folder(transaction, "request.json"))
        return refusal(
            request, "state-unusable", "%s: %s" % (type(error).__name__, error),
            "Look at %s on the host; the program began nothing new." % state.ROOT,
            status="failed" if begun else "refused",
        )


def nothing_to_change(request):
    """Whether the phase has no item on this host: then it only looks, and needs no worker."""
    classes = {item.get("class") for item in request.get("items", [])}
    if request["phase"] == "update":
        return not classes - {"antivirus"}
    return request["phase"] == "antivirus" and "antivirus" not in classes


def refusal(request, code, message, hint, status="refused"):
    """Evidence that says no; nothing was begun."""
    answer = Answer(request["phase"], request.get("transaction", ""))
    answer.stop(status, code, message, hint)
    return answer.finish()


class Asker:
    """One question about one transaction."""

    def __init__(self, request, packed_sources):
        self.request = request
        self.packed_sources = packed_sources
        self.transaction = request["transaction"]
        self.began = False
        wait = request.get("options", {}).get("wait_seconds", WAIT_SECONDS)
        self.deadline = time.monotonic() + float(wait)

    def ask(self):
        """Evidence with `attached`, or status `running` when the time to wait is over."""
        with state.claim(self.transaction):
            self.forget_untouched()
        while True:
            with state.claim(self.transaction):
                document = self.decide()
            if document is not None:
                return document
            if not self.wait():
                return self.still_running()

    def forget_untouched(self):
        """Set a receipt aside that says that nothing was changed, so that this is a new try."""
        receipt = self.receipt()
        if receipt is None or receipt["status"] not in UNTOUCHED:
            return
        if state.alive(self.transaction):
            return
        os.rename(self.path("receipt.json"), self.path("receipt-%d.json" % time.time()))
        for name in ("notes.json", "state.json", "request.json"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        durable.sync_folder(self.path())

    def decide(self):
        """The evidence when it is settled; otherwise None with a living worker."""
        receipt = self.receipt()
        if receipt is not None:
            return self.settled(receipt)
        if state.alive(self.transaction):
            return self.rebooting()
        stage = self.state()
        mismatch = self.mismatch()
        if mismatch is not None:
            return mismatch
        if stage.get("stage") == "rebooting" and stage.get("boot_id") == hostinfo.boot_id():
            return self.rebooting()
        attempt = int(stage.get("attempt", 0)) + 1
        if attempt > ATTEMPTS:
            return self.give_up(attempt - 1)
        self.began = self.began or attempt == 1
        self.begin(attempt)
        return None

    def path(self, *parts):
        """A path in the transaction's folder."""
        return state.folder(self.transaction, *parts)

    def receipt(self):
        """The receipt, or None; a damaged one is set aside and never trusted."""
        try:
            return state.load(self.transaction, "receipt")
        except durable.Damaged:
            os.rename(self.path("receipt.json"), self.path("receipt.damaged"))
            return None

    def state(self):
        """Stage and attempt; a damaged record counts as a worker that died."""
        try:
            found = state.load(self.transaction, "state")
        except durable.Damaged:
            os.rename(self.path("state.json"), self.path("state.damaged"))
            found = None
        if found is None:
            # Without a state, but with traces of a begun transaction, this is no first attempt.
            begun = os.path.exists(self.path("request.json"))
            return {"stage": "unknown", "attempt": 1 if begun else 0}
        return found

    def mismatch(self):
        """A refusal when the same id was begun with other items; None otherwise."""
        try:
            earlier = state.load(self.transaction, "request")
        except durable.Damaged:
            earlier = None
        if earlier is None or earlier.get("items") == self.request.get("items"):
            return None
        return refusal(
            self.request, "transaction-mismatch",
            "transaction %s was begun with other items" % self.transaction,
            "The plan's id must change with its items; nothing was changed now.",
            status="failed" if state.begun(dict(self.request, attempt=2)) else "refused",
        )

    def begin(self, attempt):
        """Write the worker's program and state, start it, and see it alive.

        The worker makes its own state durable before it changes anything; what a power cut takes
        before that was never begun.
        """
        keep = dict(self.request, worker=True, attempt=attempt, way_in=wayin.connection())
        text = bundle.program(self.packed_sources, keep)
        durable.write(self.path("program.py"), text.encode("ascii"), sync=False)
        state.save(self.transaction, "state", {
            "stage": "starting", "attempt": attempt, "boot_id": hostinfo.boot_id(),
            "started": time.time(),
        }, sync=False)
        state.save(self.transaction, "request", self.request, sync=False)
        launch(self.transaction, attempt)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if state.alive(self.transaction) or os.path.exists(self.path("receipt.json")):
                return
            time.sleep(0.01)

    def wait(self):
        """Wait for the worker; returns False when the asker's time is over.

        Looking costs one stat and one lock attempt; the pause grows from 10 ms to 0.25 s.
        """
        pause = 0.01
        while time.monotonic() < self.deadline:
            if os.path.exists(self.path("receipt.json")) or not state.alive(self.transaction):
                return True
            if self.rebooting() is not None:
                return True
            time.sleep(pause)
            pause = min(0.25, pause * 1.2)
        return False

    def settled(self, receipt):
        """The receipt as an answer; `receipt` carries its checksum, for the journal."""
        return dict(receipt, attached=not self.began, receipt=durable.digest(receipt))

    def rebooting(self):
        """The evidence so far when the worker restarts the host, or None."""
        try:
            stage = state.load(self.transaction, "state") or {}
        except durable.Damaged:
            return None
        if stage.get("stage") != "rebooting" or stage.get("boot_id") != hostinfo.boot_id():
            return None
        return dict(stage["evidence"], status="rebooting", attached=not self.began)

    def still_running(self):
        """Evidence with status `running`."""
        answer = Answer(self.request["phase"], self.transaction)
        answer.stop("running", "still-running", "the transaction goes on, detached, on the host",
                    "Ask again with the same transaction.")
        return dict(answer.finish(), attached=not self.began)

    def give_up(self, attempts):
        """A receipt with status `failed`: the worker ended each time without one."""
        evidence = refusal(
            self.request, "worker-died",
            "the worker ended %d times without a receipt: %s" % (attempts, self.log_tail()),
            "The host may be half changed: restore it, or look at %s." % self.path(),
            status="failed",
        )
        state.save(self.transaction, "receipt", evidence)
        return self.settled(evidence)

    def log_tail(self):
        """The last lines of the worker's own output."""
        return hostinfo.read(self.path("worker.log"))[-500:]


def launch(transaction, attempt):
    """Start the worker detached: a transient unit under systemd, else a session of its own."""
    program = state.folder(transaction, "program.py")
    argv = [sys.executable or "/usr/bin/python3", "-I", program]
    if systemd.available():
        name = "sop-run-%s" % transaction + ("-%d" % attempt if attempt > 1 else "")
        result = run(systemd_run(name) + argv, timeout=START_SECONDS)
        if result.ok:
            return
        # A systemd that cannot be asked (wedged bus) is no reason to leave a host half changed.
        durable.write(state.folder(transaction, "launch.log"), result.tail().encode("utf-8"))
    subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/", env=dict(ENVIRONMENT), start_new_session=True, close_fds=True,
    )


def systemd_run(name):
    """The systemd-run call for a worker named `name`.

    KillMode=process: what a maintainer script leaves running, or a dpkg in flight, is not shot
    when the worker ends. TimeoutStopSec: a shutdown waits for the packages to be whole.
    """
    if not re.match(r"^[a-z0-9-]+$", name):
        raise ValueError("%r is no unit name" % name)
    return [
        "systemd-run", "--quiet", "--collect", "--unit=" + name,
        "--description=sop-run transaction", "--property=KillMode=process",
        "--property=TimeoutStopSec=900", "--",
    ]
