"""Written once: whoever comes second changes nothing, and learns what lies there."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_REGISTRY = "shared/perennial/workflows/registry.py"
_DECIDING = "shared/perennial/workflows/deciding.py"
_WRITING = "shared/perennial/workflows/writing.py"
_DUPLICATES = "tests/integration/ingest/test_duplicates.py"
_ONCE = "tests/integration/ingest/test_written_once.py"
_SCORING = "tests/unit/batch/test_scoring.py"
_COMMITS = "tests/unit/registry/test_commits.py"

MUTATIONS = (
    Mutation(
        "create-only: verdict",
        "shared/perennial/workflows/verdicts.py",
        """\
    written = create_once(
        data,
        names.verdict(verdict.pipeline, verdict.file, verdict.number),
        verdict.to_json(),
        metadata=verdict.summary,
        content_type="application/json",
    )
    return verdict if written.mine else Verdict.from_json(written.data)
""",
        """\
    data.overwrite(
        names.verdict(verdict.pipeline, verdict.file, verdict.number),
        verdict.to_json(),
        metadata=verdict.summary,
    )
    return verdict
""",
        (_ONCE,),
    ),
    Mutation(
        "create-only: whose decision stands is not looked at",
        "shared/perennial/workflows/verdicts.py",
        "return verdict if written.mine else Verdict.from_json(written.data)",
        "return verdict",
        (_ONCE,),
    ),
    Mutation(
        "create-only: content owner",
        "shared/perennial/workflows/ownership.py",
        """\
        entry = create_once(data, names.content(pipeline, sha256, number), wish.to_json())
        owner = wish if entry.mine else Owner.from_json(entry.data)
""",
        """\
        data.overwrite(names.content(pipeline, sha256, number), wish.to_json())
        owner = wish
""",
        (f"{_DUPLICATES}::test_the_second_file_is_a_duplicate_of_the_first",),
    ),
    Mutation(
        "create-only: an owner without a verdict is passed over",
        "shared/perennial/workflows/ownership.py",
        "            settle(owner)\n",
        "            number += 1\n",
        (f"{_DUPLICATES}::test_an_owner_without_a_verdict_is_judged_first",),
    ),
    Mutation(
        "create-only: rows",
        _DECIDING,
        """\
        create_once(self.buckets.data, rows, parquet)
        supersedes""",
        """\
        self.buckets.data.overwrite(rows, parquet)
        supersedes""",
        (_ONCE,),
    ),
    Mutation(
        "create-only: rows to be scored",
        _DECIDING,
        """\
            create_once(self.buckets.data, rows, parquet)
            return""",
        """\
            self.buckets.data.overwrite(rows, parquet)
            return""",
        (_ONCE,),
    ),
    Mutation(
        "create-only: report of a quarantined file",
        _DECIDING,
        "    create_once(buckets.quarantine, report_name(verdict), report, content_type=",
        "    (lambda store, *what, **_: store.overwrite(*what))"
        "(buckets.quarantine, report_name(verdict), report, content_type=",
        (_ONCE,),
    ),
    Mutation(
        "create-only: under which pipeline a file is judged",
        "shared/perennial/workflows/judging.py",
        "return create_once(data, names.home(stated, file), wish.encode()).data.decode()",
        "data.overwrite(names.home(stated, file), wish.encode())\n    return wish",
        ("tests/integration/ingest/test_verdicts.py",),
    ),
    Mutation(
        "create-only: version claim",
        _REGISTRY,
        'if create_once(self.models, name, body, metadata={"run": run}).mine:',
        'if self.models.overwrite(name, body, metadata={"run": run}):',
        (_COMMITS,),
    ),
    Mutation(
        "create-only: manifest and files of a version",
        _REGISTRY,
        "if not create_once(self.models, name, data).mine:",
        "if not self.models.overwrite(name, data):",
        (_COMMITS,),
    ),
    Mutation(
        "create-only: another's file of a version is taken for one's own",
        _REGISTRY,
        "if not create_once(self.models, name, data).mine:",
        "if not create_once(self.models, name, data):",
        (_COMMITS,),
    ),
    Mutation(
        "create-only: commit",
        _REGISTRY,
        """\
            create_once(
                self.models, names.commit(pipeline, head.number, head.commit), entry.to_json()
            )
""",
        """\
            self.models.overwrite(
                names.commit(pipeline, head.number, head.commit), entry.to_json()
            )
""",
        (_COMMITS,),
    ),
    Mutation(
        "create-only: predictions of a file",
        "shared/perennial/workflows/batch/scoring.py",
        "written = create_once(data, name, to_bytes(table)).data",
        "written = to_bytes(table)\n        data.overwrite(name, written)",
        (f"{_SCORING}::test_predictions_that_lie_there_stay_and_its_manifest_is_of_them",),
    ),
    Mutation(
        "own success: what another wrote is taken for one's own",
        _WRITING,
        "mine=found.data == data)",
        "mine=True)",
        ("tests/behaviours/test_lost_answers.py::TestCreateOnce",),
    ),
    Mutation(
        "own success: what one wrote is taken for another's",
        _WRITING,
        "mine=found.data == data)",
        "mine=False)",
        ("tests/behaviours/test_lost_answers.py::TestCreateOnce",),
    ),
    Mutation(
        "own success: an unknown outcome is not looked into",
        _WRITING,
        "except (PreconditionFailed, StoreUnavailable):",
        "except PreconditionFailed:",
        ("tests/behaviours/test_lost_answers.py::TestCreateOnce",),
    ),
    Mutation(
        "crash: the verdict is written before the rows that it names",
        _DECIDING,
        """\
        create_once(self.buckets.data, rows, parquet)
        supersedes = self.definition.files.redelivery == "supersede"
        keys = key_set(self.definition, judgement.frame) if supersedes else ""
        verdict = replace(taken, decision="accepted", rows_object=rows, keys=keys)
        if judgement.set_aside:
            verdict = keep_bad_rows(self.buckets, verdict, judgement)
        return write_verdict(self.buckets.data, verdict)
""",
        """\
        supersedes = self.definition.files.redelivery == "supersede"
        keys = key_set(self.definition, judgement.frame) if supersedes else ""
        verdict = replace(taken, decision="accepted", rows_object=rows, keys=keys)
        if judgement.set_aside:
            verdict = keep_bad_rows(self.buckets, verdict, judgement)
        verdict = write_verdict(self.buckets.data, verdict)
        create_once(self.buckets.data, rows, parquet)
        return verdict
""",
        ("tests/crash_points/test_files.py",),
    ),
)
