"""The detached side of a transaction: carries out the phase and writes its receipt.

It runs as a transient systemd unit (or in a session of its own) and outlives the connection, the
control node and package restarts. It never answers on standard output.
"""

import os
import signal
import time

from hostside import answer, command, durable, hostinfo, leftovers, state, systemd

LOCK_SECONDS = 120
BALLAST = 256 * 1024
REBOOT_DELAY = 0.4


def work(request):
    """Carry out the transaction's phase under the host's lock and leave a receipt.

    Returns silently when another worker of the same transaction lives.
    """
    transaction = request["transaction"]
    log_to(state.folder(transaction, "worker.log"))
    alive = state.Lock(state.folder(transaction, "alive"))
    if not alive.take(1.0) or os.path.exists(state.folder(transaction, "receipt.json")):
        return
    finish_what_was_begun()
    state.save(transaction, "state", {
        "stage": "running", "attempt": request.get("attempt", 1), "pid": os.getpid(),
        "boot_id": hostinfo.boot_id(), "started": time.time(),
    })
    command.ENVIRONMENT[leftovers.MARKER] = transaction
    ballast = lay_ballast(transaction)
    evidence = under_host_lock(request)
    evidence.pop("attached", None)
    if ballast:
        os.unlink(ballast)
    if evidence["status"] == "rebooting":
        restart_host(transaction, evidence)
    else:
        state.save(transaction, "receipt", dict(evidence, attached=False))


def log_to(path):
    """Send standard output and error to a file: they belong to nobody's terminal."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def finish_what_was_begun():
    """Let SIGTERM and SIGHUP pass: a package transaction is not left in the middle.

    Handlers, not SIG_IGN: what is executed from here gets the default action back.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def lay_ballast(transaction):
    """Reserve room for the receipt, so that a disk that fills up does not silence us."""
    path = state.folder(transaction, "ballast")
    try:
        with open(path, "wb") as stream:
            stream.write(os.urandom(BALLAST))
    except OSError:
        return None  # no room left: the preflight says so by name
    return path


def under_host_lock(request):
    """The phase's evidence; status `blocked` when another transaction keeps the host.

    `blocked` promises a host as it was, so where an earlier attempt had begun it is `failed`.
    """
    from hostside.main import carry_out

    lock = state.host_lock()
    seconds = float(request.get("options", {}).get("lock_seconds", LOCK_SECONDS))
    if not lock.take(seconds):
        holder = lock.holder()
        begun = state.begun(request)
        words = "transaction %s (%s, process %s) has been changing this host since %s" % (
            holder.get("transaction", "?"), holder.get("phase", "?"),
            holder.get("pid", "?"), holder.get("since", "?"))
        hint = "Wait for it to end, then run the command again."
        if begun:
            words += "; this one had begun before and is cut off in the middle"
            hint = "Wait for it to end, then look at the host: it may be half changed."
        blocked = answer.Answer(request["phase"], request["transaction"])
        blocked.stop("failed" if begun else "blocked", "transaction-lock", words, hint)
        return blocked.finish()
    try:
        lock.label({
            "transaction": request["transaction"], "phase": request["phase"],
            "pid": os.getpid(), "since": answer.utc(),
        })
        return carry_out(request)
    finally:
        lock.release()


def restart_host(transaction, evidence):
    """Note durably that the host restarts, let the asker read it, and restart."""
    attempt = (state.load(transaction, "state") or {}).get("attempt", 1)
    state.save(transaction, "state", {
        "stage": "rebooting", "attempt": attempt, "boot_id": hostinfo.boot_id(),
        "evidence": evidence, "started": time.time(),
    })
    time.sleep(REBOOT_DELAY)
    argv = ["systemctl", "--no-block", "reboot"] if systemd.available() else ["reboot"]
    result = command.run(argv, timeout=60)
    if result.ok:
        return
    problem = answer.problem(
        "reboot-failed", "the host did not accept the restart: %s" % result.tail(),
        "Restart it by hand; the updates are installed.",
    )
    evidence = dict(evidence, status="ok", problems=evidence["problems"] + [problem])
    state.save(transaction, "receipt", dict(evidence, attached=False))


def sweep(keep=60):
    """Remove the folders of transactions with a receipt, oldest first, beyond the newest `keep`."""
    import shutil

    base = os.path.join(state.ROOT, "transactions")
    done = []
    for name in os.listdir(base):
        receipt = os.path.join(base, name, "receipt.json")
        if state.IDENTITY.match(name) and os.path.exists(receipt):
            done.append((os.stat(receipt).st_mtime, name))
    for _, name in sorted(done, reverse=True)[keep:]:
        shutil.rmtree(os.path.join(base, name))
    durable.sync_folder(base)
