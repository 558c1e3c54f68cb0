"""select_target: choose at run time whom to measure, by id or by a place in the picture, or let target.policy choose again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rclpy.parameter import Parameter

from rppg_ros import srv
from rppg_ros.vision.sights import at_point
from rppg_ros.vision.tracker import FaceTracker

MAX_SHOWN = 40  # characters of an id
TARGET_ID = "target.id"


class TargetService:
    """Service of a node whose parameter target.id it sets, so that `ros2 param get` tells who was chosen.

    Parameters
    ----------
    tracker : the one in use; None: the node is not active.
    """

    def __init__(self, node: Any, tracker: Callable[[], FaceTracker | None]) -> None:
        self._node, self._tracker = node, tracker
        self._service = node.create_service(srv.SelectTarget, "select_target", self._answer)

    def close(self) -> None:
        """End the service."""
        self._node.destroy_service(self._service)

    def settle(self, tracker: FaceTracker) -> None:
        """After each frame: a face that was asked for by its place has its id now."""
        if tracker.targets.claimed:
            face_id, tracker.targets.claimed = tracker.targets.claimed, ""
            self._set(face_id)

    def _answer(self, request: srv.SelectTarget.Request, response: srv.SelectTarget.Response) -> Any:
        try:
            response.success, response.face_id, response.message = self._chosen(request)
        except Exception as error:  # whoever waits for an answer gets one
            response.success, response.message = False, f"{type(error).__name__}: {error}"
        return response

    def _chosen(self, request: srv.SelectTarget.Request) -> tuple[bool, str, str]:
        tracker = self._tracker()
        if tracker is None:
            return False, "", f"{self._node.get_name()} is not active"
        if request.release:
            return self._set("") or (True, "", "target.policy chooses")
        if request.face_id:
            face_id = request.face_id
            if not tracker.knows(face_id):
                return False, "", f"no face '{face_id[:MAX_SHOWN]}' is in view, or was lately"
            return self._set(face_id) or (True, face_id, f"'{face_id[:MAX_SHOWN]}' alone is measured")
        return self._at(tracker, request.x, request.y)

    def _at(self, tracker: FaceTracker, x: float, y: float) -> tuple[bool, str, str]:
        if not (math.isfinite(x) and math.isfinite(y)):
            return False, "", f"a place in the picture is in pixels, not {x:g}, {y:g}"
        face = at_point(tracker.seen(), x, y)
        if face is None:
            return False, "", f"no face is seen at {x:g}, {y:g}"
        if face.face_id:
            return self._set(face.face_id) or (True, face.face_id, f"'{face.face_id}' alone is measured")
        tracker.claim(face.box)
        return True, "", "the face there is measured from the next search on; `faces` tells its id"

    def _set(self, face_id: str) -> tuple[bool, str, str] | None:
        """None where it was done."""
        (result,) = self._node.set_parameters([Parameter(TARGET_ID, value=face_id)])
        return None if result.successful else (False, "", result.reason)
