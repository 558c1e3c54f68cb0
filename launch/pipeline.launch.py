"""Face tracker and vitals for any pair of cameras; the other launch files are presets of this one."""

import os

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    UnsetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.substitutions import FindPackageShare

PACKAGE = "rppg_ros"
EXIT_BAD_SETTING = 2  # rppg_ros.nodes.managed
PROFILES = {"loopback": "fastdds_loopback.xml", "shared_memory": "fastdds_shared_memory.xml"}
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")  # Fast DDS 2, 3
# Each makes rmw_fastrtps or Fast DDS add transports or peers to those of a profile.
AGAINST_A_PROFILE = ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER")
TRUTHS = ("true", "false", "True", "False")
ARGUMENTS = (
    ("namespace", "", "namespace of the nodes and of all their topics", None),
    ("params_file", "", "YAML file with the nodes' parameters; empty: config/mobile_robot.yaml", None),
    ("rgb_topic", "image", "RGB image topic (sensor_msgs/Image)", None),
    ("rgb_info_topic", "", "its camera_info topic; empty: camera_info beside the image topic", None),
    ("thermal_topic", "thermal/image", "thermal image topic; 'none': no thermal camera", None),
    ("thermal_info_topic", "", "its camera_info topic; empty: camera_info beside the image topic", None),
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
    ("engine", "", "network, pos, chrom or a plug-in's; empty: what the parameters say", None),
    ("provider", "", "cpu, cuda, tensorrt, openvino, coreml or auto; empty: what the parameters say", None),
    ("detector", "", "haar, yunet, auto or a plug-in's; empty: what the parameters say", None),
    ("image_transport", "", "raw or compressed; empty: what the parameters say", ["", "raw", "compressed"]),
    (
        "thermal_image_transport",
        "",
        "raw or compressed (PNG); empty: what the parameters say",
        ["", "raw", "compressed"],
    ),
    ("composed", "false", "both nodes in one process", ["true", "false"]),
    ("use_composition", "", "composed, by nav2's name; empty: as `composed` says", ["", *TRUTHS]),
    (
        "monitor",
        "false",
        "serve a web page of what is measured, on this host alone (docs/monitor.md)",
        ["true", "false"],
    ),
    ("use_sim_time", "false", "follow /clock", ["true", "false"]),
    ("autostart", "true", "configure and activate the lifecycle nodes at start", ["true", "false"]),
    ("use_respawn", "false", "start a node again that died, unless a setting was wrong", ["true", "false"]),
    ("respawn_delay", "2.0", "seconds before a node is started again", None),
    ("log_level", "info", "debug, info, warn, error or fatal", None),
    (
        "dds_profile",
        "shared_memory",
        "shared_memory: Fast DDS as it is, with memory enough that no subscriber that died stops the crops, unless the "
        "environment has a profile or another middleware; loopback: this host alone, no other host sees topics or names; "
        "none: as the environment says; or path of a Fast DDS profile",
        None,
    ),
    (
        "enclave",
        "",
        "SROS2: what the nodes' enclaves lie under, /rppg_ros for config/sros2_policy.xml; empty: none",
        None,
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Arguments, then the nodes that they ask for."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in ARGUMENTS
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_dds), OpaqueFunction(function=_nodes)])


def _dds(context):
    """Environment of every node that is started from here on, so that Fast DDS reads a profile and nothing widens it."""
    profile = LaunchConfiguration("dds_profile").perform(context)
    if profile == "none":
        return []
    middleware = context.environment.get("RMW_IMPLEMENTATION", "")
    other = middleware and not middleware.startswith("rmw_fastrtps")
    if profile == "shared_memory" and (other or any(context.environment.get(name) for name in PROFILE_VARIABLES)):
        return []  # whoever chose these has a say in it
    if other:
        raise RuntimeError(
            f"dds_profile:={profile} is for Fast DDS and RMW_IMPLEMENTATION={middleware} reads none: give dds_profile:=none"
        )
    alone = profile != "shared_memory"
    if profile in PROFILES:
        profile = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", PROFILES[profile]]).perform(context)
    if not os.path.isfile(profile):  # Fast DDS would go on without it
        raise RuntimeError(
            f"dds_profile: no file {profile}; it is shared_memory, loopback, none or the path of a Fast DDS profile"
        )
    path = os.path.abspath(profile)
    reads = [
        LogInfo(msg=f"Fast DDS profile: {path}"),
        *(SetEnvironmentVariable(name, path) for name in PROFILE_VARIABLES),
    ]
    if not alone:
        return reads
    return [
        *reads,
        # LOCALHOST would add a transport that listens on every address; SYSTEM_DEFAULT leaves the profile as it is.
        SetEnvironmentVariable("ROS_AUTOMATIC_DISCOVERY_RANGE", "SYSTEM_DEFAULT"),
        *(UnsetEnvironmentVariable(name) for name in AGAINST_A_PROFILE if name in context.environment),
    ]


