import copy

import mujoco
import numpy as np
import pytest

from imitate.envs import EnvConfig, RandomisationConfig, TerminationConfig, TrackingEnv

FREE = TerminationConfig(max_mean_distance_m=1e9, min_height_ratio=0.0)


def make(walker, num_envs=4, **given):
    config = EnvConfig(physics_rate_hz=120.0, termination=FREE, randomisation=RandomisationConfig(**given))
    env = TrackingEnv(walker.character, walker.reference, config, num_envs=num_envs, num_threads=1)
    env.reset()
    return env


def test_each_body_runs_on_a_model_of_its_own(walker):
    env = make(walker, friction=(0.5, 0.9), mass=(0.7, 1.3))
    for row in range(4):
        model = env.batch.get_model(row)
        share, given = model.body_mass.sum() / walker.character.mass, model.geom_friction / walker.character.model.geom_friction
        assert 0.7 <= share <= 1.3 and 0.5 <= given.min() <= given.max() <= 0.9 and np.ptp(given) < 1e-12
        wanted = copy.copy(walker.character.model)
        wanted.body_mass *= share
        wanted.body_inertia *= share
        mujoco.mj_setConst(wanted, mujoco.MjData(wanted))
        np.testing.assert_allclose(model.dof_invweight0, wanted.dof_invweight0)
    masses = [env.batch.get_model(row).body_mass.sum() for row in range(4)]
    assert len(set(masses)) == 4


def test_the_same_mass_for_all_is_that_mass(walker):
    env = make(walker, num_envs=1, mass=(1.2, 1.2))
    assert env.batch.get_model(0).body_mass.sum() == pytest.approx(1.2 * walker.character.mass)


def test_pushes_come_in_their_interval_with_their_speed(walker):
    calm, pushed = make(walker), make(walker, push_speed_m_s=(0.5, 0.5), push_interval_s=0.2)  # every sixth step
    still = np.zeros((4, calm.num_actions), dtype=np.float32)
    clocks, pushes = pushed.state()["clocks"], np.zeros(4, dtype=int)
    assert ((clocks >= 1) & (clocks <= 6)).all()
    for count in range(1, 13):
        before = pushed.state()["clocks"]
        pushed.step(still)
        pushes += before == 1
        assert np.array_equal(pushed.state()["clocks"], np.where(before == 1, 6, before - 1)), count
    assert (pushes == 2).all()


def test_a_push_adds_its_speed_to_the_root_in_some_direction(walker):
    env = make(walker, num_envs=256, push_speed_m_s=(0.2, 0.5), push_interval_s=1.0 / 30.0)
    qvel = np.zeros((256, 9))
    env._randomisation.push(qvel, np.random.default_rng(0))
    speeds = np.linalg.norm(qvel[:, :2], axis=1)
    assert 0.2 <= speeds.min() < 0.22 and 0.48 < speeds.max() <= 0.5
    assert not qvel[:, 2:].any() and abs(qvel[:, :2].mean(axis=0)).max() < 0.1


def test_late_actions_are_those_of_the_step_before_until_their_time(walker):
    prompt, late = make(walker, num_envs=2), make(walker, num_envs=2, latency_s=(2.0 / 120.0, 2.0 / 120.0))
    late.frames[:], late.starts[:] = prompt.frames, prompt.starts
    for name in ("qpos", "qvel", "ctrl", "qacc_warmstart"):
        late.batch.bind(name)[:] = prompt.batch.bind(name)
    model = copy.copy(prompt.batch.model)
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:], data.ctrl[:] = late.batch.bind("qpos")[0], late.batch.bind("qvel")[0], late.batch.bind("ctrl")[0]
    frame, actions = int(late.frames[0]), np.full((2, late.num_actions), 0.3, dtype=np.float32)
    late.step(actions)
    mujoco.mj_step(model, data, 2)
    data.ctrl[:] = walker.reference.qpos[frame + 1, 7:] + 0.5 * np.float64(np.float32(0.3))
    mujoco.mj_step(model, data, 2)
    np.testing.assert_allclose(late.batch.bind("qpos")[0], data.qpos, atol=1e-12)
    prompt.step(actions)
    assert abs(prompt.batch.bind("qpos") - late.batch.bind("qpos")).max() > 1e-4


def test_noise_on_actions_has_its_deviation(walker):
    env = make(walker, num_envs=256, action_noise=0.1)
    env.step(np.zeros((256, env.num_actions), dtype=np.float32))
    # nothing ended, so the controls are still those of this step
    noise = (env.batch.bind("ctrl") - walker.reference.qpos[env.frames, 7:]) / 0.5
    assert noise.std() == pytest.approx(0.1, rel=0.05) and abs(noise.mean()) < 0.005
