"""Topics of each face apart, faces/ID/heart_rate and so on, so that plots of two people do not zigzag."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from rppg_ros.inference.waves import Output
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, rate_message, waveform_message
from rppg_ros.types import Vital, Waveform

RATE_TOPICS = {Vital.BVP: "heart_rate", Vital.RSP: "respiration_rate"}
MAX_FACES = 32  # whose topics exist at once; beyond them those go that were silent longest
NOT_OF_NAMES = re.compile(r"[^A-Za-z0-9_]")


class FaceTopics:
    """Publishers of a lifecycle node, made as faces come."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._publishers: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def publish(self, output: Output, frame_id: str) -> None:
        """A waveform or a rate of some face."""
        if not output.face_id:
            return
        if isinstance(output, Waveform):
            name, kind, message = output.vital.value, WAVEFORM_TYPES[output.vital], waveform_message(output, frame_id)
        else:
            name, kind, message = RATE_TOPICS[output.vital], RATE_TYPES[output.vital], rate_message(output, frame_id)
        topics = self._publishers.setdefault(output.face_id, {})
        self._publishers.move_to_end(output.face_id)
        while len(self._publishers) > MAX_FACES:
            self._drop(self._publishers.popitem(last=False)[1])
        if name not in topics:
            topics[name] = self._node.create_lifecycle_publisher(kind, topic_of(output.face_id, name), qos.VITALS)
            topics[name].on_activate(None)  # it comes after the node's own activation
        topics[name].publish(message)

    def close(self) -> None:
        """End all topics."""
        while self._publishers:
            self._drop(self._publishers.popitem()[1])

    def _drop(self, topics: dict[str, Any]) -> None:
        for publisher in topics.values():
            self._node.destroy_lifecycle_publisher(publisher)


def topic_of(face_id: str, name: str) -> str:
    """Relative topic; ids of other trackers may have letters that no topic name has."""
    token = NOT_OF_NAMES.sub("_", face_id)
    return f"faces/{'id_' + token if token[:1].isdigit() else token}/{name}"
