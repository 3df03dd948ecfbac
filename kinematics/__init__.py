"""Skeletal motion: load, check, edit and write clips, forward kinematics."""

from kinematics import edit as edit
from kinematics import ik as ik
from kinematics.anatomy import Anatomy as Anatomy
from kinematics.anatomy import find_anatomy as find_anatomy
from kinematics.errors import BvhParseError as BvhParseError
from kinematics.errors import InputError as InputError
from kinematics.errors import KinematicsError as KinematicsError
from kinematics.forward import GlobalTransforms as GlobalTransforms
from kinematics.forward import forward_kinematics as forward_kinematics
from kinematics.io import load_motion as load_motion
from kinematics.io import load_motions as load_motions
from kinematics.io import save_motion as save_motion
from kinematics.motion import Motion as Motion
from kinematics.motion import Pose as Pose
from kinematics.skeleton import ChannelLayout as ChannelLayout
from kinematics.skeleton import Skeleton as Skeleton
from kinematics.standardize import Standardized as Standardized
from kinematics.standardize import standardize as standardize
