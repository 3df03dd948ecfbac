from __future__ import annotations

import numpy as np
import pytest

from kinematics.anatomy import find_anatomy
from kinematics.io import load_motion
from kinematics.skeleton import Skeleton
from retarget import JointMap, RetargetError, match

CONVENTIONS = ["LAFAN1", "Mixamo", "SMPL", "Xsens", "SOMA", "Unity", "Unreal", "Rokoko", "Biped", "Xsens / 100STYLE"]


def pairs(joint_map: JointMap) -> dict[str, list[tuple[str, float]]]:
    return {
        target: [(pair.source, round(pair.weight, 9)) for pair in joint_map.sources_of(target)]
        for target in dict.fromkeys(pair.target for pair in joint_map.pairs)
    }


def extended(skeleton: Skeleton, *added: tuple[str, str, tuple[float, float, float]]) -> Skeleton:
    """Add joints (name, parent, offset) at the end of the list."""
    names, parents = list(skeleton.joint_names), skeleton.parents.tolist()
    for name, parent, _ in added:
        parents.append(names.index(parent))
        names.append(name)
    offsets = np.concatenate([skeleton.offsets, np.array([offset for *_, offset in added]).reshape(-1, 3)])
    return Skeleton(tuple(names), np.array(parents), offsets, skeleton.end_site_parents, skeleton.end_site_offsets)


def split(skeleton: Skeleton, joint: str, name: str) -> Skeleton:
    """Put a further joint in the middle of the bone above `joint`."""
    at = skeleton.joint_index(joint)
    above = int(skeleton.parents[at])
    names = [*skeleton.joint_names[:at], name, *skeleton.joint_names[at:]]
    parents = [parent + (parent >= at) for parent in skeleton.parents.tolist()]
    parents = [*parents[:at], above, at, *parents[at + 1 :]]
    half = 0.5 * skeleton.offsets[at]
    offsets = np.concatenate([skeleton.offsets[:at], [half, half], skeleton.offsets[at + 1 :]])
    ends = skeleton.end_site_parents
    return Skeleton(tuple(names), np.array(parents), offsets, ends + (ends >= at), skeleton.end_site_offsets)


@pytest.mark.parametrize("source", CONVENTIONS)
@pytest.mark.parametrize("target", CONVENTIONS)
def test_every_part_of_every_convention_is_found(bodies, source: str, target: str) -> None:
    one, other = bodies.person(source), bodies.person(target, seed=1)
    joint_map = match(one.skeleton, other.skeleton)
    names = one.skeleton.joint_names, other.skeleton.joint_names
    found = pairs(joint_map)
    for part, joint in other.parts.items():
        assert names[0][one.parts[part]] in [driver for driver, _ in found[names[1][joint]]], part
    assert not joint_map.unmapped_target
    assert all(0.0 < pair.confidence <= 1.0 and pair.reason for pair in joint_map.pairs)


def test_a_skeleton_matches_itself_joint_for_joint(bodies) -> None:
    person = bodies.person("SOMA")
    joint_map = match(person.walk(), person.skeleton)
    assert pairs(joint_map) == {name: [(name, 1.0)] for name in person.skeleton.joint_names}
    assert not joint_map.unmapped_source and not joint_map.unmapped_target


@pytest.mark.parametrize(("source", "target"), [("Unity", "Xsens / 100STYLE"), ("Xsens / 100STYLE", "Unity"), ("SOMA", "SMPL")])
def test_spines_of_different_length_share_by_length(bodies, source: str, target: str) -> None:
    one, other = bodies.person(source), bodies.person(target)
    joint_map = match(one.skeleton, other.skeleton)
    order = {name: index for index, name in enumerate(one.skeleton.joint_names)}
    centres = []
    for joint in [*other.spine, other.parts["neck"]]:
        drivers = joint_map.sources_of(other.skeleton.joint_names[joint])
        assert sum(pair.weight for pair in drivers) == pytest.approx(1.0)
        centres.append(sum(order[pair.source] * pair.weight for pair in drivers))
    assert centres == sorted(centres)


def test_hand_computed_shares(bodies) -> None:
    """From pelvis to chest Unity has two pieces of 0.18 m, 100STYLE four of 0.09 m."""
    found = pairs(match(bodies.person("Xsens / 100STYLE").skeleton, bodies.person("Unity").skeleton))
    assert [name for name, _ in found["Spine"]] == ["Chest2", "Chest3"]
    np.testing.assert_allclose([weight for _, weight in found["Spine"]], [0.5, 0.5], atol=1e-9)
    back = pairs(match(bodies.person("Unity").skeleton, bodies.person("Xsens / 100STYLE").skeleton))
    assert back["Chest"] == [("Hips", 1.0)] and back["Chest2"] == [("Spine", 1.0)] and back["Chest4"] == [("Chest", 1.0)]


