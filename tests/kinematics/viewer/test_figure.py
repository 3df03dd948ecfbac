"""Pictures hold what they should, whatever the motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from kinematics import InputError, Motion, Skeleton, forward_kinematics
from kinematics.errors import UnknownNameError
from kinematics.rotations import quaternion
from kinematics.testing import random_motion, random_skeleton
from kinematics.viewer.figure import draw, image
from kinematics.viewer.layout import shorten
from kinematics.viewer.painting import LEFT, MARK, MIDDLE, RIGHT

Person = Callable[..., Motion]
Y = np.array([0.0, 1.0, 0.0])


def where(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Pixels of exactly this colour, as x and y."""
    return np.argwhere((picture == np.array(colour, dtype=np.uint8)).all(axis=-1))[:, ::-1]


def poses(picture: np.ndarray) -> np.ndarray:
    """The picture without title and legend."""
    return picture[56:]


def assert_inside(picture: np.ndarray, margin: int = 8) -> None:
    """Nothing touches the page's edge."""
    assert (picture < 250).any()
    edge = np.ones(picture.shape[:2], dtype=bool)
    edge[margin:-margin, margin:-margin] = False
    assert (picture[edge] == 255).all()


def blue(picture: np.ndarray) -> int:
    """Count the pixels of left limbs, pale ones too."""
    return int(((picture[..., 2].astype(int) - picture[..., 0]) > 60).sum())


def prop() -> Skeleton:
    return Skeleton(("prop",), np.array([-1]), np.zeros((1, 3)))


def chain(num_joints: int) -> Skeleton:
    return Skeleton(
        tuple(f"link{i}" for i in range(num_joints)), np.arange(num_joints) - 1, np.tile([0.1, 1.0, 0.0], (num_joints, 1))
    )


def star(num_joints: int) -> Skeleton:
    offsets = np.random.default_rng(0).normal(size=(num_joints, 3))
    return Skeleton(tuple(f"leaf{i}" for i in range(num_joints)), np.minimum(np.arange(num_joints) - 1, 0), offsets)


def test_a_strip_holds_a_body_with_both_sides(person: Person) -> None:
    picture = image(person(travel=1.5))
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 1280
    assert_inside(picture)
    for colour in (RIGHT, MIDDLE):
        assert len(where(poses(picture), colour)) > 200
    assert blue(poses(picture)) > 200


def test_left_is_left(person: Person) -> None:
    front = poses(image(person(1, swing=0.0), view="front"))
    assert where(front, LEFT)[:, 0].min() > where(front, RIGHT)[:, 0].max()  # it looks at us
    turned = poses(image(person(1, swing=0.0, turn=quaternion.from_axis_angle(Y, 2.0)), view="front"))
    np.testing.assert_allclose(front.astype(int), turned.astype(int), atol=2)


def test_right_side_is_near_from_the_side_and_the_far_one_pale(person: Person) -> None:
    side = poses(image(person(1, swing=0.0), view="side"))
    assert len(where(side, RIGHT)) > 100
    assert len(where(side, LEFT)) == 0


def test_the_same_body_in_other_units_and_axes_is_the_same_picture(person: Person) -> None:
    z_up = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)
    plain = image(person(travel=2.0), labels=[""], frames=4).astype(int)
    for scale, turn in ((100.0, quaternion.IDENTITY), (1.0, z_up), (39.37, z_up)):
        other = image(person(travel=2.0, scale=scale, turn=turn), labels=[""], frames=4).astype(int)
        assert other.shape == plain.shape
        assert np.abs(other - plain)[56:].mean() < 0.2


def test_all_rows_have_bodies_of_the_same_height(person: Person) -> None:
    picture = image([person(1, swing=0.0), person(1, swing=0.0, scale=3.3)], view="front", labels=["", ""])
    rows = np.unique(where(picture, MIDDLE)[:, 1])
    first, second = np.split(rows, [int(np.diff(rows).argmax()) + 1])
    assert abs(len(first) - len(second)) <= 2


def test_poses_and_motions_differ(person: Person) -> None:
    still, moving = image(person(swing=0.0, travel=0.0)), image(person(swing=0.7))
    assert still.shape[1] == moving.shape[1]
    low, high = np.array([image(person()[frame]) for frame in (7, 23)]).astype(int)
    assert np.abs(low - high).max() > 100


