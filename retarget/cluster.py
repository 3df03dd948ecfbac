"""The clips of a batch as tasks on a Ray cluster, whose machines see the same folders under the same paths."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from kinematics.errors import MissingExtraError
from retarget.batch_clip import BUG, KILLED, ClipResult, Settings, Task, do_clip
from retarget.batch_workers import ONE_THREAD
from retarget.errors import RetargetError

CHUNK, CHUNK_BYTES = 8, 4 << 20  # clips of a task, as long as they are small
SHARES = 4  # tasks that each processor gets at least, where there are so many clips
AHEAD = 2  # tasks in flight for a processor
RETRIES = 3  # times that a task is done again because its machine or process died


def run_on_cluster(settings: Settings, tasks: Sequence[Task], address: str) -> Generator[ClipResult]:
    """Do clips on a Ray cluster, and yield each result as it comes.

    Where a machine or a process dies, its clips are done again elsewhere; a result is a file renamed into place, so doing a
    clip again leaves one. A few tasks for each processor are in flight.

    Args:
        settings: What all clips share; the folders and the target must be there on every machine.
        tasks: The clips, in the order in which they are begun.
        address: Of the cluster, such as "192.168.1.10:6379", "auto" or "local". A connection that is open already is used.

    Raises:
        MissingExtraError: Where Ray is not installed.
        RetargetError: Where there is no cluster at that address.
    """
    ray = _require_ray()
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address)
    waiting, in_flight = deque[Sequence[Task]](), dict[Any, Sequence[Task]]()
    try:
        remote = ray.remote(_do_chunk).options(num_cpus=1, max_retries=RETRIES, runtime_env={"env_vars": ONE_THREAD})
        waiting.extend(_chunks(tasks, _processors(ray)))
        while waiting or in_flight:
            while waiting and len(in_flight) < AHEAD * _processors(ray):
                chunk = waiting.popleft()
                in_flight[remote.remote(settings, list(chunk))] = chunk
            ready, _ = ray.wait(list(in_flight), timeout=1.0)
            for reference in ready:
                chunk = in_flight.pop(reference)
                try:
                    yield from ray.get(reference)
                except ray.exceptions.RayError as error:
                    if len(chunk) > 1:  # one of them may be the cause
                        waiting.extend([task] for task in chunk)
                    elif isinstance(error, ray.exceptions.RayTaskError):
                        yield _broken(chunk[0], error)
                    else:
                        yield _killed(chunk[0], error)
    finally:
        for reference in in_flight:
            with contextlib.suppress(ray.exceptions.RayError):
                ray.cancel(reference, force=True)
        if ours:
            ray.shutdown()


def _do_chunk(settings: Settings, tasks: Sequence[Task]) -> list[ClipResult]:
    return [do_clip(settings, task) for task in tasks]


def _broken(task: Task, error: Any) -> ClipResult:
    """Say what a task raised outside `do_clip`: a machine lacks this package, or has another version of it."""
    reason = f"{type(error.cause).__name__}: {' '.join(str(error.cause).split())}"
    return ClipResult(task.source, BUG, reason=f"its machine could not do it ({reason})", traceback=str(error))


def _killed(task: Task, error: Exception) -> ClipResult:
    reason = f"its worker died {RETRIES + 1} times ({type(error).__name__}); a machine may be short of memory"
    return ClipResult(task.source, KILLED, reason=reason, traceback=str(error))


def _chunks(tasks: Sequence[Task], processors: int) -> list[Sequence[Task]]:
    """Cut the clips into tasks: small clips together, large ones alone; enough tasks for every processor."""
    most = min(CHUNK, max(1, math.ceil(len(tasks) / (SHARES * processors))))
    chunks: list[list[Task]] = []
    room = 0
    for task in tasks:
        if not chunks or len(chunks[-1]) >= most or task.size > room:
            chunks.append([])
            room = CHUNK_BYTES
        chunks[-1].append(task)
        room -= task.size
    return list(chunks)


def _processors(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise RetargetError(
            f"cannot reach a Ray cluster at {address!r} ({said}); start one with `ray start --head`, and give its address"
        ) from None


def _require_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise MissingExtraError(
            "a cluster needs Ray, which is not installed; pip install 'muybridge[cluster]' brings it"
        ) from None
