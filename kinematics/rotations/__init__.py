"""Rotations: quaternions wxyz, Euler angles, the 6D representation, swing and twist."""

from kinematics.rotations import euler as euler
from kinematics.rotations import quaternion as quaternion
from kinematics.rotations import sixd as sixd
from kinematics.rotations import swing_twist as swing_twist
