"""The promotion policies, beside what a training run really does."""

from __future__ import annotations

from perennial.adapters.clock import SystemClock
from perennial.adapters.memory import MemoryStore
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.definitions.definition import digest
from perennial.domain.names import FileId
from perennial.domain.replaying.gates import follow_gated
from perennial.domain.replaying.policies import Policy
from perennial.domain.replaying.trials import follow
from perennial.domain.versioning import registry as state
from perennial.ports import Buckets
from perennial.workflows.judging import judge
from perennial.workflows.registry import Registry
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer

from .conftest import DEFINITION, fitter_of, plan_of, pumps, source_of

UNSURPRISED = DEFINITION.replace("min_duel_rows: 20", "min_duel_rows: 20, surprise: null")


def followed(files, policy: Policy, text: str = DEFINITION, **options):
    """A gated trial, and the one without a gate."""
    source = source_of(files, text)
    plan = plan_of(source, cadences=[policy.every], windows=[policy.window or 4], **options)
    fitter = fitter_of(source)
    fits = dict(fitter(plan.wanted))

    def obtain(fit, through):
        if fit not in fits or fits[fit].through < through:
            fits.update(fitter({fit: through}))
        return fits[fit]

    gated = follow_gated(source.definition, plan, source.history, policy, obtain)
    free = follow(plan, source.history, Policy(policy.every, policy.window), "mae", fits)
    return gated, free


def damage(trial, wrong) -> float:
    """The loss over the files whose labels are right; the first four are for training only."""
    return sum(loss for place, loss in enumerate(trial.sums, 4) if place not in wrong)


def test_on_a_clean_stream_the_duel_costs_little() -> None:
    gated, free = followed(pumps(20), Policy(1, None, "duel"), first=4)

    assert gated.sums.sum() <= 1.03 * free.sums.sum()
    assert gated.returns == ()


def test_who_is_turned_down_costs_one_training_and_who_passes_two() -> None:
    gated, _ = followed(pumps(20, rows=30), Policy(1, 1, "duel"), first=4)

    assert 0 < gated.rejected < 15
    assert gated.trainings == 1 + gated.rejected + 2 * (15 - gated.rejected)


def test_probation_returns_and_sets_the_bad_files_aside() -> None:
    wrong = [15, 16, 17]
    files = pumps(26, wrong=wrong)
    alone, _ = followed(files, Policy(1, None, "duel"), UNSURPRISED, first=4)
    watched, _ = followed(files, Policy(1, None, "duel+probation"), UNSURPRISED, first=4)
    surprised, _ = followed(files, Policy(1, None, "duel"), first=4)

    assert damage(surprised, wrong) < damage(alone, wrong)  # set aside before they do any harm
    assert watched.returns
    assert all(file in range(16, 22) for file in watched.returns)
    assert damage(watched, wrong) < damage(alone, wrong)


def test_probation_leaves_a_clean_stream_alone() -> None:
    for seed in range(2):
        watched, _ = followed(pumps(20, seed=seed), Policy(1, None, "duel+probation"), first=4)
        assert watched.returns == ()


class _NoLauncher:
    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return "never"

    def has_ended(self, execution: str) -> bool:
        return True


class _Codec(OnnxCodec):
    """The real codec without its fresh process, which other tests start."""

    def check_smoke(self, graph, manifest, instances, expected) -> None:
        assert len(instances)


def test_duels_end_as_those_of_real_training_runs() -> None:
    """The same files, dropped and trained one by one: the same champions fall to the same files."""
    files = pumps(12, rows=30)
    text = DEFINITION.replace("min_rows: 20", "min_rows: 20, window: {files: 1}")
    source = source_of(files, text)
    plan = plan_of(source, first=1, cadences=[1], windows=[1])
    fitter, fits = fitter_of(source), {}

    def obtain(fit, through):
        if fit not in fits or fits[fit].through < through:
            fits.update(fitter({fit: through}))
        return fits[fit]

    trial = follow_gated(source.definition, plan, source.history, Policy(1, 1, "duel"), obtain)

    outcomes = _really_trained(files, text)
    # The last file is never challenged in a replay: nothing follows it.
    assert outcomes[0] == "promoted"
    assert outcomes[1:-1].count("rejected") == trial.rejected > 0


def _really_trained(files, text: str) -> list[str]:
    clock = SystemClock()
    buckets = Buckets(
        landing=MemoryStore("landing", versioned=True),
        quarantine=MemoryStore("quarantine"),
        data=MemoryStore("data"),
        models=MemoryStore("models"),
    )
    registry = Registry(buckets.models, clock)
    registry.store_definition("pumps", text)
    registry.commit(
        "pumps", lambda head: state.apply_definition(head, digest(text)), action="apply", by="t"
    )
    trainer = Trainer(buckets, registry, _Codec(), _NoLauncher(), clock)
    runs = []
    for name, data in files:
        info = buckets.landing.overwrite(f"pumps/{name}", data)
        assert (
            judge(buckets, registry, clock, FileId(info.generation, info.name)).decision
            == "accepted"
        )
        runs += train(trainer, "pumps")
    return [run.outcome for run in runs]
