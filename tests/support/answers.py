"""What a viewer reads from an owner's answer, and adds to it: the ICE password, which nobody sends."""

from __future__ import annotations

import re

SECRET = "AAECAwQFBgcICQoLDA0O_w"
"""A link's secret, for tests that have no link."""


def with_password(answer: str, offer: str, secret: str = SECRET) -> str:
    """`answer` with the password that who knows the link's secret and has made `offer` can make; one that is there
    stays."""
    if "a=ice-pwd:" in answer:
        return answer
    found = re.search(r"a=fingerprint:sha-256 ([0-9A-Fa-f:]{95})", offer)
    assert found is not None, "the offer has a fingerprint"
    password = secret.replace("-", "+").replace("_", "/") + found[1].replace(":", "").upper()
    return re.sub(r"(a=ice-ufrag:[^\r\n]*)", rf"\1\r\na=ice-pwd:{password}", answer, count=1)


def owner_address(answer: str) -> tuple[str, int]:
    """An IPv4 host candidate of the answer."""
    for line in answer.split("\r\n"):
        words = line.split()
        if line.startswith("a=candidate:") and "." in words[4]:
            return words[4], int(words[5])
    raise AssertionError("no IPv4 candidate")
