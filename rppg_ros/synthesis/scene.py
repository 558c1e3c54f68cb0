"""What a made-up clip follows from: who, how they move, in which light, before which cameras."""

from __future__ import annotations

from dataclasses import dataclass, field

from rppg_ros.synthesis.camera import CameraConfig
from rppg_ros.synthesis.haemodynamics import Body
from rppg_ros.synthesis.heat import ThermalConfig
from rppg_ros.synthesis.light import LightConfig
from rppg_ros.synthesis.motion import MotionConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a clip follows from, besides its seed.

    Attributes
    ----------
    fitzpatrick : skin type, 1 to 6.
    pulse_strength : change of blood for a unit of bvp, as a share of the channel with absorption 1.
    exposure : how bright the face is: linear light on white.
    photographed : whether the face has the texture of photographs; see synthesis.photographs.
    edges : shares of the crop, left, top, right and bottom, that lie beyond the picture: there its edge is repeated.
    thermal : None: no thermal camera.
    """

    body: Body = field(default_factory=Body)
    motion: MotionConfig = field(default_factory=MotionConfig)
    light: LightConfig = field(default_factory=LightConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    fitzpatrick: float = 3.0
    pulse_strength: float = 0.008
    exposure: float = 0.8
    photographed: bool = False
    edges: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    thermal: ThermalConfig | None = None
