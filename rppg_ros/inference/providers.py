"""What computes a network: ONNX Runtime's execution providers, by short names; whatever is missing, the CPU is there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import onnxruntime

CPU = "cpu"
_CPU = "CPUExecutionProvider"
_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        CPU: (),
        "cuda": ("CUDAExecutionProvider",),
        "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider"),
        "openvino": ("OpenVINOExecutionProvider",),
        "coreml": ("CoreMLExecutionProvider",),
        "auto": (
            "TensorrtExecutionProvider", "CUDAExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider"
        ),
    }
)  # fmt: skip
PROVIDERS = tuple(_OF)
SHORT: Mapping[str, str] = MappingProxyType(
    {names[0]: short for short, names in _OF.items() if names and short != "auto"} | {_CPU: CPU}
)


def providers_for(wanted: str) -> list[str]:
    """ONNX Runtime's names of what is wanted and there, the CPU last; ValueError: no such provider."""
    if wanted not in _OF:
        raise ValueError(f"no provider '{wanted}'; there are: {', '.join(PROVIDERS)}")
    there = onnxruntime.get_available_providers()
    return [name for name in _OF[wanted] if name in there] + [_CPU]


def got(session: onnxruntime.InferenceSession) -> str:
    """Short name of what computes a session, after all that ONNX Runtime fell back from."""
    first = session.get_providers()[0]
    return SHORT.get(first, first)


def fell_back(wanted: str, found: str) -> bool:
    """Whether something else computes than what was asked for."""
    return wanted not in ("auto", found)
