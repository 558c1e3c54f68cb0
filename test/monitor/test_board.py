"""What the page is told: events as they come, a snapshot for a page that opens, the trend, and conditions."""

import json
import math

import numpy as np
import pytest

from rppg_ros.monitor.board import FORGOTTEN_S, MAX_FACES, TREND_POINTS, Board
from rppg_ros.monitor.conditions import BEYOND_S, SILENT_S, Conditions, Limits
from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Vital, Waveform

LIMITS = {Vital.BVP: Limits(50, 120), Vital.RSP: Limits(8, 30)}
T0 = 1_700_000_000


def ok(value, at_s, face="abcde", vital=Vital.BVP):
    return Rate(
        vital, face, (T0 + at_s) * NS_PER_S, value, 1.0, 5.0, 0.9, Status.OK, 10.0, "m", low=value - 2, high=value + 2
    )


def unknown(at_s, status=Status.LOW_QUALITY, face="abcde", reasons=(Reason.MOVEMENT,), vital=Vital.BVP):
    return Rate.unknown(vital, face, (T0 + at_s) * NS_PER_S, status, "m", 10.0, reasons)


def kinds(events):
    return [event["kind"] for event in events]


def of_kind(events, kind):
    return [event for event in events if event["kind"] == kind]


def test_a_rate_in_numbers_and_words():
    board = Board(LIMITS)
    (rate,) = of_kind(board.take_rate(ok(72.345, 0)), "rate")
    assert (rate["value"], rate["low"], rate["high"], rate["status"], rate["reasons"]) == (
        72.345,
        70.345,
        74.345,
        "OK",
        [],
    )
    (rate,) = of_kind(board.take_rate(unknown(1)), "rate")
    assert rate["value"] is None and rate["reasons"] == [{"text": "movement", "advice": "keep still"}]
    (rate,) = of_kind(board.take_rate(unknown(2, Status.STALE, reasons=())), "rate")
    assert rate["reasons"] == [{"text": "no images", "advice": ""}]


def test_all_of_it_is_json():
    board = Board(LIMITS)
    wave = Waveform(Vital.BVP, "abcde", T0 * NS_PER_S, 30.0, np.array([0.5, math.nan], np.float32), math.nan)
    events = board.take_wave(wave) + board.take_rate(unknown(1)) + board.snapshot()
    json.dumps(events, allow_nan=False)
    assert events[0]["samples"] == [0.5, None] and events[0]["quality"] is None and events[0]["start"] == T0


def test_a_page_that_opens_later_knows_what_the_others_know():
    board = Board(LIMITS)
    for at_s in range(130):
        board.take_rate(ok(70 + at_s % 3, at_s))
    board.take_rate(unknown(131, vital=Vital.RSP))
    board.take_targets(["abcde"])
    board.take_result({"message": "heart rate 72", "complete": True})
    said = board.snapshot()
    assert kinds(said) == ["rate", "rate", "trend", "trend", "result", "targets", "conditions"]
    assert of_kind(said, "targets")[0]["faces"] == ["abcde"]
    assert of_kind(said, "trend")[0]["points"][0][1:] == [71, 70, 72]
    assert of_kind(said, "trend")[1]["points"][-1][1:] == [None, None, None]


def test_the_trend_is_of_an_hour():
    board = Board(LIMITS)
    for minute in range(90):
        board.take_rate(ok(60 + minute, 60 * minute))
    (trend,) = of_kind(board.snapshot(), "trend")
    assert len(trend["points"]) == TREND_POINTS and trend["points"][-1][1] == 149 and trend["points"][0][1] == 90


def test_a_new_point_of_the_trend_is_told_once():
    board = Board(LIMITS)
    start = -T0 % 60
    told = [kinds(board.take_rate(ok(70, start + at_s))).count("trend") for at_s in range(121)]
    assert told == [1] + [0] * 59 + [1] + [0] * 59 + [1]


def test_faces_do_not_pile_up():
    board = Board(LIMITS)
    for number in range(50):
        board.take_rate(ok(70, number, face=f"face{number}"))
    assert len({event["face"] for event in of_kind(board.snapshot(), "rate")}) == MAX_FACES
    gone = board.take_rate(ok(70, 60 + int(FORGOTTEN_S), face="face49"))
    assert len(of_kind(gone, "gone")) == MAX_FACES - 1


def test_a_recording_that_begins_again_is_no_old_news():
    board = Board(LIMITS)
    board.take_rate(ok(70, 1000))
    events = board.take_rate(ok(71, 0))
    assert of_kind(events, "rate")[0]["value"] == 71 and not of_kind(events, "gone")
    assert len(of_kind(board.snapshot(), "trend")[0]["points"]) == 1


def test_nobody_in_view_is_no_face():
    board = Board(LIMITS)
    assert not of_kind(board.take_rate(unknown(0, Status.NO_FACE, face="")), "rate")
    assert not of_kind(board.snapshot(), "rate")


