"""Write `praxis.xml`, a small humanoid robot of our own design, and `praxis_scene.xml`, the same on a floor.

    python data/robots/make_praxis.py            # writes both beside this file again, byte for byte
    python data/robots/make_praxis.py FOLDER     # writes somewhere else

1.30 m, 35 kg, 29 hinges. Left and right are written by the same lines, mirrored. Axes are MuJoCo's: x forward, y left, z up;
pitch turns about y, roll about x, yaw about z, as in robots' own files.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

HIP_DROP, HIP_WIDE, THIGH, SHANK, ANKLE = 0.07, 0.085, 0.29, 0.29, 0.07
WAIST, SHOULDER_RISE, SHOULDER_WIDE, UPPER_ARM, FOREARM = 0.09, 0.25, 0.165, 0.205, 0.185
NECK_RISE = 0.325
STAND = HIP_DROP + THIGH + SHANK + ANKLE  # height of the pelvis above the floor with straight legs
HIP, KNEE, ANKLE_BENT = -0.165, 0.40, -0.235  # radians in the keyframe "home": the centre of mass over the middle of the feet

HEADER = """<!-- Made by make_praxis.py. Apache-2.0, with the project. -->
<mujoco model="praxis">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.002" integrator="implicitfast"/>
  <default>
    <default class="praxis">
      <joint armature="0.02" damping="0.5" frictionloss="0.1"/>
      <position inheritrange="1"/>
      <geom rgba="0.90 0.91 0.93 1" friction="0.9 0.02 0.001" solref="0.01 1"/>
      <default class="motor"><geom type="cylinder" contype="0" conaffinity="0" mass="0" rgba="0.20 0.22 0.26 1"/></default>
      <default class="trim"><geom contype="0" conaffinity="0" mass="0" rgba="0.98 0.45 0.16 1"/></default>
      <default class="dark"><geom contype="0" conaffinity="0" mass="0" rgba="0.20 0.22 0.26 1"/></default>
      <default class="sole"><geom type="box" rgba="0.20 0.22 0.26 1"/></default>
    </default>
  </default>
  <worldbody>
"""

SCENE = """<!-- Made by make_praxis.py. Apache-2.0, with the project. -->
<mujoco model="praxis on a floor">
  <include file="praxis.xml"/>
  <visual>
    <headlight ambient="0.35 0.35 0.35" diffuse="0.5 0.5 0.5" specular="0.1 0.1 0.1"/>
    <global offwidth="1600" offheight="1200"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="0.86 0.90 0.95" rgb2="0.55 0.62 0.72" width="256" height="256"/>
    <texture name="tiles" type="2d" builtin="checker" rgb1="0.76 0.79 0.83" rgb2="0.70 0.73 0.78" width="256" height="256"/>
    <material name="tiles" texture="tiles" texrepeat="4 4" texuniform="true"/>
  </asset>
  <worldbody>
    <light pos="1 2 3" dir="-1 -2 -3" directional="true" diffuse="0.5 0.5 0.5"/>
    <geom name="floor" type="plane" size="0 0 0.1" material="tiles"/>
  </worldbody>
</mujoco>
"""

# kp, kv, largest torque (N m) of the motors.
MOTORS = {
    "hip": (300, 12, 90), "knee": (300, 12, 120), "ankle": (300, 12, 60), "waist": (250, 10, 80),
    "shoulder": (60, 2.5, 30), "elbow": (60, 2.5, 30), "wrist": (20, 0.8, 10), "head": (20, 0.8, 8),
}  # fmt: skip


class Writer:
    """Lines of an MJCF tree, and the motors and standing angles of its hinges in order."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.lines: list[str] = []
        self.hinges: list[tuple[str, float]] = []
        self.depth = 2

    def add(self, text: str) -> None:
        """Add a line."""
        self.lines.append("  " * self.depth + text)

    def open(self, name: str, x: float, y: float, z: float) -> None:
        """Begin a body."""
        self.add(f'<body name="{name}" pos="{x:.4g} {y:.4g} {z:.4g}">')
        self.depth += 1

    def close(self, count: int = 1) -> None:
        """End bodies."""
        for _ in range(count):
            self.depth -= 1
            self.add("</body>")

    def hinge(self, name: str, axis: str, low: float, high: float, home: float = 0.0) -> None:
        """Add a hinge about "roll", "pitch" or "yaw"."""
        vector = {"roll": "1 0 0", "pitch": "0 1 0", "yaw": "0 0 1"}[axis]
        self.add(f'<joint name="{name}_joint" axis="{vector}" range="{low:.4g} {high:.4g}"/>')
        self.hinges.append((f"{name}_joint", home))

    def geom(self, text: str) -> None:
        """Add a geom."""
        self.add(f"<geom {text}/>")


