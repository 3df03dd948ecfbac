"""A trained policy as one file: its networks, and the contract under which it works."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imitate.checkpoint import load_torch, save_torch
from imitate.errors import ImitationError
from imitate.learning.policy import ActorCritic
from imitate.toml_file import to_table

if TYPE_CHECKING:
    from imitate.character import Character
    from imitate.config import TrainConfig
    from imitate.envs.config import EnvConfig

KIND = "policy"
MEANING = ("action", "action_scale_rad", "control_rate_hz", "lookahead_frames", "observe_phase")  # of numbers in and out


def make_contract(
    character: Character, config: TrainConfig, *, clip: str, clip_hash: str, metrics: dict[str, float]
) -> dict[str, Any]:
    """Return what a user of the policy must keep to, and what it was trained on.

    Args:
        character: The body: order, gains and limits of its hinges.
        config: Settings of the training: rates, actions, observations.
        clip: Name of the clip.
        clip_hash: SHA-256 of its file in the run folder.
        metrics: Figures at the end of the training.
    """
    import mujoco

    rate = config.env.physics_rate_hz or 1.0 / float(character.model.opt.timestep)  # runs of old leave it open
    return {
        "body": character.name,
        "hinge_names": list(character.hinge_names),
        "stiffness": character.stiffness.tolist(),
        "damping": character.damping.tolist(),
        "torque_limits": character.torque_limits.tolist(),
        "lower": character.lower.tolist(),
        "upper": character.upper.tolist(),
        "control_rate_hz": config.env.control_rate_hz,
        "physics_rate_hz": rate,
        "time_step_s": 1.0 / rate,
        "action": config.env.action,
        "action_scale_rad": config.env.action_scale_rad,
        "env": to_table(config.env),
        "clip": clip,
        "clip_sha256": clip_hash,
        "mujoco": mujoco.__version__,
        "torch": str(torch.__version__),  # a plain string: the safe reader refuses torch's own class
        "metrics": metrics,
    }


def save_policy(path: str | Path, policy: ActorCritic, contract: dict[str, Any]) -> None:
    """Write a policy, its normaliser inside, with its contract, replacing the file all or nothing.

    Raises:
        InputError: Where it cannot be written.
    """
    shape = {"num_observations": policy.num_observations, "num_actions": policy.num_actions, "hidden": list(policy.hidden)}
    weights = {name: value.detach().cpu() for name, value in policy.state_dict().items()}
    save_torch(path, KIND, {"shape": shape, "weights": weights, "contract": contract})


def load_policy(path: str | Path) -> tuple[ActorCritic, dict[str, Any]]:
    """Read a policy, on the CPU, and its contract.

    Raises:
        MissingFileError: Where there is no such file.
        ImitationError: Where it is damaged or no policy of ours; nothing in it was executed.
    """
    content = load_torch(path, KIND)
    try:
        policy = ActorCritic(**content["shape"])
        policy.load_state_dict(content["weights"])
        contract: dict[str, Any] = content["contract"]
    except (KeyError, TypeError, RuntimeError) as error:
        raise ImitationError(f"{path} is no policy of ours: {str(error).splitlines()[0]}") from None
    return policy.eval().requires_grad_(False), contract


def load_policy_for(path: str | Path, hinge_names: Sequence[str], env: EnvConfig) -> tuple[ActorCritic, dict[str, Any]]:
    """Read a policy for a body and an environment, and its contract.

    Args:
        path: The policy's file.
        hinge_names: Of the body, in order.
        env: What is observed and what actions mean.

    Raises:
        MissingFileError: Where there is no such file.
        ImitationError: Where it is damaged, or was made for another body or other observations.
    """
    policy, contract = load_policy(path)
    hinges = list(hinge_names)
    made_for = list(contract.get("hinge_names", hinges))
    if made_for != hinges:
        apart = next((k for k, pair in enumerate(zip(made_for, hinges, strict=False)) if pair[0] != pair[1]), len(hinges))
        names = [repr(names[apart]) if apart < len(names) else "no more" for names in (made_for, hinges)]
        raise ImitationError(
            f"{path} is a policy for another body: it drives {len(made_for)} hinges, this body has {len(hinges)}, "
            f"and hinge {apart} is {names[0]} there and {names[1]} here; --to RUN/body trains the body that it was made for"
        )
    there, here = contract.get("env", {}), to_table(env)
    for name in MEANING:
        wanted = list(here[name]) if isinstance(here[name], tuple) else here[name]  # as it is written in a contract
        if name in there and there[name] != wanted:
            raise ImitationError(f"{path} was trained with {name} {there[name]}, and here it is {wanted}; they must be equal")
    return policy, contract
