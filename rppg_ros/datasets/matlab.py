"""MATLAB files, up to version 7.2 through scipy, 7.3 (HDF5) through h5py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scipy.io import loadmat, whosmat

from rppg_ros.datasets.base import DatasetError


def load(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Variables of a file up to version 7.2; those that it has not are left out.

    Raises
    ------
    DatasetError : missing or damaged; names the file.
    """
    try:
        found: dict[str, Any] = loadmat(path, variable_names=list(names))
    except Exception as error:  # scipy, zlib and struct have classes of their own for what damaged files do
        raise DatasetError(f"{path}: not a readable MATLAB file: {_line(error)}") from None
    return found


def shape(path: Path, name: str) -> tuple[int, ...]:
    """Shape of a variable, without reading it; () where there is none of that name. Raises as `load`."""
    try:
        return next((tuple(size) for found, size, _ in whosmat(path) if found == name), ())
    except Exception as error:  # see `load`
        raise DatasetError(f"{path}: not a readable MATLAB file: {_line(error)}") from None


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """A file of version 7.3, as an h5py.File; arrays in it have MATLAB's axes in reverse order.

    Raises
    ------
    DatasetError : missing or damaged; names the file. Or h5py is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise DatasetError(f"{path}: needs h5py: pip install 'rppg_ros[evaluation]'") from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DatasetError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError and others for what damaged files do
        raise DatasetError(f"{path}: not a readable MATLAB 7.3 file: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
