"""Names that cannot be right are refused before anything is asked."""

from __future__ import annotations

import pytest

from infra.deploying.errors import DeployError
from infra.deploying.wanted import Wanted


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"project": ""}, "PROJECT=my-project"),
        ({"region": ""}, "PROJECT=my-project"),
        ({"project": "My Project"}, "a project id has 6 to 30"),
        ({"project": "garden-"}, "ends without a hyphen; found 'garden-'\\.$"),
        ({"region": "europe-west1-b"}, "is a zone; its region is europe-west1"),
        ({"region": "EU"}, "no region"),
        ({"region": "eur4"}, "not in a multi-region"),
        ({"deployment": "x"}, "3 to 18"),
        ({"deployment": "Perennial"}, "3 to 18"),
        ({"deployment": "a" * 19}, "3 to 18"),
        ({"environment": "staging"}, "no staging.tfvars; there are: dev, prod"),
        ({"environment": "../dev"}, "there are: dev, prod"),
    ],
)
def test_what_cannot_be_right_is_refused_with_what_can(
    changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(DeployError, match=sentence):
        Wanted(**{"project": "garden-1", "region": "europe-west1", **changes})


def test_the_longest_names_still_fit_into_a_bucket() -> None:
    wanted = Wanted("p" * 30, "northamerica-northeast2", "d" * 18)
    assert len(wanted.bucket("predictions")) <= 63
