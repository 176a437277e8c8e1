"""Buckets as plain HTTP shows them, without any of the product's code or Google's client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import requests

from localdev.settings import BUCKETS

CHUNK = 256 * 1024
"""What a resumable upload sends at a time."""

_PATIENCE = 600.0  # seconds for one upload: the cloud that it goes to is killed all the time
_PAUSE = 0.2
_TIMEOUT = (5, 30)


class Buckets:
    """Reading and uploading.

    Args:
        url: gives the storage emulator's base URL, which may change with a restart.
        over: called between attempts; raises when nobody waits for the upload any more.
    """

    def __init__(self, url: Callable[[], str], over: Callable[[], None] = lambda: None) -> None:
        self._url = url
        self._over = over
        self._session = requests.Session()
        self._session.trust_env = False
        self.cut = 0

    def list(self, role: str, prefix: str = "", *, versions: bool = False) -> list[dict[str, Any]]:
        """The resources of all objects whose names begin so."""
        found: list[dict[str, Any]] = []
        asked = {"prefix": prefix, "versions": str(versions).lower()}
        while True:
            page = self._get(f"/storage/v1/b/{BUCKETS[role]}/o", asked).json()
            found += page.get("items", [])
            if "nextPageToken" not in page:
                return found
            asked["pageToken"] = page["nextPageToken"]

    def read(self, role: str, name: str, generation: int | None = None) -> bytes:
        """An object's bytes."""
        asked = {"alt": "media"} | ({"generation": str(generation)} if generation else {})
        return self._get(f"/storage/v1/b/{BUCKETS[role]}/o/{quote(name, safe='')}", asked).content

    def upload(self, name: str, data: bytes, *, once: bool = True) -> None:
        """Drop a file into landing, however often that fails.

        Args:
            name: the object.
            data: its bytes; more than `CHUNK` go up in chunks.
            once: refuse to overwrite, so that an upload whose answer was lost is not made again.
        """
        path = f"{self._url()}/upload/storage/v1/b/{BUCKETS['landing']}/o"
        asked = {"name": name, "uploadType": "media" if len(data) <= CHUNK else "resumable"}
        if once:
            asked["ifGenerationMatch"] = "0"
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                status = self._whole(path, asked, data)
            except requests.RequestException:
                status = 0
            if status in (200, 412):  # 412: an earlier attempt landed, and its answer was lost
                return
            self._over()
            time.sleep(_PAUSE)
        raise TimeoutError(f"{name} could not be uploaded within {_PATIENCE:.0f} s")

    def _whole(self, path: str, asked: dict[str, str], data: bytes) -> int:
        if asked["uploadType"] == "media":
            return self._session.post(path, params=asked, data=data, timeout=_TIMEOUT).status_code
        begun = self._session.post(path, params=asked, json={}, timeout=_TIMEOUT)
        if begun.status_code != 200:
            return begun.status_code
        return self._in_chunks(begun.headers["Location"], data)

    def _in_chunks(self, session: str, data: bytes) -> int:
        """Send what has not arrived, asking after each cut how much has."""
        kept, failures = 0, 0
        while failures < 20:
            end = min(kept + CHUNK, len(data))
            span = f"bytes {kept}-{end - 1}/{len(data)}"
            try:
                answer = self._session.put(
                    session, data=data[kept:end], headers={"Content-Range": span}, timeout=_TIMEOUT
                )
            except requests.RequestException:
                self.cut += 1
                failures += 1
                time.sleep(_PAUSE)
                answer = self._how_far(session, len(data))
                if answer is None:
                    continue
            if answer.status_code != 308:
                if answer.status_code < 500 and answer.status_code not in (403, 429):
                    return answer.status_code
                failures += 1
                time.sleep(_PAUSE)
                continue
            stored = answer.headers.get("Range", "bytes=0--1").rpartition("-")[2]
            kept = int(stored) + 1 if answer.headers.get("Range") else 0
        return 0

    def _how_far(self, session: str, size: int) -> requests.Response | None:
        try:
            asked = {"Content-Range": f"bytes */{size}"}
            return self._session.put(session, headers=asked, timeout=_TIMEOUT)
        except requests.RequestException:
            return None

    def _get(self, path: str, asked: dict[str, str]) -> requests.Response:
        answer = self._session.get(self._url() + path, params=asked, timeout=_TIMEOUT)
        answer.raise_for_status()
        return answer
