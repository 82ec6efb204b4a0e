"""VERIFY.txt: how an archive is verified without this program.

docs/how-to/verify-an-archive.md says the same at length; tests run the commands of both.
"""

from __future__ import annotations

VERIFY = """\
How to verify this folder without the program that made it
==========================================================
You need sha256sum, ssh-keygen (OpenSSH 8.7 or later), GNU date and Python 3. Paste each block into
a shell, beginning in the folder that holds bagit.txt.

1. Every file is there and unchanged, and there is no other file:

     sha256sum --check --quiet tagmanifest-sha256.txt
     sha256sum --check --quiet manifest-sha256.txt
     find data -type f | wc -l; wc -l < manifest-sha256.txt

   The two numbers are equal.

2. Every signature was made with the officer's key, within the officer's days:

     cd data/signatures
     export TZ=$(python3 -c 'import json; print(json.load(open("../cycle.json"))["timezone"])')
     for text in *.json; do
         said() { python3 -c "import json; print(json.load(open('$text'))['$1'])"; }
         ssh-keygen -Y verify -f ../allowed_signers -I "$(said officer)" -n sop-run/gate/1 \\
             -O verify-time="$(date --date="$(said at)" +%Y%m%d%H%M%S)" \\
             -s "${text%.json}.sig" < "$text" || echo "NOT VALID: $text"
     done
     cd ../..

   Compare the keys (SHA256:...) with those that the officers themselves show.

3. The journal is whole, and its end is the one that bag-info.txt names:

     python3 -c '
     import hashlib, json
     prev = "0" * 64
     for n, line in enumerate(open("data/journal.jsonl", encoding="utf-8"), 1):
         e = json.loads(line); h = e.pop("hash")
         c = json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
         assert e["prev"] == prev and hashlib.sha256(c.encode()).hexdigest() == h, n
         prev = h
     assert "Journal-Head: " + prev in open("bag-info.txt", encoding="utf-8").read()
     print("journal ok:", n, "entries")'

4. PDF signatures, where officers gave them: open the reports in a PDF reader, or run pdfsig. The
   SHA-256 of the file and of the certificate stand under `pdf` in data/signatures/*step-10*.json
   and *step-11*.json, which the officers signed as in 2.

5. The archive before this one is the one that this one names: Previous-Manifest-SHA256 in
   bag-info.txt is the SHA-256 of that archive's file tagmanifest-sha256.txt.
"""
