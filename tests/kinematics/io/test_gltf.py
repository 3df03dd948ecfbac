"""GLB files: loaded again by other libraries, posed by their own numbers, and held against forward kinematics."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinematics import InputError, Motion, Skeleton, forward_kinematics
from kinematics.io import load_motion
from kinematics.io.gltf import Figure, Surface, encode_glb, write_glb
from kinematics.rotations import quaternion
from kinematics.testing import human_skeleton, random_motion, random_skeleton

pygltflib = pytest.importorskip("pygltflib", reason="pygltflib is not installed: pip install 'muybridge[dev]'")
COMPONENTS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}


class File:
    """A GLB as pygltflib reads it, with arrays and poses by the specification's own words."""

    def __init__(self, data: bytes) -> None:
        self.gltf: Any = pygltflib.GLTF2.load_from_bytes(data)
        self.binary = self.gltf.binary_blob() or b""
        self.nodes = self.gltf.nodes
        self.parents = {child: index for index, node in enumerate(self.nodes) for child in node.children or ()}

    @cache  # noqa: B019 - a file lives as long as its test
    def array(self, index: int) -> np.ndarray:
        accessor = self.gltf.accessors[index]
        view, dtype, width = self.gltf.bufferViews[accessor.bufferView], DTYPES[accessor.componentType], COMPONENTS[accessor.type]
        start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
        count = accessor.count * width
        found = np.frombuffer(self.binary, dtype, count, start)
        return found.reshape(-1, width) if width > 1 else found

    def local(self, time: float | None) -> list[np.ndarray]:
        """4x4 matrix of every node in its parent at a key's time, or as it stands without the animation."""
        pose = [{"translation": node.translation or [0, 0, 0], "rotation": node.rotation or [0, 0, 0, 1]} for node in self.nodes]
        for channel in self.gltf.animations[0].channels if time is not None else ():
            sampler = self.gltf.animations[0].samplers[channel.sampler]
            key = int(np.abs(self.array(sampler.input) - time).argmin())
            pose[channel.target.node][channel.target.path] = self.array(sampler.output)[key].tolist()
        matrices = []
        for place in pose:
            matrix = np.eye(4)
            matrix[:3, :3] = quaternion.to_matrix(quaternion.from_xyzw(np.array(place["rotation"], dtype=np.float64)))
            matrix[:3, 3] = place["translation"]
            matrices.append(matrix)
        return matrices

    def world(self, time: float | None) -> np.ndarray:
        local = self.local(time)
        result = []
        for index, matrix in enumerate(local):
            above = index
            while above in self.parents:
                above = self.parents[above]
                matrix = local[above] @ matrix
            result.append(matrix)
        return np.array(result)


def block(joint: int, *, size: float = 0.1, paint: str = "middle") -> Surface:
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    faces = np.array(
        [
            (0, 1, 3),
            (0, 3, 2),
            (4, 6, 7),
            (4, 7, 5),
            (0, 4, 5),
            (0, 5, 1),
            (2, 3, 7),
            (2, 7, 6),
            (0, 2, 6),
            (0, 6, 4),
            (1, 5, 7),
            (1, 7, 3),
        ]
    )
    return Surface(joint, paint, (200, 100, 50), size * corners, corners, faces)


def dressed(motion: Motion, **options: Any) -> Figure:
    paints = ("left", "middle", "right")
    blocks = [block(joint, paint=paints[joint % 3]) for joint in range(motion.skeleton.num_joints)]
    return Figure("somebody", motion, blocks, **options)


def assert_follows(figure: Figure, file: File, frames: list[int], *, first: int = 1) -> None:
    """Compare the world positions of all joints and end sites in some frames."""
    motion = figure.motion
    transforms = forward_kinematics(motion)
    points = np.concatenate([transforms.global_positions, transforms.end_site_positions], axis=1)
    points = figure.scale * quaternion.rotate(figure.turn, points) + figure.offset
    size = max(np.ptp(points.reshape(-1, 3), axis=0).max(), np.abs(points).max() * 0.1)
    for frame in frames:
        found = file.world(frame * motion.frame_time if motion.num_frames > 1 else None)
        np.testing.assert_allclose(found[first : first + points.shape[1], :3, 3], points[frame], rtol=0, atol=1e-5 * size)


