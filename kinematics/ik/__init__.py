"""Inverse kinematics: poses and clips that meet goals, by one call or by a problem made ready once."""

from kinematics.ik.fit_rotations import fit_rotations as fit_rotations
from kinematics.ik.goals import center_of_mass as center_of_mass
from kinematics.ik.goals import hold as hold
from kinematics.ik.goals import look_at as look_at
from kinematics.ik.goals import orientation as orientation
from kinematics.ik.goals import pole as pole
from kinematics.ik.goals import position as position
from kinematics.ik.goals import posture as posture
from kinematics.ik.goals import transform as transform
from kinematics.ik.human import human_limits as human_limits
from kinematics.ik.limits import Cone as Cone
from kinematics.ik.limits import EulerBox as EulerBox
from kinematics.ik.limits import Hinge as Hinge
from kinematics.ik.limits import SwingTwist as SwingTwist
from kinematics.ik.limits import limits_from_motion as limits_from_motion
from kinematics.ik.pin_contacts import Pinned as Pinned
from kinematics.ik.pin_contacts import pin_contacts as pin_contacts
from kinematics.ik.problem import Problem as Problem
from kinematics.ik.result import Result as Result
from kinematics.ik.skeleton_from_positions import skeleton_from_positions as skeleton_from_positions
from kinematics.ik.solve import solve as solve
