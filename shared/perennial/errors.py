"""Every error that Perennial raises, as one tree.

PerennialError
├── UserError                what a person gave is wrong: the message says what to do
│   ├── ConfigError          a setting is missing or wrong
│   ├── DefinitionError      a pipeline definition is wrong
│   ├── NotFoundError        the pipeline, version or file that was named does not exist
│   ├── RefusedError         the request is understood and the rules forbid it
│   ├── ForbiddenError       whoever asks may not, or did not ask on a page of ours
│   └── TooManyError         the same was asked too often: wait, and ask again
├── StoreError               an object store answered something else than success
│   ├── ObjectNotFound       no such object, or no such generation of it
│   ├── PreconditionFailed   a *lost race* (or one's own success): refresh, look, try again
│   ├── PermissionDenied     the identity lacks a role; trying again is useless
│   └── StoreUnavailable     an *unknown outcome*: a write may have landed; find out first
├── LaunchError              a training job could not be started; the sweep will try again
├── ModelError               a model cannot be trained, exported, verified or loaded
│   ├── NotTrainable         the rows at hand cannot give a model (too few, one class, …)
│   ├── GateFailed           parity or smoke gate: the artefact is not the model it claims to be
│   └── DigestMismatch       the bytes are not those that the manifest states
├── NotDelivered             nobody took an alert; the next tick tells it again
├── ClaimLost                a run's claim went to another run: it must stop without a trace
└── InvariantBroken          what must never happen did: stop, and say everything
"""

from __future__ import annotations


class PerennialError(Exception):
    """Base of every error that Perennial raises on purpose."""


class UserError(PerennialError):
    """What a person gave is wrong; the message says what was expected, found, and what to do."""


class ConfigError(UserError):
    """A setting is missing or wrong."""


class DefinitionError(UserError):
    """A pipeline definition is wrong."""


class NotFoundError(UserError):
    """The pipeline, version or file that was named does not exist."""


class RefusedError(UserError):
    """The request is understood and the rules forbid it."""


class ForbiddenError(UserError):
    """Whoever asks may not, or did not ask on a page of ours."""


class TooManyError(UserError):
    """The same was asked too often: wait, and ask again."""


class StoreError(PerennialError):
    """An object store answered something else than success.

    Args:
        message: what was tried and what came back.
        bucket: the bucket's name.
        name: the object's name, empty for requests about the bucket.
    """

    def __init__(self, message: str, *, bucket: str = "", name: str = "") -> None:
        super().__init__(message)
        self.bucket = bucket
        self.name = name


class ObjectNotFound(StoreError):
    """No such object, or no such generation of it."""


class PreconditionFailed(StoreError):
    """The object changed first, or this very write had landed before its answer was lost."""


class PermissionDenied(StoreError):
    """The identity lacks a role."""


class StoreUnavailable(StoreError):
    """No answer after every retry: a read failed, a write may or may not have landed."""


class LaunchError(PerennialError):
    """A training job could not be started."""


class NotDelivered(PerennialError):
    """Nobody took an alert."""


class ModelError(PerennialError):
    """A model cannot be trained, exported, verified or loaded."""


class NotTrainable(ModelError):
    """The rows at hand cannot give a model."""


class GateFailed(ModelError):
    """The artefact does not behave as the model it was made from."""


class DigestMismatch(ModelError):
    """The bytes are not those that the manifest states."""


class ClaimLost(PerennialError):
    """The run's claim passed its deadline and another run took it."""


class CommitConflict(PerennialError):
    """The champion is not the one that a version was judged against."""


class Unfinished(PerennialError):
    """A verdict or a run that was waited for did not come, or ended without a trace."""


class InvariantBroken(PerennialError):
    """What must never happen did."""