def test_the_nodes_follow_forward_kinematics(clips: Path) -> None:
    motion = load_motion(clips / "walk_lafan1.bvh")
    figure = dressed(
        motion, scale=0.01, turn=quaternion.normalize(np.array([0.5, 0.5, 0.1, 0.3])), offset=np.array([1.0, 0.2, -3.0])
    )
    file = File(encode_glb([figure]))
    assert_follows(figure, file, [0, 1, 77, motion.num_frames - 1])
    assert [node.name for node in file.nodes[1 : 1 + motion.skeleton.num_joints]] == list(motion.skeleton.joint_names)
    parents = [file.parents[1 + joint] - 1 for joint in range(motion.skeleton.num_joints)]
    assert parents == motion.skeleton.parents.tolist()


def test_trimesh_poses_it_the_same_way(clips: Path) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed: pip install 'muybridge[viewer]'")
    motion = load_motion(clips / "walk_cmu.bvh")[5:9]
    scene = trimesh.load_scene(io.BytesIO(encode_glb([dressed(motion, scale=0.056)])), file_type="glb")
    transforms = forward_kinematics(motion[0])
    for joint, name in enumerate(motion.skeleton.joint_names):
        place, _ = scene.graph.get(name)
        np.testing.assert_allclose(place[:3, 3], 0.056 * transforms.global_positions[joint], rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("seed", "joints", "frames", "stretch", "size"),
    [
        (0, 1, 1, False, 1.0),
        (1, 1, 4, True, 1.0),
        (2, 12, 6, True, 0.01),
        (3, 30, 3, False, 100.0),
        (4, 25, 2, True, 100.0),
        (5, 9, 5, False, 0.01),
    ],
)
def test_any_motion_survives(seed: int, joints: int, frames: int, stretch: bool, size: float) -> None:
    skeleton = random_skeleton(seed, num_joints=joints, bone_length=0.3 * size)
    motion = random_motion(skeleton, seed, num_frames=frames, stretch=stretch)
    figure = dressed(motion)
    file = File(encode_glb([figure]))
    assert_follows(figure, file, list(range(frames)))
    assert_valid(file)


def assert_valid(file: File) -> None:
    """The rules of the specification that hand-made files break most."""
    gltf = file.gltf
    assert gltf.asset.version == "2.0"
    assert len(file.binary) == (gltf.buffers[0].byteLength if gltf.buffers else 0)
    for view in gltf.bufferViews:
        assert view.byteOffset % 4 == 0 and view.byteOffset + view.byteLength <= len(file.binary)
    for index, accessor in enumerate(gltf.accessors):
        values = file.array(index)
        assert accessor.count == len(values) > 0 and np.isfinite(values).all()
        if accessor.min:
            rows = values.reshape(len(values), -1)
            np.testing.assert_array_equal(np.float32(accessor.min), rows.min(axis=0))
            np.testing.assert_array_equal(np.float32(accessor.max), rows.max(axis=0))
    for node in file.nodes:
        assert abs(np.linalg.norm(node.rotation or [0, 0, 0, 1]) - 1.0) < 1e-6
    for skin in gltf.skins:
        assert file.array(skin.inverseBindMatrices).shape == (len(skin.joints), 16)
    for primitive in [primitive for mesh in gltf.meshes for primitive in mesh.primitives]:
        attributes = primitive.attributes
        vertices = file.array(attributes.POSITION)
        assert gltf.accessors[attributes.POSITION].min
        np.testing.assert_allclose(np.linalg.norm(file.array(attributes.NORMAL), axis=1), 1.0, rtol=0, atol=1e-5)
        assert (file.array(attributes.WEIGHTS_0).sum(axis=1) == 255).all()
        assert (file.array(attributes.JOINTS_0)[:, 1:] == 0).all()  # where the weight is zero, so must the joint be
        assert file.array(attributes.JOINTS_0).max() < len(gltf.skins[0].joints)
        assert file.array(primitive.indices).max() < len(vertices)
        for index, target in ((attributes.POSITION, 34962), (attributes.JOINTS_0, 34962), (primitive.indices, 34963)):
            assert gltf.bufferViews[gltf.accessors[index].bufferView].target == target
    for animation in gltf.animations:
        targets = [(channel.target.node, channel.target.path) for channel in animation.channels]
        assert len(set(targets)) == len(targets)
        for sampler in animation.samplers:
            times, values = file.array(sampler.input), file.array(sampler.output)
            assert len(times) == len(values) and (np.diff(times) > 0).all() and times[0] == 0.0
            assert gltf.accessors[sampler.input].min
            if values.shape[1] == 4:
                np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1.0, rtol=0, atol=1e-6)
                assert (np.sum(values[1:] * values[:-1], axis=1) >= 0.0).all()  # or viewers turn the long way round


