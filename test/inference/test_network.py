"""The network engine over a small .onnx that averages the frame, so that what must come out is known."""

import numpy as np
import pytest

from rppg_ros.inference.card import ModelCard
from rppg_ros.inference.engine import EngineError
from rppg_ros.inference.factory import make_engine
from rppg_ros.inference.network import NetworkEngine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.meter import VitalsHalf
from rppg_ros.types import Rate, Status, Vital, Waveform
from support.people import START_NS, S, crops

onnx = pytest.importorskip("onnx", reason="onnx is installed for tests only")


def write_model(path, tasks=(Vital.BVP,), channels=("rgb",), frames=90, size=36, rate_hz=30.0, dynamic=False, **about):
    """Output: minus the mean green (blood absorbs) for bvp, minus the mean of the last channel for rsp; T of T+1 frames."""
    from onnx import TensorProto, helper, numpy_helper

    count = 3 * ("rgb" in channels) + ("thermal" in channels)
    card = ModelCard(
        name="mean", family="test", variant="v", tasks=tasks, channels=channels, size=size, frames=frames,
        rate_hz=rate_hz, outputs={vital: vital.value for vital in tasks}, pad_frames=1,
        dynamic_frames=dynamic, frames_multiple=4 if dynamic else 1, min_frames=8 if dynamic else 1,
        **about,
    )  # fmt: skip
    nodes, inits = [], [numpy_helper.from_array(np.array([3, 4]), "space")]
    for vital in tasks:
        channel = 1 if vital is Vital.BVP and "rgb" in channels else count - 1
        inits += [
            numpy_helper.from_array(np.array([channel, 0]), f"start_{vital}"),
            numpy_helper.from_array(np.array([channel + 1, -1]), f"stop_{vital}"),
        ]
        nodes += [
            helper.make_node("Slice", ["frames", f"start_{vital}", f"stop_{vital}", "axes"], [f"part_{vital}"]),
            helper.make_node("ReduceMean", [f"part_{vital}", "space"], [f"mean_{vital}"], keepdims=0),
            helper.make_node("Squeeze", [f"mean_{vital}", "one"], [f"flat_{vital}"]),
            helper.make_node("Neg", [f"flat_{vital}"], [vital.value]),
        ]
    inits += [numpy_helper.from_array(np.array([1, 2]), "axes"), numpy_helper.from_array(np.array([1]), "one")]
    shape = (1, count, "time" if dynamic else frames + 1, size, size)
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("frames", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(vital.value, TensorProto.FLOAT, (1, "samples" if dynamic else frames))
            for vital in tasks
        ],
        inits,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, card.to_metadata())
    onnx.save(model, str(path))
    return str(path)


def run(engine, stream):
    half, out = VitalsHalf(engine), []
    for crop in stream:
        out += half.push(crop.stamp_ns, [crop])
    return out + half.flush()


def test_a_sliding_window_becomes_one_endless_waveform(tmp_path):
    engine = make_engine(model=write_model(tmp_path / "m.onnx"))
    out = run(engine, crops(bpm=78, seconds=20, fps=25.0, jitter_s=0.005, noise=1.0))
    waves = [o for o in out if isinstance(o, Waveform)]
    samples = np.concatenate([wave.samples for wave in waves])
    assert waves[0].start_ns == START_NS and waves[0].model == "mean"
    assert abs(len(samples) - 20 * 30) <= 3
    t = np.arange(len(samples)) / 30
    truth = np.sin(2 * np.pi * 1.3 * t) + 0.3 * np.sin(4 * np.pi * 1.3 * t)
    assert np.corrcoef(samples, truth)[0, 1] > 0.97
    rates = [o for o in out if isinstance(o, Rate) and o.vital is Vital.BVP and o.status is Status.OK]
    assert len(rates) >= 8 and all(abs(rate.per_minute - 78) < 2 for rate in rates)
    silent = [o for o in out if isinstance(o, Rate) and o.vital is Vital.RSP and o.stamp_ns > START_NS + 5 * S]
    assert {rate.status for rate in silent} <= {Status.UNSUPPORTED, Status.NO_FACE}


