"""What computes a network: the provider that was asked for, or the CPU, and which of them is told."""

import onnxruntime
import pytest

from rppg_ros.inference import providers
from rppg_ros.inference.engine import EngineError
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.inference.providers import PROVIDERS, fell_back, providers_for
from rppg_ros.settings import halves

CUDA, TENSORRT, CPU = "CUDAExecutionProvider", "TensorrtExecutionProvider", "CPUExecutionProvider"


def test_settings_and_engines_know_the_same():
    assert halves.PROVIDERS == PROVIDERS


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        ([CUDA, CPU], "cpu", [CPU]),
        ([CUDA, CPU], "cuda", [CUDA, CPU]),
        ([CUDA, CPU], "tensorrt", [CUDA, CPU]),
        ([TENSORRT, CUDA, CPU], "tensorrt", [TENSORRT, CUDA, CPU]),
        ([CPU], "openvino", [CPU]),
        ([CUDA, CPU], "auto", [CUDA, CPU]),
        ([CPU], "auto", [CPU]),
    ],
)
def test_what_is_asked_for_comes_first_and_the_cpu_last(monkeypatch, there, wanted, found):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    assert providers_for(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "found", "fell"), [("cpu", "cpu", False), ("cuda", "cpu", True), ("auto", "cpu", False)]
)
def test_falling_back_is_told(wanted, found, fell):
    assert fell_back(wanted, found) is fell


def test_a_provider_that_is_not_there_is_replaced_by_the_cpu():
    model = OpenModel.open("mmrphys-rgbt", provider="coreml")
    assert (model.wanted, model.provider) == ("coreml", "cpu")


def test_a_provider_that_does_not_start_is_replaced_by_the_cpu(monkeypatch):
    """As with a build for CUDA on a machine whose driver is missing."""
    begin = onnxruntime.InferenceSession

    def session(path, options, providers):
        if providers != [CPU]:
            raise RuntimeError("libcudnn.so.9: cannot open shared object file")
        return begin(path, options, providers=providers)

    monkeypatch.setattr(providers, "providers_for", lambda wanted: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    assert OpenModel.open("mmrphys-rgbt", provider="cuda").provider == "cpu"


def test_an_unknown_provider_is_named():
    with pytest.raises(EngineError, match="no provider 'npu'; there are: cpu, cuda"):
        OpenModel.open("mmrphys-rgbt", provider="npu")
