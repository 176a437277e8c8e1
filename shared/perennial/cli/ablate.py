"""`perennial ablate`: which columns help, and which sources hurt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from perennial.cli.histories import (
    beside,
    find_history,
    require_libraries,
    require_one_history,
    training_options,
)
from perennial.cli.output import emit, json_option, progress, table
from perennial.domain.words import counted

TOP = "(no folder)"
"""What people read for the source of files that lie in none."""

_WORDS = {"helps": "helps", "unproven": "not proven to help", "hurts": "hurts"}


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="NAME | --pipeline FILE PATH…")
@click.option(
    "--pipeline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A definition, by which files at PATH… are tried before anything is deployed.",
)
@click.option("--project", metavar="ID", help="Google Cloud project to work in.")
@click.option(
    "--features", is_flag=True,
    help="Leave out each column in turn.  [default: both, where there are several]",
)  # fmt: skip
@click.option(
    "--sources", is_flag=True,
    help="Leave out each source in turn: the files of one folder.",
)  # fmt: skip
@click.option(
    "--files", type=click.IntRange(min=1), default=30, show_default=True, metavar="N",
    help="Newest files to predict, each before it is learned.",
)  # fmt: skip
@click.option(
    "--window", type=click.IntRange(min=1), metavar="N",
    help="Newest files to learn from.  [default: the definition's window]",
)  # fmt: skip
@training_options
@json_option
@click.pass_context
def ablate(
    context: click.Context,
    words: tuple[str, ...],
    pipeline: Path | None,
    project: str | None,
    features: bool,
    sources: bool,
    files: int,
    window: int | None,
    cache: Path | None,
    models: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Name columns that do not help and sources that hurt.

    Trains before each of the newest files of pipeline NAME, or of plain files, as the definition
    says, and again without one column, or without the files of one source, and lets all models
    predict that file. A source is the folder of a file: north for NAME/north/a.csv. Intervals
    resample whole files. Nothing is written but the memory of trainings, which replay shares.
    """
    require_one_history(context, words, pipeline)
    require_libraries("ablate")
    # Imported here because they bring scikit-learn, which most commands do not need.
    from perennial.domain.ablating.variants import make_plan
    from perennial.wiring.ablate import run
    from perennial.wiring.replay import cache_folder

    source = find_history(context, words, pipeline, project)
    both = not (features or sources)
    plan = make_plan(
        source.definition, source.history,
        features=features or both, sources=sources or both, files=files, window=window,
    )  # fmt: skip
    progress(f"{counted(len(plan.wanted), 'distinct training')}")
    cache = cache or cache_folder(os.environ)
    models = models or beside(pipeline)
    document = run(source, plan, cache=cache, jobs=jobs, progress=progress, models=models)
    emit(document, _lines(document), as_json=as_json)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    scored, cost = document["scored"], document["cost"]
    yield (
        f"{document['pipeline']}: {counted(scored['rows'], 'row')} of the newest "
        f"{counted(scored['files'], 'file')} ({scored['first']} to {scored['last']}), each "
        f"predicted before it is learned; the last training learned "
        f"{counted(scored['learned_files'], 'file')}"
    )
    for one in document["history"]["left_out"]:
        yield f"left out    {one['name']}: {one['reason']}"
    if document["features"]:
        yield ""
        yield _features(document["features"], document["metric"])
        yield f"not proven to help: {_listed(document['not_proven_to_help'])}"
        if together := document["together"]:
            yield _together(together, document["metric"])
    if document["sources"]:
        yield ""
        yield _sources(document["sources"], document["metric"])
        yield f"sources that hurt: {_listed([n or TOP for n in document['sources_that_hurt']])}"
    yield ""
    yield (
        f"{cost['trainings']:,} distinct trainings, {cost['trainings_made']:,} made now: "
        f"{cost['processor_seconds']:.0f} s of processor time, {cost['elapsed_seconds']:.0f} s "
        "elapsed"
    )


def _features(effects: Sequence[Mapping[str, Any]], metric: str) -> str:
    return table(
        ("without", f"{metric} changes by", "95 % interval", "verdict"),
        ((one["name"], *_change(one), _verdict(one)) for one in effects),
    )


def _together(effect: Mapping[str, Any], metric: str) -> str:
    difference, interval = _change(effect)
    said = f"without all of these at once {metric} changes by {difference} ({interval})"
    if effect["verdict"] == "helps":
        return f"{said}: not all of them can go, so leave out one and ask again"
    return f"{said}: together they are not proven to be missed"


def _sources(effects: Sequence[Mapping[str, Any]], metric: str) -> str:
    return table(
        (
            "without",
            f"the others' {metric}",
            "95 % interval",
            "its own",
            "95 % interval",
            "verdict",
        ),
        (
            (one["name"] or TOP, *_change(one["others"]), *_change(one["own"]), _verdict(one))
            for one in effects
        ),
    )


def _change(change: Mapping[str, Any] | None) -> tuple[str, str]:
    """The difference and its interval, as far as they are known."""
    if change is None or change["difference"] is None:
        return "", "nothing to predict"
    if change["low"] is None:
        return f"{change['difference']:+.1%}", f"of {counted(change['files'], 'file')} only"
    return f"{change['difference']:+.1%}", f"{change['low']:+.1%} to {change['high']:+.1%}"


def _verdict(one: Mapping[str, Any]) -> str:
    skipped = one["untrained"]
    also = f"; no model before {counted(skipped, 'file')}" if skipped else ""
    return _WORDS[one["verdict"]] + also


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