def leg(w: Writer, side: str, s: int) -> None:
    """Write a leg: hip yaw, roll and pitch in one point, knee, ankle pitch and roll."""

    def mirrored(low: float, high: float) -> tuple[float, float]:
        return (low, high) if s > 0 else (-high, -low)

    w.open(f"{side}_hip_yaw_link", 0, s * HIP_WIDE, -HIP_DROP)
    w.hinge(f"{side}_hip_yaw", "yaw", *mirrored(-0.7, 0.9))
    w.geom('class="motor" size="0.042 0.022" pos="0 0 0.055"')
    w.geom('type="sphere" size="0.03" mass="0.6" contype="0" conaffinity="0" rgba="0.20 0.22 0.26 1"')
    w.open(f"{side}_hip_roll_link", 0, 0, 0)
    w.hinge(f"{side}_hip_roll", "roll", *mirrored(-0.4, 0.9))
    w.geom('class="motor" size="0.038 0.05" euler="0 1.5708 0" mass="0.6"')
    w.open(f"{side}_thigh", 0, 0, 0)
    w.hinge(f"{side}_hip_pitch", "pitch", -2.0, 0.7, HIP)
    w.geom(f'class="motor" size="0.046 0.022" pos="0 {s * 0.045:.4g} 0" euler="1.5708 0 0"')
    line = f"0.004 {s * 0.006:.4g} -0.06 0.004 0 {-THIGH + 0.06:.4g}"
    w.geom(f'name="{side}_thigh" type="capsule" size="0.052" fromto="{line}" mass="2.8"')
    w.geom(f'class="trim" type="box" size="0.004 0.012 0.055" pos="0.055 {s * 0.002:.4g} {-0.5 * THIGH:.4g}"')
    w.open(f"{side}_shank", 0, 0, -THIGH)
    w.hinge(f"{side}_knee", "pitch", 0.0, 2.3, KNEE)
    w.geom('class="motor" size="0.044 0.05" euler="1.5708 0 0"')
    w.geom('class="trim" type="ellipsoid" size="0.014 0.028 0.034" pos="0.04 0 0"')
    w.geom(f'name="{side}_shank" type="capsule" size="0.040" fromto="0 0 -0.055 -0.004 0 {-SHANK + 0.05:.4g}" mass="1.9"')
    w.geom('class="dark" type="capsule" size="0.026" fromto="-0.026 0 -0.09 -0.020 0 -0.19"')
    w.open(f"{side}_ankle_link", 0, 0, -SHANK)
    w.hinge(f"{side}_ankle_pitch", "pitch", -0.9, 0.6, ANKLE_BENT)
    w.geom('class="motor" size="0.026 0.036" euler="1.5708 0 0" mass="0.2"')
    w.open(f"{side}_foot", 0, 0, 0)
    w.hinge(f"{side}_ankle_roll", "roll", -0.35, 0.35)
    w.geom(f'name="{side}_sole" class="sole" size="0.105 0.045 0.012" pos="0.035 0 {-ANKLE + 0.012:.4g}" mass="0.4"')
    w.geom('type="capsule" size="0.026" fromto="-0.03 0 -0.028 0.05 0 -0.036" mass="0.2" contype="0" conaffinity="0"')
    w.geom(
        f'class="trim" type="capsule" size="0.011" fromto="0.128 -0.026 {-ANKLE + 0.026:.4g} 0.128 0.026 {-ANKLE + 0.026:.4g}"'
    )
    w.geom('type="ellipsoid" size="0.062 0.040 0.024" pos="0.072 0 -0.046" mass="0" contype="0" conaffinity="0"')
    w.close(6)