def test_fingers_by_name_and_order(bodies) -> None:
    base, other = bodies.person("LAFAN1").skeleton, bodies.person("Unreal").skeleton
    source = extended(
        base,
        ("LeftHandThumb1", "LeftHand", (0.03, 0.0, 0.03)),
        ("LeftHandThumb2", "LeftHandThumb1", (0.03, 0.0, 0.0)),
        ("LeftInHandIndex", "LeftHand", (0.05, 0.0, 0.02)),
        ("LeftHandIndex1", "LeftInHandIndex", (0.04, 0.0, 0.0)),
        ("LeftHandIndex2", "LeftHandIndex1", (0.04, 0.0, 0.0)),
        ("LeftHandMiddle1", "LeftHand", (0.09, 0.0, 0.0)),
    )
    target = extended(
        other,
        ("index_01_l", "hand_l", (0.09, 0.0, 0.02)),
        ("index_02_l", "index_01_l", (0.04, 0.0, 0.0)),
        ("index_03_l", "index_02_l", (0.04, 0.0, 0.0)),
        ("thumb_01_l", "hand_l", (0.03, 0.0, 0.03)),
        ("pinky_01_l", "hand_l", (0.08, 0.0, -0.03)),
    )
    found = pairs(match(source, target))
    assert found["index_01_l"] == [("LeftHandIndex1", 1.0)] and found["index_02_l"] == [("LeftHandIndex2", 1.0)]
    assert found["thumb_01_l"] == [("LeftHandThumb1", 1.0)]
    assert found["pinky_01_l"] == [("LeftHandMiddle1", 1.0)]  # the nearest there is
    assert match(source, target).unmapped_target == ("index_03_l",)


@pytest.mark.parametrize(
    ("first", "thumb", "index"), [(0, "Bip01 L Finger0", "Bip01 L Finger1"), (1, "finger1-1.L", "finger2-1.L")]
)
def test_numbered_fingers_begin_with_the_thumb(bodies, first: int, thumb: str, index: str) -> None:
    source = extended(
        bodies.person("LAFAN1").skeleton,
        ("LeftHandThumb1", "LeftHand", (0.03, 0.0, 0.03)),
        ("LeftHandIndex1", "LeftHand", (0.09, 0.0, 0.02)),
    )
    target = extended(
        bodies.person("Biped").skeleton, (thumb, "Bip01 L Hand", (0.03, 0.0, 0.03)), (index, "Bip01 L Hand", (0.09, 0.0, 0.02))
    )
    found = pairs(match(source, target))
    assert found[thumb] == [("LeftHandThumb1", 1.0)] and found[index] == [("LeftHandIndex1", 1.0)]


def test_split_bones_turn_as_one(bodies) -> None:
    plain = bodies.person("LAFAN1").skeleton
    doubled = split(plain, "LeftForeArm", "LeftArmTwist")
    onto = pairs(match(plain, doubled))
    assert onto["LeftArmTwist"] == [("LeftArm", 1.0)] and onto["LeftArm"] == [("LeftArm", 1.0)]
    back = pairs(match(doubled, plain))
    assert back["LeftArm"] == [("LeftArm", 0.5), ("LeftArmTwist", 0.5)] and back["LeftForeArm"] == [("LeftForeArm", 1.0)]
    assert pairs(match(doubled, doubled))["LeftArmTwist"] == [("LeftArmTwist", 1.0)]


def test_helpers_stay_at_rest_and_equal_names_meet(bodies) -> None:
    plain = bodies.person("LAFAN1").skeleton
    helped = extended(plain, ("LeftArmRoll", "LeftArm", (0.1, 0.0, 0.0)), ("Jaw", "Head", (0.0, 0.02, 0.05)))
    assert match(plain, helped).unmapped_target == ("LeftArmRoll", "Jaw")
    assert pairs(match(helped, helped))["Jaw"] == [("Jaw", 1.0)]
    assert match(helped, plain).unmapped_source == ("LeftArmRoll", "Jaw")


def test_what_is_no_body_is_named(bodies) -> None:
    person = bodies.person("LAFAN1").skeleton
    chain = Skeleton(("a", "b", "c"), np.array([-1, 0, 1]), np.ones((3, 3)))
    with pytest.raises(
        RetargetError, match=r"the source .* \(a, b, c\) no body part was found, and pelvis, left thigh.* is missing"
    ):
        match(chain, person)
    with pytest.raises(RetargetError, match="the target is not a body"):
        match(person, chain)


def test_real_skeletons_have_all_their_parts_driven(shared_data) -> None:
    names = ("cmu_daz/02_01", "games105/walk60", "makehuman/tpose", "fair1/dab", "odd/example1_biovision_classic")
    motions = [load_motion(shared_data / f"{name}.bvh") for name in names]
    for source in motions:
        for target in motions:
            found = pairs(match(source, target))
            common = set(find_anatomy(source.skeleton).joints)
            for role, joint in find_anatomy(target.skeleton).joints.items():
                if role in common and target.local_positions is None:
                    assert target.skeleton.joint_names[joint] in found
