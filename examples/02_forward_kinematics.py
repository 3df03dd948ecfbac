"""Where is the left foot, and when does it stand?

Forward kinematics gives every joint's global position and rotation for all frames in one call, by index or by name; on it
stand velocities and foot contacts. Everything here is in metres and seconds, because `standardize` converted the clip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from kinematics import forward_kinematics, load_motion
from kinematics.contacts import foot_contacts
from kinematics.standardize import standardize
from kinematics.velocities import linear_velocities

CLIPS = Path(__file__).resolve().parent.parent / "data" / "clips"


def main() -> None:
    """Print heights, speeds and stance of the left foot of a walk."""
    parser = argparse.ArgumentParser(description="Where is the left foot, and when does it stand?")
    parser.add_argument("--out", type=Path, default=Path("out"), help="unused here; every example takes it")
    parser.parse_args()

    motion = standardize(load_motion(CLIPS / "walk_lafan1.bvh")).motion
    transforms = forward_kinematics(motion)
    print("global positions:", transforms.global_positions.shape, "(frames, joints, 3), metres")
    print("global rotations:", transforms.global_rotations.shape, "(frames, joints, 4), quaternions wxyz")

    foot = transforms.position("LeftFoot")
    print(f"left ankle: {foot[:, 1].min():.3f} to {foot[:, 1].max():.3f} m above the floor")

    velocities = linear_velocities(motion, transforms=transforms)
    speed = np.linalg.norm(velocities[:, motion.skeleton.joint_index("LeftFoot")], axis=-1)
    print(f"left ankle: up to {speed.max():.2f} m/s")

    contacts = foot_contacts(motion)
    for name, standing in zip(contacts.names, contacts.in_contact.T, strict=True):
        print(f"{name:16} stands in {standing.mean():.0%} of the frames")


if __name__ == "__main__":
    main()
