"""config/: layouts for Foxglove and PlotJuggler show topics and fields that there are."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from diagnostic_msgs.msg import DiagnosticArray

from rppg_ros import msg

CONFIG = Path(__file__).parents[2] / "config"
TOPICS = {
    "/bvp/sample": msg.Sample,
    "/rsp/sample": msg.Sample,
    "/heart_rate": msg.HeartRate,
    "/respiration_rate": msg.RespirationRate,
    "/faces": msg.Faces,
    "/diagnostics": DiagnosticArray,
}


def there(topic, field):
    return topic in TOPICS and field in TOPICS[topic].get_fields_and_field_types()


def panels(layout):
    if isinstance(layout, str):
        return {layout}
    return panels(layout["first"]) | panels(layout["second"])


def test_foxglove():
    layout = json.loads((CONFIG / "foxglove_layout.json").read_text())
    assert panels(layout["layout"]) == set(layout["configById"]), "each panel is shown, and each that is shown is there"
    paths = [path["value"] for panel in layout["configById"].values() for path in panel.get("paths", ())]
    paths += [panel["topicPath"] for panel in layout["configById"].values() if "topicPath" in panel]
    assert len(paths) >= 8
    for path in paths:
        topic, field = re.match(r"(/[\w/]+)\.(\w+)", path).groups()
        assert there(topic, field), path


def test_plotjuggler():
    curves = [one.get("name") for one in ElementTree.parse(CONFIG / "plotjuggler_layout.xml").iter("curve")]
    assert len(curves) >= 6
    for curve in curves:
        topic, _, field = curve.rpartition("/")
        assert there(topic, field), curve