def arm(w: Writer, side: str, s: int) -> None:
    """Write an arm: shoulder pitch, roll and yaw in one point, elbow, wrist yaw (the forearm's roll) and pitch."""

    def mirrored(low: float, high: float) -> tuple[float, float]:
        return (low, high) if s > 0 else (-high, -low)

    w.open(f"{side}_shoulder_pitch_link", 0, s * SHOULDER_WIDE, SHOULDER_RISE)
    w.hinge(f"{side}_shoulder_pitch", "pitch", -3.0, 1.3, 0.1)
    w.geom(f'class="motor" size="0.044 0.018" pos="0 {-s * 0.028:.4g} 0" euler="1.5708 0 0" mass="0.5"')
    w.open(f"{side}_shoulder_roll_link", 0, 0, 0)
    w.hinge(f"{side}_shoulder_roll", "roll", *mirrored(-0.3, 2.9), s * 0.15)
    w.geom('type="sphere" size="0.046" mass="0.4" contype="0" conaffinity="0"')
    w.geom('class="trim" type="cylinder" size="0.024 0.047" euler="0 1.5708 0"')
    w.open(f"{side}_upper_arm", 0, 0, 0)
    w.hinge(f"{side}_shoulder_yaw", "yaw", -1.6, 1.6)
    w.geom(f'name="{side}_upper_arm" type="capsule" size="0.034" fromto="0 0 -0.055 0 0 {-UPPER_ARM + 0.045:.4g}" mass="1.1"')
    w.open(f"{side}_forearm", 0, 0, -UPPER_ARM)
    w.hinge(f"{side}_elbow", "pitch", -2.4, 0.0, -0.5)
    w.geom('class="motor" size="0.032 0.036" euler="1.5708 0 0"')
    w.geom(f'name="{side}_forearm" type="capsule" size="0.029" fromto="0 0 -0.045 0 0 {-FOREARM + 0.035:.4g}" mass="0.7"')
    w.geom(f'class="trim" type="cylinder" size="0.0305 0.006" pos="0 0 {-FOREARM + 0.05:.4g}"')
    w.open(f"{side}_wrist_link", 0, 0, -FOREARM)
    w.hinge(f"{side}_wrist_yaw", "yaw", -1.8, 1.8)
    w.geom('class="motor" size="0.021 0.022" mass="0.1"')
    w.open(f"{side}_hand", 0, 0, 0)
    w.hinge(f"{side}_wrist_pitch", "pitch", -0.9, 0.9)
    w.geom(f'name="{side}_hand" type="capsule" size="0.024" fromto="0 0 -0.035 0.006 0 -0.075" mass="0.3"')
    w.geom('class="dark" type="capsule" size="0.013" fromto="0.004 -0.012 -0.07 0.012 -0.012 -0.108"')
    w.geom('class="dark" type="capsule" size="0.013" fromto="0.004 0.012 -0.07 0.012 0.012 -0.108"')
    w.geom(f'class="dark" type="capsule" size="0.011" fromto="0.016 {-s * 0.012:.4g} -0.03 0.036 {-s * 0.016:.4g} -0.062"')
    w.close(6)


