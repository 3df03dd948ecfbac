"""Our own robot: what its maker writes, and that it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

mujoco = pytest.importorskip("mujoco")
ROBOTS = Path(__file__).resolve().parents[3] / "data" / "robots"


def test_the_files_are_what_their_maker_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROBOTS / "make_praxis.py"), str(tmp_path)], check=True)
    for name in ("praxis.xml", "praxis_scene.xml"):
        assert (tmp_path / name).read_bytes() == (ROBOTS / name).read_bytes()


def test_it_stands_by_its_own_motors() -> None:
    """Two seconds on the floor at the keyframe's angles: no fall, no drift, no motor at its limit."""
    model = mujoco.MjModel.from_xml_path(str(ROBOTS / "praxis_scene.xml"))
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    start = data.qpos.copy()
    most = np.zeros(model.nu)
    for _ in range(round(2.0 / model.opt.timestep)):
        mujoco.mj_step(model, data)
        most = np.maximum(most, np.abs(data.actuator_force))
    assert np.abs(data.qpos[:3] - start[:3]).max() < 0.01 and np.abs(data.qvel).max() < 0.02
    assert (most < 0.5 * model.actuator_forcerange[:, 1]).all()
    assert len(data.contact) == 8 and model.body_mass.sum() == pytest.approx(35.0)


def test_left_and_right_are_mirror_images() -> None:
    model = mujoco.MjModel.from_xml_path(str(ROBOTS / "praxis.xml"))
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_forward(model, data)
    flip = np.array([1.0, -1.0, 1.0])
    for body in range(1, model.nbody):
        name = model.body(body).name
        swap = {"left": "right", "right": "left"}.get(name.split("_")[0], "")
        other = model.body("_".join([swap, *name.split("_")[1:]]) if swap else name).id
        assert np.allclose(data.xipos[body], flip * data.xipos[other], atol=1e-9)
        assert np.allclose(model.body_mass[body], model.body_mass[other])
