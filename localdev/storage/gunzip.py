"""Decompression while reading, in bounded memory."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

_GZIP = 16 + zlib.MAX_WBITS


def gunzipped(file: BinaryIO, block: int) -> Iterator[bytes]:
    """The decompressed content of a gzip file, in pieces of at most ``block`` bytes.

    Raises:
        zlib.error: The file is not in gzip format.
    """
    decompressor = zlib.decompressobj(_GZIP)
    compressed = file.read(block)
    while compressed:
        piece = decompressor.decompress(compressed, block)
        if piece:
            yield piece
        if decompressor.eof:  # another member may follow
            compressed = decompressor.unused_data
            decompressor = zlib.decompressobj(_GZIP)
        else:
            compressed = decompressor.unconsumed_tail
        compressed = compressed or file.read(block)
