#!/usr/bin/env bash
# colcon build of this source tree with the ROS of a virtual environment's wheels: colcon_build.sh VENV [colcon options]
# With a ROS from apt none of this is needed: source it and run `colcon build`.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/.." && pwd)
venv=$(cd "$1" && pwd)
shift
export VIRTUAL_ENV=$venv AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv PATH=$venv/bin:$PATH
unset PYTHONPATH
exec colcon build --packages-select rppg_ros "$@" --cmake-args \
    -DPython3_EXECUTABLE="$venv/bin/python" -DCMAKE_PROJECT_INCLUDE="$source_dir/scripts/wheel_includes.cmake" \
    -DBUILD_TESTING=OFF
