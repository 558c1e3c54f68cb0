"""The monitor over real DDS, with its page open in a headless Chromium."""

import json

import pytest
from std_msgs.msg import Header

from rppg_ros import msg
from rppg_ros.nodes.messages import rate_message
from rppg_ros.nodes.monitor import MonitorNode
from rppg_ros.nodes.params import ParameterError
from rppg_ros.types import Rate, Status, Vital
from support.browser import CHROMIUM, Browser
from support.graph import context, overrides, wait_for
from support.people import crops
from support.vitals_graph import TOPICS, stream_of, vitals_graph

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed to open the page in")
CARD = "document.querySelector('article[data-face={}] [data-vital={}]')"


@pytest.fixture
def graph():
    graphs = vitals_graph()
    build = next(graphs)

    def start(**params):
        context()
        monitor = MonitorNode(parameter_overrides=overrides(port=0, **params))
        monitor.autostart()
        assert monitor.active, monitor.problem
        node, got, send, publisher = build(TOPICS, beside=[monitor])
        return node, monitor, send

    yield start
    next(graphs, None)


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


def text(browser, face, vital, part):
    return browser.value(CARD.format(face, vital) + f".querySelector('{part}').textContent")


def two_people(seconds):
    pairs = zip(stream_of(bpm=60, seconds=seconds), crops(bpm=135, seconds=seconds, face="other", seed=5), strict=True)
    return [(stamp, [*first, second]) for (stamp, first), second in pairs]


@needs_chromium
def test_two_people_and_a_condition(graph, browser):
    node, monitor, send = graph()
    browser.complaints.clear()
    browser.open(monitor.server.url)
    browser.wait("document.getElementById('link').textContent === 'connected'")
    assert browser.value("document.getElementById('nobody').hidden") is False
    send(two_people(28))
    for face, low, high in (("abcde", 57, 63), ("other", 132, 138)):
        browser.wait(CARD.format(face, "bvp") + "?.dataset.known === 'yes'")
        assert low <= int(text(browser, face, "bvp", ".value")) <= high
        assert "(95 %)" in text(browser, face, "bvp", ".interval")
    assert "warming up" in text(browser, "abcde", "rsp", ".reasons") and text(browser, "abcde", "rsp", ".value") == "–"
    browser.wait("document.querySelector('li[data-nature=physiological]') !== null")
    said = browser.value("document.getElementById('conditions').textContent")
    assert "physiological condition: heart rate above 120 beats/min (face other)" in said
    assert browser.value("document.body.textContent.toLowerCase().includes('alarm')") is False
    drawn = (
        "(() => { const c = " + CARD.format("abcde", "bvp") + ".querySelector('canvas.wave');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0) })()"
    )
    browser.wait(drawn)
    browser.value(CARD.format("other", "bvp") + ".querySelector('details').open = true")
    browser.wait(CARD.format("other", "bvp") + ".querySelectorAll('tbody tr').length >= 1")
    assert not browser.complaints


@needs_chromium
def test_a_measurement_is_begun_and_stopped_by_keyboard(graph, browser):
    node, monitor, send = graph()
    browser.complaints.clear()
    browser.open(monitor.server.url)
    browser.wait("document.getElementById('link').textContent === 'connected'")
    browser.value("document.getElementById('seconds').focus()")
    browser.key("Tab")
    assert browser.value("document.activeElement.id") == "start"
    browser.key("Enter", text="\r")
    wait_for(lambda: node._measurements.running == 1, what="the measurement")
    send(stream_of(bpm=72, seconds=20))
    browser.wait("/heart rate 7[1-3] so far/.test(document.getElementById('advice').textContent)")
    assert browser.value("document.getElementById('progress').value") > 0.1
    assert browser.value("document.getElementById('start').disabled") is True
    browser.value("document.getElementById('stop').focus()")
    browser.key("Enter", text="\r")
    browser.wait("document.getElementById('stop').matches(':focus')")
    wait_for(lambda: monitor._goal is not None, what="the goal")
    send(stream_of(bpm=72, seconds=4, start_s=20))
    browser.wait("document.getElementById('result').textContent.startsWith('cancelled')")
    assert browser.value("document.getElementById('session').hidden") is True
    assert not browser.complaints


