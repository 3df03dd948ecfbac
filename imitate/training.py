"""Train a policy to perform a clip, in a run folder that can be resumed exactly."""

from __future__ import annotations

import copy
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import torch

from imitate.checkpoint import load_checkpoint, save_checkpoint, save_torch
from imitate.config import CONFIG, LENGTHS, TrainConfig, save_config
from imitate.curves import Curves
from imitate.envs.tracking import TrackingEnv
from imitate.episodes import deterministic, perform
from imitate.errors import ImitationError
from imitate.evaluation import evaluation_reference, fair_config, summarize
from imitate.learning.distributed import Team, join, leave
from imitate.learning.learner import Learner
from imitate.learning.outlook import time_left
from imitate.learning.rollout import NotFiniteError
from imitate.policy_file import load_policy, make_contract, save_policy
from imitate.runs import CHECKPOINTS, POLICY, START, Run, clip_hash, clip_name, create_run, open_run
from kinematics.motion import Motion

if TYPE_CHECKING:
    from imitate.character import Character

TRIAL_EPISODES = 32
GOOD_RETURN = 0.9  # that the time left is estimated for, where training may end before its time
SETTLED_RISE = 0.005  # of the return between two trials, that counts as the end of learning
UNTRIED = {"completion": 0.0, "return": 0.0, "root_relative_mm": 0.0}
INTERRUPTED, GOOD, TIME, COUNT = "interrupted", "good enough", "time is up", "all iterations are done"


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        row: Figures of the last iteration.
        elapsed_s: Seconds trained, earlier processes included.
        left_s: Estimated seconds to the end.
        samples_per_s: Control steps of single bodies a second, lately.
        stopped: Why the training ends with this iteration; "" where it goes on.
    """

    row: dict[str, float]
    elapsed_s: float
    left_s: float
    samples_per_s: float
    stopped: str = ""


def train(
    clips: str | Path | Motion | Sequence[str | Path | Motion] | None,
    folder: str | Path,
    config: TrainConfig | None = None,
    *,
    to: str | Path | Character | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    on_iteration: Callable[[Progress], None] | None = None,
) -> str:
    """Train a policy to perform a clip.

    Ctrl-C ends it after the present iteration, with everything saved. Started by torchrun, the processes train one policy.

    Args:
        clips: A clip or several, files or motions; None with `resume`.
        folder: The run folder: made anew, or with `resume` gone on with.
        config: Settings; with `resume` those of the folder, of which a given config replaces how long to train.
        to: A body to train instead of one made from the first clip.
        start_from: The policy to begin with, a run folder or a policy's file; by default one that knows nothing.
        resume: Go on from the last checkpoint of the folder, exactly as if nothing had happened.
        on_iteration: Called in the leading process after each iteration.

    Returns:
        Why it ended: "interrupted", "good enough", "time is up" or "all iterations are done".

    Raises:
        ImitationError: On a clip that cannot be imitated, a folder that cannot be used, or numbers that are not finite.
    """
    folder = Path(folder)
    if resume and not (clips is None and to is None and start_from is None):
        raise ImitationError("a resumed run goes on with its own clips, body and policy; give none of clips, to and start_from")
    found = open_run(folder) if resume else None
    device = _device((found.config if found else config or TrainConfig()).device)
    team = join(device)
    try:
        if found:
            run = _resumed(found, config, team)
        else:
            if clips is None:
                raise ImitationError("train needs a clip; only --resume goes without one")
            if team.leads:
                create_run(clips, folder, config or TrainConfig(), to=to, start_from=start_from)
            team.wait()
            run = open_run(folder)
        settings = run.config
        processors = max(1, _processors() // team.size)
        env = run.make_env(
            num_envs=settings.num_envs,
            seed=settings.seed + team.rank,
            num_threads=settings.physics_threads or processors,
        )
        learner = Learner(
            env,
            settings.ppo,
            seed=settings.seed,
            horizon=run.horizon,
            policy=load_policy(folder / START)[0] if (folder / START).is_file() else None,
            device=device,
            update_threads=settings.update_threads or processors,
            team=team,
        )
        name, digest = clip_name(run), clip_hash(run)

        def contract(metrics: dict[str, float]) -> dict[str, Any]:
            return make_contract(run.character, settings, clip=name, clip_hash=digest, metrics=metrics)

        trial = _make_trial(run, learner, settings.physics_threads or processors) if team.leads else None
        return learn(learner, folder, settings, contract=contract, trial=trial, resume=resume, on_iteration=on_iteration)
    finally:
        leave(team)


def _make_trial(run: Run, learner: Learner, num_threads: int) -> Callable[[], dict[str, float]]:
    """Return what lets the present policy act without noise, by the rules of an evaluation, disturbed as in training."""
    reference, trained = evaluation_reference(run), run.config.env
    config = fair_config(trained, run.character, reference=reference, start="random", randomisation=trained.randomisation)
    env = TrackingEnv(run.character, reference, config, num_envs=TRIAL_EPISODES, seed=run.config.seed, num_threads=num_threads)
    fresh = env.state()

    def trial() -> dict[str, float]:
        env.restore(fresh)  # the same starts each time
        policy = copy.deepcopy(learner.averaged).cpu()
        found = summarize(perform(deterministic(policy), env), reference, end_effectors=run.character.end_effectors)
        numbers = {"completion": found.completion, "return": found.normalised_return}
        return numbers | {"root_relative_mm": found.errors_mm.root_relative_mm}

    return trial


def learn(
    learner: Learner,
    folder: Path,
    config: TrainConfig,
    *,
    contract: Callable[[dict[str, float]], dict[str, Any]],
    trial: Callable[[], dict[str, float]] | None = None,
    resume: bool = False,
    on_iteration: Callable[[Progress], None] | None = None,
) -> str:
    """Iterate until it is enough; write curves, checkpoints and the policy that did best in its trials.

    Args:
        learner: What learns.
        folder: The run folder.
        config: How long, and how often a checkpoint is written.
        contract: From the last figures, what goes into the policy's file.
        trial: Lets the policy act without noise and returns "completion", "return" and others; in the leading process.
        resume: Go on from the last checkpoint.
        on_iteration: Called in the leading process after each iteration.

    Returns:
        Why it ended.

    Raises:
        NotFiniteError: Where numbers are not finite; the state was saved into the folder.
        InputError: Where a file cannot be written.
    """
    team, elapsed = learner.team, 0.0
    trials: list[dict[str, float]] = []
    if resume and any((folder / CHECKPOINTS).glob("*.pt")):
        saved = load_checkpoint(folder / CHECKPOINTS)
        learner.restore(saved["learner"])
        elapsed, trials = saved["elapsed_s"], saved["trials"]
    curves = Curves(folder, iteration=learner.iteration) if team.leads else None
    stop = _over(learner, elapsed, config)
    try:
        with _Interrupt() as interrupt:
            while not stop:
                begin = time.perf_counter()
                row = _iterate(learner, folder)
                regular = learner.iteration % config.trial_every == 0
                due = regular or bool(_over(learner, elapsed + time.perf_counter() - begin, config))
                tried = trial() if trial is not None and due else None
                if tried and regular:  # one at the end alone would not be there had the training gone on, so it decides nothing
                    trials.append(tried)
                elapsed += time.perf_counter() - begin
                row["elapsed_s"] = elapsed
                if trial is not None:
                    row |= {f"trial/{name}": value for name, value in (tried or (trials or [UNTRIED])[-1]).items()}
                if curves is not None:
                    curves.add(row)
                stop = _reason(trials, elapsed, interrupt, learner, config)
                best = due and (not tried or tried["return"] >= max((each["return"] for each in trials), default=0.0))
                if team.leads and (best or (stop and not (folder / POLICY).is_file())):
                    save_policy(folder / POLICY, learner.averaged, contract(row))
                if stop or learner.iteration % config.checkpoint_every == 0:
                    _save(learner, folder, config, elapsed, trials)
                if curves is not None and on_iteration is not None:
                    on_iteration(_progress(curves, elapsed, config, stop))
    finally:
        if curves is not None:
            curves.close()
    team.wait()
    return stop


def _iterate(learner: Learner, folder: Path) -> dict[str, float]:
    try:
        return learner.iterate()
    except NotFiniteError as error:
        env, body, dump = learner.env, error.body, folder / f"not_finite_{learner.team.rank}.pt"
        weights = learner.policy.state_dict()
        save_torch(dump, "dump", {"body": body, "iteration": learner.iteration, "env": env.state(), "policy": weights})
        frames = getattr(env, "frames", None)
        where = f", at frame {int(frames[body])} of the reference" if frames is not None and body >= 0 else ""
        mend = f"its state is in {dump}, and --resume goes on from the last checkpoint"
        raise NotFiniteError(f"in iteration {learner.iteration + 1} {error}{where}; {mend}", body=body) from None


def _save(learner: Learner, folder: Path, config: TrainConfig, elapsed: float, trials: list[dict[str, float]]) -> None:
    state = learner.state()  # of all processes
    if learner.team.leads:
        content = {"learner": state, "elapsed_s": elapsed, "trials": trials}
        save_checkpoint(folder / CHECKPOINTS, learner.iteration, content, keep=config.keep_checkpoints)


def _reason(trials: list[dict[str, float]], elapsed: float, interrupt: _Interrupt, learner: Learner, config: TrainConfig) -> str:
    """Return why to stop; all processes of a team come to one answer."""
    reason = INTERRUPTED if interrupt.heard else ""
    if learner.team.leads and not reason:
        reason = _over(learner, elapsed, config) or (GOOD if good_enough(trials, config.stop_completion) else "")
    reasons: list[str] = learner.team.gather(reason)
    return max(reasons, key=len)


def good_enough(trials: Sequence[dict[str, float]], completion: float) -> bool:
    """Tell whether the last three trials all came to their ends and hardly got better."""
    last = trials[-3:]
    steady = len(last) == 3 and all(each["completion"] >= completion for each in last)
    return steady and last[-1]["return"] - last[0]["return"] < SETTLED_RISE


def _over(learner: Learner, elapsed: float, config: TrainConfig) -> str:
    """Return which end was reached that the settings name; "" for none."""
    if config.iterations and learner.iteration >= config.iterations:
        return COUNT
    return TIME if elapsed >= 60.0 * config.minutes else ""


def _progress(curves: Curves, elapsed: float, config: TrainConfig, stopped: str) -> Progress:
    rows = curves.rows[-20:]
    speed = sum(row["seconds/all"] for row in rows)
    samples = rows[-1]["samples"] - rows[0]["samples"]
    rate = samples / max(speed - rows[0]["seconds/all"], 1e-9)
    left = 60.0 * config.minutes - elapsed
    if config.iterations:
        left = min(left, (config.iterations - len(curves.rows)) * elapsed / len(curves.rows))
    trials = [row for row in curves.rows if row["iteration"] % config.trial_every == 0 and "trial/return" in row]
    if config.stop_completion <= 1.0 and len(trials) > 3:
        good = time_left([row["elapsed_s"] for row in trials], [row["trial/return"] for row in trials], GOOD_RETURN)
        left = min(left, good + 2.0 * (trials[-1]["elapsed_s"] - trials[-2]["elapsed_s"]))
    return Progress(curves.rows[-1], elapsed, max(left, 0.0), rate, stopped)


def _resumed(run: Run, config: TrainConfig | None, team: Team) -> Run:
    """Return the run with the given lengths of training, and keep them in its folder."""
    if config is None:
        return run
    settings = replace(run.config, **{name: getattr(config, name) for name in LENGTHS})
    if team.leads and settings != run.config:
        save_config(settings, run.folder / CONFIG)
    return replace(run, config=settings)


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(name: str) -> str:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ImitationError(f"torch cannot work on the device {name!r}: {str(error).splitlines()[0]}") from None
    local = os.environ.get("LOCAL_RANK")
    return f"cuda:{int(local) % torch.cuda.device_count()}" if name == "cuda" and local is not None else name


class _Interrupt:
    """Hears Ctrl-C and SIGTERM and lets the iteration finish; a second Ctrl-C ends at once."""

    def __init__(self) -> None:
        self.heard = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> _Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.heard = True
