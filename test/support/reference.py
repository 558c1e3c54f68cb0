"""Where tests get their files from: always of our own making, and from others where the reference folder is at hand."""

from pathlib import Path

REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "reference"
"""Official checkpoints, what the official code makes of them, recordings of real people. Not part of the repository."""

ORIGINS = ("made", "official") if REFERENCE.is_dir() else ("made",)
"""Who wrote a test's files: the test itself, or others."""
