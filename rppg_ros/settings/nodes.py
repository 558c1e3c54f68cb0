"""Settings that only the nodes have, beside those of the half that each of them runs."""

from __future__ import annotations

from dataclasses import dataclass

from rppg_ros.settings.halves import CameraSettings, VitalsSettings
from rppg_ros.settings.schema import Checked, SettingError, setting

TRANSPORTS = ("raw", "compressed")
RELIABILITIES = ("auto", "best_effort", "reliable")


@dataclass(frozen=True, kw_only=True)
class ManagedSettings(Checked):
    """What both lifecycle nodes have."""

    autostart: bool = setting(
        "autostart", True, "configure and activate at start; false: wait for lifecycle transitions"
    )
    stale_after: float = setting(
        "stale_after",
        2.0,
        "time without input after which diagnostics warn and rates are stale",
        0.2,
        60.0,
        unit="s",
        live=True,
    )


@dataclass(frozen=True, kw_only=True)
class TrackerNodeSettings(CameraSettings, ManagedSettings):
    """Parameters of face_tracker."""

    image_transport: str = setting(
        "image_transport",
        "raw",
        "raw: `image`; compressed: `image/compressed` (JPEG weakens the pulse)",
        choices=TRANSPORTS,
    )
    image_reliability: str = setting(
        "image_reliability", "auto", "auto: reliable where all publishers are, else best_effort", choices=RELIABILITIES
    )
    thermal_image_transport: str = setting(
        "thermal.image_transport", "raw", "raw or compressed (PNG)", choices=TRANSPORTS
    )
    thermal_extrinsics: list[float] = setting(
        "thermal.extrinsics",
        [0.0] * 7,
        "pose of the thermal camera in the RGB camera's optical frame: x, y, z in m, quaternion x, y, z, w; zeros: TF, if there",
    )


@dataclass(frozen=True, kw_only=True)
class VitalsNodeSettings(VitalsSettings, ManagedSettings):
    """Parameters of vitals."""

    max_lag: float = setting(
        "max_lag",
        5.0,
        "largest age of a number: on a machine that falls behind, or was held up, it is stale",
        1.0,
        60.0,
        unit="s",
        live=True,
    )
    queue_size: int = setting(
        "queue_size",
        8,
        "windows that may wait for the network, besides the newest of each face; beyond it the oldest is dropped",
        1,
        100,
        live=True,
    )

    per_face_topics: bool = setting(
        "per_face_topics",
        False,
        "publish each face's waveforms and rates on topics of its own, too: faces/ID/heart_rate and so on",
    )
    measure_on_sight: float = setting(
        "measure.on_sight",
        0.0,
        "begin a measurement of at most so long with everybody who comes into view, once (topic measurement); 0: never",
        0.0,
        1800.0,
        unit="s",
        live=True,
    )
    export_to: str = setting(
        "export.to",
        "",
        "where each finished measurement goes: a folder, or the http(s) base URL of an HL7 FHIR R4 server; empty: nowhere",
    )
    export_formats: str = setting(
        "export.formats", "fhir,csv", "of a folder: fhir (a JSON file each), csv (a line each), or both with a comma"
    )
    export_subject: str = setting(
        "export.subject",
        "",
        "FHIR reference of who is measured, such as Patient/123; empty: nobody is named",
        live=True,
    )


