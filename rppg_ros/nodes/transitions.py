"""Every request for a lifecycle transition is answered."""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode

MAX_SHOWN = 200  # characters of an error


def answer_always(node: LifecycleNode) -> None:
    """Refuse transitions that are not allowed from the present state, or not known, with success=False.

    rclpy raises for them instead, so that whoever asked waits for ever.
    """
    service: Any = getattr(node, "_service_change_state", None)
    if service is None:  # another rclpy, which may answer by itself
        return
    change = service.callback

    def answer(request: Any, response: Any) -> Any:
        try:
            return change(request, response)
        except Exception as error:  # rclpy's own, of several classes
            if not node.context.ok():
                raise
            asked = request.transition.label or request.transition.id
            node.get_logger().warning(f"transition '{asked}' refused: {' '.join(str(error).split())[:MAX_SHOWN]}")
            response.success = False
            return response

    service.callback = answer
