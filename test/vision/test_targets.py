"""Which of several faces is measured, when another takes its place, and when it does not."""

from dataclasses import dataclass

import pytest

from rppg_ros.settings.halves import CameraSettings
from rppg_ros.types import Box
from rppg_ros.vision.detect import Detection
from rppg_ros.vision.targets import Targets

SHAPE = (480, 640, 3)
S = 1_000_000_000


@dataclass(eq=False)
class Face:
    """A track, as far as a choice looks at it."""

    box: Box
    face_id: str = "abcde"

    @property
    def confirmed_box(self):
        return self.box


def at(x, y, side):
    return Box(x - side / 2, y - side / 2, side, side)


def seen(x, y, side):
    return Detection(at(x, y, side), 0.9)


def targets(**settings):
    return Targets(CameraSettings(**{"max_faces": 1, **settings}))


def choose(chosen, tracks, found, seconds):
    choice = chosen.choose(tracks, found, round(seconds * S), SHAPE)
    return choice.lose, choice.begin


class TestLargest:
    def test_the_largest_of_those_that_come_together(self):
        small, large = seen(100, 200, 60), seen(400, 200, 120)
        assert choose(targets(), [], [small, large], 0) == ([], [large])
        assert choose(targets(max_faces=2), [], [small, large], 0) == ([], [large, small])

    def test_a_larger_one_takes_its_place_after_a_while(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 110), targets()
        assert choose(chosen, [nurse], [patient], 0.0) == ([], []) and chosen.waiting
        assert choose(chosen, [nurse], [patient], 0.5) == ([], [])
        assert choose(chosen, [nurse], [patient], 0.75) == ([nurse], [patient])
        assert not chosen.waiting

    @pytest.mark.parametrize(("side", "taken"), [(99, False), (101, True)])
    def test_only_if_it_is_much_larger(self, side, taken):
        nurse, chosen = Face(at(500, 200, 80)), targets()
        for i in range(5):
            lose, _ = choose(chosen, [nurse], [seen(200, 200, side)], i / 2)
            if lose:
                break
        assert bool(lose) is taken

    def test_one_sight_is_not_enough_however_long_ago(self):
        chosen = targets(target_patience=0.0)
        nurse, patient = Face(at(500, 200, 80)), seen(200, 200, 120)
        assert choose(chosen, [nurse], [patient], 0) == ([], [])
        assert choose(chosen, [nurse], [patient], 0.1) == ([nurse], [patient])

    def test_who_walks_by_is_not_who_was_there(self):
        nurse, chosen = Face(at(600, 200, 60)), targets()
        for i, x in enumerate((50, 200, 350)):
            assert choose(chosen, [nurse], [seen(x, 200, 100)], i / 2) == ([], [])

    def test_a_rival_that_was_gone_begins_anew(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 120), targets()
        choose(chosen, [nurse], [patient], 0)
        assert choose(chosen, [nurse], [], 0.9) == ([], []) and chosen.waiting
        choose(chosen, [nurse], [], 1.1)
        assert not chosen.waiting
        assert choose(chosen, [nurse], [patient], 1.2) == ([], [])

    def test_a_rival_that_one_search_misses_is_still_one(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 120), targets()
        choose(chosen, [nurse], [patient], 0)
        choose(chosen, [nurse], [], 0.5)
        assert choose(chosen, [nurse], [patient], 0.9) == ([nurse], [patient])

    def test_of_many_the_least_gives_way_and_no_more_are_measured_than_asked(self):
        faces = [Face(at(100 * i + 60, 100, 50 + 10 * i), f"face{i}") for i in range(5)]
        chosen = targets(max_faces=3)
        lose, _ = choose(chosen, faces, [], 0)
        assert lose == faces[1::-1]
        stay, large = faces[2:], seen(300, 350, 150)
        for i in range(3):
            lose, begin = choose(chosen, stay, [large], i / 2)
        assert (lose, begin) == ([stay[0]], [large])


