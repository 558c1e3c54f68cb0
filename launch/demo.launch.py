"""A made-up person with known pulse and breath, or any recording, through the whole graph."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("rppg_ros")
ARGUMENTS = (
    ("namespace", "demo", "namespace of the nodes and of all their topics"),
    ("source", "demo:", "what video_source plays: demo:, a video file, an image folder, a bag, a camera's number"),
    ("rate", "1.0", "speed; 0: as fast as the nodes keep up"),
    ("loop", "false", "play again and again"),
)


def generate_launch_description() -> LaunchDescription:
    """video_source beside pipeline.launch.py, both with config/demo.yaml."""
    params_file = DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([SHARE, "config", "demo.yaml"]),
        description="YAML file with the nodes' parameters",
    )
    arguments = [DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in ARGUMENTS]
    played = {
        "source": ParameterValue(LaunchConfiguration("source"), value_type=str),
        "rate": ParameterValue(LaunchConfiguration("rate"), value_type=float),
        "loop": ParameterValue(LaunchConfiguration("loop"), value_type=bool),
        # Somebody has to: the nodes would wait for a clock that nobody publishes.
        "publish_clock": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool),
    }
    # Includes the arguments (model, log_level, ...) that video_source's node below reads too.
    pipeline = PythonLaunchDescriptionSource(PathJoinSubstitution([SHARE, "launch", "pipeline.launch.py"]))
    source = Node(
        package="rppg_ros",
        executable="video_source",
        name="video_source",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), played],
        output="screen",
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
    )
    return LaunchDescription([params_file, *arguments, IncludeLaunchDescription(pipeline), source])
