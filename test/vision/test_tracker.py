"""The tracker on a real face (scikit-image's public-domain portrait) that moves as we say."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from rppg_ros.settings.halves import CameraSettings
from rppg_ros.types import Box, CropRequest, Frame
from rppg_ros.vision.detect import Detection, DetectorError, HaarDetector, make_detector
from rppg_ros.vision.registration import SameView
from rppg_ros.vision.tracker import FaceTracker
from rppg_ros.vision.view import ThermalView
from support.face_network import write_face_network
from support.opencv import OPENCV
from support.recordings import film_without_people, person_film, write_film
from support.reference import ORIGINS, REFERENCE

S = 1_000_000_000
READS_YUNET = pytest.mark.skipif(OPENCV < (4, 8), reason="OpenCV reads YuNet files from 2023 on from 4.8 on")
PHOTO = astronaut()[0:320, 10:437]
EMPTY = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8), (0, 0), 20)


def face(x=0.0, y=0.0, scale=1.5):
    """640x480 frame with the portrait shifted by (x, y)."""
    matrix = np.array([[scale, 0, x], [0, scale, y]])
    return cv2.warpAffine(PHOTO, matrix, (640, 480), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def play(tracker, images, fps=30.0, start_s=1.0):
    """Crops of each frame."""
    return [tracker.process(Frame(round((start_s + i / fps) * S), image)) for i, image in enumerate(images)]


def ids(results):
    return {crop.face_id for crops in results for crop in crops}


def test_the_box_follows_sub_pixel_motion_and_rests_when_the_face_does():
    t = np.arange(120) / 30
    xs, ys = 12 * np.sin(2 * np.pi * 0.4 * t), 6 * np.sin(2 * np.pi * 0.3 * t)
    results = play(FaceTracker(seed=1), [face(x, y) for x, y in zip(xs, ys, strict=True)])
    centres = np.array([crops[0].box.centre for crops in results[15:]])
    for found, true in ((centres[:, 0], xs[15:]), (centres[:, 1], ys[15:])):
        error = (found - true) - np.mean(found - true)
        assert error.std() < 0.8, "pixels; the smoothing may lag a little"
    rng = np.random.default_rng(2)
    still = [np.clip(face() + rng.normal(0, 2, (480, 640, 3)), 0, 255).astype(np.uint8) for _ in range(60)]
    boxes = np.array([crops[0].box for crops in play(FaceTracker(seed=1), still)[15:]])
    assert np.diff(boxes[:, :2], axis=0).std() < 0.06, "pixels from frame to frame, at rest"


@pytest.mark.parametrize("fps", [5.0, 12.5, 60.0])
def test_any_frame_rate(fps):
    results = play(FaceTracker(), [face(2 * i / fps) for i in range(int(3 * fps))], fps)
    assert sum(bool(crops) for crops in results) > 0.75 * len(results)
    assert len(ids(results)) == 1


def test_no_face_is_no_crop():
    assert not ids(play(FaceTracker(), [EMPTY] * 40))


def test_a_face_that_goes_is_gone_soon_and_comes_back_with_its_id():
    tracker = FaceTracker(CameraSettings(id_memory=3.0))
    before = play(tracker, [face()] * 30)
    hidden = play(tracker, [EMPTY] * 30, start_s=2.0)
    after = play(tracker, [face(4)] * 40, start_s=3.0)
    assert not any(hidden[3:]), "no stale box"
    assert len(ids(before)) == 1 and ids(after) == ids(before)


class Scripted:
    """A detector that sees what it is told."""

    certain = True

    def __init__(self, boxes):
        self.boxes = boxes

    def detect(self, rgb, min_face_px):
        return [Detection(box, 0.9) for box in self.boxes]

    def confirm(self, rgb, box):
        return None


def test_a_face_that_left_keeps_its_id_though_the_flow_went_on_without_it():
    """The background slides away under the track that nobody confirms any more."""
    detector = Scripted([Box(250, 150, 80, 95)])
    tracker = FaceTracker(CameraSettings(max_unconfirmed=1.2), detector)
    texture = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (480, 900, 3)).astype(np.uint8), (0, 0), 3)
    first = play(tracker, [np.ascontiguousarray(texture[:, :640])] * 20)
    detector.boxes = []
    sliding = [np.ascontiguousarray(texture[:, i * 6 : i * 6 + 640]) for i in range(40)]
    gone = play(tracker, sliding, start_s=1.0 + 20 / 30)
    followed = [crops[0].box for crops in gone if crops]
    assert followed[-1].x < 250 - 1.5 * 95, "the flow carried the box away"
    detector.boxes = [Box(255, 150, 80, 95)]
    after = play(tracker, [np.ascontiguousarray(texture[:, :640])] * 10, start_s=1.0 + 61 / 30)
    assert ids(after) and ids(after) == ids(first)


@pytest.mark.parametrize("width", [70, 90])
def test_a_small_face_is_found_by_haar(width):
    """Two to three metres from a VGA camera; as large as the detector sees it in the portrait."""
    full = HaarDetector().detect(face(), 40)[0].box
    around = face()[20:380, 140:500]
    small = cv2.resize(around, None, fx=width / full.width, fy=width / full.width, interpolation=cv2.INTER_AREA)
    scene = EMPTY.copy()
    scene[120 : 120 + len(small), 330 : 330 + len(small)] = small
    rng = np.random.default_rng(width)
    noisy = [np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8) for _ in range(60)]
    results = play(FaceTracker(), noisy)
    assert len(ids(results)) == 1
    (box,) = (crop.box for crop in results[-1])
    assert abs(box.width / width - 1) < 0.25
    assert next(i for i, crops in enumerate(results) if crops) < 30, "within a second"


def test_after_a_long_loss_it_is_a_new_face():
    tracker = FaceTracker(CameraSettings(id_memory=1.0))
    before = play(tracker, [face()] * 30)
    play(tracker, [EMPTY] * 60, start_s=2.0)
    after = play(tracker, [face()] * 30, start_s=4.0)
    assert ids(after) and not ids(after) & ids(before)


def test_a_face_that_leaves_the_image_ends():
    results = play(FaceTracker(), [face(-12.0 * i) for i in range(60)])
    assert results[15] and not any(results[45:])


def test_two_faces_are_two_ids():
    small = face(scale=0.75)[:, :320]
    both = np.concatenate([small, small], axis=1)
    results = play(FaceTracker(), [np.ascontiguousarray(both)] * 40)
    assert len(results[-1]) == 2 and len(ids(results)) == 2
    assert len(ids(play(FaceTracker(CameraSettings(max_faces=1)), [np.ascontiguousarray(both)] * 40))) == 1


def beside(*scales):
    """People side by side, each 320 pixels wide."""
    parts = [face(scale=scale)[:, :320] if scale else EMPTY[:, :320] for scale in scales]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def test_the_patient_who_sits_down_in_front_is_measured_not_the_nurse_who_was_there_first():
    settings = CameraSettings(max_faces=1, detector_rate=3.0, target_hold=5.0, id_memory=5.0)
    tracker = FaceTracker(settings)
    nurse = ids(play(tracker, [beside(0.5, None)] * 30))
    both = play(tracker, [beside(0.5, 0.75)] * 60, start_s=2.0)
    patient = ids(both) - nurse
    assert len(nurse) == len(patient) == 1
    assert ids(both[-20:]) == patient and all(len(crops) <= 1 for crops in both)
    alone = play(tracker, [beside(0.5, None)] * 40, start_s=4.0)
    assert not ids(alone[20:]), "the place is kept: the nurse is not measured instead"
    assert ids(play(tracker, [beside(0.5, 0.75)] * 30, start_s=5.4)[-10:]) == patient


def test_a_face_that_is_asked_for_is_measured_alone():
    tracker = FaceTracker()
    results = play(tracker, [beside(0.75, 0.75)] * 40)
    one, other = sorted(ids(results[-5:]))
    tracker.tune(CameraSettings(target_id=one))
    locked = play(tracker, [beside(0.75, 0.75)] * 20, start_s=1.0 + 40 / 30)
    assert {frozenset(crop.face_id for crop in crops) for crops in locked} == {frozenset({one})}
    tracker.tune(CameraSettings())
    assert ids(play(tracker, [beside(0.75, 0.75)] * 40, start_s=1.0 + 60 / 30)[-5:]) == {one, other}


def test_gaps_resizes_and_resets_do_not_carry_boxes_over():
    tracker = FaceTracker()
    play(tracker, [face()] * 30)
    assert tracker.process(Frame(9 * S, EMPTY)) == []
    play(tracker, [face()] * 30, start_s=10.0)
    assert tracker.process(Frame(12 * S, cv2.resize(EMPTY, (320, 240)))) == []
    play(tracker, [face()] * 30, start_s=13.0)
    first = ids(play(tracker, [face()] * 30, start_s=15.0))
    tracker.reset()
    again = ids(play(tracker, [face()] * 30, start_s=1.0))
    assert first and again and not first & again, "ids are never used again after a reset"


def test_crops_show_the_face_and_its_heat():
    tracker = FaceTracker(view=ThermalView(SameView()))
    tracker.request = CropRequest(36, 1.5)
    heat = np.full((120, 160), 23.0, np.float32)
    crops = []
    for i in range(30):
        frame = Frame(S + i * S // 30, face())
        if crops:
            x, y = (round(v / 4) for v in crops[0].box.centre)
            heat[:] = 23.0
            heat[y - 4 : y + 4, x - 4 : x + 4] = 34.0
        crops = tracker.process(frame, Frame(frame.stamp_ns - 5, heat, radiometric=True))
    crop = crops[0]
    assert crop.rgb.shape == (36, 36, 3) and crop.thermal.shape == (36, 36)
    assert crop.thermal[18, 18] > 33 and crop.thermal[0, 0] < 24
    assert crop.thermal_stamp_ns == crop.stamp_ns - 5 and crop.thermal_radiometric
    middle = crop.rgb[14:20, 14:20].reshape(-1, 3).mean(axis=0)
    assert middle[0] > middle[1] > middle[2], "skin"


def test_an_uncertain_detector_must_see_a_face_twice():
    class Once(HaarDetector):
        seen = 0

        def detect(self, rgb, min_face_px):
            self.seen += 1
            return [Detection(Box(200, 100, 120, 150), 0.9)] if self.seen == 1 else []

        def confirm(self, rgb, box):
            return None

    assert not ids(play(FaceTracker(detector=Once()), [face()] * 40))


def test_a_bad_model_file_is_named(tmp_path):
    with pytest.raises(DetectorError, match="nowhere.onnx"):
        make_detector("auto", "nowhere.onnx")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a network")
    with pytest.raises(DetectorError, match=f"bad.onnx': not a YuNet model that OpenCV {cv2.__version__} reads"):
        make_detector("yunet", str(bad))


MADE_PEOPLE = {"rests.mp4": (320, "mp4v", {"seed": 1}), "sways.avi": (640, "MJPG", {"motion_px": 5.0, "seed": 3})}
PEOPLE = {"made": tuple(MADE_PEOPLE), "official": ("evm/face.mp4", "evm/face2.mp4", "marnix-rppg/rPPG_video.mp4")}
NOBODY = {"made": "nobody.mp4", "official": "intel-sample-videos/one-by-one-person-detection.mp4"}  # people from above


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Whose recordings, to their folder: of our own making, or of real people, filmed by others."""
    made = tmp_path_factory.mktemp("films")
    for name, (width, codec, scene) in MADE_PEOPLE.items():
        write_film(made / name, person_film(4.5, width, **scene), codec)
    write_film(made / NOBODY["made"], film_without_people(), "mp4v")
    return {"made": made, "official": REFERENCE / "recordings"}