def _is_ours(params_file, default_file):
    return os.path.dirname(os.path.realpath(params_file)) == os.path.dirname(os.path.realpath(default_file))


def _nodes(context):
    def value(name):
        return LaunchConfiguration(name).perform(context)

    default_file = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "mobile_robot.yaml"])
    both = {"use_sim_time": value("use_sim_time") == "true", "autostart": value("autostart") == "true"}
    of_tracker, of_vitals = dict(both), dict(both)
    params_file = value("params_file") or default_file.perform(context)
    for argument, parameter, own in (
        ("engine", "engine", of_vitals),
        ("provider", "provider", of_vitals),
        ("detector", "detector.name", of_tracker),
        ("image_transport", "image_transport", of_tracker),
        ("thermal_image_transport", "thermal.image_transport", of_tracker),
    ):
        if value(argument):
            own[parameter] = value(argument)
    if value("thermal_topic") == "none":
        of_tracker["thermal.enabled"] = False
    if value("model"):
        of_vitals["model"] = value("model")
    elif value("thermal_topic") == "none" and _is_ours(params_file, default_file.perform(context)):
        # The presets' own model is made for both cameras.
        of_vitals["model"] = value("model_without_thermal")
    remappings = [
        (local, value(argument))
        for local, argument in (
            ("image", "rgb_topic"),
            ("camera_info", "rgb_info_topic"),
            ("thermal/image", "thermal_topic"),
            ("thermal/camera_info", "thermal_info_topic"),
        )
        if value(argument) not in (local, "none", "")
    ]
    common = {
        "package": PACKAGE,
        "namespace": value("namespace"),
        "remappings": remappings,
        "output": "screen",
        "respawn": value("use_respawn") == "true",
        "respawn_delay": float(value("respawn_delay")),
    }

    def arguments(executable):
        enclave = ["--enclave", f"{value('enclave').rstrip('/')}/{executable}"] if value("enclave") else []
        return ["--log-level", value("log_level"), *enclave]

    if (value("use_composition") or value("composed")).lower() == "true":
        # No name: it would rename both nodes of the process. Each takes those of the parameters that are its own.
        parameters = [params_file, {**of_tracker, **of_vitals}]
        name = "vitals_pipeline"
        nodes = [Node(executable=name, parameters=parameters, ros_arguments=arguments(name), **common)]
    else:
        nodes = [
            LifecycleNode(
                executable=name, name=name, parameters=[params_file, own], ros_arguments=arguments(name), **common
            )
            for name, own in (("face_tracker", of_tracker), ("vitals", of_vitals))
        ]
    if value("monitor") == "true":
        parameters = [params_file, both]
        page = LifecycleNode(
            executable="monitor", name="monitor", parameters=parameters, ros_arguments=arguments("monitor"), **common
        )
        nodes.append(page)
    return [*nodes, *(_end_when_a_setting_is_wrong(node) for node in nodes)]


def _end_when_a_setting_is_wrong(node):
    """A node that ends with EXIT_BAD_SETTING has said which setting is wrong; started again, it would say so again."""

    def on_exit(event, context):
        if event.returncode != EXIT_BAD_SETTING:
            return None
        return [
            LogInfo(msg=f"{event.process_name} is not started again: a setting is wrong, see above"),
            EmitEvent(event=ShutdownProcess(process_matcher=matches_action(node))),
        ]

    return RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit))
