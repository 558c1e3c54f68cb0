"""~/enable: switch a node on and off with one call, for those who do not speak lifecycle."""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import SetBool


class EnableService:
    """Service of a lifecycle node: true configures it where it has to be, and activates it; false deactivates it."""

    def __init__(self, node: Any) -> None:
        self._node = node
        node.create_service(SetBool, "~/enable", self._answer)

    def _answer(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        try:
            problem = self._enable() if request.data else self._disable()
        except Exception as error:  # rclpy's own, of several classes, for transitions that are not allowed
            problem = " ".join(str(error).split())
        response.success = not problem
        response.message = problem or ("active" if self._node.active else "inactive")
        return response

    def _enable(self) -> str:
        node, done = self._node, TransitionCallbackReturn.SUCCESS
        if not node.configured and node.trigger_configure() != done:
            return f"not configured: {node.problem}"
        return "" if node.active or node.trigger_activate() == done else "not activated"

    def _disable(self) -> str:
        node = self._node
        return (
            ""
            if not node.active or node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
            else "not deactivated"
        )
