"""Who looks at the console, and whether they may act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perennial.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose identity is proved.

    Attributes:
        name: an e-mail address, or the local operator's name.
        may_act: everybody else reads only.
    """

    name: str
    may_act: bool


Verify = Callable[[str], str]
"""The e-mail address that a signed assertion proves; raises `PermissionDenied`."""

_LOOPBACK = ("127.0.0.1", "localhost")

ASSERTION = "X-Goog-IAP-JWT-Assertion"


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets in those whose identity is proved.

    Attributes:
        verify: checks the assertion of the Identity-Aware Proxy; None where there is none.
        operators: e-mail addresses of those who may act.
        local: name of the one operator of a local cloud, where nobody has to prove anything.
    """

    verify: Verify | None
    operators: frozenset[str]
    local: str = ""

    def caller(self, header: Callable[[str], str | None]) -> Caller:
        """Who asks, by what a header says of them.

        Raises:
            PermissionDenied: when that is not proved.
        """
        if self.local:
            host = (header("Host") or "").rpartition(":")[0]
            if host not in _LOOPBACK:  # a foreign name that was made to lead here
                raise PermissionDenied(f"expected {' or '.join(_LOOPBACK)}, found {host[:100]}")
            return Caller(self.local, may_act=True)
        if self.verify is None:
            raise PermissionDenied(
                "this console knows nobody: expected PERENNIAL_CONSOLE_AUDIENCE, which the "
                "deployment sets, and found none"
            )
        assertion = header(ASSERTION)
        if not assertion:
            raise PermissionDenied(
                "expected a request through the Identity-Aware Proxy, found one without its "
                "signature: open the console by its own address"
            )
        email = self.verify(assertion).lower()
        return Caller(email, may_act=email in self.operators)
