import numpy as np
import pytest

from imitate.bodies import make_bodies, make_tree, move
from imitate.envs.observations import ObservationSpec, observation_names, observation_size, observe
from kinematics.rotations import quaternion


def look(walker, spec, qpos, qvel, frames, reference_qpos):
    tree, count = make_tree(walker.character.model), len(qpos)
    bodies = make_bodies(count, len(walker.character.body_names))
    move(tree, qpos, qvel, np.arange(count), bodies)
    out = np.full((count, observation_size(spec, qpos.shape[1] - 7)), np.nan)
    ref = walker.reference
    observe(spec, tree, qpos, qvel, bodies, frames, reference_qpos, ref.phase, ref.ends, np.arange(count), out)
    return out


def spec_of(walker, lookahead=(1, 4), phase=True):
    return ObservationSpec(np.array(walker.character.end_effectors), np.array(lookahead, dtype=np.int64), phase)


def disturbed(walker, count=3):
    rng, ref = np.random.default_rng(2), walker.reference
    frames = np.array([0, 7, 31])[:count]
    qpos = ref.qpos[frames] + rng.normal(scale=0.1, size=(count, ref.qpos.shape[1]))
    return qpos, ref.qvel[frames] + rng.normal(size=(count, ref.qvel.shape[1])), frames


def test_every_number_has_a_name_and_a_value(walker):
    qpos, qvel, frames = disturbed(walker)
    for lookahead, phase in (((1, 4), True), ((), False), ((2,), True)):
        spec = spec_of(walker, lookahead, phase)
        seen = look(walker, spec, qpos, qvel, frames, walker.reference.qpos)
        names = observation_names(spec, walker.character.hinge_names, walker.character.body_names)
        assert np.isfinite(seen).all()
        assert len(names) == seen.shape[1] == len(set(names))


def test_the_numbers_are_what_their_names_say(walker):
    qpos, qvel, frames = disturbed(walker)
    spec, ref, character = spec_of(walker), walker.reference, walker.character
    seen = look(walker, spec, qpos, qvel, frames, ref.qpos)
    names = observation_names(spec, character.hinge_names, character.body_names)
    of = {name: seen[:, at] for at, name in enumerate(names)}
    turns = qpos[:, 3:7] / np.linalg.norm(qpos[:, 3:7], axis=1, keepdims=True)
    yaw = turns * np.array([1.0, 0.0, 0.0, 1.0])
    back = quaternion.inverse(yaw / np.linalg.norm(yaw, axis=1, keepdims=True))
    columns = quaternion.to_matrix(quaternion.multiply(back, turns))
    hinge, body = character.hinge_names[3], character.end_effectors[0]
    np.testing.assert_allclose(of["root height"], qpos[:, 2])
    np.testing.assert_allclose(of["root axis xz"], columns[:, 2, 0])
    np.testing.assert_allclose(of["root axis zy"], columns[:, 1, 2])
    np.testing.assert_allclose(of["root velocity y"], quaternion.rotate(back, qvel[:, :3])[:, 1])
    np.testing.assert_allclose(of["root spin z"], quaternion.rotate(quaternion.multiply(back, turns), qvel[:, 3:6])[:, 2])
    np.testing.assert_allclose(of[f"{hinge} angle"], qpos[:, 10])
    np.testing.assert_allclose(of[f"{hinge} speed"], qvel[:, 9])
    np.testing.assert_allclose(of["phase sine"] ** 2 + of["phase cosine"] ** 2, 1.0)
    np.testing.assert_allclose(of["phase sine"], np.sin(2 * np.pi * ref.phase[frames]))
    np.testing.assert_allclose(of["root +4 x"], quaternion.rotate(back, ref.qpos[frames + 4, :3] - qpos[:, :3])[:, 0])
    np.testing.assert_allclose(of[f"{hinge} angle +1"], ref.qpos[frames + 1, 10])
    assert of[f"{character.body_names[body]} z"].shape == (3,)


def test_nothing_depends_on_place_and_heading(walker):
    qpos, qvel, frames = disturbed(walker)
    spec, yaw = spec_of(walker), quaternion.from_rotation_vector(np.array([0.0, 0.0, 2.2]))

    def elsewhere(numbers):
        moved = numbers.copy()
        turn = np.broadcast_to(yaw, (len(numbers), 4))
        moved[:, :3] = quaternion.rotate(turn, numbers[:, :3]) + np.array([4.0, -7.0, 0.0])
        moved[:, 3:7] = quaternion.multiply(turn, numbers[:, 3:7])
        return moved

    speeds = qvel.copy()
    speeds[:, :3] = quaternion.rotate(np.broadcast_to(yaw, (3, 4)), qvel[:, :3])
    here = look(walker, spec, qpos, qvel, frames, walker.reference.qpos)
    there = look(walker, spec, elsewhere(qpos), speeds, frames, elsewhere(walker.reference.qpos))
    np.testing.assert_allclose(there, here, atol=1e-9)


def test_frames_ahead_stay_inside_the_clip(walker):
    ref = walker.reference
    last = np.array([ref.num_frames - 1])
    seen = look(walker, spec_of(walker, (5,), False), ref.qpos[last], ref.qvel[last], last, ref.qpos)
    hinges = ref.qpos.shape[1] - 7
    np.testing.assert_allclose(seen[0, -hinges:], ref.qpos[-1, 7:])
    assert seen[0, -hinges - 9 : -hinges - 6] == pytest.approx(np.zeros(3), abs=1e-12)
