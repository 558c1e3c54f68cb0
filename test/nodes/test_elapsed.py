import pytest

from rppg_ros.nodes.elapsed import STANDING_S, ElapsedTime


class Times:
    """Times that a test sets."""

    def __init__(self, simulated=True, publishers=1):
        self.simulated, self.publishers, self.host_s, self.ros_s = simulated, publishers, 100.0, 0.0
        self.elapsed = ElapsedTime(
            lambda: self.simulated, lambda: round(self.ros_s * 1e9), lambda: self.publishers, lambda: self.host_s
        )

    def step(self, host_s=0.0, ros_s=0.0):
        self.host_s, self.ros_s = self.host_s + host_s, self.ros_s + ros_s
        return self.elapsed.seconds()


def test_without_simulation_it_is_the_hosts():
    times = Times(simulated=False)
    assert times.step(host_s=2.5, ros_s=9.0) == 2.5 and not times.elapsed.complaint
    assert times.step(host_s=60.0) == 62.5 and not times.elapsed.complaint


def test_simulated_time_goes_with_the_clock_and_stands_with_it():
    times = Times()
    assert times.step(host_s=1.0, ros_s=5.0) == 5.0
    assert times.step(host_s=2.0) == 5.0 and not times.elapsed.complaint
    times.step(host_s=STANDING_S)
    assert times.elapsed.complaint == "/clock stands still"
    times.step(host_s=0.1, ros_s=0.1)
    assert not times.elapsed.complaint


def test_time_that_jumps_back_takes_nothing_away():
    times = Times()
    times.step(ros_s=10.0)
    assert times.step(ros_s=-8.0) == 10.0
    assert times.step(ros_s=1.0) == 11.0


def test_without_a_clock_the_hosts_time_goes_on_and_it_is_named():
    times = Times(publishers=0)
    assert times.step(host_s=3.0) == 3.0
    assert "nobody publishes /clock" in times.elapsed.complaint
    times.publishers = 1
    assert times.step(host_s=1.0, ros_s=0.5) == pytest.approx(3.5)
