import pytest

from rppg_ros.nodes.arrivals import Arrivals


def heard(*numbers):
    arrivals = Arrivals()
    for number in numbers:
        arrivals.push({"publication_sequence_number": number})
    return arrivals


def test_numbers_that_are_missing_were_lost():
    arrivals = heard(5, 6, 9, 10, 20)
    assert arrivals.total == 5 and arrivals.lost == 2 + 9 and not arrivals.several


@pytest.mark.parametrize("info", [None, {}, {"publication_sequence_number": None}, {"publication_sequence_number": 0}])
def test_a_middleware_without_numbers_says_nothing(info):
    arrivals = Arrivals()
    for _ in range(40):
        arrivals.push(info)
    assert arrivals.total == 40 and arrivals.lost == 0 and not arrivals.several


def test_a_sender_that_was_started_again_is_one():
    arrivals = heard(*range(100, 130), *range(1, 30), *range(1, 20))
    assert not arrivals.several and arrivals.lost == 0


@pytest.mark.parametrize("second", [1, 100, 5000])
def test_two_that_take_turns_are_several(second):
    numbers = [n for i in range(5) for n in (100 + i, second + i)]
    assert heard(*numbers).several
    lost = heard(*numbers[:6]).lost
    assert heard(*numbers).lost <= lost + 5000, "nothing is counted as lost between two counts"


def test_it_is_over_when_one_of_them_stops():
    assert not heard(*[n for i in range(9) for n in (100 + i, 5 + i)], *range(109, 270)).several


def test_over_another_subscription_nothing_is_lost():
    arrivals = heard(1, 2)
    arrivals.restart()
    arrivals.push({"publication_sequence_number": 50})
    assert arrivals.lost == 0


def at(*pairs):
    arrivals = Arrivals()
    for number, second in pairs:
        arrivals.push({"publication_sequence_number": number, "received_timestamp": round(second * 1e9)})
    return arrivals


@pytest.mark.parametrize(("first", "fps"), [(1, 30), (100_000, 15), (400, 9)])
def test_a_second_sender_is_noticed_however_seldom_it_sends(first, fps):
    own = [(1000 + i, i / fps) for i in range(8 * fps)]
    foreign = [(first + i, 1.3 * i + 0.01) for i in range(3)]
    assert at(*sorted(own[: 3 * fps] + foreign, key=lambda pair: pair[1])).several
    assert not at(*sorted(own + foreign, key=lambda pair: pair[1])).several, "it is over 5 s later"


@pytest.mark.parametrize("step", [1, 2, 7])
def test_one_that_loses_messages_and_is_started_again_now_and_then_is_one(step):
    numbers = [n for start in (1, 5000, 3, 900) for n in range(start, start + 100, step)]
    assert not at(*[(n, i / 30) for i, n in enumerate(numbers)]).several
