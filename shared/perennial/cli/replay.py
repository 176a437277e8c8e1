"""`perennial replay`: physics or fashion."""

from __future__ import annotations

import os
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from perennial.cli.context import Deployment
from perennial.cli.files import require_folder, write_text
from perennial.cli.histories import (
    beside,
    find_history,
    require_libraries,
    require_one_history,
    training_options,
)
from perennial.cli.output import emit, json_option, progress, table
from perennial.domain.words import counted
from perennial.workflows.replays import keep_replay


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="NAME | --pipeline FILE PATH…")
@click.option(
    "--pipeline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A definition, by which files at PATH… are replayed before anything is deployed.",
)
@click.option("--project", metavar="ID", help="Google Cloud project to work in.")
@click.option(
    "--every", "cadences", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="Files between trainings to try; give it several times.  [default: 1, 2, 4, 13]",
)  # fmt: skip
@click.option(
    "--window", "windows", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="Newest files to learn from, to try beside all history; give it several times.  "
    "[default: --first, 8, 26, 52]",
)  # fmt: skip
@click.option(
    "--first", type=click.IntRange(min=1), metavar="N",
    help="Files for training only, which the static model learns.  [default: a seventh]",
)  # fmt: skip
@click.option(
    "--html", "report", type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a report with charts, one file that needs no network.",
)  # fmt: skip
@click.option(
    "--keep", is_flag=True,
    help="Keep what it finds with pipeline NAME, where its report and the console show it.",
)  # fmt: skip
@training_options
@json_option
@click.pass_context
def replay(
    context: click.Context,
    words: tuple[str, ...],
    pipeline: Path | None,
    project: str | None,
    cadences: tuple[int, ...],
    windows: tuple[int, ...],
    first: int | None,
    report: Path | None,
    keep: bool,
    cache: Path | None,
    models: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Would a static model have sufficed?

    Replays the accepted history of pipeline NAME, or plain files: a model that is trained once, one
    that is retrained every N files, on windows of several lengths and on all history, and behind
    each gate; all are scored on the next file before they learn it. Says whether retraining pays,
    how often, and on what. The registry is never touched.
    """
    require_one_history(context, words, pipeline)
    if keep and pipeline is not None:
        raise click.UsageError("--keep needs a pipeline's NAME: files alone have no place", context)
    if report is not None:
        require_folder(report)
    require_libraries("replay")
    # Imported here because they bring scikit-learn, which no other command needs.
    from perennial.domain.replaying.policies import make_plan
    from perennial.domain.replaying.report import to_html
    from perennial.wiring.replay import cache_folder, run

    source = find_history(context, words, pipeline, project)
    plan = make_plan(
        source.definition,
        source.history.lengths,
        first=first,
        cadences=cadences,
        windows=windows,
    )
    progress(f"{counted(len(plan.wanted), 'distinct training')} for {len(plan.policies)} policies")
    cache = cache or cache_folder(os.environ)
    models = models or beside(pipeline)
    document = run(source, plan, cache=cache, jobs=jobs, progress=progress, models=models)
    if report is not None:
        write_text(report, to_html(document))
        progress(f"wrote {report}")
    if keep:
        deployment = Deployment.find(os.environ, project or context.obj)
        kept = keep_replay(
            deployment.buckets.data, words[0], document, at=deployment.clock.now(), by=getuser()
        )
        progress(f"kept as replay {kept.number} of {words[0]}")
    emit(document, _lines(document), as_json=as_json)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    history, scored, cost = document["history"], document["scored"], document["cost"]
    yield (
        f"{document['pipeline']}: {counted(history['files'], 'file')}, "
        f"{counted(history['rows'], 'row')}; the first {scored['after_files']} for training only, "
        f"{counted(scored['rows'], 'row')} of the other {scored['files']} predicted before they "
        "are learned"
    )
    if scored["repeated_rows"]:
        yield f"{counted(scored['repeated_rows'], 'row')} came in earlier files and prove nothing"
    if history["late_files"]:
        yield (
            f"{counted(history['late_files'], 'file')} came late: replayed as if each had come in "
            "the order of its rows' time"
        )
    for one in history["left_out"]:
        yield f"left out    {one['name']}: {one['reason']}"
    yield ""
    yield _policies(document)
    yield ""
    yield f"how a model of {counted(document['decay']['window'], 'file')} ages"
    yield _decay(document)
    yield ""
    verdict, advice = document["verdict"], document["recommendation"]
    yield verdict["sentence"]
    yield advice["sentence"]
    if advice["promotion"]:
        yield advice["promotion"]
    yield ""
    yield "for the definition:"
    yield from (f"  {line}" for line in advice["definition"].splitlines())
    yield ""
    yield (
        f"{cost['trainings_asked']:,} trainings asked for, {cost['trainings_distinct']:,} "
        f"distinct, {cost['trainings_made']:,} made now: {cost['processor_seconds']:.0f} s of "
        f"processor time, {cost['elapsed_seconds']:.0f} s elapsed"
    )


def _policies(document: dict[str, Any]) -> str:
    return table(
        ("policy", document["metric"], "against the best", "95 % interval", "best in", "trainings",
         "seconds"),
        (
            (
                one["policy"],
                f"{one['loss']:.4g}",
                f"{one['difference']:+.1%}",
                f"{one['low']:+.1%} to {one['high']:+.1%}",
                f"{one['best_share']:.0%}" if one["promotion"] == "none" else "",
                one["trainings"],
                f"{one['seconds']:.1f}",
            )
            for one in sorted(document["policies"], key=lambda one: one["loss"])
        ),
    )  # fmt: skip


def _decay(document: dict[str, Any]) -> str:
    """The curve at ages that double."""
    curve = document["decay"]["curve"]
    last = len(curve) - 1
    shown = sorted({place for place in (0, 1, 2, 4, 8, 16, 32, 64, last) if 0 <= place <= last})
    return table(
        ("age in files", document["metric"], "newest model", "costs", "95 % interval", "measured"),
        (
            (
                one["age"],
                f"{one['loss']:.4g}",
                f"{one['fresh_loss']:.4g}",
                f"{one['excess']:+.1%}",
                f"{one['low']:+.1%} to {one['high']:+.1%}",
                counted(one["files"], "file"),
            )
            for one in (curve[place] for place in shown)
        ),
    )
