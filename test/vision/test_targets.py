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
        chosen.named(Face(at(350, 100, 50), "abcde"))
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


class TestCentral:
    """The distance to the middle counts, as a share of the diagonal; 0.05 of it makes the very middle finite."""

    @pytest.mark.parametrize(
        ("far", "near"),
        [((320, 20), (320, 350)), ((20, 240), (480, 240)), ((160, 120), (400, 300)), ((330, 420), (480, 250))],
    )
    def test_the_nearer_to_the_middle_across_and_down(self, far, near):
        one, other = seen(*far, 50), seen(*near, 50)
        assert choose(targets(target_policy="central"), [], [one, other], 0) == ([], [other])

    # The other is 47 pixels from the middle; 0.05 of the diagonal of 800 more: 87. Times 1.25: 108.75, less 40.
    @pytest.mark.parametrize(("x", "taken"), [(320 + 68, False), (320 + 69, True)])
    def test_hysteresis_is_of_the_distance(self, x, taken):
        chosen = targets(target_policy="central", target_hysteresis=1.25)
        face, central = Face(at(x, 240, 60)), seen(320, 240 + 47, 60)
        for i in range(3):
            lose, _ = choose(chosen, [face], [central], i / 2)
        assert bool(lose) is taken


class TestEdges:
    @pytest.mark.parametrize("x", [320, 480])
    @pytest.mark.parametrize("y", [120, 240])
    def test_the_edge_of_the_region_is_inside(self, x, y):
        chosen, found = targets(target_region=[0.5, 0.25, 0.25, 0.25]), seen(x, y, 50)
        assert choose(chosen, [], [found], 0) == ([], [found])

    @pytest.mark.parametrize(("x", "y"), [(319, 200), (481, 200), (400, 119), (400, 241)])
    def test_beyond_it_is_not(self, x, y):
        chosen, found = targets(target_region=[0.5, 0.25, 0.25, 0.25]), seen(x, y, 50)
        assert choose(chosen, [], [found], 0) == ([], [])

    def test_patience_and_the_time_until_a_rival_is_forgotten_are_over_when_they_are_over(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 120), targets(target_patience=1.0)
        choose(chosen, [nurse], [patient], 0)
        choose(chosen, [nurse], [], 1.0)
        assert chosen.waiting, "not seen for FORGOTTEN_S, and no longer"
        assert choose(chosen, [nurse], [patient], 1.0) == ([nurse], [patient])

    def test_a_factor_that_is_just_met_is_not_better(self):
        nurse, chosen = Face(at(500, 200, 80)), targets(target_hysteresis=1.25)
        for i in range(5):
            assert choose(chosen, [nurse], [seen(200, 200, 100)], i / 2) == ([], [])

    def test_patience_does_not_begin_with_the_clock(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 120), targets(target_patience=1.0)
        assert choose(chosen, [nurse], [patient], 100) == ([], [])
        assert choose(chosen, [nurse], [patient], 100.5) == ([], [])
        assert choose(chosen, [nurse], [patient], 101) == ([nurse], [patient])


class TestSameRival:
    """A rival is the same while its centre moves by less than half of the longest side between two sights."""

    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            (Box(100, 100, 100, 100), Box(150, 100, 100, 100), True),
            (Box(100, 100, 100, 100), Box(151, 100, 100, 100), False),
            (Box(100, 100, 100, 100), Box(100, 150, 100, 100), True),
            (Box(100, 100, 100, 100), Box(100, 151, 100, 100), False),
            (Box(100, 100, 120, 100), Box(160, 100, 100, 100), True),
            (Box(100, 100, 100, 120), Box(158, 100, 100, 100), True),
            (Box(100, 100, 100, 100), Box(140, 100, 120, 100), True),
            (Box(100, 100, 100, 100), Box(150, 100, 100, 120), True),
        ],
    )
    def test_by_the_longest_of_both_boxes_sides(self, first, second, same):
        nurse, chosen = Face(at(500, 400, 50)), targets(target_patience=0.5)
        choose(chosen, [nurse], [Detection(first, 0.9)], 0)
        lose, _ = choose(chosen, [nurse], [Detection(second, 0.9)], 0.5)
        assert bool(lose) is same

    def test_one_that_walks_is_followed(self):
        nurse, chosen = Face(at(600, 200, 50)), targets(target_patience=1.4)
        for i, x in enumerate((100, 140, 180)):
            assert choose(chosen, [nurse], [seen(x, 200, 100)], i / 2) == ([], [])
        other = seen(220, 200, 100)
        assert choose(chosen, [nurse], [other], 1.5) == ([nurse], [other])

    def test_how_long_ago_it_was_seen_counts_from_the_last_sight(self):
        nurse, patient, chosen = Face(at(500, 200, 80)), seen(200, 200, 120), targets(target_patience=5.0)
        choose(chosen, [nurse], [patient], 0)
        choose(chosen, [nurse], [patient], 0.9)
        choose(chosen, [nurse], [], 1.8)
        assert chosen.waiting


