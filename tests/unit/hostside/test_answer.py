"""What leaves a host: framed, whole, and without the passwords of its package sources."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from hostside.answer import frame, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Curl error for https://me:s3cret@repo.example/x", "Curl error for https://***@repo.example/x"),
        ("HTTP://token@repo.example:8080/", "HTTP://***@repo.example:8080/"),
        ("ftp://a:b@c, socks5h://d:e@f", "ftp://***@c, socks5h://***@f"),
        ("https://repo.example/user@domain?a=b@c", "https://repo.example/user@domain?a=b@c"),
        ("root@host: ssh://git@host/x", "root@host: ssh://git@host/x"),
        ("https://repo.example then mail to a@b", "https://repo.example then mail to a@b"),
    ],
)  # fmt: skip
def test_addresses_lose_user_and_password(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_no_text_of_an_answer_keeps_them() -> None:
    url = "https://me:s3cret@repo.example/x"
    document = {"problems": [{"message": url}], "facts": {url: [url, 1, None, (url,)]}, "n": 1.5}
    mark, digest, packed = frame(document).split()
    raw = zlib.decompress(base64.b64decode(packed))
    assert b"s3cret" not in raw and raw.count(b"***@") == 4
    assert json.loads(raw)["n"] == 1.5 and (mark, len(digest)) == ("SOP-RUN-EVIDENCE", 64)
