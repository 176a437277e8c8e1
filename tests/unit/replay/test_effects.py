"""What each gate does, said so that one can act on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.replaying.effects import LEAST_RETURNS, Effect, effects
from perennial.domain.replaying.policies import Policy
from perennial.domain.replaying.trials import Trial

from .conftest import DEFINITION, pumps

ROWS = np.full(40, 10.0)
LOSSES = 10 * (3 + np.sin(np.arange(40.0)))


def trial(promotion: str, factor: float, *, rejected: int = 2, returns: int = 0) -> Trial:
    return Trial(
        Policy(1, None, promotion), LOSSES * factor, 40, 1.0,  # type: ignore[arg-type]
        rejected=rejected, returns=tuple(range(returns)),
    )  # fmt: skip


def measured(duel: float, probation: float, returns: int) -> tuple[Effect, ...]:
    gated = [
        trial("duel", duel),
        trial("duel+probation", probation, returns=returns),
    ]
    return effects(trial("none", 1.0), gated, ROWS, squared=False, seed=0)


def test_each_gate_is_measured_against_the_next_weaker_one() -> None:
    duel, probation = measured(1.1, 0.99, 3)

    assert (duel.promotion, duel.against) == ("duel", "none")
    assert duel.difference == pytest.approx(0.1)
    assert (probation.promotion, probation.against) == ("duel+probation", "duel")
    assert probation.difference == pytest.approx(-0.1)
    assert (duel.rejected, duel.challengers, probation.returns) == (2, 39, 3)


@pytest.mark.parametrize(
    ("duel", "probation", "returns", "answers", "advised", "end"),
    [
        (1.1, 0.99, LEAST_RETURNS, ("harms", "pays"), True, "so `probation: return`."),
        (1.1, 0.99, 1, ("harms", "pays"), False, "may be luck, so leave `probation: alert`."),
        (0.9, 0.99, 3, ("pays", "harms"), False, ("it does harm on this history, so leave "
                                                 "`probation: alert`.")),
        (0.9, 0.9, 0, ("pays", "no difference"), False, "it changes nothing here."),
    ],
)  # fmt: skip
def test_an_automatic_return_is_advised_where_it_surely_pays_more_than_once(
    duel, probation, returns, answers, advised, end
) -> None:
    found = measured(duel, probation, returns)

    assert tuple(one.answer for one in found) == answers
    assert [one.is_advised for one in found] == [True, advised]
    assert found[1].sentence.endswith(end)


def test_the_sentence_of_the_duel_holds_its_numbers() -> None:
    duel, _ = measured(1.1, 1.1, 0)

    assert duel.sentence == (
        "The duel turned down 2 of 39 challengers and changes the loss by +10.0% (95 % interval "
        "+10.0% to +10.0%): it does harm on this history."
    )
    assert replace(duel, rejected=0).sentence == (
        "The duel turned down none of 39 challengers: it changes nothing here."
    )


def test_every_gate_of_a_replay_is_in_its_advice(replayed) -> None:
    """Files with nonsense for labels, after which probation goes back."""
    found = replayed(pumps(24, wrong=(12, 13)), first=5, cadences=[1], windows=[5])

    assert [gate.promotion for gate in found.advice.gates] == ["duel", "duel+probation"]
    assert found.advice.promotion.startswith("The duel turned down ")
    parse(DEFINITION.split("training:")[0] + found.advice.lines)
