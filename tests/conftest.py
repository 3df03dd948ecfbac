"""Fixtures that all tests may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import jaxtyping
import pytest

# No deadline: the first call of a kernel compiles it. New examples at a desk; the same ones wherever CI is set, so that a
# change is refused for what it does and not for a draw.
hypothesis.settings.register_profile("muybridge", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("muybridge")

pytest.register_assert_rewrite("ik_chains", "ik_limbs", "ik_problems", "ik_reach")  # modules of tests/helpers that assert

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of third-party clips that stay outside the project; tests on them skip where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("third-party clips are not part of the project (their licences); no ../shared/data beside it")
    return folder


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of the project's own clips."""
    return REPOSITORY / "data" / "clips"


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    """Switch the run-time check of array shapes off, to see our own error instead of the checker's."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def hear_interrupts() -> None:
    """Let a child process be interrupted (`preexec_fn`): one started from a job in the background inherits that it is not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def interruptible() -> Callable[[], None]:
    """`preexec_fn` for child processes that shall hear Ctrl-C."""
    return hear_interrupts
