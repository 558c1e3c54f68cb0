"""Files made to harm (26): pickles run nothing, YAML takes neither time nor memory, names stay what they are: text."""

import dataclasses
import os
import pickle
import re
import time

import pytest
from rich.console import Console

from rppg_ros.evaluation.output import write_run
from rppg_ros.evaluation.results import RecordingResult, Results, Running, TaskResult, Windows
from rppg_ros.inference.card import ModelCard, ModelCardError
from rppg_ros.types import Vital
from rppg_ros.yaml_files import MAX_BYTES, MAX_DEPTH, MAX_NODES, YamlError, check_yaml, read_yaml

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
CHAIN = "a: &a0 [1]\n" + "".join(f"k{i}: &a{i + 1} [*a{i}]\n" for i in range(2000))
BAD = {
    "3000 lists": ("a: " + "[" * 3000 + "]" * 3000, "line 1: nested more than 32 deep"),
    "a million open lists": ("[" * 1_000_000, "nested more than 32 deep"),
    "1000 mappings": ("\n".join(" " * i + "a:" for i in range(1000)), "nested more than 32 deep"),
    "dashes": ("- " * 100_000, "nested more than 32 deep"),
    "a billion laughs": (LAUGHS, "more than 100,000 values"),
    "aliases of aliases": (CHAIN, "nested more than 32 deep"),
    "an alias of itself": ("a: &a [*a]", "alias of nothing that is complete before it"),
    "an alias of nothing": ("a: *b", "alias of nothing"),
    "many values": ("[" + "1," * (MAX_NODES + 1) + "]", "more than 100,000 values"),
    "large": (" " * (MAX_BYTES + 1), f"more than {MAX_BYTES:,} bytes"),
    "code": ('!!python/object/apply:os.mkdir ["pwned"]', "could not determine a constructor"),
    "a module": ("!!python/module:os", "could not determine a constructor"),
    "a long integer": ("a: " + "9" * 5000, "4300 digits"),
    "a date that is none": ("a: 2026-13-45", "month must be in 1..12"),
    "a list as a key": ("? [a]\n: 1", "unhashable"),
    "two documents": ("---\na: 1\n---\nb: 2\n", "single document"),
    "no text": (b"\xff\xfe\x00", "not a text"),
    "NUL": ("a\0b", "special characters are not allowed"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_yaml_that_harms_is_refused_in_one_line(text, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "f.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    started = time.thread_time()
    with pytest.raises(YamlError, match=re.escape(says)) as caught:
        read_yaml(path)
    assert time.thread_time() - started < 20, "25 s it took before it was limited"
    assert len(str(caught.value)) <= 200 and "\n" not in str(caught.value) and not os.path.exists("pwned")


def test_yaml_within_the_limits_is_read(tmp_path):
    path = tmp_path / "f.yaml"
    for text, wanted in (
        ("", None),
        ("a: &a [1, 2]\nb: *a\nc: &s x\nd: *s\n", {"a": [1, 2], "b": [1, 2], "c": "x", "d": "x"}),
        ("a: &a {x: 1}\nb: {<<: *a, y: 2}\n", {"a": {"x": 1}, "b": {"x": 1, "y": 2}}),
    ):
        path.write_text(text)
        assert read_yaml(path) == wanted
        check_yaml(path)
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    path.write_text(deepest)
    assert str(read_yaml(path)) == deepest
    path.write_text(f"[{deepest}]")
    with pytest.raises(YamlError, match="nested"):
        check_yaml(path)


def test_yaml_files_that_are_none_are_told(tmp_path):
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(YamlError, match="no such file"):
            read_yaml(path)


class Makes:
    """Unpickled, it makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_pickle_runs_nothing(tmp_path, monkeypatch):
    checkpoint = pytest.importorskip("rppg_ros.models.checkpoint", reason="torch is in the extra 'models'")
    import torch

    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Makes()))
    torch.save({"weight": Makes()}, tmp_path / "saved.pt")
    for name in ("plain.pt", "saved.pt"):
        with pytest.raises(checkpoint.CheckpointError, match=name):
            checkpoint.read_file(tmp_path / name)
    assert not os.path.exists("pwned")


CARD = ModelCard(
    name="n", family="f", variant="v", tasks=(Vital.BVP,), channels=("rgb",), size=9, frames=30, rate_hz=30.0,
    outputs={Vital.BVP: "bvp"},
)  # fmt: skip


@pytest.mark.parametrize("field", ["name", "family", "variant"])
@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "\0", "a\u202eb"])
def test_names_of_models_that_cannot_be_printed_are_refused(field, text):
    with pytest.raises(ModelCardError, match=f"'{field}' has characters that cannot be printed"):
        dataclasses.replace(CARD, **{field: text})


def test_names_of_recordings_are_text_in_the_report(tmp_path):
    pytest.importorskip("plotly", reason="plotly is in the extra 'evaluation'")
    name = "</script><script>alert(1)</script>{{ 7 * 7 }}"
    at = [float(i) for i in range(30)]
    running = Running(at, [60.0] * 30, [0.9] * 30, ["OK"] * 30, [61.0] * 30)
    task = TaskResult(Windows([0.0], [30.0], [60.0], [61.0], [3.0], [0.9]), running)
    good = RecordingResult(name, name, name, {name: name}, 30.0, 900, "", {Vital.BVP: task}, name)
    bad = RecordingResult("d", "b" + name, "", {}, error=name)
    write_run(Results(name, {"model": name}, (good, bad)), tmp_path, Console(quiet=True))
    page = (tmp_path / "report.html").read_text()
    assert (
        "alert(1)" in page and "<script>alert(1)" not in page and "49" not in re.findall(r"alert\(1\).{0,30}", page)[0]
    )
