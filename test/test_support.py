"""What keeps test processes apart, and ends the one that hangs."""

import os
import subprocess
import sys
from pathlib import Path

from support import watchdog

TAKE = "from support.domains import take_domain; print(take_domain(), take_domain(), flush=True); input()"
HANG = "import time\nfrom support.watchdog import watched\nwith watched('test_x', 0.01):\n    time.sleep(1e6)"
WELL = "from support.watchdog import watched\nwith watched('test_x', 1e6):\n    pass"


def python(code, **options):
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", code], env=env, text=True, **options)


def test_no_domain_is_taken_twice():
    asked = [python(TAKE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    taken = [int(word) for process in asked for word in process.stdout.readline().split()]
    for process in asked:
        process.communicate("\n")
    assert len(taken) == len({*taken, int(os.environ["ROS_DOMAIN_ID"])} - {int(os.environ["ROS_DOMAIN_ID"])}) == 6


def test_what_hangs_is_ended_and_named():
    hung = python(HANG, stderr=subprocess.PIPE)
    said = hung.communicate()[1]
    assert hung.returncode == watchdog.EXIT_CODE and "test_x: hangs" in said and "<string>" in said
    well = python(WELL, stderr=subprocess.PIPE)
    assert well.communicate()[1] == "" and well.returncode == 0
