"""Truth on topics of other people's bags, and in tables beside bags and videos."""

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from rppg_ros.datasets.bags import open_recording
from rppg_ros.datasets.base import DatasetError
from rppg_ros.datasets.messages import typestore
from rppg_ros.types import NS_PER_S, Vital
from support import dataset_folders as folders

T0 = 1_700_000_000 * NS_PER_S


class Bag:
    """Somebody else's bag: grey images, and topics of plain numbers."""

    def __init__(self, path, plugin=StoragePlugin.MCAP, late_ns=0):
        self.path, self.store, self.late_ns = path, typestore(), late_ns
        self.writer = Writer(path, version=9, storage_plugin=plugin)
        self.made = {}

    def __enter__(self):
        self.writer.open()
        for i in range(30):
            image = np.full((8, 8, 3), i, np.uint8)
            fields = dict(height=8, width=8, encoding="rgb8", is_bigendian=0, step=24, data=image.ravel())
            self.send("/cam/image_raw", T0 + i * NS_PER_S // 30, "sensor_msgs/msg/Image", header=True, **fields)
        return self

    def __exit__(self, *_):
        self.writer.close()

    def send(self, topic, stamp_ns, name, header=False, **fields):
        types = self.store.types
        if header:
            stamp = types["builtin_interfaces/msg/Time"](sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)
            fields["header"] = types["std_msgs/msg/Header"](stamp=stamp, frame_id="")
        if topic not in self.made:
            self.made[topic] = self.writer.add_connection(topic, name, typestore=self.store)
        data = self.store.serialize_cdr(types[name](**fields), name)
        self.writer.write(self.made[topic], stamp_ns + self.late_ns, data)

    def number(self, topic, values, name="std_msgs/msg/Float32"):
        for i, value in enumerate(values):
            self.send(topic, T0 + i * NS_PER_S // 10, name, data=float(value))

    def rate(self, topic, value, model):
        fields = dict(face_id="", value=value, std=0.0, snr_db=0.0, quality=1.0, status=0, window=0.0, model=model)
        fields |= dict(low=0.0, high=0.0, reasons=np.zeros(0, np.uint8), reason_shares=np.zeros(0, np.float32))
        self.send(topic, T0 + NS_PER_S, "rppg_ros/msg/HeartRate", header=True, **fields)


@pytest.mark.parametrize("plugin", list(StoragePlugin))
@pytest.mark.parametrize("late_ns", [0, 86_400 * NS_PER_S])
def test_plain_numbers_by_their_topics_names(plugin, late_ns, tmp_path):
    with Bag(tmp_path / "b", plugin, late_ns) as bag:
        bag.number("/polar/hr", [70, 71, 72])
        bag.number("/belt/respiration_rate", [15], "std_msgs/msg/Float64")
        bag.number("/oximeter/ppg", [0.1, 0.2, 0.3])
        bag.number("/room/temperature", [20])
    truth = open_recording(str(tmp_path / "b")).truth()
    assert truth.rates[Vital.BVP].values.tolist() == [70, 71, 72]
    assert truth.rates[Vital.RSP].values.tolist() == [15]
    np.testing.assert_allclose(truth.waves[Vital.BVP].values, [0.1, 0.2, 0.3], atol=1e-6)
    assert abs(truth.waves[Vital.BVP].stamps_ns[0] - T0) < NS_PER_S


def test_what_our_nodes_measured_is_no_truth(tmp_path):
    with Bag(tmp_path / "b") as bag:
        bag.rate("/heart_rate", 90.0, "pos")
    with pytest.raises(DatasetError, match="no ground truth: no CSV beside it and none of its topics"):
        open_recording(str(tmp_path / "b")).truth()
    with Bag(tmp_path / "c") as bag:
        bag.rate("/heart_rate", 90.0, "pos")
        bag.rate("/ground_truth/heart_rate", 66.0, "truth")
    assert open_recording(str(tmp_path / "c")).truth().rates[Vital.BVP].values.tolist() == [66.0]


def test_several_candidates_are_listed_unless_one_is_named_truth(tmp_path):
    with Bag(tmp_path / "b") as bag:
        bag.number("/a/hr", [60])
        bag.number("/b/hr", [61])
    with pytest.raises(DatasetError, match="several topics could be the true bvp rate: /a/hr, /b/hr"):
        open_recording(str(tmp_path / "b")).truth()
    with Bag(tmp_path / "c") as bag:
        bag.number("/a/hr", [60])
        bag.number("/reference/hr", [61])
    assert open_recording(str(tmp_path / "c")).truth().rates[Vital.BVP].values.tolist() == [61]


def test_topics_of_the_truth_can_be_named(tmp_path):
    with Bag(tmp_path / "b") as bag:
        bag.number("/a/hr", [60])
        bag.number("/b/hr", [61])
        bag.number("/analog/3", [0.1, 0.2])
        bag.rate("/heart_rate", 90.0, "pos")

    def truth(**topics):
        return open_recording(str(tmp_path / "b"), truth_topics=topics).truth()

    found = truth(heart_rate="/b/hr", rsp="/analog/3")
    assert found.rates[Vital.BVP].values.tolist() == [61] and list(found.waves) == [Vital.RSP]
    assert truth(heart_rate="/heart_rate").rates[Vital.BVP].values.tolist() == [90], "whoever asks for it gets it"
    with pytest.raises(DatasetError, match=r"no topic /c/hr with heart_rate on it; topics are: /a/hr \(std_msgs"):
        truth(heart_rate="/c/hr")
    with pytest.raises(DatasetError, match="no topic /heart_rate with bvp on it"):
        truth(bvp="/heart_rate")
    with pytest.raises(DatasetError, match="'hr' is no ground truth; there are: bvp, rsp, heart_rate"):
        truth(hr="/a/hr")


def test_a_bag_with_dots_in_its_name(tmp_path):
    with Bag(tmp_path / "lux_10.0_APH"):
        pass
    (tmp_path / "lux_10.0_APH.csv").write_text("time_s,hr\n0,62\n")
    assert open_recording(str(tmp_path / "lux_10.0_APH")).truth().rates[Vital.BVP].values.tolist() == [62]


def test_a_table_beside_a_bag_counts_from_its_first_frame(tmp_path):
    with Bag(tmp_path / "b"):
        pass
    (tmp_path / "b.csv").write_text("time_s,heart_rate,rsp\n0.5,70,\n1.0,,0.25\n")
    truth = open_recording(str(tmp_path / "b")).truth()
    assert truth.rates[Vital.BVP].stamps_ns.tolist() == [T0 + NS_PER_S // 2]
    assert truth.waves[Vital.RSP].values.tolist() == [0.25]
    (tmp_path / "own.csv").write_text(f"stamp_ns,bvp\n{T0 + 7},1\n{T0 + 9},2\n")
    assert open_recording(str(tmp_path / "b"), truth=str(tmp_path / "own.csv")).truth().waves[
        Vital.BVP
    ].stamps_ns.tolist() == [T0 + 7, T0 + 9]


def test_a_table_beside_a_video(tmp_path):
    folders.video(tmp_path / "clip.avi")
    with pytest.raises(DatasetError, match=r"clip.avi: no ground truth: there is no clip.csv beside it"):
        open_recording(str(tmp_path / "clip.avi")).truth()
    (tmp_path / "clip.csv").write_text("time,hr\n0,62\n")
    assert open_recording(str(tmp_path / "clip.avi")).truth().rates[Vital.BVP].values.tolist() == [62]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "needs a time column .* its columns are: a, b"),
        ("time_s,bvp\n1,x\n", "line 2 is not of numbers: 1,x"),
        ("time_s,bvp\n,1\n", "line 2 has no time"),
        ("time_s,bvp\n", "holds no values"),
        ("", "needs a time column .* its columns are: none"),
    ],
)
def test_bad_tables_are_named(text, message, tmp_path):
    folders.video(tmp_path / "clip.avi")
    (tmp_path / "clip.csv").write_text(text)
    with pytest.raises(DatasetError, match=f"clip.csv: {message}"):
        open_recording(str(tmp_path / "clip.avi")).truth()