class TestOtherPolicies:
    def test_the_first_stays(self):
        nurse, chosen = Face(at(500, 200, 40)), targets(target_policy="first")
        for i in range(10):
            assert choose(chosen, [nurse], [seen(200, 200, 200)], i) == ([], [])

    def test_the_most_central(self):
        chosen = targets(target_policy="central")
        aside, central = seen(80, 100, 150), seen(330, 250, 60)
        assert choose(chosen, [], [aside, central], 0) == ([], [central])
        face = Face(aside.box)
        for i in range(3):
            lose, begin = choose(chosen, [face], [central], i / 2)
        assert (lose, begin) == ([face], [central])

    def test_only_in_the_region(self):
        chosen = targets(target_region=[0.5, 0.0, 0.5, 0.5])
        inside, outside = seen(480, 120, 50), seen(100, 120, 150)
        below = seen(480, 400, 150)
        assert choose(chosen, [], [outside, below, inside], 0) == ([], [inside])
        gone = Face(outside.box)
        assert choose(chosen, [gone], [], 1) == ([gone], [])
        assert choose(chosen, [Face(inside.box)], [outside, below], 2) == ([], [])


class TestHold:
    def lost(self, **settings):
        chosen = targets(**{"target_hold": 5.0, **settings})
        chosen.lost(Face(at(200, 200, 120)), 0)
        return chosen

    def test_a_lesser_face_does_not_take_the_place_of_one_that_was_lost(self):
        chosen = self.lost()
        assert choose(chosen, [], [seen(500, 200, 80)], 4.9) == ([], [])
        other = seen(500, 200, 80)
        assert choose(chosen, [], [other], 5.1) == ([], [other])

    @pytest.mark.parametrize("side", [100, 120, 300])
    def test_one_that_may_be_the_same_or_is_better_does(self, side):
        chosen, back = self.lost(), seen(210, 200, side)
        assert choose(chosen, [], [back], 2) == ([], [back])

    def test_its_place_is_given_once(self):
        chosen, lesser = self.lost(max_faces=2), seen(500, 200, 60)
        assert choose(chosen, [], [lesser], 1) == ([], [lesser]), "there is another place"
        assert choose(chosen, [Face(lesser.box)], [seen(350, 100, 50)], 2) == ([], [])

    def test_who_came_back_is_not_waited_for(self):
        chosen = self.lost(max_faces=2)
        chosen.named("abcde")
        found = [seen(500, 200, 60), seen(350, 100, 50)]
        assert choose(chosen, [], found, 1) == ([], found)

    @pytest.mark.parametrize(("face_id", "hold"), [("", 5.0), ("abcde", 0.0)])
    def test_nothing_is_kept_for_what_was_no_face_or_where_nobody_asked(self, face_id, hold):
        chosen = targets(target_hold=hold)
        chosen.lost(Face(at(200, 200, 120), face_id), 0)
        other = seen(500, 200, 30)
        assert choose(chosen, [], [other], 0.1) == ([], [other])

    def test_all_is_forgotten_when_time_begins_anew(self):
        chosen = self.lost()
        chosen.clear()
        other = seen(500, 200, 30)
        assert choose(chosen, [], [other], 0.1) == ([], [other])


class TestAskedFor:
    def test_others_are_let_go(self):
        one, other = Face(at(100, 200, 80), "one"), Face(at(400, 200, 160), "other")
        assert choose(targets(max_faces=4, target_id="one"), [one, other], [], 0) == ([other], [])

    def test_nobody_takes_its_place(self):
        one, chosen = Face(at(100, 200, 80), "one"), targets(target_id="one")
        for i in range(5):
            assert choose(chosen, [one], [seen(400, 200, 300)], i) == ([], [])

    def test_a_face_that_has_no_id_yet_may_be_it(self):
        assert choose(targets(target_id="one"), [Face(at(100, 200, 80), "")], [], 0) == ([], [])
