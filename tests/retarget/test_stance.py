"""Where points of feet stand, by the contacts of another body; feet planned there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinematics.contacts import ANKLE, HEEL, TIP, foot_contacts, foot_kinds, match_feet
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.skeleton import Skeleton
from kinematics.standardize import standardize
from kinematics.testing import human_skeleton
from retarget import retarget
from retarget.rest_pose import find_rest_pose
from retarget.score import score
from retarget.stance import near_floor, sole_heights, sole_level, stand_as, standing_heights


def test_a_point_stands_at_the_median_of_its_heights_while_it_is_down() -> None:
    heights = np.array([[0.1, 1.0], [0.2, 2.0], [0.9, 3.0], [0.3, 4.0]])
    down = np.array([[True, False], [True, False], [False, False], [True, False]])
    np.testing.assert_allclose(standing_heights(heights, down, np.array([5.0, 6.0])), [0.2, 6.0])


def test_feet_that_stand_as_their_own_keep_their_contacts(clips: Path) -> None:
    walk = standardize(load_motion(clips / "walk_cmu.bvh")).motion
    own = foot_contacts(walk)
    kinds, same = match_feet(walk.skeleton, walk.skeleton)
    again = stand_as(own, kinds, own, same)
    np.testing.assert_array_equal(again.in_contact, own.in_contact)
    np.testing.assert_allclose(again.standing_heights, own.standing_heights, atol=0.01)
    assert not (near_floor(own) & ~own.in_contact).any()
    assert sole_level(again, sole_heights(find_rest_pose(walk.skeleton, forward_kinematics(walk)))) == pytest.approx(
        0.012, abs=0.01
    )


def test_sole_level_by_hand(clips: Path) -> None:
    """The heel is 5 cm lower than its shape says: it is what touches the floor."""
    own = foot_contacts(standardize(load_motion(clips / "walk_cmu.bvh")).motion)
    assert sole_level(own, own.standing_heights - 0.3) == pytest.approx(0.3)
    shape = own.standing_heights - 0.3 + np.array([0.05, *np.zeros(len(own.names) - 1)])
    assert sole_level(own, shape) == pytest.approx(0.25)


@pytest.mark.parametrize(("end", "kind"), [([0.0, -0.09, 0.0], HEEL), ([0.0, -0.05, 0.15], TIP)])
def test_an_end_site_straight_below_the_ankle_is_no_toe(end: list[float], kind: int) -> None:
    assert set(foot_kinds(without_toes(human_skeleton(), end)).tolist()) == {ANKLE, kind}


def test_a_foot_that_ends_at_the_ankle_rises_as_the_sources(clips: Path) -> None:
    """Its heel leaves the floor while the source rolls over the toe, though it has no toe that could tell."""
    walk = load_motion(clips / "walk_cmu.bvh")
    result = retarget(walk, without_toes(human_skeleton(1.5), [0.0, -0.09, 0.0]))
    card = score(walk, result.motion, joint_map=result.joint_map)
    assert card.floating.fraction <= 0.01 and card.sinking.fraction <= 0.01
    assert card.result.slide.mean_cm_s <= max(card.source.slide.mean_cm_s, 1.0)
    ankles = [standardize(clip).motion for clip in (walk, result.motion)]
    heights = [forward_kinematics(clip).position("LeftFoot")[:, 1] for clip in ankles]
    assert np.corrcoef(*heights)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("source", "target"), [("run_lafan1", "walk_cmu"), ("walk_cmu", "jump_mixamo"), ("jump_mixamo", "run_lafan1")]
)
def test_bars_of_feet(clips: Path, source: str, target: str) -> None:
    motion, other = (load_motion(clips / f"{name}.bvh") for name in (source, target))
    result = retarget(motion, other)
    card = score(motion, result.motion, joint_map=result.joint_map, target=other)
    assert card.result.slide.mean_cm_s <= max(card.source.slide.mean_cm_s, 1.0)
    assert card.floating.fraction <= 0.01 and card.sinking.fraction <= 0.01 and card.turn_ratio <= 1.5


def without_toes(skeleton: Skeleton, end: list[float]) -> Skeleton:
    """Return the skeleton with feet of one bone each, from the ankle to `end`."""
    feet = [skeleton.joint_index(side + "Foot") for side in ("Left", "Right")]
    gone = {joint for foot in feet for joint in skeleton.descendants(foot)}
    kept = [joint for joint in range(skeleton.num_joints) if joint not in gone]
    ends = [index for index, joint in enumerate(skeleton.end_site_parents.tolist()) if joint not in gone]
    return Skeleton(
        tuple(skeleton.joint_names[joint] for joint in kept),
        np.array([kept.index(int(skeleton.parents[joint])) if joint else -1 for joint in kept]),
        skeleton.offsets[kept],
        end_site_parents=np.array(
            [kept.index(int(skeleton.end_site_parents[index])) for index in ends] + [kept.index(foot) for foot in feet]
        ),
        end_site_offsets=np.concatenate([skeleton.end_site_offsets[ends], [end, end]]),
    )
