"""Width and height that a compressed image says it has, before it is decoded: a small file can hold gigabytes of pixels."""

from __future__ import annotations

MAX_PIXELS = 2**26  # 67 million
HEADER = 2**17  # bytes in which the size is looked for: a JPEG may begin with a preview
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
STANDALONE = {0x01, *range(0xD0, 0xD9)}  # JPEG markers without a length
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers of a frame's header (ITU-T T.81, B.1.1.3)


def told_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a PNG or JPEG by its header; None where it says none, or is of another kind."""
    if data[:8] == PNG and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return _of_jpeg(data) if data[:2] == JPEG else None


def too_large(data: bytes) -> str:
    """Why a compressed image is not decoded; empty if it may be."""
    size = told_size(data)
    if size is None or size[0] * size[1] <= MAX_PIXELS:
        return ""
    return f"an image of {size[0]}x{size[1]} pixels is no camera's"


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