def test_a_turn_is_seen_as_a_turn(person: Person) -> None:
    clip = person(swing=0.0, spin=1.2 * np.pi)
    first, last = (poses(image(clip, frames=[frame], view="front")) for frame in (0, 25))
    assert where(first, LEFT)[:, 0].mean() > where(first, RIGHT)[:, 0].mean()
    assert where(last, LEFT)[:, 0].mean() < where(last, RIGHT)[:, 0].mean()


def test_same_camera_shows_a_wrong_heading(person: Person) -> None:
    right, wrong = person(1), person(1, turn=quaternion.from_axis_angle(Y, np.pi))
    own = image([right, wrong], labels=["", ""], view="front")
    shared = image([right, wrong], labels=["", ""], view="front", same_camera=True)
    half = own.shape[0] // 2
    for picture, sign in ((own, 1), (shared, -1)):
        low = picture[half + 20 :]
        assert sign * (where(low, LEFT)[:, 0].mean() - where(low, RIGHT)[:, 0].mean()) > 0


def test_pictures_are_the_same_each_time(person: Person, tmp_path: Path) -> None:
    motion = person(3, travel=1.0)
    draw(motion, tmp_path / "a.png")
    draw(motion, tmp_path / "b.PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.PNG").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), image(motion))


def test_an_error_leaves_the_old_picture(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "old.png"
    draw(person(2), path)
    before = path.read_bytes()
    with pytest.raises(InputError):
        draw(person(2), path, labels=["one", "too many"])
    with pytest.raises(InputError, match="folder"):
        draw(person(2), tmp_path / "missing" / "a.png")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["old.png"]


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 400), (400, 900)])
def test_size_is_kept_and_nothing_is_clipped(person: Person, size: tuple[int, int]) -> None:
    picture = image(
        [person(travel=2.0), person(swing=1.0)], size=size, frames=4, labels=["A name far too long for any page " * 5, "short"]
    )
    assert picture.shape == (size[1], size[0], 3)
    assert_inside(picture)


@pytest.mark.parametrize("count", [1, 2, 24])
def test_any_number_of_poses_fits(person: Person, count: int) -> None:
    assert_inside(image(person(61, travel=3.0), frames=count))


def test_a_body_that_travels_has_its_path_shown(person: Person) -> None:
    still, going = image(person(), frames=3), image(person(travel=5.0), frames=3)
    assert going.shape[1] > still.shape[1]
    assert len(where(going[:, -160:], MIDDLE)) > 20


ODD: dict[str, Callable[[Person], Motion]] = {
    "prop of one joint": lambda person: random_motion(prop(), 1, num_frames=5),
    "prop that stays": lambda person: Motion(prop(), np.zeros((3, 3)), np.tile(quaternion.IDENTITY, (3, 1, 1)), 0.1),
    "chain of 200": lambda person: random_motion(chain(200), 2, num_frames=3, smooth=True),
    "chain of 4000": lambda person: random_motion(chain(4000), 3, num_frames=3, smooth=True),
    "star of 4000": lambda person: random_motion(star(4000), 4, num_frames=3, smooth=True),
    "no frames": lambda person: person()[:0],
    "one frame": lambda person: person(1),
    "two frames": lambda person: person(2),
    "random tree": lambda person: random_motion(random_skeleton(4, num_joints=30, num_end_sites=9), 4, num_frames=12),
    "random tree that stretches": lambda person: random_motion(random_skeleton(5), 5, num_frames=12, stretch=True),
    "tiny": lambda person: person(scale=0.006),
    "huge": lambda person: person(scale=6000.0),
    "far travel": lambda person: person(travel=1e6),
    "climb": lambda person: person(hop=1e3),
    "far from the origin": lambda person: person().with_root_positions(person().root_positions + np.array([1e5, 0.0, -1e5])),
    "lying": lambda person: person(turn=quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 1.5)),
    "upside down": lambda person: person(turn=quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi)),
    "slow": lambda person: person().with_frame_time(1e4),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_motions_are_drawn_inside_the_page(person: Person, name: str) -> None:
    motion = ODD[name](person)
    picture = image([motion, person(2)], frames=3)
    assert_inside(picture)
    assert len(where(picture, MIDDLE)) > 20


def rest(person: Person) -> Motion:
    return Motion(person(1).skeleton, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, 20, 1)), 1 / 30)


def test_no_frames_are_said_and_show_the_zero_pose(person: Person) -> None:
    none, zero = image(person()[:0], labels=[""]), image(rest(person), labels=[""])
    assert (poses(none) < 250).sum() > 1000
    assert none.shape == zero.shape
    assert (none[-50:-26, :200] < 200).any()  # the words
    assert not (zero[-50:-26, :200] < 200).any()


