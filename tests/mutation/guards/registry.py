"""One head, moved by compare-and-swap: claims, pins, and the champion of that moment."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_REGISTRY = "shared/perennial/workflows/registry.py"
_STATE = "shared/perennial/domain/versioning/registry.py"
_DECISIONS = "shared/perennial/domain/versioning/decisions.py"
_COMMITS = "tests/unit/registry/test_commits.py"
_TRANSITIONS = "tests/unit/registry/test_transitions.py"
_RECALLS = "tests/unit/registry/test_recalls.py"

MUTATIONS = (
    Mutation(
        "compare-and-swap: the head is overwritten",
        _REGISTRY,
        "self.models.replace(name, head.to_json(), generation=base.generation)",
        "self.models.overwrite(name, head.to_json())",
        (_COMMITS,),
    ),
    Mutation(
        "compare-and-swap: the first head is overwritten",
        _REGISTRY,
        "self.models.create(name, head.to_json())",
        "self.models.overwrite(name, head.to_json())",
        (_COMMITS,),
    ),
    Mutation(
        "compare-and-swap: the change is not made anew on the head that won",
        _REGISTRY,
        """\
        for attempt in range(ATTEMPTS):
            base = self._snapshot(pipeline)
            head = replace(
""",
        """\
        base = self._snapshot(pipeline)
        for attempt in range(ATTEMPTS):
            base = replace(base, generation=self._snapshot(pipeline).generation)
            head = replace(
""",
        (_COMMITS,),
    ),
    Mutation(
        "commit id: not looked for after a 412",
        _REGISTRY,
        "return self._is_mine(head)",
        "return False",
        (_COMMITS,),
    ),
    Mutation(
        "commit id: looked for in the head, not in its ancestors",
        _REGISTRY,
        "return any(entry.head.commit == mine.commit for entry in chain)",
        "return next(chain).head.commit == mine.commit",
        (_COMMITS,),
    ),
    Mutation(
        "commit id: a 412 counts as one's own success",
        _REGISTRY,
        "return any(entry.head.commit == mine.commit for entry in chain)",
        "return any(chain)",
        (_COMMITS,),
    ),
    Mutation(
        "commit id: an unknown outcome of the swap counts as a failure",
        _REGISTRY,
        "                if attempt == ATTEMPTS - 1:\n                    raise\n",
        "                return False\n",
        (_COMMITS,),
    ),
    Mutation(
        "history: orphans of a listing count",
        _REGISTRY,
        """\
            entry = self._entry(pipeline, number, commit_id)
            yield entry
""",
        """\
            prefix = names.commit(pipeline, number, "")[:-5]
            listed = next(iter(self.models.list(prefix)))
            entry = Commit.from_json(self.models.read(listed.name).data)
            yield entry
""",
        (_COMMITS,),
    ),
    Mutation(
        "claim: a living one keeps nobody out",
        _STATE,
        "if head.claim and head.claim_lives(now) and head.claim.run not in (run, dead):",
        "if False:",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: never expires",
        _STATE,
        "return self.claim is not None and now < self.claim.deadline",
        "return self.claim is not None",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: the epoch stays the same",
        _STATE,
        "epoch, deaths = head.epoch + 1, 0",
        "epoch, deaths = head.epoch or 1, 0",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: the epoch is not checked",
        _STATE,
        "if head.claim is None or head.claim.epoch != epoch:",
        "if False:",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: a zombie may promote",
        _STATE,
        """\
    require_claim(head, epoch)
    if head.champion != against:
""",
        "    if head.champion != against:\n",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: a zombie may release",
        _STATE,
        """\
    require_claim(head, epoch)
    if recalls is not None""",
        "    if recalls is not None",
        (_TRANSITIONS,),
    ),
    Mutation(
        "claim: a zombie may go back",
        _STATE,
        """\
    require_claim(head, epoch)
    if head.champion != against or head.pin""",
        "    if head.champion != against or head.pin",
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: the champion of that moment is not asked for",
        _STATE,
        "    if head.champion != against:\n",
        "    if False:\n",
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: the definition of that moment is not asked for",
        _STATE,
        "    if head.definition != definition:\n",
        "    if False:\n",
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: a recall meanwhile is not noticed",
        _STATE,
        "    if head.recalls != recalls:\n",
        "    if False:\n",
        (_RECALLS,),
    ),
    Mutation(
        "gate: a return is not held against the champion of that moment",
        _STATE,
        "if head.champion != against or head.pin is not None or to not in head.predecessors:",
        "if head.pin is not None or to not in head.predecessors:",
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: a rejected version serves",
        _STATE,
        'return crown(entered, version) if status == "approved" else entered',
        'return crown(entered, version) if status != "waiting" else entered',
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: what never passed can be rolled back to",
        _DECISIONS,
        "    if to not in head.approved:\n",
        "    if False:\n",
        (_TRANSITIONS,),
    ),
    Mutation(
        "gate: what does not wait can be approved",
        _DECISIONS,
        """\
    _require_waiting(head, version)
    return crown(""",
        "    return crown(",
        (_TRANSITIONS,),
    ),
    Mutation(
        "pin: a version that passes is promoted all the same",
        _STATE,
        'if status == "approved" and head.pin is not None:',
        "if False:",
        (_TRANSITIONS,),
    ),
    Mutation(
        "pin: a rollback does not pin",
        _DECISIONS,
        "back = replace(crown(head, to), pin=Pin(by, why, at))",
        "back = crown(head, to)",
        (_TRANSITIONS,),
    ),
    Mutation(
        "pin: a person may approve past it",
        _DECISIONS,
        """\
    if head.pin is not None:
        raise RefusedError(
            f"{head.champion} is pinned""",
        """\
    if False:
        raise RefusedError(
            f"{head.champion} is pinned""",
        (_TRANSITIONS,),
    ),
    Mutation(
        "pin: probation goes back all the same",
        _STATE,
        "if head.champion != against or head.pin is not None or to not in head.predecessors:",
        "if head.champion != against or to not in head.predecessors:",
        (_TRANSITIONS,),
    ),
)
