"""A mobile service robot: people come and go, the cameras move; tracker and vitals in processes of their own."""

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

SHARE = FindPackageShare("rppg_ros")
DEFAULTS = {
    "namespace": "",
    "rgb_topic": "image",
    "rgb_info_topic": "camera_info",
    "thermal_topic": "thermal/image",
    "thermal_info_topic": "thermal/camera_info",
    "model": "",
    "composed": "false",
    "use_sim_time": "false",
    "autostart": "true",
    "use_respawn": "true",
    "log_level": "info",
}


def generate_launch_description() -> LaunchDescription:
    """pipeline.launch.py with config/mobile_robot.yaml; its arguments are described there."""
    params_file = DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([SHARE, "config", "mobile_robot.yaml"]),
        description="YAML file with the nodes' parameters",
    )
    arguments = [
        DeclareLaunchArgument(name, default_value=value, description="see pipeline.launch.py")
        for name, value in DEFAULTS.items()
    ]
    pipeline = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([SHARE, "launch", "pipeline.launch.py"])),
        launch_arguments={name: LaunchConfiguration(name) for name in (*DEFAULTS, "params_file")}.items(),
    )
    return LaunchDescription([params_file, *arguments, pipeline])