class TestPlacesKept:
    def test_one_kept_for_a_second_and_no_more(self):
        chosen = targets(target_hold=1.0)
        chosen.lost(Face(at(200, 200, 120)), 0)
        other = seen(500, 200, 60)
        assert choose(chosen, [], [other], 1.0) == ([], [])
        assert choose(chosen, [], [other], 1.01) == ([], [other])

    def test_short_ones_too(self):
        chosen = targets(target_hold=0.5)
        chosen.lost(Face(at(200, 200, 120)), 0)
        assert choose(chosen, [], [seen(500, 200, 60)], 0.4) == ([], [])

    def test_the_least_of_those_that_are_kept_is_given_away(self):
        chosen = targets(target_hold=5.0, max_faces=2)
        chosen.lost(Face(at(500, 200, 200), "large"), 0)
        chosen.lost(Face(at(200, 200, 80), "small"), 0)
        assert choose(chosen, [], [seen(200, 400, 60)], 1) == ([], [])
        middle = seen(200, 400, 100)
        assert choose(chosen, [], [middle], 1) == ([], [middle])
        another = seen(100, 100, 100)
        assert choose(chosen, [Face(middle.box)], [another], 2) == ([], []), "the other place is for the large one"

    def test_with_the_most_central_too(self):
        chosen = targets(target_hold=5.0, target_policy="central")
        chosen.lost(Face(at(330, 250, 60), "central"), 0)
        assert choose(chosen, [], [seen(80, 100, 150)], 1) == ([], [])

    @pytest.mark.parametrize(("side", "taken"), [(95, False), (96, True)])
    def test_one_that_is_as_large_but_for_the_hysteresis_may_be_the_same(self, side, taken):
        chosen = targets(target_hold=5.0, target_hysteresis=1.25)
        chosen.lost(Face(at(200, 200, 120)), 0)
        assert bool(choose(chosen, [], [seen(500, 200, side)], 1)[1]) is taken


class TestComplaint:
    REGION = "a face is in view, but not in target.region"
    HELD = "a face is in view; the place is kept for one that was lost (target.hold)"

    def complaint(self, tracks=(), found=(), lost=None, **settings):
        chosen = targets(**settings)
        assert chosen.complaint == ""
        if lost:
            chosen.lost(Face(lost), 0)
        choose(chosen, list(tracks), list(found), 1)
        complaint = chosen.complaint
        chosen.clear()
        assert chosen.complaint == ""
        return complaint

    def test_none_while_somebody_is_measured_or_nobody_there(self):
        face, found = Face(at(200, 200, 80)), seen(400, 200, 60)
        assert self.complaint() == ""
        assert self.complaint(found=[found]) == ""
        assert self.complaint([face]) == ""
        assert self.complaint([face], [found]) == ""
        assert self.complaint(target_id="abcde") == ""

    def test_nobody_in_the_region(self):
        right = {"target_region": [0.5, 0.0, 0.5, 1.0]}
        assert self.complaint(found=[seen(100, 200, 60)], **right) == self.REGION
        assert self.complaint([Face(at(100, 200, 60))], **right) == self.REGION
        assert self.complaint([Face(at(400, 200, 60))], [seen(100, 200, 60)], **right) == ""

    def test_a_place_is_kept(self):
        assert self.complaint(found=[seen(500, 200, 60)], lost=at(200, 200, 120), target_hold=5.0) == self.HELD

    def test_another_than_the_one_that_was_asked_for(self):
        asked = "a face is in view, but not 'one', which target.id asks for"
        other, one = Face(at(100, 200, 80), "other"), Face(at(400, 200, 80), "one")
        assert self.complaint([other], target_id="one") == asked
        assert self.complaint([other, one], target_id="one", max_faces=2) == ""
        assert self.complaint(found=[seen(100, 200, 80)], target_id="one") == asked
        right = {"target_region": [0.5, 0.0, 0.5, 1.0]}
        assert self.complaint(found=[seen(100, 200, 80)], target_id="one", **right) == asked

    def test_no_long_id_fills_a_log(self):
        assert len(self.complaint([Face(at(100, 200, 80))], target_id="x" * 128)) < 120
