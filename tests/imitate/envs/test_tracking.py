import copy
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from imitate.envs import EnvConfig, RandomisationConfig, TerminationConfig, TrackingEnv
from imitate.errors import ImitationError
from imitate.reference import make_reference

STILL = EnvConfig(physics_rate_hz=120.0)
WILD = replace(
    STILL,
    randomisation=RandomisationConfig(
        push_speed_m_s=(0.2, 0.5),
        push_interval_s=0.3,
        friction=(0.5, 1.2),
        mass=(0.8, 1.2),
        latency_s=(0.0, 0.03),
        action_noise=0.05,
    ),
)


def make(walker, config=STILL, *, num_envs=6, seed=3, num_threads=1, reference=None):
    return TrackingEnv(
        walker.character, reference or walker.reference, config, num_envs=num_envs, seed=seed, num_threads=num_threads
    )


def actions_of(env, steps, scale=0.3):
    rng = np.random.default_rng(8)
    return (scale * rng.standard_normal((steps, env.num_envs, env.num_actions))).astype(np.float32)


def fields_of(step):
    return [
        step.observations, step.rewards, step.terminated, step.truncated, step.completed, step.final_observations, step.lengths,
        *step.terms.values(),
    ]  # fmt: skip


def test_shapes_and_types(walker):
    env = make(walker)
    seen = env.reset()
    assert seen.shape == (6, env.num_observations) and seen.dtype == np.float32 and len(env.observation_names) == seen.shape[1]
    step = env.step(actions_of(env, 1)[0])
    assert step.observations.shape == seen.shape and step.rewards.dtype == np.float32
    assert set(step.terms) == {"pose", "velocity", "end_effector", "root", "com", "mean_distance"}
    assert ((step.rewards >= 0) & (step.rewards <= 1)).all()


@pytest.mark.parametrize("config", [STILL, WILD], ids=["still", "randomised"])
def test_the_same_seed_gives_the_same_numbers_at_any_number_of_threads(walker, config):
    one, two = make(walker, config, num_threads=1), make(walker, config, num_threads=2)
    assert np.array_equal(one.reset(), two.reset())
    ended = 0
    for actions in actions_of(one, 25):
        a, b = one.step(actions), two.step(actions)
        ended += int((a.terminated | a.truncated).sum())
        for mine, other in zip(fields_of(a), fields_of(b), strict=True):
            assert np.array_equal(mine, other)
    assert ended  # or resets were not compared
    assert not np.array_equal(make(walker, config, seed=4).reset(), make(walker, config).reset())


@pytest.mark.parametrize("config", [STILL, WILD], ids=["still", "randomised"])
def test_a_restored_environment_goes_on_exactly(walker, config):
    env, actions = make(walker, config), actions_of(make(walker), 24)
    env.reset()
    for each in actions[:8]:
        env.step(each)
    saved = env.state()
    later = [env.step(each) for each in actions[8:]]
    other = make(walker, config, seed=99)
    other.restore(saved)
    for each, wanted in zip(actions[8:], later, strict=True):
        for mine, theirs in zip(fields_of(other.step(each)), fields_of(wanted), strict=True):
            assert np.array_equal(mine, theirs)
    assert any((step.terminated | step.truncated).any() for step in later)
    with pytest.raises(ImitationError, match="physics"):
        make(walker, config, num_envs=2).restore(saved)


def test_physics_is_a_plain_loop_over_mj_step(walker):
    env = make(walker, num_envs=1)
    env.reset()
    model = copy.copy(walker.character.model)
    model.opt.timestep, model.opt.integrator = 1.0 / 120.0, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = env.batch.bind("qpos")[0], env.batch.bind("qvel")[0]
    frame = int(env.frames[0])
    for count, action in enumerate(actions_of(env, 3, 0.1), 1):
        step = env.step(action)
        assert not step.terminated[0]
        data.ctrl[:] = walker.reference.qpos[frame + count, 7:] + 0.5 * action[0].astype(np.float64)
        mujoco.mj_step(model, data, 4)
        assert np.array_equal(env.batch.bind("qpos")[0], data.qpos)
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(env.bodies.positions[0], data.xpos[1:], atol=1e-12)
        wanted = np.linalg.norm(data.xpos[1:] - walker.reference.body_positions[frame + count], axis=1).mean()
        assert step.terms["mean_distance"][0] == pytest.approx(wanted, rel=1e-5)
        assert env.frames[0] == frame + count and step.lengths[0] == count


def test_absolute_actions_turn_from_the_middle_of_the_range(walker):
    env = make(walker, replace(STILL, action="absolute", action_scale_rad=2.0), num_envs=2)
    env.reset()
    env.step(np.full((2, env.num_actions), 0.25, dtype=np.float32))
    middle = 0.5 * (walker.character.lower + walker.character.upper)
    np.testing.assert_allclose(env.batch.bind("ctrl"), np.tile(middle + 0.5, (2, 1)), rtol=1e-12)


def test_episodes_begin_on_the_reference(walker):
    env, ref = make(walker, num_envs=64), walker.reference
    env.reset()
    assert len(np.unique(env.starts)) > 20 and np.array_equal(env.frames, env.starts)
    np.testing.assert_allclose(env.batch.bind("qvel"), ref.qvel[env.starts])
    off = env.bodies.positions - ref.body_positions[env.starts]
    np.testing.assert_allclose(off[..., :2], 0.0, atol=1e-12)
    assert (off[..., 2] >= -1e-12).all() and env.bodies.lowest.min() > -0.0021  # lifted out of the floor, no more
    first = make(walker, replace(STILL, start="first"))
    first.reset()
    assert (first.starts == 0).all()