def test_silence_makes_all_that_is_shown_old():
    board = Board(LIMITS)
    board.take_rate(ok(72, 0))
    board.take_feedback({"progress": 0.1, "rates": {}, "advice": "", "face": ""})
    assert board.silence(False) == []
    events = board.silence(True)
    assert kinds(events) == ["rate", "refused", "conditions"] and board.silence(True) == []
    assert events[0]["status"] == "STALE" and events[0]["value"] is None
    assert events[2]["conditions"][0]["text"] == "nothing is heard of the node that measures"
    assert "measuring" not in kinds(board.snapshot()) and of_kind(board.snapshot(), "rate")[0]["status"] == "STALE"
    assert board.silence(False)[-1]["conditions"] == []


class TestConditions:
    def texts(self, conditions):
        return [one["text"] for one in conditions.event()["conditions"]]

    def feed(self, conditions, rates):
        return [conditions.take(rate) for rate in rates]

    @pytest.mark.parametrize(
        ("value", "text"), [(49.9, "heart rate below 50 beats/min"), (121.0, "heart rate above 120 beats/min")]
    )
    def test_a_rate_beyond_its_limits_for_a_while_is_physiological(self, value, text):
        conditions = Conditions(LIMITS)
        changed = self.feed(conditions, [ok(value, at_s) for at_s in range(int(BEYOND_S) + 2)])
        assert changed == [False] * int(BEYOND_S) + [True, False]
        (one,) = conditions.event()["conditions"]
        assert (one["nature"], one["text"], one["since"], one["face"]) == ("physiological", text, T0, "abcde")
        assert conditions.take(ok(70, 20)) and not self.texts(conditions)

    def test_limits_themselves_are_within(self):
        conditions = Conditions(LIMITS)
        self.feed(conditions, [ok(value, at_s) for at_s, value in enumerate([50.0, 120.0] * 20)])
        assert not self.texts(conditions)

    def test_a_moment_beyond_is_none(self):
        conditions = Conditions(LIMITS)
        self.feed(conditions, [ok(130 if at_s % 8 else 100, at_s) for at_s in range(60)])
        assert not self.texts(conditions)

    def test_silence_is_technical_and_says_why(self):
        conditions = Conditions(LIMITS)
        self.feed(conditions, [ok(70, 0), *(unknown(at_s) for at_s in range(1, int(SILENT_S) + 2))])
        (one,) = conditions.event()["conditions"]
        assert (one["nature"], one["text"]) == ("technical", "no heart rate: movement")

    def test_what_cannot_be_measured_or_has_just_begun_is_no_condition(self):
        conditions = Conditions(LIMITS)
        for status in (Status.WARMING_UP, Status.UNSUPPORTED):
            self.feed(conditions, [unknown(at_s, status, reasons=()) for at_s in range(40)])
        assert not self.texts(conditions)

    def test_nobody_in_view_ends_what_was_said_of_somebody(self):
        conditions = Conditions(LIMITS)
        self.feed(conditions, [ok(130, at_s) for at_s in range(20)])
        self.feed(
            conditions, [unknown(at_s, Status.NO_FACE, face="", reasons=(Reason.NO_FACE,)) for at_s in range(20, 40)]
        )
        assert self.texts(conditions) == ["no heart rate: no face in view"]
        conditions.take(ok(70, 41, face="other"))
        assert not self.texts(conditions)

    @pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.WARMING_UP])
    def test_somebody_in_view_ends_what_was_said_of_nobody(self, status):
        conditions = Conditions(LIMITS)
        gone = [
            unknown(at_s, Status.NO_FACE, face="", reasons=(Reason.NO_FACE,), vital=Vital.RSP) for at_s in range(20)
        ]
        self.feed(conditions, gone)
        assert self.texts(conditions)
        conditions.take(unknown(21, status, reasons=(), vital=Vital.RSP))
        assert not self.texts(conditions)

    def test_two_people_have_conditions_of_their_own(self):
        conditions = Conditions(LIMITS)
        for at_s in range(15):
            self.feed(conditions, [ok(130, at_s), ok(40, at_s, face="other"), ok(15, at_s, vital=Vital.RSP)])
        assert sorted(self.texts(conditions)) == ["heart rate above 120 beats/min", "heart rate below 50 beats/min"]

    def test_time_that_begins_anew_forgets(self):
        conditions = Conditions(LIMITS)
        self.feed(conditions, [ok(130, at_s) for at_s in range(100, 120)])
        assert conditions.take(ok(130, 0)) and not self.texts(conditions)

    @pytest.mark.parametrize(("low", "high"), [(100, 50), (-1, 50), (50, 50), (math.nan, 50)])
    def test_limits_must_rise(self, low, high):
        with pytest.raises(ValueError, match="limits must rise"):
            Limits(low, high)
