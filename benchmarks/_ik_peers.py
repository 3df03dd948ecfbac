"""The tools for robots that the inverse kinematics benchmark compares with.

Those that give one step at a time (mink, pink, placo) are driven as their examples do: a step with a time step and a gain of
1, a look at the error, until it is within the tolerance, nothing moves any more, or 200 steps are done. Their damping was
chosen for each task among powers of ten: the fewest steps with the most targets reached; out of reach, the nearest end.
mink and pink solve their quadratic programs with DAQP; placo brings its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _ik_contenders import MOST, Contender, Stepper

ORIENTATION_COST = 0.3  # of a radian against a metre
DAMPING = {  # `lm_damping`; of placo the weight of a regularization task
    "mink": {"chain": 1.0, "body": 0.1, "batch": 0.1, "limited": 0.1, "clip": 0.1, "unreachable": 1.0},
    "pink": {"chain": 0.1, "body": 0.1, "batch": 0.1, "limited": 0.1, "clip": 0.1, "unreachable": 1.0},
    "placo": {"chain": 0.01, "body": 1e-3, "batch": 1e-3, "limited": 0.01, "clip": 1e-4, "unreachable": 100.0},
    "pytorch-kinematics": {"chain": 1.0, "unreachable": 1.0},
}


class Mink(Stepper):
    """Steps by quadratic programs; MuJoCo's own ball joints where nothing has a range."""

    name = "mink"

    def start(self) -> None:
        """Import the tool."""
        import mink
        import mujoco

        self.mink, self.mujoco = mink, mujoco

    def read(self, task: str) -> None:
        """Read a task; without ranges its joints are balls."""
        self.layout = "hinge" if bool(np.load(self.folder / f"{task}.npz")["limited"]) else "ball"
        super().read(task)

    def load(self, task: str, variant: str) -> None:
        """Make model, tasks and limits."""
        del variant
        mink, model = self.mink, self.mujoco.MjModel.from_xml_path(self.path["xml"])
        self.configuration = mink.Configuration(model)
        damping = DAMPING[self.name][task]
        self.tasks = [
            mink.FrameTask(f"{name}_tip", "site", 1.0, 0.0 if self.turns is None else ORIENTATION_COST, lm_damping=damping)
            for name in self.effectors
        ]
        self.sites = [model.site(f"{name}_tip").id for name in self.effectors]
        self.limits = [mink.ConfigurationLimit(model)] if self.limited else []
        joints = [f"{name}_ball" for name in self.balls] if self.layout == "ball" else self.hinges
        first = 7 if self.free else 0
        width = 4 if self.layout == "ball" else 1
        place = [model.joint(name).qposadr[0] for name in joints]
        assert place == [first + width * index for index in range(len(place))], "joints are in the order of the rows"
        self.initial = self.position = self.begin

    def put(self, position: np.ndarray, number: int) -> None:
        """Bring the model to a position and set targets."""
        self.configuration.update(position)
        if self.turns is not None:
            for task, turn, point in zip(self.tasks, self.turns[number], self.points[number], strict=True):
                task.set_target(self.mink.SE3(np.concatenate([turn, point])))

    def where(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the effectors' places and rotation matrices."""
        data = self.configuration.data
        return data.site_xpos[self.sites], None if self.turns is None else data.site_xmat[self.sites].reshape(-1, 3, 3)

    def step(self, number: int) -> np.ndarray:
        """Do one step; without rotations to reach, the target is turned as the effector is, which leaves the place alone."""
        if self.turns is None:
            for task, name, point in zip(self.tasks, self.effectors, self.points[number], strict=True):
                now = self.configuration.get_transform_frame_to_world(f"{name}_tip", "site").wxyz_xyz
                task.set_target(self.mink.SE3(np.concatenate([now[:4], point])))
        step = self.mink.solve_ik(self.configuration, self.tasks, 1.0, "daqp", limits=self.limits)
        self.configuration.integrate_inplace(step, 1.0)
        return step

    def now(self) -> np.ndarray:
        """Return MuJoCo's positions."""
        return self.configuration.q

    def answer(self) -> np.ndarray:
        """Return MuJoCo's positions, which are in the order of the rows."""
        return self.position


class Pink(Stepper):
    """Steps by quadratic programs on Pinocchio."""

    name = "pink"

    def start(self) -> None:
        """Import the tool."""
        import pink
        import pinocchio

        self.pink, self.pin = pink, pinocchio

    def load(self, task: str, variant: str) -> None:
        """Make model, tasks and limits."""
        del variant
        pink, pin = self.pink, self.pin
        root = (pin.JointModelFreeFlyer(),) if self.free else ()
        self.model = pin.buildModelFromUrdf(self.path["urdf"], *root)
        self.data = self.model.createData()
        damping = DAMPING[self.name][task]
        cost = 0.0 if self.turns is None else ORIENTATION_COST
        self.frames = [self.model.getFrameId(f"{name}_tip") for name in self.effectors]
        self.tasks = [pink.FrameTask(f"{name}_tip", 1.0, cost, lm_damping=damping) for name in self.effectors]
        self.limits = [pink.limits.ConfigurationLimit(self.model, 1.0)] if self.limited else []
        self.columns = [self.model.joints[self.model.getJointId(name)].idx_q for name in self.hinges]
        self.initial = pin.neutral(self.model)
        self.initial[self.columns] = self.begin[7 if self.free else 0 :]
        if self.free:
            self.initial[:7] = self.begin[[0, 1, 2, 4, 5, 6, 3]]
        self.position = self.initial

    def put(self, position: np.ndarray, number: int) -> None:
        """Bring the model to a position and set targets."""
        self.configuration = self.pink.Configuration(self.model, self.data, position, copy_data=False)
        if self.turns is not None:
            for task, turn, point in zip(self.tasks, self.wanted[number], self.points[number], strict=True):
                task.set_target(self.pin.SE3(turn, point))

    def where(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the effectors' places and rotation matrices."""
        found = [self.data.oMf[frame] for frame in self.frames]
        places = np.array([one.translation for one in found])
        return places, None if self.turns is None else np.array([one.rotation for one in found])

    def step(self, number: int) -> np.ndarray:
        """Do one step; without rotations to reach, the target is turned as the effector is, which leaves the place alone."""
        if self.turns is None:
            for task, frame, point in zip(self.tasks, self.frames, self.points[number], strict=True):
                task.set_target(self.pin.SE3(self.data.oMf[frame].rotation, point))
        step = self.pink.solve_ik(self.configuration, self.tasks, 1.0, "daqp", limits=self.limits)
        self.configuration.integrate_inplace(step, 1.0)
        return step

    def now(self) -> np.ndarray:
        """Return Pinocchio's positions."""
        return self.configuration.q

    def answer(self) -> np.ndarray:
        """Return root and hinge angles."""
        hinges = self.position[self.columns]
        return np.concatenate([self.position[[0, 1, 2, 6, 3, 4, 5]], hinges]) if self.free else hinges


class Placo(Stepper):
    """Steps by quadratic programs in C++."""

    name = "placo"

    def start(self) -> None:
        """Import the tool."""
        import placo

        self.placo = placo

    def load(self, task: str, variant: str) -> None:
        """Make model, tasks and limits."""
        del variant
        self.robot = self.placo.RobotWrapper(self.path["urdf"], self.placo.Flags.ignore_collisions)
        self.solver = self.robot.make_solver()
        self.solver.mask_fbase(not self.free)
        self.solver.enable_joint_limits(self.limited)
        self.solver.enable_velocity_limits(False)
        self.solver.dt = 1.0
        self.tips = [f"{name}_tip" for name in self.effectors]
        self.places = [self.solver.add_position_task(tip, np.zeros(3)) for tip in self.tips]
        self.facings: list[Any] = []
        for tip, place in zip(self.tips, self.places, strict=True):
            place.configure(tip, "soft", 1.0)
            if self.turns is not None:
                self.facings.append(self.solver.add_orientation_task(tip, np.eye(3)))
                self.facings[-1].configure(tip + " facing", "soft", ORIENTATION_COST**2)
        self.solver.add_regularization_task(DAMPING[self.name][task])
        self.columns = [self.robot.get_joint_offset(name) for name in self.hinges]
        self.initial = np.array(self.robot.state.q)
        self.initial[self.columns] = self.begin[7 if self.free else 0 :]
        if self.free:
            self.initial[:7] = self.begin[[0, 1, 2, 4, 5, 6, 3]]
        self.position = self.initial

    def put(self, position: np.ndarray, number: int) -> None:
        """Bring the model to a position and set targets."""
        self.robot.state.q = position
        self.robot.update_kinematics()
        for place, point in zip(self.places, self.points[number], strict=True):
            place.target_world = point
        for facing, turn in zip(self.facings, self.wanted[number] if self.facings else (), strict=True):
            facing.R_world_frame = turn

    def where(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the effectors' places and rotation matrices."""
        found = np.array([self.robot.get_T_world_frame(tip) for tip in self.tips])
        return found[:, :3, 3], found[:, :3, :3] if self.facings else None

    def step(self, number: int) -> np.ndarray:
        """Do one step."""
        del number
        step = self.solver.solve(True)
        self.robot.update_kinematics()
        return step

    def now(self) -> np.ndarray:
        """Return Pinocchio's positions."""
        return self.robot.state.q

    def answer(self) -> np.ndarray:
        """Return root and hinge angles."""
        hinges = self.position[self.columns]
        return np.concatenate([self.position[[0, 1, 2, 6, 3, 4, 5]], hinges]) if self.free else hinges


class Ikpy(Contender):
    """SciPy's least squares with numerical derivatives; one chain with one tip."""

    name = "ikpy"
    cannot = ("body", "batch", "limited", "clip")

    def start(self) -> None:
        """Import the tool."""
        from ikpy.chain import Chain

        self.chains = Chain

    def load(self, task: str, variant: str) -> None:
        """Read the chain."""
        del variant
        self.chain = self.chains.from_urdf_file(self.path["urdf"], base_elements=["base"])
        links = [link.name for link in self.chain.links]
        self.columns = [links.index(name) for name in self.hinges if name in links]
        mask = np.zeros(len(links), dtype=bool)
        mask[self.columns] = True
        self.chain.active_links_mask = mask
        self.initial = np.zeros(len(links))
        self.initial[self.columns] = self.begin[: len(self.columns)]
        # With "dogbox" the gradient, tip error times lever, ends the search; out of reach it takes longer than the default.
        dogbox = {"optimizer_kwargs": {"method": "dogbox", "gtol": self.tolerance}}
        self.options: dict[str, Any] = dogbox if task == "chain" else {"tol": 1e-3}

    def solve(self, number: int) -> int:
        """Minimise the distance."""
        self.found = self.chain.inverse_kinematics(self.points[number, 0], initial_position=self.initial, **self.options)
        return -1

    def answer(self) -> np.ndarray:
        """Return the hinge angles."""
        row = self.begin.copy()
        row[: len(self.columns)] = self.found[self.columns]
        return row


class PytorchKinematics(Contender):
    """Damped least squares in PyTorch; one chain with one tip, many targets at once."""

    name = "pytorch-kinematics"
    cannot = ("body", "batch", "limited", "clip")

    def start(self) -> None:
        """Import the tool."""
        import pytorch_kinematics
        import torch

        torch.set_num_threads(1)
        self.torch, self.tool = torch, pytorch_kinematics

    def load(self, task: str, variant: str) -> None:
        """Read the chain and make the solver."""
        torch, tool = self.torch, self.tool
        self.batch = "batch" in variant
        text = Path(self.path["urdf"]).read_bytes()
        chain = tool.build_serial_chain_from_urdf(text, f"{self.effectors[0]}_tip", "base").to(dtype=torch.float64)
        names = chain.get_joint_parameter_names(exclude_fixed=True)
        self.columns = [self.hinges.index(name) for name in names]
        self.solver = tool.PseudoInverseIK(
            chain,
            pos_tolerance=self.tolerance,
            rot_tolerance=1e9,
            retry_configs=torch.tensor(self.begin[self.columns])[None],
            max_iterations=MOST,
            lr=1.0,
            orientation_weight=0.0,
            lm_damping=DAMPING[self.name][task],
            early_stopping_any_converged=True,
            early_stopping_no_improvement_patience=5,
            enforce_joint_limits=False,
        )

    def all_at_once(self) -> bool:
        """Tell whether it is the variant with all targets in one call."""
        return self.batch

    def solve(self, number: int) -> int:
        """Solve for one target, or all."""
        points = self.points[:, 0] if self.batch else self.points[number]
        target = self.tool.Transform3d(pos=self.torch.tensor(points), dtype=self.torch.float64)
        found = self.solver.solve(target)
        self.found = found.solutions[:, 0].numpy()
        return int(found.iterations)

    def answer(self) -> np.ndarray:
        """Return the hinge angles."""
        rows = np.tile(self.begin, (len(self.found), 1))
        rows[:, self.columns] = self.found
        return rows
