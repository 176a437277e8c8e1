"""Areas under curves from counts are scikit-learn's, and counts of parts add up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from perennial.domain.evaluation.scoring import score
from perennial.domain.evaluation.separation import Separation

RNG = np.random.default_rng(0)
TRUTH = RNG.random(4000) < 0.3
SCORES = 1 / (1 + np.exp(-(2.0 * TRUTH - 1.0 + RNG.normal(size=4000))))


def test_the_areas_are_scikit_learns_but_for_the_width_of_a_bin():
    areas = Separation.of(TRUTH, SCORES).areas()
    assert areas["roc_auc"] == pytest.approx(roc_auc_score(TRUTH, SCORES), abs=1e-3)
    assert areas["pr_auc"] == pytest.approx(average_precision_score(TRUTH, SCORES), abs=3e-3)


def test_ties_count_half():
    assert Separation.of([True, False], [0.7, 0.7]).areas()["roc_auc"] == 0.5
    assert Separation.of([True, False], [0.9, 0.1]).areas() == {"roc_auc": 1.0, "pr_auc": 1.0}


def test_counts_of_parts_add_up_to_those_of_the_whole():
    parts = Separation.of(TRUTH[:1000], SCORES[:1000]) + Separation.of(TRUTH[1000:], SCORES[1000:])
    assert parts == Separation.of(TRUTH, SCORES)


def test_one_class_has_no_areas_and_certainty_has_bins_too():
    assert Separation.of([True, True], [0.2, 0.9]).areas() == {}
    sure = Separation.of([True, False], [1.0, 0.0])
    assert sure.areas() == {"roc_auc": 1.0, "pr_auc": 1.0}
    assert sorted(sure.counts) == [0, 255]


def test_the_stored_form_is_small_and_reads_back():
    found = Separation.of(TRUTH, SCORES)
    text = json.dumps(found.document(), separators=(",", ":"))
    assert len(text) < 3000
    assert Separation.from_document(json.loads(text)) == found


def test_a_score_of_two_classes_has_areas_and_one_of_three_has_none():
    two = np.column_stack([1 - SCORES, SCORES])
    assert {"roc_auc", "pr_auc", "accuracy"} <= score(
        "binary", TRUTH, two, (False, True)
    ).metrics().keys()
    three = RNG.dirichlet([1, 1, 1], 50)
    labels = RNG.choice(["a", "b", "c"], 50)
    assert "roc_auc" not in score("multiclass", labels, three, ("a", "b", "c")).metrics()
