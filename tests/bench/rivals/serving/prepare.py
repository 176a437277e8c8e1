"""Fits the model in the rivals' own environment, and saves it as each of them wants it.

The command line names a CSV of labelled rows and the folder to write into.
"""

import sys
from pathlib import Path

import joblib
import mlflow
import pandas as pd
from mlflow.models import infer_signature
from pipeline import LABEL, fitted

source, target = map(Path, sys.argv[1:])
rows = pd.read_csv(source)
model = fitted(rows)
joblib.dump(model, target / "model.joblib")
features = rows.drop(columns=LABEL)
mlflow.sklearn.save_model(
    model,
    target / "mlflow",
    signature=infer_signature(features, model.predict_proba(features.head())),
    serialization_format="cloudpickle",
    pyfunc_predict_fn="predict_proba",
    pip_requirements=["scikit-learn"],  # not inferred: nothing is installed from it
)
