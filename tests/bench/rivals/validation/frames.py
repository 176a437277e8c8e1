"""The file as a pandas frame that schemas can be held against: typed, and what did not parse."""

from pathlib import Path

import pandas as pd
from subject import INTEGERS, NUMBERS

MISREAD = ("at", *INTEGERS, *NUMBERS, "member")


def read(path: Path) -> pd.DataFrame:
    """Every column typed, null where a cell is not of its type, and beside it which cells are not.

    Typed at once, a cell of another type would either make text of its column or raise.
    """
    text = pd.read_csv(
        path, dtype="str", engine="pyarrow", keep_default_na=False, na_values=[""]
    )  # several times faster than pandas's own engine
    typed = {name: text[name] for name in text}
    for name in (*INTEGERS, *NUMBERS):
        typed[name] = _numbers(text[name])
    typed["at"] = pd.to_datetime(text["at"], format="ISO8601", errors="coerce", utc=True)
    typed["member"] = text["member"].map({"true": True, "false": False}).astype("boolean")
    for name in MISREAD:
        typed[f"{name} misread"] = typed[name].isna() & text[name].notna()
    return pd.DataFrame(typed)


def _numbers(text: pd.Series) -> pd.Series:
    """Arrow casts a hundred times faster, and only raises where cells are none."""
    try:
        return text.astype("float64[pyarrow]").astype("float64")
    except ValueError:  # pyarrow.ArrowInvalid
        return pd.to_numeric(text, errors="coerce")
