"""Face tracker and vitals for any pair of cameras; the other launch files are presets of this one."""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.substitutions import FindPackageShare

PACKAGE = "rppg_ros"
ARGUMENTS = (
    ("namespace", "", "namespace of the nodes and of all their topics", None),
    ("params_file", "", "YAML file with the nodes' parameters; empty: config/mobile_robot.yaml", None),
    ("rgb_topic", "image", "RGB image topic (sensor_msgs/Image)", None),
    ("rgb_info_topic", "camera_info", "its camera_info topic", None),
    ("thermal_topic", "thermal/image", "thermal image topic; 'none': no thermal camera", None),
    ("thermal_info_topic", "thermal/camera_info", "its camera_info topic", None),
    (
        "model",
        "",
        "shipped model, or path of an .onnx one with a model card; none: training-free; empty: what the parameters say",
        None,
    ),
    (
        "model_without_thermal",
        "mmrphys-rgb",
        "the model with thermal_topic:=none, unless `model` or a params_file of your own says another",
        None,
    ),
    ("composed", "false", "both nodes in one process", ["true", "false"]),
    ("use_sim_time", "false", "follow /clock", ["true", "false"]),
    ("autostart", "true", "configure and activate the lifecycle nodes at start", ["true", "false"]),
    ("use_respawn", "false", "start a node again that died", ["true", "false"]),
    ("log_level", "info", "debug, info, warn, error or fatal", None),
)


def generate_launch_description() -> LaunchDescription:
    """Arguments, then the nodes that they ask for."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in ARGUMENTS
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])


def _is_ours(params_file, default_file):
    return os.path.dirname(os.path.realpath(params_file)) == os.path.dirname(os.path.realpath(default_file))


def _nodes(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    default_file = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "mobile_robot.yaml"])
    overrides = {
        "use_sim_time": value("use_sim_time") == "true",
        "autostart": value("autostart") == "true",
    }
    params_file = value("params_file") or default_file.perform(context)
    if value("thermal_topic") == "none":
        overrides["thermal.enabled"] = False  # the tracker's; vitals has no such parameter and does not look
    if value("model"):
        overrides["model"] = "" if value("model") == "none" else value("model")
    elif value("thermal_topic") == "none" and _is_ours(params_file, default_file.perform(context)):
        # The presets' own model is made for both cameras.
        overrides["model"] = value("model_without_thermal")
    parameters = [params_file, overrides]
    remappings = [
        (local, value(argument))
        for local, argument in (
            ("image", "rgb_topic"),
            ("camera_info", "rgb_info_topic"),
            ("thermal/image", "thermal_topic"),
            ("thermal/camera_info", "thermal_info_topic"),
        )
        if value(argument) not in (local, "none")
    ]
    common = {
        "package": PACKAGE,
        "namespace": value("namespace"),
        "remappings": remappings,
        "output": "screen",
        "respawn": value("use_respawn") == "true",
        "ros_arguments": ["--log-level", value("log_level")],
    }
    if value("composed") == "true":
        # No name: it would rename both nodes of the process.
        return [
            Node(
                executable="vitals_pipeline",
                parameters=parameters,
                **common,
            )
        ]
    return [
        LifecycleNode(
            executable="face_tracker",
            name="face_tracker",
            parameters=parameters,
            **common,
        ),
        LifecycleNode(executable="vitals", name="vitals", parameters=parameters, **common),
    ]
