"""Whether a GIF is whole: FFmpeg ends at the first byte that is none of its blocks, and says nothing."""

from __future__ import annotations

from pathlib import Path

# GIF89a specification, sections 18 to 27.
HEADER_BYTES = 13  # signature, version, logical screen descriptor
IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
IMAGE_BYTES = 9  # descriptor after its separator
COLOURS, SIZE_BITS = 0x80, 0x07  # flags: a table of colours follows, of 2^(bits + 1) entries
ENTRY_BYTES = 3


def is_whole(path: str | Path) -> bool:
    """Whether its blocks follow one another from the header to the trailer."""
    content = Path(path).read_bytes()
    try:
        at = HEADER_BYTES + _table_bytes(content[10])
        while content[at] != TRAILER:
            if content[at] == EXTENSION:
                at = _after_data(content, at + 2)
            elif content[at] == IMAGE:
                at += 1 + IMAGE_BYTES + _table_bytes(content[at + IMAGE_BYTES])
                at = _after_data(content, at + 1)  # the least code size
            else:
                return False
    except IndexError:
        return False
    return True


def _table_bytes(flags: int) -> int:
    return ENTRY_BYTES * 2 ** ((flags & SIZE_BITS) + 1) if flags & COLOURS else 0


def _after_data(content: bytes, at: int) -> int:
    """Behind the data sub-blocks that begin there."""
    while content[at]:
        at += 1 + content[at]
    return at + 1
