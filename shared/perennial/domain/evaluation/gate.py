"""The gate: from what was measured of a challenger to what becomes of it, and of the new files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.domain.evaluation.duel import DuelResult
from perennial.domain.evaluation.floors import Floor
from perennial.domain.evaluation.surprise import Surprise


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate decides.

    Attributes:
        promotes: whether the challenger may serve.
        reason: why, in one sentence.
        suspect: stems of the files that are to be set aside.
    """

    promotes: bool
    reason: str
    suspect: tuple[str, ...] = ()


def rule(
    duel: DuelResult,
    floors: Sequence[Floor],
    surprises: Sequence[Surprise] = (),
    *,
    constant: float | None = None,
) -> Ruling:
    """Decide about a challenger.

    It passes when its duel lets it, every floor is reached, and nothing surprised. After a
    surprise only a challenger that explains it passes: one that is clearly better than the
    champion, and better than a constant. With any other, the files that surprised are set aside:
    the world may have changed, but nobody has proved it yet.

    Args:
        duel: the challenger against the champion.
        floors: every floor, with what was found.
        surprises: the new files on which the champion's loss is not as usual.
        constant: the metric of the best constant answer to the rows of the duel.
    """
    if surprises and not _explains(duel, constant):
        told = "; ".join(one.sentence for one in surprises)
        return Ruling(
            False,
            f"does not pass, because after a surprise only a model does that is clearly better, "
            f"and better than a constant{_than(constant)}: {told}; the duel: {duel.rule}",
            tuple(one.stem for one in surprises),
        )
    missed = [floor for floor in floors if floor.passed is False]
    if missed and duel.promotes:
        return Ruling(False, f"does not pass its floors: {'; '.join(f.sentence for f in missed)}")
    return Ruling(duel.promotes, duel.rule)


def _explains(duel: DuelResult, constant: float | None) -> bool:
    """Whether a challenger has learned what surprised the champion.

    On labels that mean nothing, whoever answers less boldly beats the champion.
    """
    if duel.outcome != "better" or duel.challenger_loss is None or constant is None:
        return False
    return duel.challenger_loss < constant


def _than(constant: float | None) -> str:
    return "" if constant is None else f" (its loss is {constant:.4g})"