def robot() -> str:
    """Return the robot's MJCF text."""
    w = Writer()
    w.open("pelvis", 0, 0, STAND)
    w.add('<freejoint name="root"/>')
    w.geom('name="pelvis" type="capsule" size="0.062" fromto="0 -0.05 -0.01 0 0.05 -0.01" mass="4.5"')
    w.geom('class="trim" type="capsule" size="0.012" fromto="0.058 -0.03 -0.015 0.058 0.03 -0.015"')
    w.geom('class="dark" type="box" size="0.045 0.035 0.02" pos="0 0 -0.062"')
    leg(w, "left", 1)
    leg(w, "right", -1)
    w.open("waist_yaw_link", 0, 0, WAIST)
    w.hinge("waist_yaw", "yaw", -2.4, 2.4)
    w.geom('class="motor" size="0.052 0.022" pos="0 0 -0.02" mass="0.4"')
    w.open("waist_roll_link", 0, 0, 0)
    w.hinge("waist_roll", "roll", -0.45, 0.45)
    w.geom('class="motor" size="0.036 0.055" euler="0 1.5708 0" mass="0.4"')
    w.open("torso", 0, 0, 0)
    w.hinge("waist_pitch", "pitch", -0.45, 0.9)
    w.geom('name="belly" type="capsule" size="0.062" fromto="0 -0.035 0.07 0 0.035 0.07" mass="2.4"')
    w.geom('name="chest" type="capsule" size="0.082" fromto="0.002 -0.045 0.195 0.002 0.045 0.195" mass="5.7"')
    w.geom('type="ellipsoid" size="0.088 0.125 0.098" pos="0.006 0 0.19" mass="0" contype="0" conaffinity="0"')
    w.geom('class="dark" type="box" size="0.03 0.075 0.085" pos="-0.085 0 0.185"')
    w.geom('class="trim" type="cylinder" size="0.024 0.006" pos="0.092 0 0.20" euler="0 1.5708 0"')
    w.geom('class="dark" type="capsule" size="0.03" fromto="0 -0.13 0.25 0 0.13 0.25"')
    arm(w, "left", 1)
    arm(w, "right", -1)
    w.open("neck", 0, 0, NECK_RISE)
    w.hinge("head_yaw", "yaw", -1.5, 1.5)
    w.geom('class="motor" size="0.032 0.042" pos="0 0 -0.008" mass="0.4"')
    w.open("head", 0, 0, 0.035)
    w.hinge("head_pitch", "pitch", -0.6, 0.7)
    w.geom('name="head" type="capsule" size="0.066" fromto="0.004 0 0.055 0.004 0 0.070" mass="1.6"')
    w.geom('class="dark" type="ellipsoid" size="0.034 0.056 0.030" pos="0.046 0 0.066"')
    w.geom('class="trim" type="sphere" size="0.008" pos="0.076 0.022 0.068"')
    w.geom('class="trim" type="sphere" size="0.008" pos="0.076 -0.022 0.068"')
    w.geom('class="motor" size="0.026 0.069" pos="0.002 0 0.062" euler="1.5708 0 0"')
    w.close(6)
    lines = [*w.lines, "  </worldbody>", "  <contact>"]
    near = [("pelvis", f"{side}_thigh") for side in ("left", "right")] + [("pelvis", "torso"), ("torso", "head")]
    near += [(f"{side}_shank", f"{side}_foot") for side in ("left", "right")]
    near += [("torso", f"{side}_upper_arm") for side in ("left", "right")]
    near += [(f"{side}_forearm", f"{side}_hand") for side in ("left", "right")]
    lines += [f'    <exclude body1="{a}" body2="{b}"/>' for a, b in near]
    lines += ["  </contact>", "  <actuator>"]
    for name, _ in w.hinges:
        kp, kv, force = next(numbers for word, numbers in MOTORS.items() if word in name)
        motor = name.removesuffix("_joint")
        lines.append(
            f'    <position class="praxis" name="{motor}" joint="{name}" kp="{kp:g}" kv="{kv:g}" '
            f'forcerange="{-force:g} {force:g}"/>'
        )
    angles = " ".join(f"{home:g}" for _, home in w.hinges)
    lines += ["  </actuator>", "  <keyframe>"]
    lines.append(f'    <key name="home" qpos="0 0 {home_height():.6g} 1 0 0 0 {angles}" ctrl="{angles}"/>')
    lines += ["  </keyframe>", "</mujoco>", ""]
    text = HEADER + "\n".join(lines)
    return text.replace('<body name="pelvis"', '<body name="pelvis" childclass="praxis"')


def home_height() -> float:
    """Return the height of the pelvis with knees bent, soles on the floor."""
    return HIP_DROP + THIGH * math.cos(HIP) + SHANK * math.cos(ANKLE_BENT) + ANKLE


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "praxis.xml").write_text(robot(), encoding="utf-8", newline="\n")
    (folder / "praxis_scene.xml").write_text(SCENE, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
