"""A recording with ground truth through the live graph: played, measured, and laid beside the truth; ends by itself."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("rppg_ros")
ARGUMENTS = (
    ("namespace", "replay", "namespace of the nodes and of all their topics"),
    ("recording", "", "bag, video or image folder, with its ground truth in it or in a CSV beside it"),
    ("truth", "", "CSV with the ground truth; empty: the one beside the recording, or topics of the bag"),
    ("output", "evaluation", "folder for results.json, tables and report.html"),
    ("window", "0.0", "seconds of rPPG-Toolbox's windows; 0: the recording as a whole"),
    ("rate", "0.0", "speed; 0: as fast as the nodes keep up"),
    ("bag_rgb_topic", "", "RGB image topic of a bag; empty: the only one"),
    ("bag_thermal_topic", "", "thermal image topic of a bag; empty: the one with thermal in its name"),
)


def _text(name: str) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def _number(name: str) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(name), value_type=float)


def generate_launch_description() -> LaunchDescription:
    """video_source and evaluation_recorder beside pipeline.launch.py."""
    params_file = DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([SHARE, "config", "mobile_robot.yaml"]),
        description="YAML file with the nodes' parameters",
    )
    arguments = [DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in ARGUMENTS]
    # Includes the arguments (model, log_level, ...) that the nodes below read too.
    pipeline = PythonLaunchDescriptionSource(PathJoinSubstitution([SHARE, "launch", "pipeline.launch.py"]))
    bag_topics = {"bag.rgb_topic": _text("bag_rgb_topic"), "bag.thermal_topic": _text("bag_thermal_topic")}
    played = {"source": _text("recording"), "rate": _number("rate"), "exit_at_end": True, **bag_topics}
    recorded = {
        "recording": _text("recording"),
        "truth": _text("truth"),
        "output": _text("output"),
        "window": _number("window"),
        "rgb_topic": _text("bag_rgb_topic"),
        "thermal_topic": _text("bag_thermal_topic"),
    }
    recorder = _node("evaluation_recorder", recorded)
    end = RegisterEventHandler(OnProcessExit(target_action=recorder, on_exit=[EmitEvent(event=Shutdown())]))
    return LaunchDescription(
        [params_file, *arguments, IncludeLaunchDescription(pipeline), recorder, _node("video_source", played), end]
    )


def _node(executable: str, parameters: dict) -> Node:
    return Node(
        package="rppg_ros",
        executable=executable,
        name=executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), parameters],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )
