"""BentoML: a service as its tutorial writes it, around the DataFrame pipeline."""

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service
class Shop:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api
    def predict(self, instances: list[dict[str, Any]]) -> dict[str, Any]:
        return {"predictions": self.model.predict_proba(pd.DataFrame(instances)).tolist()}
