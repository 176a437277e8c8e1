"""`perennial gate-test`: can a pipeline's gate be trusted?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from perennial.cli.context import Deployment, on_deployment
from perennial.cli.output import Shortfall, emit, json_option, progress, table

if TYPE_CHECKING:
    from perennial.domain.gating.cases import GateTest, Trial


@click.command()
@click.argument("name")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
    help="Made-up histories to try it in.",
)  # fmt: skip
@json_option
@on_deployment
def gate_test(deployment: Deployment, name: str, seeds: int, as_json: bool) -> None:
    """Try a pipeline's gate on challengers of known quality.

    One is worse than the champion, one better, one the same, one learned from shuffled labels, and
    one knows by heart whatever it has learned and little else. In a made-up history, with the
    metric, tolerance and duel rows of the definition in force, each goes the way of a real
    challenger. Nothing is written.

    Fails when one is judged wrongly. `apply` runs this before a definition is put in force.
    """
    definition = deployment.registry.definition(deployment.registry.require(name))
    # Imported here because it brings pandas, and a slip in the name should show at once.
    from perennial.domain.gating.cases import GateTest
    from perennial.workflows.gate_test import try_gate

    trials: list[Trial] = []
    for seed in range(seeds):
        trials += try_gate(definition, [seed]).trials
        progress(f"{seed + 1} of {seeds} made-up histories")
    found = GateTest(trials)
    document = {
        "pipeline": name,
        "task": definition.task,
        "metric": definition.metric,
        "tolerance": definition.promotion.tolerance,
        "min_duel_rows": definition.promotion.min_duel_rows,
        **found.document(),
    }
    emit(document, _lines(name, found, seeds), as_json=as_json)
    if not found.passed:
        raise Shortfall(f"the gate of {name} cannot be trusted: {found.complaint}")


def _lines(name: str, found: GateTest, seeds: int) -> Iterator[str]:
    """One row for each kind of challenger: the first that was judged wrongly, else the first."""
    shown: dict[str, Trial] = {}
    for trial in (*found.wrong, *found.trials):
        shown.setdefault(trial.case, trial)
    right = found.document()["right"]
    yield table(
        ("challenger", "expected", "decision", "loss", "95 % interval", "right"),
        (
            (
                case,
                shown[case].expected,
                shown[case].decision,
                _percent(shown[case].difference),
                f"{_percent(shown[case].low)} to {_percent(shown[case].high)}",
                f"{count} of {seeds}",
            )
            for case, count in right.items()
        ),
    )
    yield ""
    verdict = "decides rightly" if found.passed else "cannot be trusted"
    yield f"the gate of {name} {verdict}"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:+.1%}"
