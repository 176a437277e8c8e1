"""The two forms in which `predict` reads rows and writes predictions, as headers name them."""

from __future__ import annotations

from perennial.domain.serving.problems import Problem

JSON = "application/json"
CSV = "text/csv"

_UTF8 = ("utf-8", "utf8", "us-ascii")


def body_type(content_type: str) -> str:
    """`JSON` or `CSV`, of a Content-Type.

    Raises:
        Problem: when it names something else, or another encoding than UTF-8.
    """
    name, *given = (part.strip() for part in content_type.lower().split(";"))
    pairs = (parameter.partition("=") for parameter in given)
    parameters = {key.strip(): value.strip(' "') for key, _, value in pairs}
    if name not in (JSON, CSV) or parameters.get("charset", "utf-8") not in _UTF8:
        raise Problem(
            "unsupported-media-type",
            f"expected Content-Type: {JSON} or {CSV}, in UTF-8, found {content_type[:80]}",
        )
    if name == CSV and parameters.get("header") == "absent":
        raise Problem("unsupported-media-type", "expected CSV with a header, found header=absent")
    return name


def prefers_csv(accept: str) -> bool:
    """Whether an Accept header asks for CSV: it must name it, and no less than JSON."""
    if "text/" not in accept.lower():  # as nearly always
        return False
    wanted: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        wanted.setdefault(name, _quality(parameters))
    names = list(wanted)
    csv = next((name for name in (CSV, "text/*") if name in wanted), None)
    if csv is None or not wanted[csv]:
        return False
    if JSON not in wanted or wanted[csv] > wanted[JSON]:
        return True
    return wanted[csv] == wanted[JSON] and names.index(csv) < names.index(JSON)


def _quality(parameters: list[str]) -> float:
    """The weight of a media type; what is no weight counts as none given."""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                break
    return 1.0
