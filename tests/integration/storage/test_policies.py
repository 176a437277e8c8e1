"""IAM policies of buckets: kept and given back, and obeyed by nobody."""

import pytest
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed
from google.cloud import storage

VIEWER = {"role": "roles/storage.objectViewer", "members": {"user:ada@example.com"}}
CREATOR = {
    "role": "roles/storage.objectCreator",
    "members": {"user:ada@example.com"},
    "condition": {"title": "her files", "expression": 'resource.name.startsWith("x")'},
}


def test_a_policy_reads_back(client: storage.Client, bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy()
    assert list(policy.bindings) == []
    policy.bindings.append(VIEWER)
    bucket.set_iam_policy(policy)
    found = client.bucket(bucket.name).get_iam_policy()
    assert list(found.bindings) == [VIEWER]


def test_a_policy_that_was_changed_since_is_not_replaced(bucket: storage.Bucket) -> None:
    mine, theirs = bucket.get_iam_policy(), bucket.get_iam_policy()
    theirs.bindings.append(VIEWER)
    bucket.set_iam_policy(theirs)
    with pytest.raises(PreconditionFailed):
        bucket.set_iam_policy(mine)
    mine.etag = None  # whoever names none replaces whatever there is
    bucket.set_iam_policy(mine)
    assert list(bucket.get_iam_policy().bindings) == []


def test_conditions_need_a_reader_and_a_writer_who_understand_them(
    bucket: storage.Bucket,
) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings = [CREATOR]
    with pytest.raises(BadRequest):
        bucket.set_iam_policy(policy)
    policy.version = 3
    bucket.set_iam_policy(policy)
    assert list(bucket.get_iam_policy(requested_policy_version=3).bindings) == [CREATOR]
    with pytest.raises(BadRequest):
        bucket.get_iam_policy()


def test_a_policy_goes_with_its_bucket(client: storage.Client, bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy()
    policy.bindings.append(VIEWER)
    bucket.set_iam_policy(policy)
    bucket.delete()
    with pytest.raises(NotFound):
        bucket.get_iam_policy()
    assert list(client.create_bucket(bucket.name).get_iam_policy().bindings) == []


def test_the_service_has_an_account_of_its_own(client: storage.Client) -> None:
    email = client.get_service_account_email()
    assert email.endswith("@gs-project-accounts.iam.gserviceaccount.com")