def test_the_skin_moves_with_its_joints(clips: Path) -> None:
    motion = load_motion(clips / "walk_mixamo.bvh")[:30]
    figure = dressed(motion, scale=0.01)
    file = File(encode_glb([figure]))
    skin, world = file.gltf.skins[0], file.world(20 * motion.frame_time)
    inverse = file.array(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    moved = world[skin.joints] @ inverse
    transforms = forward_kinematics(motion[20])
    primitive = file.gltf.meshes[0].primitives[0]
    vertices, carriers = file.array(primitive.attributes.POSITION), file.array(primitive.attributes.JOINTS_0)[:, 0]
    found = np.einsum("nij,nj->ni", moved[carriers], np.pad(vertices, ((0, 0), (0, 1)), constant_values=1.0))[:, :3]
    wanted = quaternion.rotate(transforms.global_rotations[carriers], np.tile(block(0).vertices, (len(carriers) // 8, 1)))
    np.testing.assert_allclose(found, 0.01 * transforms.global_positions[carriers] + wanted, rtol=0, atol=1e-5)
    assert file.gltf.accessors[primitive.attributes.POSITION].min[1] >= -1e-6  # it is modelled standing on the floor


def test_a_bind_pose_may_be_given() -> None:
    motion = random_motion(human_skeleton(), 3, num_frames=2)
    turns = quaternion.normalize(np.random.default_rng(0).normal(size=(motion.skeleton.num_joints, 4)))
    bound = File(encode_glb([dressed(motion, bind_rotations=turns)]))
    inverse = bound.array(bound.gltf.skins[0].inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)[: len(turns), :3, :3]
    np.testing.assert_allclose(inverse, quaternion.to_matrix(turns).transpose(0, 2, 1), rtol=0, atol=1e-6)


def test_what_never_changes_is_one_key() -> None:
    motion = random_motion(human_skeleton(), 5, num_frames=50, smooth=True)
    rotations = motion.local_rotations.copy()
    rotations[:, 4:] = rotations[:1, 4:]
    still = motion.with_local_rotations(rotations)
    moving, resting = encode_glb([dressed(motion)]), encode_glb([dressed(still)])
    assert len(moving) - len(resting) >= 0.95 * (motion.skeleton.num_joints - 4) * 49 * 16
    assert_follows(dressed(still), File(resting), [0, 30, 49])
    assert len(File(resting).gltf.animations[0].channels) == 1 + motion.skeleton.num_joints


def test_one_frame_is_a_pose_without_animation() -> None:
    figure = dressed(random_motion(human_skeleton(), 1, num_frames=1))
    file = File(encode_glb([figure]))
    assert not file.gltf.animations
    assert_follows(figure, file, [0])


def test_several_figures_move_in_one_animation() -> None:
    first = dressed(random_motion(human_skeleton(), 1, num_frames=5))
    second = replace(
        dressed(random_motion(human_skeleton(1.2), 2, num_frames=9, frame_time=0.02)), offset=np.array([2.0, 0.0, 0.0])
    )
    file = File(encode_glb([first, second]))
    assert len(file.gltf.animations) == 1
    start = next(index for index, node in enumerate(file.nodes) if node.name == "somebody 2")
    assert_follows(first, file, [0, 4])
    assert_follows(second, file, [0, 8], first=start + 1)
    assert len(file.gltf.materials) == 3  # shared
    assert len(file.gltf.scenes[0].nodes) == 4
    assert_valid(file)


def test_names_are_kept_and_unique() -> None:
    names = ("Hüfte", "右手", "a b", "a.b[0]:/", "nested_end", "constructor")
    skeleton = Skeleton(
        names, np.array([-1, 0, 0, 1, 1, 2]), np.ones((6, 3)), np.array([4, 4]), np.ones((2, 3)), ("nested_end", "右手")
    )
    file = File(encode_glb([replace(dressed(random_motion(skeleton, 0)), name="Hüfte")]))
    found = [node.name for node in file.nodes]
    assert found[0] == "Hüfte 2"
    assert tuple(found[1:7]) == names
    assert len(set(found)) == len(found)
    broken = Skeleton(("bad\udcff",), np.array([-1]), np.zeros((1, 3)))
    assert File(encode_glb([dressed(random_motion(broken, 0))])).nodes[1].name == "bad?"


def test_bodies_without_meshes_and_of_many_joints() -> None:
    bare = Figure("", random_motion(random_skeleton(0, num_joints=5), 0))
    file = File(encode_glb([bare]))
    assert not file.gltf.skins and file.nodes[0].name == "figure"
    crowd = dressed(random_motion(random_skeleton(1, num_joints=260), 1, num_frames=2))
    file = File(encode_glb([crowd]))
    assert_valid(file)
    assert_follows(crowd, file, [1])


def test_flat_normals_become_unit() -> None:
    surface = replace(block(0), normals=np.zeros((8, 3)))
    motion = random_motion(human_skeleton(), 0, num_frames=2)
    assert_valid(File(encode_glb([Figure("flat", motion, [surface])])))


def test_chunks_and_lengths() -> None:
    data = encode_glb([dressed(random_motion(human_skeleton(), 0))])
    assert data[:4] == b"glTF"
    version, length, json_length = np.frombuffer(data, "<u4", 3, 4)
    assert (version, length) == (2, len(data))
    assert data[16:20] == b"JSON" and json_length % 4 == 0
    binary = np.frombuffer(data, "<u4", 1, 20 + int(json_length))[0]
    assert 28 + json_length + binary == len(data)


def test_arguments_are_left_alone() -> None:
    figure = dressed(random_motion(human_skeleton(), 0))
    before = [part.vertices.copy() for part in figure.surfaces], figure.motion.local_rotations.copy()
    assert encode_glb([figure]) == encode_glb([figure])
    for part, vertices in zip(figure.surfaces, before[0], strict=True):
        np.testing.assert_array_equal(part.vertices, vertices)
    np.testing.assert_array_equal(figure.motion.local_rotations, before[1])


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one figure"):
        encode_glb([])
    with pytest.raises(InputError, match="'somebody' has no frames"):
        encode_glb([dressed(random_motion(human_skeleton(), 0)[:0])])
    with pytest.raises(InputError, match="no folder"):
        write_glb([dressed(random_motion(human_skeleton(), 0))], tmp_path / "nowhere" / "x.glb")
    write_glb([dressed(random_motion(human_skeleton(), 0))], tmp_path / "x.glb")
    assert list(tmp_path.iterdir()) == [tmp_path / "x.glb"]


def test_signs_are_continuous() -> None:
    """A joint that turns round twice keeps turning the same way."""
    angles = np.linspace(0.0, 4 * np.pi, 41)
    turned = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), angles)
    turned[::3] *= -1.0
    skeleton = Skeleton(("spinner",), np.array([-1]), np.zeros((1, 3)))
    file = File(encode_glb([Figure("", Motion(skeleton, np.zeros((41, 3)), turned[:, None], 0.1))]))
    values = file.array(file.gltf.animations[0].samplers[1].output)
    assert all(np.dot(a, b) > 0.9 for a, b in pairwise(values))
