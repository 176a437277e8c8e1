"""A token is made once, again before it ends, and the old one serves on where that fails."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from perennial.adapters.kept_token import KeptToken, ends_at
from perennial.errors import PerennialError


def token(ends: float, number: int = 0) -> str:
    said = base64.urlsafe_b64encode(json.dumps({"exp": ends, "n": number}).encode())
    return f"head.{said.decode().rstrip('=')}.signature"


class Mint:
    """Makes tokens of an hour, unless it is broken."""

    def __init__(self) -> None:
        self.time, self.made, self.broken = 1000.0, 0, False

    def __call__(self) -> str:
        self.made += 1
        if self.broken:
            raise PerennialError("no identity token, Google does not answer")
        return token(self.time + 3600, self.made)


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def kept(mint) -> KeptToken:
    return KeptToken(mint, lambda: mint.time)


def test_one_is_made_for_many_questions_and_a_new_one_before_it_ends(mint, kept):
    first = kept.get()
    mint.time += 3299
    assert (kept.get(), mint.made) == (first, 1)
    mint.time += 1
    assert kept.get() != first
    assert mint.made == 2


def test_many_threads_make_one(mint, kept):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: kept.get(), range(50)))) == 1
    assert mint.made == 1


def test_where_no_new_one_can_be_made_the_old_one_serves_until_it_ends(mint, kept):
    first = kept.get()
    mint.time, mint.broken = mint.time + 3400, True
    assert [kept.get() for _ in range(5)] == [first] * 5
    assert mint.made == 2  # it is not tried at every question
    mint.time += 30
    assert (kept.get(), mint.made) == (first, 3)
    mint.time += 170
    with pytest.raises(PerennialError, match="Google does not answer"):
        kept.get()
    mint.broken = False
    assert kept.get() != first


def test_without_any_token_the_failure_is_told(mint, kept):
    mint.broken = True
    with pytest.raises(PerennialError):
        kept.get()


@pytest.mark.parametrize("odd", ["", "a.b.c", "a", "a.e30.c", "a.bnVsbA.c", "a.eyJleHAiOiAieCJ9.c"])
def test_a_token_that_does_not_say_when_it_ends_is_not_kept(odd):
    made = []
    kept = KeptToken(lambda: made.append(odd) or odd)
    assert ends_at(odd) == 0
    assert [kept.get(), kept.get()] == [odd, odd]
    assert len(made) == 2
