"""What is read is what was meant: digests, generations, the head's word for a manifest."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_LOADING = "shared/perennial/workflows/serving/loading.py"
_REGISTRY = "shared/perennial/workflows/registry.py"
_JUDGING = "shared/perennial/workflows/judging.py"
_ORIGINALS = "shared/perennial/workflows/originals.py"
_RELOAD = "tests/unit/predict/test_reload.py"
_COMMAND = "tests/unit/batch/test_command.py"
_SMOKE = "tests/integration/modelling/test_smoke.py"
_VERDICTS = "tests/integration/ingest/test_verdicts.py"
_PINNED = "tests/integration/ingest/test_generations.py"
_VOUCHED = "tests/unit/training/test_vouched.py"

MUTATIONS = (
    Mutation(
        "digest: predict does not verify files",
        _LOADING,
        "    if found != digest.sha256:\n",
        "    if False:\n",
        (_RELOAD,),
    ),
    Mutation(
        "digest: predict verifies the graph alone",
        _LOADING,
        '        _verify(data, digest, f"{pipeline} {version}: {file}")\n',
        '        if file == GRAPH:\n            _verify(data, digest, f"{pipeline} {version}")\n',
        (_RELOAD,),
    ),
    Mutation(
        "digest: predict takes any manifest",
        _LOADING,
        "    verify_manifest(head, version, data)\n",
        "",
        (_RELOAD,),
    ),
    Mutation(
        "digest: a manifest of another version is taken",
        "shared/perennial/domain/versioning/registry.py",
        "    if (manifest.pipeline, manifest.version) != (pipeline, version):\n",
        "    if False:\n",
        (_RELOAD,),
    ),
    Mutation(
        "digest: the head does not vouch for manifests",
        "shared/perennial/domain/versioning/registry.py",
        "    if stated and found != stated:\n",
        "    if False:\n",
        (_VOUCHED,),
    ),
    Mutation(
        "digest: files of a version are not verified",
        _REGISTRY,
        "        if hashlib.sha256(data).hexdigest() != manifest.files[name].sha256:\n"
        "            raise DigestMismatch(",
        "        if False:\n            raise DigestMismatch(",
        (_VOUCHED,),
    ),
    Mutation(
        "digest: the definition is not verified",
        _REGISTRY,
        "        if digest(text) != head.definition:\n",
        "        if False:\n",
        (_VOUCHED,),
    ),
    Mutation(
        "digest: files are written that the manifest does not state",
        _REGISTRY,
        "            if hashlib.sha256(data).hexdigest() != manifest.files[name].sha256:\n"
        "                raise InvariantBroken(",
        "            if False:\n                raise InvariantBroken(",
        ("tests/unit/registry/test_commits.py",),
    ),
    Mutation(
        "digest: the smoke gate's process does not verify",
        "shared/perennial/adapters/smoke.py",
        "    if hashlib.sha256(graph).hexdigest() != manifest.files[GRAPH].sha256:\n",
        "    if False:\n",
        (f"{_SMOKE}::test_bytes_that_the_manifest_does_not_state_fail_the_gate",),
    ),
    Mutation(
        "digest: a request to score is not verified",
        "shared/perennial/workflows/batch/scoring.py",
        "    if hashlib.sha256(stored).hexdigest() != digest:\n",
        "    if False:\n",
        ("tests/unit/batch/test_scoring.py::TestRequests",),
    ),
    Mutation(
        "digest: predictions are handed out unverified",
        "shared/perennial/workflows/batch/asking.py",
        "        if hashlib.sha256(data).hexdigest() != scored.predictions_sha256:\n",
        "        if False:\n",
        (f"{_COMMAND}::test_predictions_that_their_manifest_does_not_state_are_not_handed_out",),
    ),
    Mutation(
        "digest: a graph that was handed in is not verified",
        "shared/perennial/workflows/importing.py",
        "    if hashlib.sha256(data).hexdigest() != digest:\n",
        "    if False:\n",
        ("tests/unit/importing/test_taking_in.py::TestRefusals",),
    ),
    Mutation(
        "generation: a file is judged by the facts of whatever lies there",
        _JUDGING,
        "info = buckets.landing.stat(file.name, generation=file.generation)",
        "info = buckets.landing.stat(file.name)",
        (_VERDICTS, _PINNED),
    ),
    Mutation(
        "generation: a file is judged by the bytes of whatever lies there",
        _JUDGING,
        "stored = desk.buckets.landing.read(info.name, generation=info.generation)",
        "stored = desk.buckets.landing.read(info.name)",
        (_VERDICTS, _PINNED),
    ),
    Mutation(
        "generation: an overwritten one is judged all the same",
        _JUDGING,
        "    if info.deleted is not None:\n",
        "    if False:\n",
        (_VERDICTS,),
    ),
    Mutation(
        "generation: quarantine keeps whatever lies there",
        "shared/perennial/workflows/deciding.py",
        "file.name, to, generation=file.generation)",
        "file.name, to, generation=buckets.landing.stat(file.name).generation)",
        (_PINNED,),
    ),
    Mutation(
        "generation: healing reads whatever lies there",
        _ORIGINALS,
        "        return buckets.landing.read(file.name, generation=file.generation).data\n",
        "        return buckets.landing.read(file.name).data\n",
        (_PINNED,),
    ),
    Mutation(
        "generation: what was learned is read from whatever lies there",
        _ORIGINALS,
        "return landing.read(verdict.file.name, generation=verdict.file.generation).data",
        "return landing.read(verdict.file.name).data",
        (_PINNED,),
    ),
    Mutation(
        "generation: a download is of whatever lies there",
        _ORIGINALS,
        "        buckets.landing.download(file.name, to, generation=file.generation)\n",
        "        buckets.landing.download(file.name, to)\n",
        (_PINNED,),
    ),
    Mutation(
        "generation: predict's reader asks for whatever lies there",
        "shared/perennial/adapters/storage_reader.py",
        'return {} if generation is None else {"generation": str(generation)}',
        "return {}",
        ("tests/unit/adapters/test_storage_reader.py",),
    ),
)
