"""A thread that follows a dragged point: only the newest place counts, and the way between places is filled in."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

STEP = 1.0 / 60.0  # seconds between two steps of a drag
GAP = 0.05  # seconds between two places that a browser sends while a gizmo is dragged


class Follower:
    """Runs tasks one after the other, and steps of a drag between them, in a thread of its own.

    A browser tells where a gizmo is 20 times a second. Between two places the point is led along the line, so that the body
    moves smoothly; places that come faster than they are solved are dropped, all but the newest.
    """

    def __init__(self, step: Callable[[Float[np.ndarray, "3"]], None]) -> None:
        """Start the thread; `step` is called with each point of a drag."""
        self._step = step
        self._tasks: deque[Callable[[], None]] = deque()
        self._ready = threading.Condition()
        self._point = self._start = self._end = np.zeros(3)
        self._since = 0.0
        self._moving = self._busy = self._stopped = False
        self._thread = threading.Thread(target=self._run, name="reach", daemon=True)
        self._thread.start()

    def post(self, task: Callable[[], None]) -> None:
        """Let a task run after those that wait."""
        with self._ready:
            self._tasks.append(task)
            self._ready.notify_all()

    def lead(self, point: Float[np.ndarray, "3"]) -> None:
        """Lead the dragged point to a place."""
        with self._ready:
            self._start, self._end, self._since, self._moving = self._point, np.array(point), time.monotonic(), True
            self._ready.notify_all()

    def place(self, point: Float[np.ndarray, "3"]) -> None:
        """Put the point where a drag begins; called by a task."""
        with self._ready:
            self._point = self._start = np.array(point)

    def let_go(self) -> Float[np.ndarray, "3"] | None:
        """Stop leading, and return the place that was not reached yet."""
        with self._ready:
            rest, self._moving = self._end if self._moving else None, False
            return rest

    def wait(self, timeout: float = 60.0) -> bool:
        """Wait until all is done that was asked for, and tell whether it is."""
        with self._ready:
            return self._ready.wait_for(lambda: not (self._tasks or self._moving or self._busy), timeout)

    def stop(self) -> None:
        """End the thread after what it is doing."""
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._ready:
                self._busy = False
                self._ready.notify_all()
                self._ready.wait_for(lambda: self._tasks or self._moving or self._stopped)
                if self._stopped:
                    return
                self._busy = True
                task = self._tasks.popleft() if self._tasks else None
                begin = time.monotonic()
                if task is None:
                    done = min((begin - self._since) / GAP, 1.0)
                    self._point = self._start + done * (self._end - self._start)
                    self._moving = done < 1.0
            if task is not None:
                task()
                continue
            self._step(self._point)
            time.sleep(max(STEP - (time.monotonic() - begin), 0.0))
