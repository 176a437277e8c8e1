"""What one writes first: functions-framework, pandas, joblib, a scikit-learn pipeline."""

from __future__ import annotations

import io
import os
from functools import cache
from typing import Any

import functions_framework
import joblib
import pandas as pd
from google.cloud import storage


@cache
def model() -> Any:
    """The pipeline, fetched once."""
    blob = storage.Client(project="local").bucket(os.environ["MODEL_BUCKET"]).blob("model.joblib")
    return joblib.load(io.BytesIO(blob.download_as_bytes()))


@functions_framework.http
def dataframe(request: Any) -> dict[str, list[list[float]]]:
    """Answer with the class probabilities of each instance."""
    rows = pd.DataFrame(request.get_json()["instances"])
    return {"predictions": model().predict_proba(rows).tolist()}