@needs_chromium
def test_a_lost_connection_is_told(graph, browser):
    node, monitor, send = graph()
    browser.open(monitor.server.url)
    browser.wait("document.getElementById('link').textContent === 'connected'")
    node.on_executor(lambda: (monitor.trigger_deactivate(), monitor.trigger_cleanup()))
    browser.wait("document.getElementById('link').textContent.includes('what is shown is old')")


@needs_chromium
@pytest.mark.parametrize(("width", "columns"), [(390, 1), (1280, 2)])
def test_it_fits_phones_and_desktops(graph, browser, width, columns):
    node, monitor, send = graph()
    browser.size(width, 800, mobile=width < 600)
    browser.open(monitor.server.url)
    send(two_people(3))
    browser.wait("document.querySelectorAll('article').length === 2")
    assert browser.value("document.documentElement.scrollWidth <= window.innerWidth") is True
    tops = browser.value("[...document.querySelectorAll('article')].map((one) => one.offsetTop)")
    assert (len(set(tops)) == 1) == (columns == 2)
    unlabelled = (
        "[...document.querySelectorAll('button, select, input, canvas.wave, meter, progress')]"
        ".filter((one) => !one.textContent.trim() && !one.labels?.length && !one.getAttribute('aria-label')).length"
    )
    assert browser.value(unlabelled) == 0


@needs_chromium
def test_dark_and_light(graph, browser):
    node, monitor, send = graph()
    for dark in (True, False):
        browser.dark(dark)
        browser.open(monitor.server.url)
        browser.value("localStorage.clear()")
        browser.open(monitor.server.url)
        name = "dark" if dark else "light"
        assert browser.value("document.documentElement.dataset.theme") == name
        shade = browser.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (max(shade) < 64) == dark
    browser.value("document.getElementById('theme').click()")
    browser.open(monitor.server.url)
    assert browser.value("document.documentElement.dataset.theme") == "dark", "the choice is kept"
    browser.value("localStorage.clear()")


class Sent:
    """In the server's place: keeps what is sent."""

    def __init__(self):
        self.events = []

    def send(self, events):
        self.events += json.loads(json.dumps(events, allow_nan=False))

    def end(self):
        pass


def test_a_measurement_that_nobody_can_make_is_refused():
    context()
    node = MonitorNode(parameter_overrides=overrides(port=0))
    try:
        node.autostart()
        node.server.end()
        node.server = sent = Sent()
        node._client.server_is_ready = lambda: False
        node._obey({"do": "measure", "face": "", "seconds": 60, "vitals": 0})
        assert sent.events == [{"kind": "refused", "text": "nobody measures: is the node vitals up and active?"}]
        node._client.server_is_ready = lambda: True
        for bad in ({"seconds": 1e9}, {"seconds": "x"}, {"vitals": 4}, {"face": None}, {"seconds": float("nan")}):
            sent.events.clear()
            node._obey({"do": "measure", "face": "", "seconds": 60, "vitals": 0} | bad)
            assert [one["kind"] for one in sent.events] == ["refused"], bad
        node._obey({"do": "stop"})
        node._obey({"do": "nonsense"})
        sent.events.clear()
        node._asking = True
        node._obey({"do": "measure", "face": "", "seconds": 60, "vitals": 0})
        assert "goes on already" in sent.events[0]["text"]
        rate = rate_message(Rate.unknown(Vital.BVP, "abcde", 10**9, Status.LOW_QUALITY, "m"), "camera")
        node.seconds = lambda: 100.0
        node._on_rate(Vital.BVP, rate)
        sent.events.clear()
        node._client.server_is_ready = lambda: False
        node._check_silence()
        assert not sent.events
        node.seconds = lambda: 104.0
        node._check_silence()
        assert [one["kind"] for one in sent.events] == ["rate", "conditions"] and sent.events[0]["status"] == "STALE"
        assert not node._asking
        node._on_rate(Vital.BVP, rate)
        assert sent.events[-1]["status"] == "LOW_QUALITY", "heard again"
        node._on_faces(msg.Faces(header=Header(), faces=[msg.Face(face_id="abcde", target=True), msg.Face()]))
        assert sent.events[-1] == {"kind": "targets", "faces": ["abcde"]}
    finally:
        node.destroy_node()


def test_limits_that_do_not_rise_are_refused():
    context()
    with pytest.raises(ParameterError, match="'heart_rate.limits' cannot be"):
        MonitorNode(parameter_overrides=overrides(heart_rate__limits=[120.0, 50.0]))
