"""examples/cpp: what of it needs no rclcpp compiles against the installed messages, and says the right thing.

The client itself is compiled where rclcpp is; it is not on PyPI.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILER = shutil.which("g++") or shutil.which("clang++")
HEADERS = Path(sys.prefix) / "include"
PROGRAM = """
#include <iostream>
#include "words.hpp"

int main() {
  rppg_ros::msg::Measurement found;
  found.heart_rate.status = rppg_ros::msg::HeartRate::STATUS_OK;
  found.heart_rate.value = 71.6F;
  found.heart_rate.low = 69.0F;
  found.heart_rate.high = 74.0F;
  found.respiration_rate.status = rppg_ros::msg::RespirationRate::STATUS_LOW_QUALITY;
  found.respiration_rate.reasons = {rppg_ros::msg::RespirationRate::REASON_TALKING};
  found.message = "so it was";
  const auto goal = example::goal(30.0F, true);
  std::cout << example::told(found) << "\\n" << goal.seconds << " " << static_cast<int>(goal.vitals) << std::endl;
}
"""


@pytest.mark.slow
@pytest.mark.skipif(not COMPILER, reason="no C++ compiler")
@pytest.mark.skipif(not (HEADERS / "rppg_ros").is_dir(), reason="no headers beside this Python")
def test_messages_and_action_compile_in_cpp(tmp_path):
    (tmp_path / "main.cpp").write_text(PROGRAM)
    folders = [f"-I{folder}" for folder in sorted(HEADERS.iterdir()) if folder.is_dir()]
    words = [COMPILER, "-std=c++17", "-Wall", "-Wextra", f"-I{ROOT / 'examples/cpp/src'}", *folders]
    subprocess.run([*words, str(tmp_path / "main.cpp"), "-o", str(tmp_path / "main")], check=True)
    said = subprocess.run([str(tmp_path / "main")], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert said == [
        "heart rate 72 beats/min (69 to 74); respiration rate not known (status 2, 1 reasons)",
        "so it was",
        "30 1",
    ]
