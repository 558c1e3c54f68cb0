"""A subscription to images that asks for reliable delivery where all their publishers offer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rppg_ros.nodes import qos
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
    reliability : one of RELIABILITIES.
    on_lost : called with the number of images that the middleware says it lost.
    """

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        on_image: Callable[[Any], None],
        reliability: str,
        on_lost: Callable[[int], None],
    ) -> None:
        self._node, self._kind, self._topic = node, kind, topic
        self._on_image, self._on_lost = on_image, on_lost
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
        self._subscription = self._node.create_subscription(
            self._kind,
            self._topic,
            self._on_image,
            self._profile,
            event_callbacks=SubscriptionEventCallbacks(message_lost=self._count_lost),
        )

    def _count_lost(self, event: Any) -> None:
        self._on_lost(event.total_count_change)
