"""What a cycle gives to tell: the same key for the same thing, and no more than names."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.model.errors import UsageError
from orchestrator.workflow.notify.child import redacted
from orchestrator.workflow.notify.events import NAMED_AT_MOST, News, aborted, news_of
from orchestrator.workflow.notify.words import message
from tests.unit.cycles import HOSTS, Chain, evidence, item


def advise(words: str) -> str:
    return f"sop-run {words} --home /srv/var"


def only(chain: Chain) -> News:
    (one,) = news_of(chain.state, advise)
    return one


def ordered() -> Chain:
    chain = Chain()
    chain.check(item(host="web1"), item(2, "web2"))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    return chain


def after_tests(reason: str = "openssl 3.0.2 does not start") -> Chain:
    chain = ordered()
    chain.run("backup", {h: {"evidence": evidence("backup")} for h in ("web1", "web2")})
    for host, verdict in zip(HOSTS, ("nothing-to-do", "rolled-back", "needs-human"), strict=True):
        chain.add("host.verdict", {"verdict": verdict, "reason": reason}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    return chain


def test_a_gate_has_one_key_until_it_opens_again() -> None:
    chain = Chain()
    assert news_of(chain.state, advise) == [], "the check has not begun"
    chain.check(item())
    first = only(chain)
    assert (first.event, first.roles) == ("gate", ("analis",))
    assert first.values["commands"] == (
        "sop-run sign 2026-11 --as budi --key PRIVATE_KEY_FILE --home /srv/var"
    )
    chain.add("note.added", {"text": "a remark"}, step=3)
    assert only(chain).key == first.key
    chain.sign(3, "budi", decision="return", reason="once more")
    assert news_of(chain.state, advise) == []
    chain.check(item())
    assert only(chain).key != first.key


def test_the_second_signer_was_told_with_the_first() -> None:
    chain = after_tests()
    _, gate = news_of(chain.state, advise)
    assert gate.roles == ("pengelola", "analis") and gate.values["commands"].count("--as") == 2
    chain.sign(8, "budi")
    _, again = news_of(chain.state, advise)
    assert again.key == gate.key and again.roles == ("pengelola",)


def test_hosts_are_named_with_their_verdict_and_nothing_else() -> None:
    hosts, _ = news_of(after_tests().state, advise)
    assert hosts.event == "hosts" and hosts.values["count"] == "2"
    assert hosts.values["list"] == "web1: rolled-back\nweb2: needs-human"
    assert "openssl" not in str(hosts.values) and "openssl" in hosts.details
    subject, body = message("hosts", hosts.values, None)
    assert "2 dari 3" in subject and "openssl" not in body
    assert "openssl" in message("hosts", hosts.values, None, hosts.details)[1]
    assert NAMED_AT_MOST == 20


def test_a_host_s_words_are_no_template_and_no_terminal_sequence() -> None:
    evil = "\x1b[2J$cycle ${agency} \u202e\r\nBcc: x@example.test"
    hosts, _ = news_of(after_tests(evil).state, advise)
    subject, body = message("hosts", hosts.values, None, hosts.details)
    assert "$cycle ${agency}" in body and "\x1b" not in body and "\u202e" not in body
    assert "\nBcc" not in body and "\n" not in subject


def test_the_key_of_an_aborted_run_is_its_place_and_its_reason() -> None:
    one = aborted("2026-11", 7, "no space", advise)
    assert one == aborted("2026-11", 7, "no space", advise)
    assert one.key != aborted("2026-11", 8, "no space", advise).key
    assert one.key != aborted("2026-11", 7, "no network", advise).key
    assert "no space" not in one.key + str(one.values) and one.details == "no space"


def test_an_office_s_own_words_and_wrong_ones(tmp_path: Path) -> None:
    assert message("done", {"cycle": "2026-11"}, tmp_path)[0].endswith("siklus 2026-11 selesai")
    (tmp_path / "notifications.yml").write_text("done: {subject: 'Selesai $cycle', body: ok}\n")
    assert message("done", {"cycle": "2026-11"}, tmp_path) == ("Selesai 2026-11", "ok\n")
    for text in ("done: {subject: x}", "[", "gate: x", ""):
        (tmp_path / "notifications.yml").write_text(text)
        with pytest.raises(UsageError, match=r"notifications\.yml"):
            message("done", {}, tmp_path)


def test_no_part_of_an_address_stays_in_what_a_service_says() -> None:
    url = "mailtos://me%40x.test:S3cret%21pw@mail.example.test:587/T0ken99?key=abcdef"
    said = f"failed {url} for me@x.test with S3cret!pw at mail.example.test /T0ken99 abcdef"
    told = redacted(said, url)
    for secret in ("S3cret", "T0ken99", "abcdef", "me@x.test"):
        assert secret not in told, told
    assert "mail.example.test" in told
