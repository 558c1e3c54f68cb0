"""The streaming engine: every sample once, in chunks that remember, equal to the network over the whole clip."""

import numpy as np
import pytest

from rppg_ros.inference.clips import Window
from rppg_ros.inference.engine import EngineError
from rppg_ros.inference.factory import make_engine
from rppg_ros.inference.network import NetworkEngine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.inference.streaming import StreamingEngine
from rppg_ros.inference.waves import WaveMaker
from rppg_ros.meter import VitalsHalf
from rppg_ros.types import Rate, Status, Vital, Waveform
from support.people import START_NS, S, crops
from support.tiny_models import write_streaming_model

pytest.importorskip("onnx", reason="onnx is installed for tests only")


@pytest.fixture
def path(tmp_path):
    return write_streaming_model(tmp_path / "m.onnx")


def frames(count, size=36, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (count, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize("cuts", [[1] * 12, [5, 5, 2], [12], [3, 1, 8]])
def test_chunks_of_any_length_make_one_waveform(path, cuts):
    engine, clip, memory, at, waves = make_engine(model=path), frames(12), {}, 0, []
    for length in cuts:
        (part,) = engine.infer(clip[at : at + length], None, memory)
        waves.append(part.samples)
        at += length
    means = clip[..., 1].mean(axis=(1, 2))
    np.testing.assert_allclose(np.concatenate(waves), -np.diff(means, prepend=0), atol=1e-3)


def test_a_live_clip_gives_each_sample_once_and_the_last_chunk_is_shorter(path):
    engine = make_engine(model=path)
    assert isinstance(engine, StreamingEngine)
    half, out = VitalsHalf(engine), []
    stream = list(crops(bpm=80, seconds=20.1, fps=27.0, jitter_s=0.004))
    for crop in stream:
        out += half.push(crop.stamp_ns, [crop])
    live = [o for o in out if isinstance(o, Waveform)]
    assert {len(wave.samples) for wave in live} == {5}
    newest = live[-1].start_ns + 5 * S // 30
    assert stream[-1].stamp_ns - newest < 0.25 * S, "a chunk comes out as soon as its frames are there"
    out += half.flush()
    waves = [o for o in out if isinstance(o, Waveform)]
    starts = [wave.start_ns for wave in waves]
    assert starts[0] == START_NS
    assert sum(len(wave.samples) for wave in waves) == pytest.approx(20.1 * 30, abs=2)
    rates = [o for o in out if isinstance(o, Rate) and o.vital is Vital.BVP and o.status is Status.OK]
    assert len(rates) >= 8 and all(abs(rate.per_minute - 80) < 2 for rate in rates)
    silent = {o.status for o in out if isinstance(o, Rate) and o.vital is Vital.RSP}
    assert silent <= {Status.UNSUPPORTED, Status.NO_FACE}


def test_a_dropped_chunk_is_forgotten_not_bridged(path):
    """A chunk lost on a slow machine leaves a hole; the state before the hole must not reach the frames after it."""
    engine = make_engine(model=path)
    seen = []
    infer = engine.infer
    engine.infer = lambda rgb, thermal, memory: seen.append(dict(memory)) or infer(rgb, thermal, memory)
    maker = WaveMaker(engine, {vital: 0.5 for vital in Vital})

    def window(first):
        at_ns = START_NS + (np.arange(first, first + 5) * S) // 30
        kept = tuple((int(at), image) for at, image in zip(at_ns, frames(5, seed=first), strict=True))
        return Window("abcde", START_NS, first, at_ns, kept, ())

    for first in (0, 5, 15, 20):
        maker.run(window(first))
    assert [bool(memory) for memory in seen] == [False, True, False, True]


def test_two_faces_have_two_memories(path):
    half = VitalsHalf(make_engine(model=path))
    out = []
    for one, other in zip(crops(seconds=2, face="a"), crops(seconds=2, face="b", bpm=100, seed=1), strict=True):
        out += half.push(one.stamp_ns, [one, other])
    alone = VitalsHalf(make_engine(model=path))
    expected = [o for crop in crops(seconds=2, face="a") for o in alone.push(crop.stamp_ns, [crop])]
    for found, wanted in zip(
        [o for o in out if isinstance(o, Waveform) and o.face_id == "a"],
        [o for o in expected if isinstance(o, Waveform)],
        strict=True,
    ):
        np.testing.assert_array_equal(found.samples, wanted.samples)


def test_engines_refuse_each_others_models(path):
    opened = OpenModel.open(path)
    with pytest.raises(EngineError, match="model 'rise': a streaming network; this engine runs windowed ones"):
        NetworkEngine(opened)


def test_equals_the_torch_network_over_the_whole_clip(tmp_path):
    torch = pytest.importorskip("torch")
    from rppg_ros.models.export import export
    from rppg_ros.models.saved import card_of, untrained

    saved = untrained("phasenet", 3, {"causal": True, "pixels": 16})
    export(saved.network, card_of(saved), tmp_path / "p.onnx")
    engine = make_engine(model=str(tmp_path / "p.onnx"))
    assert (engine.plan.first, engine.plan.hop, engine.crop_size) == (5, 5, 16)
    clip, memory = frames(43, 16), {}
    parts = [engine.infer(clip[at : at + 5], None, memory)[0].samples for at in range(0, 43, 5)]
    with torch.no_grad():
        whole = saved.network(torch.from_numpy(clip).permute(3, 0, 1, 2)[None])[Vital.BVP][0].numpy()
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4 * np.abs(whole).max())
