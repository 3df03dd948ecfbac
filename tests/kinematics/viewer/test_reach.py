"""Bodies posed by dragging hands, feet, head and hips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kinematics import Motion, Skeleton, forward_kinematics, ik, load_motion, save_motion
from kinematics.edit import displace
from kinematics.errors import InputError, UnknownNameError
from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor, make_actor
from kinematics.viewer.reach import Reach
from kinematics.viewer.reach_handles import find_handles

FEET = ["left foot", "right foot"]
Z_UP = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)


ACTORS: dict[str, Actor] = {}  # bodies are made once


@pytest.fixture
def reach(person: Callable[..., Motion]) -> Reach:
    return Reach(ACTORS.get("person") or ACTORS.setdefault("person", make_actor(person(21))))


def where(reach: Reach, frame: int, *names: str) -> np.ndarray:
    """Return handles on the stage."""
    order = [handle.name for handle in reach.handles]
    return reach.positions(frame)[[order.index(name) for name in names]]


def pull(reach: Reach, handle: str, by: tuple[float, float, float], frame: int = 10, steps: int = 5) -> None:
    """Drag a handle along a line and let go."""
    reach.grab(handle, frame)
    start = where(reach, frame, handle)[0]
    for part in np.linspace(0.0, 1.0, steps + 1)[1:]:
        reach.drag(start + part * np.array(by))
    reach.release()


def chain(joints: int) -> Motion:
    """Make a tentacle of one bone after the other, with an end site."""
    offsets = np.tile([0.0, 0.2, 0.02], (joints, 1))
    names = tuple(f"b{j}" for j in range(joints))
    skeleton = Skeleton(names, np.arange(joints) - 1, offsets, np.array([joints - 1]), np.array([[0.0, 0.2, 0.0]]))
    return Motion(skeleton, np.zeros((3, 3)), np.tile(quaternion.IDENTITY, (3, joints, 1)), 1 / 30)


def test_handles_of_a_human_an_animal_and_a_prop(person: Callable[..., Motion]) -> None:
    skeleton = person(2).skeleton
    human = {handle.name: handle for handle in find_handles(skeleton)}
    assert list(human) == ["left hand", "right hand", *FEET, "head", "hips"]
    assert human["left hand"].point == "LeftHand" and human["hips"].point == "Hips"
    assert [name for name, handle in human.items() if handle.held] == FEET
    animal = {handle.name: handle.held for handle in find_handles(skeleton, human=False)}
    assert animal["left fore foot"] and animal["right hind foot"] and not animal["head"]
    prop = find_handles(chain(6).skeleton)
    assert [(handle.point, handle.held) for handle in prop] == [("b0", True), ("b5_end", False)]
    assert len(find_handles(Skeleton(("alone",), np.array([-1]), np.zeros((1, 3))))) == 1


@pytest.mark.parametrize(
    ("handle", "by"),
    [
        ("left hand", (0.1, 0.5, 0.2)),
        ("right hand", (0.3, 0.3, 0.4)),
        ("left foot", (0.0, 0.3, 0.3)),
        ("head", (0.0, -0.15, 0.2)),
        ("hips", (0.0, -0.25, 0.0)),
    ],
)
def test_the_body_follows_a_handle_and_stands_on_its_feet(reach: Reach, handle: str, by: tuple[float, float, float]) -> None:
    before, feet = where(reach, 10, handle)[0], where(reach, 10, *FEET)
    pull(reach, handle, by)
    np.testing.assert_allclose(where(reach, 10, handle)[0], before + by, rtol=0, atol=3e-3)
    others = [k for k, foot in enumerate(FEET) if foot != handle]
    np.testing.assert_allclose(where(reach, 10, *FEET)[others], feet[others], rtol=0, atol=3e-3)
    assert list(reach.take.edits) == [10] and reach.take.motion is reach.actor.motion


def test_knees_bend_forwards_and_come_back(reach: Reach) -> None:
    reach.grab("hips", 10)
    start, before = where(reach, 10, "hips")[0], reach.pose(10)
    joints = reach.actor.motion.skeleton
    for height in (-0.2, 0.3, -0.35, 0.3, 0.0):
        for part in np.linspace(0.0, 1.0, 8):
            reached = reach.drag(start + np.array([0.0, part * height, 0.0]))
        transforms = forward_kinematics(reached.pose)
        for side in ("Left", "Right"):
            hip, knee, ankle = (transforms.position(side + name) for name in ("UpLeg", "Leg", "Foot"))
            across = np.cross(knee - hip, ankle - knee) @ (transforms.position("LeftUpLeg") - transforms.position("RightUpLeg"))
            assert across > -0.01 * 0.18  # of a knee that is bent by half a degree the wrong way
    assert reached.status == "converged"
    apart = quaternion.angle_between(before.local_rotations, reached.pose.local_rotations)
    assert apart.max() < np.radians(3) and joints is reached.pose.skeleton


def test_out_of_reach_is_said_and_feet_stay(reach: Reach) -> None:
    feet = where(reach, 10, *FEET)
    reach.grab("left hand", 10)
    reached = [reach.drag(np.array([0.0, 1.0, 5.0])) for _ in range(3)][-1]
    assert reached.status == "unreachable" and reached.error > 1.0 and reached.held_error < 5e-3
    np.testing.assert_allclose(where(reach, 10, *FEET), feet, rtol=0, atol=5e-3)
    again = reach.drag(np.array([0.0, 1.0, 5.0]))
    apart = quaternion.angle_between(again.pose.local_rotations, reached.pose.local_rotations)
    assert apart.max() < np.radians(2)  # no jitter


def test_what_is_held_stays_and_what_is_let_go_follows(reach: Reach) -> None:
    reach.held.add("right hand")
    before = where(reach, 10, "right hand")
    pull(reach, "hips", (0.1, -0.1, 0.0))
    np.testing.assert_allclose(where(reach, 10, "right hand"), before, rtol=0, atol=3e-3)
    reach.held.clear()
    feet = where(reach, 10, *FEET)
    pull(reach, "hips", (0.0, 0.5, 0.0))
    assert (where(reach, 10, *FEET) - feet)[:, 1].min() > 0.3


def test_the_next_drag_keeps_what_the_last_one_did(reach: Reach) -> None:
    pull(reach, "left hand", (0.1, 0.4, 0.2))
    hand = where(reach, 10, "left hand")
    pull(reach, "right hand", (-0.1, 0.2, 0.2))
    np.testing.assert_allclose(where(reach, 10, "left hand"), hand, rtol=0, atol=0.05)


@pytest.mark.parametrize("method", ["fabrik", "ccd", "damped_least_squares", "selectively_damped"])
def test_other_methods_drag_too(reach: Reach, method: ik.problem.Method) -> None:
    reach.method = method
    feet, hand = where(reach, 10, *FEET), where(reach, 10, "left hand")
    pull(reach, "left hand", (0.1, 0.2, 0.3))
    np.testing.assert_allclose(where(reach, 10, "left hand"), hand + [0.1, 0.2, 0.3], rtol=0, atol=5e-3)
    np.testing.assert_allclose(where(reach, 10, *FEET), feet, rtol=0, atol=5e-3)


def test_two_bones_move_one_limb_and_refuse_the_hips(reach: Reach) -> None:
    reach.method = "two_bone"
    before = reach.pose(10)
    pull(reach, "left hand", (0.0, 0.1, 0.1))
    moved = (reach.pose(10).local_rotations != before.local_rotations).any(axis=-1)
    names = [before.skeleton.joint_names[j] for j in np.flatnonzero(moved)]
    assert set(names) <= {"LeftArm", "LeftForeArm"} and names
    reach.grab("hips", 10)
    with pytest.raises(InputError, match="hands and feet can be dragged, not the hips"):
        reach.drag(np.zeros(3))
    assert len(reach.take.edits) == 1
    reach.prepare()


def test_limits_are_kept(reach: Reach) -> None:
    reach.limited = True
    reach.grab("left foot", 10)
    start = where(reach, 10, "left foot")[0]
    reached = [reach.drag(start + step * np.array([0.0, 0.2, -0.4])) for step in (0.3, 0.6, 1.0)][-1]
    for name, limit in ik.human_limits(reach.actor.motion).items():
        kept = ik.Problem(reached.pose.skeleton, {name: ik.hold()}, limits={name: limit}).solve(reached.pose).pose
        assert quaternion.angle_between(kept[name], reached.pose[name]) < 1e-4


def test_undo_redo_reset_and_apply(reach: Reach) -> None:
    clip = reach.take.motion
    pull(reach, "left hand", (0.1, 0.4, 0.2))
    pull(reach, "hips", (0.0, -0.1, 0.0), frame=15)
    edits = reach.take.edits
    reach.reset(15)
    reach.reset(3)  # has no edit: no step to undo
    assert list(reach.take.edits) == [10]
    reach.undo()
    assert reach.take.edits is edits
    reach.duration_s = 0.2
    reach.apply()
    assert not reach.take.edits
    assert reach.take.motion.allclose(displace(clip, edits, before_s=0.2, after_s=0.2), atol=0.0)
    applied = reach.take
    for _ in range(3):
        reach.undo()
    assert reach.take.motion is clip and not reach.take.edits
    reach.undo()
    for _ in range(4):
        reach.redo()
    assert reach.take is applied
    reach.undo()
    pull(reach, "head", (0.0, -0.05, 0.05))
    now = reach.take
    reach.redo()
    assert reach.take is now


def test_a_grab_without_a_drag_is_no_step(reach: Reach) -> None:
    reach.grab("head", 3)
    reach.release()
    reach.undo()
    assert not reach.take.edits and reach.take.motion is reach.actor.motion


def test_saved_file_has_the_hand_at_the_handle_and_keeps_other_numbers(person: Callable[..., Motion], tmp_path: Path) -> None:
    save_motion(person(41, scale=100.0, turn=Z_UP), tmp_path / "clip.bvh")
    reach = Reach(make_actor(load_motion(tmp_path / "clip.bvh")))
    reach.duration_s = 0.2
    target = where(reach, 20, "left hand")[0] + [0.1, 0.3, 0.2]
    pull(reach, "left hand", (0.1, 0.3, 0.2), frame=20)
    reach.save(tmp_path / "saved.bvh")
    back = load_motion(tmp_path / "saved.bvh")
    hand = reach.actor.to_stage(forward_kinematics(back[20]).position("LeftHand"))
    np.testing.assert_allclose(hand, target, rtol=0, atol=3e-3)
    old, new = ((tmp_path / name).read_text().splitlines() for name in ("clip.bvh", "saved.bvh"))
    same = [a == b for a, b in zip(old, new, strict=True)]
    first = len(old) - 41
    assert all(same[: first + 15]) and all(same[first + 26 :]) and not any(same[first + 16 : first + 25])
    assert reach.take.edits  # saving changes nothing here


def test_one_frame_a_chain_and_wrong_calls(person: Callable[..., Motion]) -> None:
    one = Reach(make_actor(person(1)))
    pull(one, "left hand", (0.0, 0.1, 0.1), frame=0)
    one.apply()
    tentacle = Reach(make_actor(chain(8)))
    pull(tentacle, "b7_end", (0.5, -0.2, 0.0), frame=1)
    np.testing.assert_allclose(where(tentacle, 1, "root"), where(tentacle, 0, "root"), rtol=0, atol=3e-3)
    with pytest.raises(UnknownNameError, match="left hand"):
        one.grab("left hnd", 0)
    with pytest.raises(InputError, match="0 to 0"):
        one.grab("head", 1)
    with pytest.raises(InputError, match="no handle is grabbed"):
        one.drag(np.zeros(3))
