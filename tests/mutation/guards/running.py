"""Runs and sweeps: what was lost is found again, and a zombie leaves no trace."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_SWEEP = "shared/perennial/workflows/sweep.py"
_TRAIN = "shared/perennial/workflows/train.py"
_ATTEMPT = "shared/perennial/workflows/attempt.py"
_RUNS = "tests/unit/training/test_runs.py"
_PROGRESS = "tests/unit/training/test_progress.py"
_SWEEPS = "tests/integration/ingest/test_sweep.py"
_LAUNCHES = "tests/integration/ingest/test_launches.py"

MUTATIONS = (
    Mutation(
        "sweep: files without a verdict are passed over",
        _SWEEP,
        "return [file for file in files if self._about(file) in wanted]",
        "return []",
        (_SWEEPS,),
    ),
    Mutation(
        "sweep: overwritten generations are passed over",
        _SWEEP,
        "for info in self._buckets.landing.list(prefix, versions=True):",
        "for info in self._buckets.landing.list(prefix):",
        (_SWEEPS,),
    ),
    Mutation(
        "sweep: pending files wait for ever",
        _SWEEP,
        'wanted = (None, "pending") if defined else (None,)',
        "wanted = (None,)",
        (_SWEEPS,),
    ),
    Mutation(
        "sweep: runs that are due are not started",
        _SWEEP,
        "        launches.start()\n",
        "        pass\n",
        (_SWEEPS,),
    ),
    Mutation(
        "sweep: one poison file ends it",
        _SWEEP,
        "    except Exception as error:  # one file that breaks us must not starve all others\n",
        "    except Exception as error:\n"
        "        raise StoreUnavailable('the sweep ended') from error\n",
        (f"{_SWEEPS}::test_one_poison_file_does_not_starve_the_rest",),
    ),
    Mutation(
        "launch: the claim of a dead process counts",
        "shared/perennial/workflows/queue.py",
        "return not (head.claim.execution and launcher.has_ended(head.claim.execution))",
        "return True",
        (_LAUNCHES,),
    ),
    Mutation(
        "launch: every file starts a run beside the one on its way",
        "shared/perennial/workflows/ingest.py",
        "if launches.on_its_way or launches.deaths.must_wait(clock.now()):",
        "if False:",
        (_LAUNCHES,),
    ),
    Mutation(
        "run: a claim that another holds is no obstacle",
        _TRAIN,
        """\
        except RefusedError:
            break  # the run that holds the claim lists again before it stops
""",
        """\
        except RefusedError:
            head = trainer.registry.require(pipeline)
""",
        (f"{_RUNS}::test_while_a_run_is_at_work_another_ends_at_once",),
    ),
    Mutation(
        "run: a zombie writes its record",
        _TRAIN,
        "    state.require_claim(trainer.registry.require(head.pipeline), head.epoch)\n",
        "",
        (f"{_RUNS}::test_a_zombie_whose_work_comes_to_nothing_writes_no_record",),
    ),
    Mutation(
        "run: a zombie goes on under another's claim",
        _TRAIN,
        "            state.require_claim(latest, head.epoch)\n            head = latest\n",
        "            head = latest\n",
        (f"{_RUNS}::test_a_zombie_does_not_go_on_under_another_runs_claim",),
    ),
    Mutation(
        "run: judged against the champion that it loads, not the one that it commits against",
        _ATTEMPT,
        "            against=head.champion,\n",
        "            against=trainer.registry.require(head.pipeline).champion,\n",
        (
            f"{_RUNS}::test_when_the_champion_changes_meanwhile_the_version_is_judged_against_the_new_one",
        ),
    ),
    Mutation(
        "run: commits with the epoch of whoever holds the claim",
        _ATTEMPT,
        "            epoch=head.epoch,\n",
        "            epoch=trainer.registry.require(head.pipeline).epoch,\n",
        (f"{_RUNS}::test_a_zombie_whose_claim_was_taken_while_it_trained_commits_nothing",),
    ),
    Mutation(
        "proof: rows that the champion has learned count",
        "shared/perennial/workflows/progress.py",
        "repeated = seen_before(definition, frame, one.learned)",
        "repeated = seen_before(definition, frame, one.learned[:0])",
        (f"{_PROGRESS}::test_rows_that_came_before_are_learned_and_prove_nothing",),
    ),
    Mutation(
        "proof: what a compared version knows already counts",
        "shared/perennial/workflows/progress.py",
        "return known.newest is None or file.order > known.newest",
        "return True",
        (_PROGRESS, "tests/unit/training/test_redelivery.py"),
    ),
    Mutation(
        "proof: the challenger has learned what it is judged on",
        "shared/perennial/workflows/challenge.py",
        "        trained = _before(definition, batch, rows, held_out)\n",
        "        trained = rows.of_all(used)\n",
        (_RUNS,),
    ),
)
