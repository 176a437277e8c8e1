"""A webhook: an address that takes one JSON document by POST, such as a chat's or a pager's.

Whoever knows such an address may write there, so that no message of ours names more than its host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from perennial.errors import ConfigError, NotDelivered

_TIMEOUT = (3.0, 10.0)  # seconds to connect, and between two bytes of the answer


class HttpWebhook:
    """Posts to one address.

    Args:
        url: https, or http on this very machine.

    Raises:
        ConfigError: for any other address.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise ConfigError("the alert webhook's address cannot be read") from None
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _local(host))):
            raise ConfigError(
                "the alert webhook must be https://HOST/…, or http on this machine, found "
                f"{parts.scheme or 'no scheme'} and {host or 'no host'}"
            )
        self._url, self._host = url, host

    def post(self, document: Mapping[str, object]) -> None:
        """Hand over one document. Raises `NotDelivered`."""
        try:
            answer = requests.post(
                self._url, json=document, timeout=_TIMEOUT, allow_redirects=False, stream=True
            )
            answer.close()  # whatever it says, its status is enough
        except requests.RequestException as error:
            # Its text would name the whole address.
            raise NotDelivered(f"{self._host} took no alert: {type(error).__name__}") from None
        if not answer.ok or answer.is_redirect:
            raise NotDelivered(
                f"{self._host} took no alert: expected 2xx, found {answer.status_code}; see that "
                "the deployment's alert_webhook is still the right one"
            )


def _local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
