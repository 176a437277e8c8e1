"""Replays that are kept are numbered and immutable; the latest is found by one name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.errors import PreconditionFailed
from perennial.workflows import replays
from perennial.workflows.replays import KeptReplay, keep_replay, latest_replay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_latest_is_read_back_as_it_was_kept() -> None:
    data = MemoryStore("data")
    assert latest_replay(data, "shop") is None
    for answer in ("physics", "fashion ü"):
        keep_replay(data, "shop", {"answer": answer}, at=NOW, by="ada")
    assert latest_replay(data, "shop") == KeptReplay(2, NOW, "ada", {"answer": "fashion ü"})
    assert next(iter(data.list(names.replays("shop"), limit=1))).name == names.replay("shop", 2)
    assert latest_replay(data, "shop-two") is None


def test_of_two_that_are_kept_at_once_both_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    data = MemoryStore("data")
    seen = [None, None]  # both look before either writes
    real = latest_replay
    monkeypatch.setattr(
        replays, "latest_replay", lambda *place: seen.pop() if seen else real(*place)
    )
    for by in ("ada", "bob"):
        keep_replay(data, "shop", {}, at=NOW, by=by)
    assert [one.name for one in data.list(names.replays("shop"))] == [
        names.replay("shop", 2), names.replay("shop", 1),
    ]  # fmt: skip
    assert real(data, "shop") == KeptReplay(2, NOW, "bob", {})


def test_who_is_never_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    data = MemoryStore("data")
    keep_replay(data, "shop", {}, at=NOW, by="ada")
    monkeypatch.setattr(replays, "latest_replay", lambda *_: None)
    with pytest.raises(PreconditionFailed, match="try again"):
        keep_replay(data, "shop", {}, at=NOW, by="bob")
