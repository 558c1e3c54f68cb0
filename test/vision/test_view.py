import numpy as np
import pytest

from rppg_ros.types import Frame
from rppg_ros.vision import view as views
from rppg_ros.vision.registration import Calibration, Camera, Homography, SameView
from rppg_ros.vision.view import CHECK_S, ThermalView, ViewState
from rppg_ros.vision.view_search import ZOOMS, place
from support.two_cameras import frames, narrowed, pairs

S = 1_000_000_000
SHIFTED = [(0.647, 0.1765, 0.1765), (0.7, 0.05, 0.2), (0.8, 0.2, 0.0)]  # share of the view, its left and top


def looked(view, shown):
    for frame, thermal, box in shown:
        view.look(frame, thermal, box)
    return view


def off(matrix, truth, box):
    """Error at the face: zoom as a ratio less one, place in face widths of the thermal image."""
    centre = np.array([*box.centre, 1.0])
    face_px = truth[0, 0] * box.width
    return abs(matrix[0, 0] / truth[0, 0] - 1), np.linalg.norm((matrix @ centre - truth @ centre)[:2]) / face_px


@pytest.mark.parametrize("share", SHIFTED)
def test_a_face_is_found_in_another_field_of_view(share):
    for rgb, thermal, box in pairs()[:3]:
        heat, truth = narrowed(thermal, *share)
        found = place(rgb, box, heat, tuple(0.25 * zoom for zoom in ZOOMS))
        zoom, shift = off(found.matrix(), truth, box)
        assert zoom < 0.1 and shift < 0.12 and found.score > 0.45


def test_the_scale_and_sign_of_the_heat_do_not_matter():
    rgb, thermal, box = pairs()[0]
    first = place(rgb, box, thermal, (0.25,))
    for other in (100 * thermal + 7, -thermal, thermal.astype(np.uint16)):
        again = place(rgb, box, np.asarray(other, np.float32), (0.25,))
        assert (again.x, again.y) == pytest.approx((first.x, first.y), abs=1.5)


def test_where_nothing_is_in_common_nothing_is_found():
    rgb, _, box = pairs()[0]
    rng = np.random.default_rng(0)
    noise = rng.normal(22, 0.1, (120, 160)).astype(np.float32)
    assert place(rgb, box, noise, tuple(0.25 * zoom for zoom in ZOOMS), least=0.4) is None
    assert place(rgb, box, noise[:2, :2], (0.25,)) is None, "too small to tell"


def test_the_same_view_is_believed_once_the_picture_proves_it():
    frame, thermal, box = frames()[0]
    view = ThermalView()
    shapes = frame.image.shape, thermal.image.shape
    assert view.state is ViewState.ASSUMED and view.matrix(*shapes, box) is None
    view.look(frame, thermal, box)
    assert view.state is ViewState.PROVED
    np.testing.assert_allclose(view.matrix(*shapes, box), np.diag([0.25, 0.25, 1]))


@pytest.mark.parametrize("share", SHIFTED)
def test_another_view_is_estimated_after_looks_that_agree(share):
    shown = frames(lambda thermal: narrowed(thermal, *share)[0])
    truth = narrowed(pairs()[0][1], *share)[1]
    view = looked(ThermalView(), shown[:2])
    assert view.state is ViewState.ASSUMED
    looked(view, shown[2:6])
    assert view.state is ViewState.ESTIMATED
    frame, thermal, box = shown[0]
    zoom, shift = off(view.matrix(frame.image.shape, thermal.image.shape, box), truth, box)
    assert zoom < 0.1 and shift < 0.12


def test_an_empty_room_proves_nothing():
    rng = np.random.default_rng(0)
    view = looked(ThermalView(), frames(lambda _: rng.normal(22, 0.1, (120, 160)).astype(np.float32)))
    frame, thermal, box = frames()[0]
    assert view.state is ViewState.ASSUMED and view.matrix(frame.image.shape, (120, 160), box) is None


def test_looks_become_seldom_where_they_tell_nothing(monkeypatch):
    times = []
    monkeypatch.setattr(views, "place", lambda *_: times.append(now))
    frame, thermal, box = frames()[0]
    view = ThermalView()
    for now in range(0, 60 * S, S // 10):
        view.look(Frame(now, frame.image), thermal, box)
    steps = np.diff(times) / S
    assert steps[0] <= 1.0 and steps[-1] == CHECK_S and np.all(np.diff(steps) >= 0)
    view.rewind()
    view.look(Frame(5, frame.image), thermal, box)
    assert times[-1] == now, "after a jump of the clock at once"


def test_what_a_parameter_gives_is_never_questioned(monkeypatch):
    monkeypatch.setattr(views, "place", lambda *_: 1 / 0)
    shown = frames()[0]
    for given in (SameView(), Homography(np.eye(3))):
        view = looked(ThermalView(given), [shown])
        assert view.state is ViewState.GIVEN
        assert view.matrix((480, 640, 3), (120, 160), shown[2]) is not None


def cameras(share=1.0):
    k = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
    heat = np.array([[150.0 / share, 0, 80], [0, 150 / share, 60], [0, 0, 1]])
    return Camera(k, 640, 480), Camera(heat, 160, 120)


def test_a_calibration_is_believed_and_its_shift_is_corrected():
    share = (0.7, 0.05, 0.2)  # not in the middle, as the calibration says
    shown = frames(lambda thermal: narrowed(thermal, *share)[0])
    truth = narrowed(pairs()[0][1], *share)[1]
    view = ThermalView()
    view.calibrate(Calibration(*cameras(0.7)))
    assert view.state is ViewState.CALIBRATED
    looked(view, shown[:6])
    assert view.state is ViewState.ESTIMATED
    zoom, shift = off(view.matrix((480, 640, 3), (120, 160), shown[0][2]), truth, shown[0][2])
    assert zoom < 0.12 and shift < 0.12


def test_a_complete_calibration_is_better_than_the_picture():
    shown = frames(lambda thermal: narrowed(thermal, 0.7, 0.05, 0.2)[0])
    view = ThermalView()
    view.calibrate(Calibration(*cameras(0.7), None, np.zeros(3)))
    looked(view, shown)
    assert view.state is ViewState.CALIBRATED


def test_images_of_another_size_are_another_view():
    frame, thermal, box = frames()[0]
    view = looked(ThermalView(), [(frame, thermal, box)])
    assert view.matrix(frame.image.shape, (60, 80), box) is None and view.state is ViewState.ASSUMED


def test_a_camera_that_is_moved_is_found_again():
    before, after = frames(), frames(lambda thermal: narrowed(thermal, 0.7, 0.05, 0.2)[0])
    truth = narrowed(pairs()[0][1], 0.7, 0.05, 0.2)[1]
    view = looked(ThermalView(), before[:1])
    start = before[0][0].stamp_ns + round(CHECK_S * S)
    for i, (frame, thermal, box) in enumerate(after[:6]):
        view.look(Frame(start + i * S, frame.image), thermal, box)
    assert view.state is ViewState.ESTIMATED
    zoom, shift = off(view.matrix((480, 640, 3), (120, 160), box), truth, box)
    assert zoom < 0.1 and shift < 0.12