def test_a_levelled_network_says_how_large_its_wave_is(tmp_path):
    """What is published keeps the size; the rates are the same."""
    waves, rates = {}, {}
    for levelled in (False, True):
        engine = make_engine(model=write_model(tmp_path / f"{levelled}.onnx", levelled=levelled))
        out = run(engine, crops(bpm=78, seconds=20, fps=25.0, noise=1.0))
        waves[levelled] = np.concatenate([o.samples for o in out if isinstance(o, Waveform)])
        rates[levelled] = [o.per_minute for o in out if isinstance(o, Rate) and o.vital is Vital.BVP]
        assert all(o.samples.dtype == np.float32 for o in out if isinstance(o, Waveform))
    assert waves[False][300:].std() == pytest.approx(1, rel=0.15)
    crop = next(iter(crops(bpm=78, seconds=20, fps=25.0, noise=1.0)))
    assert waves[True].mean() == pytest.approx(-crop.rgb[..., 1].mean(), rel=0.05), (
        "minus the mean green, as the graph gave it"
    )
    assert np.nanmedian(rates[True]) == pytest.approx(78, abs=2)
    assert np.isfinite(rates[True]).sum() == np.isfinite(rates[False]).sum()


def test_a_young_clip_gets_shorter_windows_where_the_network_takes_them(tmp_path):
    starts = {}
    for dynamic in (True, False):
        path = write_model(tmp_path / f"{dynamic}.onnx", frames=192, rate_hz=15.0, dynamic=dynamic)
        engine, out = make_engine(model=path), []
        half, said = VitalsHalf(engine), None
        for crop in crops(bpm=78, seconds=20, noise=1.0):
            new = [o for o in half.push(crop.stamp_ns, [crop]) if isinstance(o, Waveform)]
            said = said or (crop.stamp_ns if new else None)
            out += new
        starts[dynamic] = (said - START_NS) / S
        samples = np.concatenate([wave.samples for wave in out])
        t = np.arange(len(samples)) / 15
        truth = np.sin(2 * np.pi * 1.3 * t) + 0.3 * np.sin(4 * np.pi * 1.3 * t)
        assert np.corrcoef(samples, truth)[0, 1] > 0.95
        assert all(a.end_ns == pytest.approx(b.start_ns, abs=2) for a, b in zip(out, out[1:], strict=False))
    assert starts[True] == pytest.approx(6.1, abs=0.3) and starts[False] == pytest.approx(12.9, abs=0.3)


def test_without_thermal_a_two_camera_network_keeps_the_pulse(tmp_path):
    path = write_model(tmp_path / "m.onnx", (Vital.BVP, Vital.RSP), ("rgb", "thermal"))
    for thermal in (True, False):
        out = run(NetworkEngine(OpenModel.open(path)), crops(bpm=66, seconds=14, thermal=thermal))
        vitals = {o.vital for o in out if isinstance(o, Waveform)}
        assert vitals == ({Vital.BVP, Vital.RSP} if thermal else {Vital.BVP})
        assert any(isinstance(o, Rate) and o.status is Status.OK for o in out)


def test_larger_crops_are_reduced_and_smaller_ones_refused(tmp_path):
    engine = NetworkEngine(OpenModel.open(write_model(tmp_path / "m.onnx", size=9)))
    assert engine.rgb(next(iter(crops(size=72)))).shape == (9, 9, 3)
    with pytest.raises(EngineError, match="9x9.*got 6x6.*crop.size"):
        engine.rgb(next(iter(crops(size=6))))


def test_bad_files_are_named(tmp_path):
    with pytest.raises(EngineError, match="nowhere.onnx.*no such file"):
        make_engine(model="nowhere.onnx")
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    with pytest.raises(EngineError, match="junk.onnx"):
        make_engine(model=str(junk))
    with pytest.raises(EngineError, match="needs a model"):
        make_engine("network")
    with pytest.raises(EngineError, match="no engine 'magic'; there are: auto, network, pos, chrom"):
        make_engine("magic")