@pytest.fixture(scope="module")
def detector_model(tmp_path_factory):
    """Whose face detector, to its file: a stand-in that knows the portrait of our films, or YuNet."""

    def model(origin: str) -> str:
        if origin == "official":
            return str(REFERENCE / "face_detection_yunet.onnx")
        pytest.importorskip("onnx", reason="onnx is installed for tests only")
        return write_face_network(tmp_path_factory.mktemp("detector") / "portrait.onnx", astronaut()[66:174, 180:264])

    return model


@pytest.mark.slow
@pytest.mark.parametrize(("origin", "name"), [(origin, name) for origin in ORIGINS for name in PEOPLE[origin]])
@pytest.mark.parametrize("by_network", [False, pytest.param(True, marks=READS_YUNET)])
def test_people_are_followed_from_end_to_end(origin, name, by_network, films, detector_model):
    tracker = FaceTracker(CameraSettings(detector_model=detector_model(origin) if by_network else ""))
    capture = cv2.VideoCapture(str(films[origin] / name))
    seen, frames = [], 0
    while frames < 120:
        done, image = capture.read()
        if not done:
            break
        frames += 1
        crops = tracker.process(Frame(S + frames * S // 30, image[..., ::-1].copy()))
        seen += [crop.face_id for crop in crops]
    assert len(seen) >= 0.95 * frames and len(set(seen)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("origin", ORIGINS)
def test_nobody_is_seen_where_nobody_shows_a_face(origin, films):
    """Haar must not invent faces."""
    capture = cv2.VideoCapture(str(films[origin] / NOBODY[origin]))
    tracker, frames, found = FaceTracker(), 0, 0
    while frames < 240:
        done, image = capture.read()
        if not done:
            break
        frames += 1
        found += bool(tracker.process(Frame(S + frames * S // 10, image[..., ::-1].copy())))
    assert frames > 100 and found < 8
