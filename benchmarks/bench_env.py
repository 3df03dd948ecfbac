"""Environment steps a second: physics at 120 Hz, observation, reward, early termination and resets, on all cores.

Four bodies walk under PD targets with small random actions: three made from our walk, with DeepMimic's 28 hinges, as `train`
makes it, and with collar bones, wrists and three hinges in every joint (51 or more), and the robot praxis (29). Each is stepped
by ours, by a plain Python loop over `mj_step` for the same physics without observation or reward, and by Gymnasium's own
SyncVectorEnv and AsyncVectorEnv of the same task with one body each, in turns in one run. A machine that is busy slows all alike.

Bars (`--check` exits with 1 where one is missed; two quiet cores): 14 000 steps/s with up to 29 hinges, 6 000 with 51; at least
twice Gymnasium's vector environments; observation, reward and resets take at most a fifth of the time.

Options: --quick (fewer rounds, two bodies), --check, --json.
"""

from __future__ import annotations

import sys

import _common as common
from rich.table import Table

SETUP = """
import os
os.environ["OMP_NUM_THREADS"] = "1"
import copy, time
import mujoco
import numpy as np
from imitate.character import CharacterConfig, load_character, make_character
from imitate.envs import EnvConfig, TrackingEnv
from imitate.envs.stability import model_at
from imitate.reference import make_reference
from kinematics.io import load_motion

clip = load_motion("data/clips/walk_cmu.bvh")
full = CharacterConfig(clavicles=True, hands=True, toes=False, hinge_tolerance_degrees=1e-6)
character = {body}
reference = make_reference(character, clip)
config = EnvConfig(physics_rate_hz=120.0, adaptive_sampling=False)
hinges = len(character.hinge_names)
draws = 0.1 * np.random.default_rng(0).standard_normal((16, {count}, hinges)).astype(np.float32)

def hinge_count():
    return float(hinges)
"""

OURS = """
from imitate.envs import tracking
env = TrackingEnv(character, reference, config, num_envs={count})
env.reset()
advance, spent = tracking.advance, [0.0]

def timed(*given):
    begin = time.perf_counter()
    found = advance(*given)
    spent[0] += time.perf_counter() - begin
    return found

def steps(rounds):
    for turn in range(rounds):
        env.step(draws[turn % 16])

def rate(rounds):
    begin = time.perf_counter()
    steps(rounds)
    return rounds * {count} / (time.perf_counter() - begin)

def beside_physics(rounds):
    # share of a step's time that is not physics
    tracking.advance, spent[0], begin = timed, 0.0, time.perf_counter()
    steps(rounds)
    tracking.advance = advance
    return 1.0 - spent[0] / (time.perf_counter() - begin)
"""

LOOP = """
model = model_at(character.model, 120.0)
bodies = [mujoco.MjData(model) for _ in range({count})]
frames = np.random.default_rng(1).choice(reference.starts, {count})
for data, frame in zip(bodies, frames):
    data.qpos[:], data.qvel[:] = reference.qpos[frame], reference.qvel[frame]

def rate(rounds):
    begin = time.perf_counter()
    for turn in range(rounds):
        for row, data in enumerate(bodies):
            frame = (frames[row] + turn) % len(reference.starts)
            if turn % 20 == 0:
                data.qpos[:], data.qvel[:] = reference.qpos[frame], reference.qvel[frame]
            data.ctrl[:] = reference.qpos[frame + 1, 7:] + 0.5 * draws[turn % 16, row]
            for _ in range(4):
                mujoco.mj_step(model, data)
    return rounds * {count} / (time.perf_counter() - begin)
"""

GYM = """
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from imitate.envs.gym_env import TrackingGymEnv
envs = {kind}([lambda: TrackingGymEnv(character, reference, config)] * {count})
envs.reset(seed=0)

def rate(rounds):
    begin = time.perf_counter()
    for turn in range(rounds):
        envs.step(draws[turn % 16])
    return rounds * {count} / (time.perf_counter() - begin)
"""

BODIES = {
    "walk, 28 hinges": (
        "make_character(clip, config=CharacterConfig(hands=False, toes=False, spine_joints=1))",
        14_000.0,
    ),
    "praxis": ('load_character("data/robots/praxis.xml")', 14_000.0),
    "walk": ("make_character(clip)", None),
    "walk, every joint": ("make_character(clip, config=full)", 6_000.0),
}
WHO = {
    "muybridge": (OURS, "", 256, 20),
    "loop over mj_step": (LOOP, "", 32, 20),
    "SyncVectorEnv": (GYM, "SyncVectorEnv", 32, 20),
    "AsyncVectorEnv": (GYM, "AsyncVectorEnv", 8, 40),
}


def main() -> int:
    """Measure, print, and check the bars."""
    asked = common.options(__doc__)
    results: dict[str, dict[str, float]] = {}
    for body, (expression, _) in BODIES.items():
        if asked.quick and body not in ("praxis", "walk, every joint"):
            continue
        contenders, rounds = [], {}
        for who, (code, kind, count, steps) in WHO.items():
            setup = SETUP + code
            for word, value in (("{body}", expression), ("{count}", str(count)), ("{kind}", kind)):
                setup = setup.replace(word, value)
            contenders.append(common.Contender(who, setup, timeout=180.0))
            rounds[who] = steps
        results[body] = measure(contenders, rounds, asked.quick)
        for one in contenders:
            one.stop()
    return common.finish([table(results)], bars(results), results, asked)


def measure(contenders: list[common.Contender], rounds: dict[str, int], quick: bool) -> dict[str, float]:
    """Let the contenders take turns; the best rate of each counts, since only other programs make one slower."""
    ours, found = contenders[0], {}
    for turn in range(2 if quick else 6):
        for one in contenders:
            rate = one.run(f"rate({rounds[one.name]})")
            if rate is not None and turn:
                found[one.name] = max(found.get(one.name, 0.0), rate)
    found["hinges"] = ours.run("hinge_count()") or 0.0
    found["beside physics"] = ours.run(f"beside_physics({10 if quick else 40})") or 1.0
    return found


def table(results: dict[str, dict[str, float]]) -> Table:
    """Show steps a second."""
    shown = Table(title="environment steps a second (4 steps of physics each)")
    shown.add_column("body")
    for column in ("hinges", *WHO, "beside physics"):
        shown.add_column(column, justify="right")
    for body, found in results.items():
        rates = [f"{found[who]:,.0f}" if who in found else "-" for who in WHO]
        shown.add_row(body, f"{found['hinges']:.0f}", *rates, f"{100 * found['beside physics']:.0f} %")
    return shown


def bars(results: dict[str, dict[str, float]]) -> list[common.Bar]:
    """Return the bars of the docstring."""
    limits = []
    for body, found in results.items():
        least = BODIES[body][1]
        ours = found.get("muybridge", 0.0)
        if least is not None:
            limits.append(common.Bar(f"{body} ({found['hinges']:.0f} hinges), steps/s", ours, least))
        peers = [found[who] for who in ("SyncVectorEnv", "AsyncVectorEnv") if who in found]
        if peers:
            limits.append(common.Bar(f"{body}, times Gymnasium's", ours / max(peers), 2.0))
        limits.append(common.Bar(f"{body}, share beside physics", found["beside physics"], 0.2, at_least=False))
    return limits


if __name__ == "__main__":
    sys.exit(main())
