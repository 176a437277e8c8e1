"""The rivals' model, as one would write it on a DataFrame, with the estimator that Perennial uses.

scikit-learn and pandas only: it is fitted in each rival's own environment.
"""

from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

LABEL = "bought"
CATEGORIES = ["channel", "weekday", "region"]


def fitted(rows: pd.DataFrame) -> Pipeline:
    """The pipeline, fitted on labelled rows."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    pipeline = make_pipeline(
        make_column_transformer((encoder, CATEGORIES), remainder="passthrough"),
        HistGradientBoostingClassifier(random_state=0),
    )
    return pipeline.fit(rows.drop(columns=LABEL), rows[LABEL])


def by_hand(pipeline: Pipeline) -> dict[str, Any]:
    """The same model without its pipeline: codes of each category, other columns, estimator."""
    encode = pipeline[0]
    (encoder, _) = (part for _, part, _ in encode.transformers_)
    codes = {
        column: {value: float(code) for code, value in enumerate(values)}
        for column, values in zip(CATEGORIES, encoder.categories_, strict=True)
    }
    others = [name for name in encode.feature_names_in_ if name not in CATEGORIES]
    return {"codes": codes, "others": others, "estimator": pipeline[-1]}
