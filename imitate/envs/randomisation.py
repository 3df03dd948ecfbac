"""Differences between episodes and disturbances: friction, mass, latency, pushes, noise on actions."""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from imitate.envs.config import EnvConfig


class Randomisation:
    """Draws each episode's differences and applies them to a batch; what is switched off costs nothing.

    Attributes:
        friction: Factor on friction of each simulation, shape (N,).
        mass: Factor on mass, shape (N,).
        delays: Steps of physics until an action takes effect, shape (N,).
        clocks: Control steps to the next push, shape (N,).
    """

    def __init__(self, batch: Batch, config: EnvConfig, substeps: int) -> None:
        """Give the batch's simulations model fields of their own where these differ."""
        given, count = config.randomisation, batch.nsim
        self._config, self._batch = given, batch
        self._interval = max(1, round(given.push_interval_s * config.control_rate_hz))
        self._rate = substeps * config.control_rate_hz
        self._friction_on = given.friction != (1.0, 1.0)
        self._mass_on = given.mass != (1.0, 1.0)
        self._pushed = given.push_speed_m_s[1] > 0.0
        self.delayed = given.latency_s[1] > 0.0
        self.friction, self.mass = np.ones(count), np.ones(count)
        self.delays, self.clocks = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)

    def draw(self, rows: np.ndarray, generator: np.random.Generator) -> None:
        """Draw the differences of episodes that begin."""
        given, count = self._config, len(rows)
        if self._friction_on:
            self.friction[rows] = generator.uniform(*given.friction, count)
        if self._mass_on:
            self.mass[rows] = generator.uniform(*given.mass, count)
        if self.delayed:
            self.delays[rows] = np.rint(generator.uniform(*given.latency_s, count) * self._rate).astype(np.int64)
        if self._pushed:
            self.clocks[rows] = generator.integers(1, self._interval + 1, count)
        self.apply(rows)

    def apply(self, rows: np.ndarray) -> None:
        """Write the models of some simulations from their factors."""
        batch, model = self._batch, self._batch.model
        if self._friction_on:
            batch.expand("geom_friction")[rows] = self.friction[rows, None, None] * model.geom_friction
        if self._mass_on:
            batch.expand("body_mass")[rows] = self.mass[rows, None] * model.body_mass
            batch.expand("body_inertia")[rows] = self.mass[rows, None, None] * model.body_inertia
            batch.set_const(rows)

    def push(self, qvel: np.ndarray, generator: np.random.Generator) -> None:
        """Add a push to the root's velocity where its time has come, `qvel` (N, nv) in place."""
        if not self._pushed:
            return
        self.clocks -= 1
        rows = np.flatnonzero(self.clocks <= 0)
        angles = generator.uniform(0.0, 2.0 * np.pi, len(rows))
        speeds = generator.uniform(*self._config.push_speed_m_s, len(rows))
        qvel[rows, 0] += speeds * np.cos(angles)
        qvel[rows, 1] += speeds * np.sin(angles)
        self.clocks[rows] = self._interval

    def noise(self, actions: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the actions with noise, shape (N, A)."""
        if not self._config.action_noise:
            return actions
        return np.asarray(actions + self._config.action_noise * generator.standard_normal(actions.shape))
