"""A page of a pipeline's history: what was done, by whom, and why.

History is the chain of parents. A listing gives a stretch of it with every orphan, in one call;
its commits are read at once, and the chain is then followed through them.
"""

from __future__ import annotations

from perennial.domain import names
from perennial.domain.versioning.registry import Commit, Head
from perennial.errors import InvariantBroken, NotFoundError
from perennial.ports import ObjectStore
from perennial.workflows.at_once import at_once

PAGE = 40


def history(
    models: ObjectStore, head: Head, before: tuple[int, str] | None = None, size: int = PAGE
) -> list[Commit]:
    """Commits, latest first.

    Args:
        models: the models bucket.
        head: the registry now.
        before: number and id of the first commit that is wanted; None for the latest.
        size: how many at most.

    Raises:
        NotFoundError: when there is no such first commit.
        InvariantBroken: when the chain has a gap.
    """
    number, commit = before or (head.number, head.commit)
    if number < 1:
        return []
    first = max(number - size + 1, 1)
    listed = models.list(
        names.commits(head.pipeline),
        start=names.commits_from(head.pipeline, first),
        end=names.commits_from(head.pipeline, number + 1),
    )
    read = at_once(lambda info: Commit.from_json(models.read(info.name).data), list(listed))
    known = {(one.head.number, one.head.commit): one for one in read}
    chain: list[Commit] = []
    while number >= first and commit:
        if (number, commit) not in known:
            if before is not None and not chain:
                raise NotFoundError(f"{head.pipeline} has no commit {number} {commit}")
            raise InvariantBroken(f"the history of {head.pipeline} lacks commit {number} {commit}")
        chain.append(known[number, commit])
        number, commit = number - 1, chain[-1].head.parent
    return chain
