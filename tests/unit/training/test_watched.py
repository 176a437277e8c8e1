"""What monitor sees of real runs: real verdicts, real training, a real ledger."""

from __future__ import annotations

from perennial.workflows.monitoring.look import Lookout

QUIET = 16


def look(taps):
    trainer = taps.trainer
    lookout = Lookout(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock)
    watch = lookout.look("taps")
    assert watch.errors == {}
    return watch


def test_labels_that_flip_are_concept_drift_though_training_sets_their_files_aside(taps):
    for number in range(QUIET):
        taps.drop()
        taps.train()
        if number > QUIET - 5:
            assert look(taps).findings == ()
    found, files = [], 0
    while not found and files < 4:
        taps.drop(wrong=range(100))
        taps.train()
        found = [one.identity for one in look(taps).findings]
        files += 1
    print(f"flipped labels: {found} after {files} files")
    assert found == [("concept_drift", "")]