def test_what_falls_is_terminated_and_begins_anew(walker):
    env = make(walker, num_envs=16)
    env.reset()
    env.batch.bind("qpos")[2, 2] += 3.0  # far from where it should be
    step = env.step(np.zeros((16, env.num_actions), dtype=np.float32))
    assert step.terminated.tolist() == [row == 2 for row in range(16)] and not step.truncated.any()
    assert np.array_equal(step.rewards == 0.0, step.terminated) and step.terms["pose"][2] > 0.5  # DeepMimic's CalcReward
    assert env.lengths[2] == 0 and (np.delete(env.lengths, 2) == 1).all()
    assert step.final_observations[2, 0] > 2.5 > step.observations[2, 0]
    assert env.final_positions[2, 0, 2] > 2.5 > env.bodies.positions[2, 0, 2]
    others = np.arange(16) != 2
    assert np.array_equal(step.final_observations[others], step.observations[others])
    np.testing.assert_array_equal(env.observations()[2], step.observations[2])


@pytest.mark.parametrize(
    "limits",
    [
        TerminationConfig(max_mean_distance_m=1e9, max_body_distance_m=0.05, min_height_ratio=0.0),
        TerminationConfig(max_mean_distance_m=1e9, min_height_ratio=1.5),
    ],
    ids=["body", "height"],
)
def test_each_limit_ends_episodes(walker, limits):
    env = make(walker, replace(STILL, termination=limits))
    env.reset()
    env.batch.bind("qpos")[:, 0] += 0.1
    assert env.step(np.zeros((6, env.num_actions), dtype=np.float32)).terminated.all()


def test_contact_of_what_is_no_foot_ends_an_episode(walker):
    config = replace(STILL, termination=TerminationConfig(1e9, np.inf, 0.0, end_on_contact=True))
    env = make(walker, config, num_envs=2)
    env.reset()
    env.batch.bind("qpos")[1, 2] = 0.1  # up to the hips in the floor
    step = env.step(np.zeros((2, env.num_actions), dtype=np.float32))
    assert step.terminated.tolist() == [False, True]


def test_the_end_of_a_clip_and_the_end_of_time_are_told_apart(walker):
    short = make_reference(walker.character, walker.motion[:30], cyclic=False)
    free = TerminationConfig(max_mean_distance_m=1e9, min_height_ratio=0.0)
    env = make(walker, replace(STILL, start="first", termination=free), num_envs=2, reference=short)
    env.reset()
    nothing = np.zeros((2, env.num_actions), dtype=np.float32)
    for _ in range(28):
        assert not env.step(nothing).truncated.any()
    step = env.step(nothing)
    assert step.truncated.all() and step.completed.all() and not step.terminated.any() and (step.lengths == 29).all()
    timed = make(walker, replace(STILL, termination=free, episode_length_s=0.1), num_envs=2)
    timed.reset()
    steps = [timed.step(nothing) for _ in range(3)]
    assert steps[2].truncated.all() and not steps[1].truncated.any() and not steps[2].completed.any()


def test_a_cyclic_clip_lasts_to_the_horizon_from_its_last_start(walker):
    free = TerminationConfig(max_mean_distance_m=1e9, min_height_ratio=0.0)
    env = make(walker, replace(STILL, termination=free), num_envs=1)
    env.reset()
    last = int(walker.reference.starts[-1])
    env.frames[:] = env.starts[:] = last + env.config.episode_steps - 1
    env.lengths[:] = env.config.episode_steps - 1
    step = env.step(np.zeros((1, env.num_actions), dtype=np.float32))
    assert step.truncated[0] and not step.completed[0]


def test_bad_numbers_end_that_body_alone_and_name_it(walker):
    env, twin = make(walker), make(walker)
    env.reset(), twin.reset()
    hinge = walker.character.hinge_names[8]
    body = int(walker.character.model.jnt_bodyid[9]) - 1
    env.batch.bind("qvel")[1, 6 + 8] = np.nan
    actions = actions_of(env, 2, 0.05)
    actions[1, 4, 0] = np.nan
    step, calm = env.step(actions[0]), twin.step(actions[0])
    assert step.terminated[1] and not step.truncated[1] and step.rewards[1] == 0.0, hinge
    assert dict(env.bad_numbers) == {walker.character.body_names[body]: 1}
    rest = np.arange(6) != 1
    assert np.array_equal(step.final_observations[rest], calm.final_observations[rest])
    assert np.isfinite(step.observations).all() and np.isfinite(step.final_observations).all()
    assert np.isfinite(step.terms["mean_distance"]).all()  # means of it are curves
    step = env.step(actions[1])
    assert step.terminated[4] and env.bad_numbers["action"] == 1 and np.isfinite(step.observations).all()


def test_arguments_are_left_alone(walker):
    env = make(walker, WILD)
    env.reset()
    actions = actions_of(env, 1)[0]
    before = actions.copy()
    first = env.step(actions)
    kept = first.observations.copy()
    env.step(actions)
    assert np.array_equal(actions, before) and np.array_equal(first.observations, kept)


def test_what_does_not_fit_is_refused(walker):
    env = make(walker)
    env.reset()
    with pytest.raises(ImitationError, match="actions must have shape"):
        env.step(np.zeros((5, env.num_actions), dtype=np.float32))
    with pytest.raises(ImitationError, match="num_envs"):
        make(walker, num_envs=0)
    with pytest.raises(ImitationError, match="control_rate"):
        make(walker, replace(STILL, control_rate_hz=60.0))


def test_a_body_that_is_stable_is_stepped_120_times_a_second(walker):
    assert make(walker, EnvConfig(), num_envs=1).physics_rate_hz == 120.0
