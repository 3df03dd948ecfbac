"""Worker processes on this machine. One that dies takes its clip with it and nothing else."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Sequence
from typing import IO, Any

from retarget.batch_clip import KILLED, ClipResult, Settings, Task, do_clip
from retarget.batch_job import make_job
from retarget.errors import RetargetError

# Workers share the machine, so none starts threads of its own.
LIBRARIES = ("NUMBA", "OMP", "OPENBLAS", "MKL", "BLIS")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in LIBRARIES} | {"VECLIB_MAXIMUM_THREADS": "1"}
START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from retarget.batch_workers import serve; serve()"
READY = "ready"
PATIENCE = 5  # workers that may fail to start once one has


def run_in_workers(settings: Settings, tasks: Sequence[Task], workers: int) -> Generator[ClipResult]:
    """Do clips in worker processes, and yield each result as it comes.

    A worker takes the next clip when it is free, so one clip a worker is in memory. All wait until one has done a clip: it
    compiles the kernels, the others find them on disk. Workers end with the generator, and with this process.

    Args:
        settings: What all clips share.
        tasks: The clips, in the order in which they are begun.
        workers: How many processes.

    Raises:
        RetargetError: Where a worker cannot start.
    """
    crew = _Crew(settings, tasks)
    threads = [threading.Thread(target=crew.attend, args=(number,), daemon=True) for number in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            yield crew.next_result()
    finally:
        crew.stop()
        for thread in threads:
            thread.join()


class _Crew:
    """What the threads share that attend to one worker each."""

    def __init__(self, settings: Settings, tasks: Sequence[Task]) -> None:
        self.settings, self.tasks = settings, deque(tasks)
        self.results: queue.SimpleQueue[ClipResult | BaseException] = queue.SimpleQueue()
        self.compiled, self.stopped, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.processes: set[_Worker] = set()
        self.begun, self.patience = False, PATIENCE

    def next_result(self) -> ClipResult:
        while True:
            try:
                result = self.results.get(timeout=0.5)  # Ctrl-C comes through on every system
            except queue.Empty:
                continue
            if isinstance(result, BaseException):
                raise result
            return result

    def stop(self) -> None:
        with self.lock:
            self.stopped.set()
            for worker in self.processes:
                worker.process.kill()
        self.compiled.set()

    def attend(self, number: int) -> None:
        """Give a worker one clip after the other; where it dies, start another."""
        worker = None
        try:
            while not self.stopped.is_set() and self.tasks:
                worker = worker or self._start()
                if number:
                    self.compiled.wait()
                try:
                    task = self.tasks.popleft()
                except IndexError:
                    break
                result = worker.do(task)
                if result is None:
                    result = ClipResult(task.source, KILLED, reason=worker.how_it_ended(), traceback=worker.last_words())
                    self._end(worker)
                    worker = None
                if not number and result.status != KILLED and result.key:
                    self.compiled.set()
                if not self.stopped.is_set():
                    self.results.put(result)
        except Exception as error:  # noqa: BLE001 - raised again where results are taken
            if not self.stopped.is_set():
                self.results.put(error)
        finally:
            if not number:
                self.compiled.set()
            if worker is not None:
                self._end(worker)

    def _start(self) -> _Worker:
        while True:
            with self.lock:
                if self.stopped.is_set():
                    raise RetargetError("the batch has been stopped")
                worker = _Worker(self.settings)
                self.processes.add(worker)
            try:
                worker.wait_until_ready()
            except RetargetError:
                self._end(worker)
                self.patience -= 1  # where memory is short, one that starts may be killed too
                if not self.begun or self.patience < 0 or self.stopped.wait(1.0):
                    raise
            else:
                self.begun = True
                return worker

    def _end(self, worker: _Worker) -> None:
        with self.lock:
            self.processes.discard(worker)
        worker.close()


class _Worker:
    """One worker process: pickles over pipes, between our own processes alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.errors = settings, tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends them
            )
        except OSError as error:
            self.errors.close()
            raise RetargetError(f"cannot start a worker: {error.strerror}") from None

    def wait_until_ready(self) -> None:
        if self._send(self.settings) and self._receive() == READY:
            return
        how, words = self.how_it_ended(), self.last_words().strip().splitlines()
        raise RetargetError(f"no worker can start: {how}" + (f"; it said: {words[-1]}" if words else ""))

    def do(self, task: Task) -> ClipResult | None:
        """Return what became of a clip; None where the worker has died of it."""
        result = self._receive() if self._send(task) else None
        return result if isinstance(result, ClipResult) else None

    def _send(self, message: object) -> bool:
        assert self.process.stdin is not None
        try:
            pickle.dump(message, self.process.stdin)
            self.process.stdin.flush()
        except OSError:
            return False
        return True

    def _receive(self) -> Any:
        assert self.process.stdout is not None
        try:
            return pickle.load(self.process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return None

    def how_it_ended(self) -> str:
        try:
            code = self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if code >= 0:
            return f"its worker ended with exit status {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        more = "; the system does so where memory runs out, and fewer workers need less" if name == "SIGKILL" else ""
        return f"its worker was ended by {name}{more}"

    def last_words(self) -> str:
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 4000))
        return self.errors.read().decode(errors="replace")

    def close(self) -> None:
        """End the process, which has nothing to do any more."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # what it did not take any more
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


def serve() -> None:
    """Run a worker: settings and clips come over standard input, results go over standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)  # what anything prints is not taken for a result
        settings: Settings = pickle.load(sys.stdin.buffer)
        make_job(settings.target, settings.target_digest, settings.config)
        tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
        _reply(replies, READY)
        while True:
            _reply(replies, do_clip(settings, tasks.get()))


def _listen(stream: IO[bytes], tasks: queue.SimpleQueue[Task]) -> None:
    """Take clips; where there are no more because the batch has ended, however it did, end too, even amid a clip."""
    try:
        while True:
            tasks.put(pickle.load(stream))
    except (EOFError, OSError):
        os._exit(0)


def _reply(stream: IO[bytes], message: object) -> None:
    pickle.dump(message, stream)
    stream.flush()
