"""A version's card: what a person should know of a model before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.duel import CONSTANT
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.words import counted

_CARD = """\
# {name} {version}

Predicts `{label}` ({task}) with {model}, made on {created} UTC.

- **Duel:** {reason}.
- **Learned from:** {trained}.
- **Judged on:** {held_out} that neither it nor {rival} had learned.
- **{metric}:** {mine}; of {rival}: {theirs}.
{measured}\
- **Reads:** {features}; {when}.
- **Needs:** {needs}.
- **Graph:** {parity}.
- **Made by:** run `{run}`, with seed {seed}, by definition `{definition}`, {environment}.

It knows nothing of what came after its last row, and was judged on the rows above only. Whether it
serves is in the registry: `perennial versions {name}`. Every number is in `evaluation.json`, and
every file that it learned in `lineage.json`, by which it can be made again: `perennial rebuild
{name} {version} --verify`.
"""
_LIBRARIES = ("python", "scikit-learn", "skl2onnx", "onnxruntime")
_DIGEST = 12  # characters of a digest that tell it from others


def card(
    definition: Definition, manifest: Manifest, evaluation: Mapping[str, Any], files: int
) -> str:
    """The card as Markdown.

    Args:
        definition: the recipe.
        manifest: what is on record of the version; its files need not be known yet.
        evaluation: the content of `evaluation.json`.
        files: how many files it learned from.
    """
    trained, held_out, duel = evaluation["trained"], evaluation["held_out"], evaluation["duel"]
    when = f"event time in {definition.event_time}" if definition.event_time else "no event time"
    rival = evaluation["champion"] or CONSTANT
    return _CARD.format(
        name=definition.name,
        version=manifest.version,
        label=definition.label,
        task=definition.task,
        model=definition.training.model,
        created=f"{manifest.created:%Y-%m-%d %H:%M}",
        reason=evaluation["reason"],
        rival=rival,
        trained=f"{counted(trained['rows'], 'row')} of {counted(files, 'file')}{_span(trained)}",
        held_out=f"{counted(held_out['rows'], 'row')}{_span(held_out)}",
        metric=definition.metric,
        mine=_number(duel["challenger_loss"]),
        theirs=_number(duel["champion_loss"]),
        measured="".join(f"- **{name}:** {told}.\n" for name, told in _measured(evaluation, rival)),
        features=", ".join(definition.names("feature")) or "nothing else",
        when=when,
        needs=needs(evaluation.get("importance")),
        parity=_parity(evaluation["parity"]),
        run=manifest.run,
        seed=manifest.seed,
        definition=manifest.definition[:_DIGEST],
        environment=_environment(manifest.environment),
    )


def _measured(evaluation: Mapping[str, Any], rival: str) -> Iterator[tuple[str, str]]:
    """Every other quality on the held-out rows, the weakest slices, and the floors."""
    found = evaluation["measured"]
    mine, theirs = found["challenger"], found["champion"]
    metric = evaluation["metric"]
    told = []
    for name, value in mine["metrics"].items():
        if name != metric:
            against = theirs["metrics"].get(name) if theirs else None
            other = "" if against is None else f" (of {rival}: {_number(against)})"
            told.append(f"{name} {_number(value)}{other}")
    if told:
        yield "Also", ", ".join(told)
    for column, values in mine["slices"].items():
        known = {value: one for value, one in values.items() if metric in one["metrics"]}
        if known:
            # Every metric of a duel is a loss: the highest is the worst.
            worst = max(known, key=lambda value: known[value]["metrics"][metric])
            loss, rows = known[worst]["metrics"][metric], counted(known[worst]["rows"], "row")
            yield f"Weakest {column}", f"{worst}, {metric} {_number(loss)} on {rows}"
    if floors := [one["sentence"] for one in evaluation["floors"]]:
        yield "Floors", "; ".join(floors)


def _parity(parity: Mapping[str, Any]) -> str:
    """How well the graph agrees with the model that it was made of."""
    rows, probes = int(parity["rows"]), int(parity["probes"])
    return (
        f"agrees with the model to {parity['largest_difference']:.1g} on "
        f"{counted(rows, 'held-out row')} and {counted(probes, 'row')} made at its splits"
    )


def _environment(environment: Mapping[str, str]) -> str:
    known = [f"{name} {environment[name]}" for name in _LIBRARIES if name in environment]
    return f"with {', '.join(known)}" if known else "in an environment that is not on record"


def needs(importance: Mapping[str, Any] | None) -> str:
    """Which columns help, and which are not proven to, in one sentence without its full stop.

    Args:
        importance: the part `importance` of `evaluation.json`; None when no rows were held out.
    """
    if importance is None:
        return "not measured, because no rows were held out"
    helpful = [
        f"{one['column']} ({importance['metric']} {one['rise']:+.3g} when it is shuffled)"
        for one in importance["columns"]
        if one["verdict"] == "helps"
    ]
    return (
        f"{', '.join(helpful) or 'nothing for certain'}; not proven to help: "
        f"{', '.join(importance['not_proven_to_help']) or 'none'} "
        f"(on {_used(importance)})"
    )


def _used(importance: Mapping[str, Any]) -> str:
    rows, held_out = importance["rows"], importance["held_out"]
    all_of_them = f"the {counted(rows, 'held-out row')}"
    return all_of_them if rows == held_out else f"the newest {rows:,} of {held_out:,} held-out rows"


def _span(facts: Mapping[str, Any]) -> str:
    return f", {facts['first'][:10]} to {facts['last'][:10]}" if "first" in facts else ""


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"