@dataclass(frozen=True, kw_only=True)
class VideoSourceSettings(Checked):
    """Parameters of video_source."""

    source: str = setting(
        "source", "", "camera number or /dev/video*, video file, image folder, rosbag2, or demo:[name=value,...]"
    )
    thermal_source: str = setting(
        "thermal_source", "", "video, folder or bag with the thermal camera's frames, if they are not in `source`"
    )
    fps: float = setting(
        "fps", 0.0, "frame rate of image folders without stamps; 0: they must have stamps", 0.0, 1000.0, unit="Hz"
    )
    bag_rgb_topic: str = setting("bag.rgb_topic", "", "RGB image topic of a bag; empty: the only one")
    bag_thermal_topic: str = setting(
        "bag.thermal_topic", "", "thermal image topic of a bag; empty: the one with thermal in its name"
    )
    rate: float = setting(
        "rate", 1.0, "speed, as a multiple of true speed; 0: as fast as face_tracker and vitals keep up", 0.0, 1000.0
    )
    loop: bool = setting("loop", False, "begin again at the end; stamps jump back as those of a looped bag")
    stamps: str = setting(
        "stamps",
        "source",
        "source: as recorded (files without time: from now on); now: shifted",
        choices=("source", "now"),
    )
    publish_clock: bool = setting("publish_clock", False, "publish /clock at the frames' stamps")
    wait_for_subscribers: float = setting(
        "wait_for_subscribers",
        5.0,
        "how long to wait for a subscriber of `image`, at rate 0 for vitals, too",
        0.0,
        600.0,
        unit="s",
    )
    exit_at_end: bool = setting("exit_at_end", False, "shut the process down after the last frame")
    encoding: str = setting(
        "encoding",
        "rgb8",
        "of `image`; a bag's images keep any other than rgb8 and bgr8",
        choices=("rgb8", "bgr8", "mono8"),
    )
    compressed: bool = setting(
        "compressed", False, "publish `image/compressed` (JPEG) and `thermal/image/compressed` (PNG) instead"
    )
    jpeg_quality: int = setting(
        "jpeg_quality", 95, "of compressed images; the pulse is weaker than what JPEG throws away", 1, 100
    )
    frame_id: str = setting("frame_id", "camera_optical_frame", "of `image`")
    thermal_frame_id: str = setting("thermal_frame_id", "thermal_optical_frame", "of `thermal/image`")
    camera_matrix: list[float] = setting(
        "camera_matrix", [0.0] * 9, "K of the RGB camera, row by row; zeros: no camera_info"
    )
    thermal_camera_matrix: list[float] = setting(
        "thermal_camera_matrix", [0.0] * 9, "K of the thermal camera, row by row; zeros: no camera_info"
    )


@dataclass(frozen=True, kw_only=True)
class RecorderSettings(Checked):
    """Parameters of evaluation_recorder."""

    recording: str = setting("recording", "", "bag, video or image folder that is replayed")
    truth: str = setting(
        "truth", "", "CSV with the ground truth; empty: the one beside the recording, or topics of the bag"
    )
    rgb_topic: str = setting("rgb_topic", "", "RGB image topic of a bag; empty: the only one")
    thermal_topic: str = setting(
        "thermal_topic", "", "thermal image topic of a bag; empty: the one with thermal in its name"
    )
    output: str = setting("output", "evaluation", "folder for results.json, tables and report.html")
    window: float = setting(
        "window", 0.0, "length of rPPG-Toolbox's windows; 0: the recording as a whole", 0.0, 3600.0, unit="s"
    )
    quiet_after: float = setting(
        "quiet_after", 6.0, "time without news after which the replay is taken to be over", 1.0, 600.0, unit="s"
    )
    exit_at_end: bool = setting("exit_at_end", True, "shut the process down once the results are written")


@dataclass(frozen=True, kw_only=True)
class MonitorSettings(ManagedSettings):
    """Parameters of monitor."""

    host: str = setting(
        "host", "127.0.0.1", "address to serve the page on; 0.0.0.0: every network of this host, with a token"
    )
    port: int = setting("port", 8630, "port of the page; 0: any that is free", 0, 65535)
    token: str = setting(
        "token",
        "",
        "whoever opens the page must give it (?token=...); empty: none on this host alone, else a random one (see the log)",
    )
    heart_rate_limits: list[float] = setting(
        "heart_rate.limits",
        [50.0, 120.0],
        "low and high: beyond them for 10 s is shown as a physiological condition",
        0.0,
        300.0,
        unit="1/min",
    )
    respiration_rate_limits: list[float] = setting(
        "respiration_rate.limits", [8.0, 30.0], "the same for the respiration rate", 0.0, 100.0, unit="1/min"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.host.strip():
            raise SettingError("'host' cannot be empty: 127.0.0.1, or 0.0.0.0 for every network of this host")
        for name, (low, high) in (
            ("heart_rate.limits", self.heart_rate_limits),
            ("respiration_rate.limits", self.respiration_rate_limits),
        ):
            if not low < high:
                raise SettingError(f"'{name}' cannot be [{low:g}, {high:g}]: the first must be below the second")
