"""A clinical cart: one person sits still; both nodes in one process, no face image on the network."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("rppg_ros")


def generate_launch_description() -> LaunchDescription:
    """pipeline.launch.py, whose arguments these are too, with other defaults."""
    defaults = [
        DeclareLaunchArgument(
            "params_file",
            default_value=PathJoinSubstitution([SHARE, "config", "clinical_cart.yaml"]),
            description="YAML file with the nodes' parameters",
        ),
        DeclareLaunchArgument(
            "model_without_thermal",
            default_value="phasenet-causal",  # patients keep still; docs/accuracy.md says why
            description="the model with thermal_topic:=none",
        ),
        DeclareLaunchArgument(
            "composed", default_value="true", description="both nodes in one process", choices=["true", "false"]
        ),
        DeclareLaunchArgument(
            "use_respawn", default_value="true", description="start a node again that died", choices=["true", "false"]
        ),
        DeclareLaunchArgument(
            "monitor",
            default_value="true",
            description="serve a web page of what is measured, on this host alone (docs/monitor.md)",
            choices=["true", "false"],
        ),
        DeclareLaunchArgument(
            "dds_profile",
            default_value="loopback",
            description="loopback: no other host sees topics or names, so cameras, screens and recorders must run on this one; "
            "shared_memory: for carts with more hosts; none: as the environment says; or path of a Fast DDS profile",
        ),
    ]
    pipeline = PythonLaunchDescriptionSource(PathJoinSubstitution([SHARE, "launch", "pipeline.launch.py"]))
    return LaunchDescription([*defaults, IncludeLaunchDescription(pipeline)])