def test_bad_arguments_are_named(person: Person, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one motion"):
        image([])
    with pytest.raises(InputError, match="labels"):
        image(person(2), labels=[])
    with pytest.raises(InputError, match="too small"):
        image([person(2)] * 3, size=(400, 100))
    with pytest.raises(InputError, match="too small"):
        image(person(2), size=(100, 800))
    with pytest.raises(InputError, match=r"\.png"):
        draw(person(2), tmp_path / "picture.jpg")
    with pytest.raises(UnknownNameError, match="side"):
        image(person(2), view="sid")


def test_long_text_is_shortened_to_its_room() -> None:
    font = ImageFont.load_default(size=14)
    assert shorten("walk", font, 200.0) == "walk"
    short = shorten("a walk along the river", font, 80.0)
    assert short.endswith("...")
    assert font.getlength(short) <= 80.0
    assert shorten("walk", font, 2.0) == ""


@pytest.mark.parametrize(
    "clip",
    [
        "cmu_cgspeed/12_01_walk.bvh",
        "cmu_daz/02_01.bvh",
        "fair1/dab.bvh",
        "games105/walk_and_turn_left.bvh",
        "makehuman/walk1.bvh",
    ],
)
def test_real_clips(shared_data: Path, clip: str) -> None:
    from kinematics.io import load_motion

    picture = image(load_motion(shared_data / clip), frames=3)
    assert_inside(picture)
    for colour in (RIGHT, MIDDLE):
        assert len(where(poses(picture), colour)) > 200
    assert blue(poses(picture)) > 200


def test_a_crowd_of_strokes_looks_like_a_few(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = image(person(1), labels=[""]).astype(int)
    monkeypatch.setattr("kinematics.viewer.painting.CROWD", 5)
    coarse = image(person(1), labels=[""]).astype(int)
    assert 0.0 < np.abs(coarse - fine).mean() < 3.0
    for colour in (RIGHT, MIDDLE):
        assert len(where(poses(coarse), colour)) > 0.5 * len(where(poses(fine), colour))


def test_marks_lie_where_they_should(person: Person) -> None:
    """On the hand and at the feet, whatever the unit and the axes; one that is far away is left out."""
    z_up = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi / 2)
    for scale, turn in ((1.0, quaternion.IDENTITY), (100.0, z_up)):
        motion = person(4, swing=0.0, scale=scale, turn=turn)
        positions = forward_kinematics(motion)
        toes = np.stack([positions.position(side + "ToeBase") for side in ("Left", "Right")], axis=1)
        plain = image(motion, labels=[""], frames=[2], view="front").astype(int)
        hand = positions.position("LeftHand")[2:3]
        far = np.array([[0.0, 0.0, 90.0 * scale]])
        for points in ({"hand": np.concatenate([hand, far])}, {"hand": np.zeros((0, 3)), "toes": toes}):
            marked = image(motion, labels=[""], frames=[2], view="front", marks=points).astype(int)
            assert abs(marked.shape[0] - plain.shape[0]) < 8
            changed = where(poses(marked), MARK)
            low = changed[:, 1].mean() / poses(plain).shape[0]
            assert len(changed) > 30 and (low > 0.7) == ("toes" in points)
            beside = where(poses(plain), LEFT)[:, 0]
            assert beside.min() - 10 <= changed[:, 0].max() <= beside.max() + 10


def test_marked_rows_share_a_place(person: Person) -> None:
    """A foot that stays is at the same place of each row, though the body above it has moved."""
    still = person(1, swing=0.0)
    moved = still.with_root_positions(still.root_positions + np.array([0.3, 0.0, 0.0]))
    mark = {"target": forward_kinematics(still).position("LeftFoot")}
    picture = image([still, moved], labels=["", ""], view="front", marks=mark)
    x, y = where(poses(picture), MARK).T
    upper = y < y.mean()
    assert abs(x[upper].mean() - x[~upper].mean()) < 0.5
    feet = [where(half, RIGHT)[:, 0].mean() for half in np.array_split(poses(picture), 2)]
    assert feet[1] - feet[0] > 20


@pytest.mark.parametrize("shape", [(3,), (2, 2), (5, 2, 3)])
def test_marks_of_another_shape_are_refused(person: Person, unchecked_shapes: None, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="marks must have shape"):
        image(person(4), marks={"target": np.zeros(shape)})
