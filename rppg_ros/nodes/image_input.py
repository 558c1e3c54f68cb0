"""A subscription to images that asks for reliable delivery where all their publishers offer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rppg_ros.nodes import qos
from rppg_ros.nodes.arrivals import Arrivals
from rppg_ros.settings.nodes import RELIABILITIES

AUTO, BEST_EFFORT, RELIABLE = RELIABILITIES
ADAPT_S = 0.5


class ImageInput:
    """Images of one topic.

    A raw 640x480 image is larger than what Fast DDS shares in memory by default, and travels in fifteen pieces; with best
    effort one lost piece loses the image, and a loaded machine loses most of them. Most drivers publish reliably. So "auto"
    begins with best effort, which hears everybody, and changes over once all publishers are known to be reliable.

    Parameters
    ----------
    on_image : called with each image, unless several nodes send: whose images they are nobody knows then.
    reliability : one of RELIABILITIES.

    Attributes
    ----------
    arrivals : what came, and what was lost on the way. refused : images of several senders, so far.
    """

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        on_image: Callable[[Any], None],
        reliability: str,
    ) -> None:
        self._node, self._kind, self._topic = node, kind, topic
        self._on_image = on_image
        self.arrivals, self.refused = Arrivals(), 0
        self._reliability = reliability
        self._profile = qos.CAMERAS if reliability == RELIABLE else qos.IMAGES
        self._subscription: Any = None
        self._profile = self._wanted()
        self._subscribe()

    def adapt(self) -> None:
        """Change over if the publishers that are there now want it; on the executor's thread."""
        wanted = self._wanted()
        if wanted is not self._profile:
            self.close()
            self._profile = wanted
            self._subscribe()

    def close(self) -> None:
        """Stop listening."""
        self._node.destroy_subscription(self._subscription)

    def _wanted(self) -> QoSProfile:
        if self._reliability != AUTO:
            return self._profile
        publishers = self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(self._topic))
        offers = {publisher.qos_profile.reliability for publisher in publishers}
        if not offers:  # nobody there at the moment is no reason to change
            return self._profile
        return qos.CAMERAS if offers == {ReliabilityPolicy.RELIABLE} else qos.IMAGES

    def _subscribe(self) -> None:
        self.arrivals.restart()
        # rclpy counts the arguments of a callback: with two, it is given the message's info, too. Its types do not say so.
        take: Any = self._take
        self._subscription = self._node.create_subscription(self._kind, self._topic, take, self._profile)

    def _take(self, message: Any, info: Mapping[str, object]) -> None:
        self.arrivals.push(info)
        if self.arrivals.several:
            self.refused += 1
        else:
            self._on_image(message)

    @property
    def complaint(self) -> str:
        """That several nodes send, and which; empty if one does."""
        return several_senders(self._node, self._topic, self.arrivals)


def several_senders(node: Node, topic: str, arrivals: Arrivals) -> str:
    """That several nodes send on one topic, and which; empty if one does."""
    if not arrivals.several:
        return ""
    full_name = node.resolve_topic_name(topic)
    names = sorted(
        f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"
        for publisher in node.get_publishers_info_by_topic(full_name)
    )
    return f"several nodes send on {full_name}: {', '.join(names)}; no image is used"
