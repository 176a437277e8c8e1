"""``matchGlob``: the patterns of Cloud Storage as regular expressions."""

import re
from functools import lru_cache

from localdev.storage.errors import BadRequest

_TOKEN = re.compile(r"\*\*|\*|\?|\[!?[^\]]+\]|[{},]|\\.|.", re.DOTALL)
_FIXED = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=256)
def compile_glob(glob: str) -> re.Pattern[str]:
    """Translate a glob.

    ``*`` and ``?`` stop at slashes, ``**`` does not; ``[a-z]``, ``[!a]`` and ``{this,that}``
    mean what they do in a shell; a backslash takes the next character as it is.

    Raises:
        BadRequest: Braces are not balanced, or a range is the wrong way round.
    """
    depth = 0
    parts = []
    for piece in _TOKEN.findall(glob):
        if piece in _FIXED:
            parts.append(_FIXED[piece])
        elif piece == "{":
            depth += 1
            parts.append("(?:")
        elif piece == "}" and depth:
            depth -= 1
            parts.append(")")
        elif piece == "," and depth:
            parts.append("|")
        elif len(piece) > 1 and piece[0] == "[":
            parts.append(_character_set(piece))
        else:
            parts.append(re.escape(piece[-1]))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise BadRequest(f"matchGlob: {glob!r} is not a pattern: {error}") from None


def _character_set(piece: str) -> str:
    negated = piece[1] == "!"
    members = piece[2:-1] if negated else piece[1:-1]
    escaped = members.replace("\\", r"\\").replace("^", r"\^").replace("[", r"\[")
    return f"[{'^' if negated else ''}{escaped}]"
