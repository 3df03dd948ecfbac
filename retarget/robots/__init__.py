"""Robots: read from MuJoCo's MJCF files, understood without a table, their motions written as robotics reads them."""

from retarget.robots.anatomy import RobotAnatomy as RobotAnatomy
from retarget.robots.anatomy import RobotPart as RobotPart
from retarget.robots.collisions import self_penetrations as self_penetrations
from retarget.robots.export import load_robot_motion as load_robot_motion
from retarget.robots.export import save_robot_motion as save_robot_motion
from retarget.robots.mjcf import load_robot as load_robot
from retarget.robots.model import Robot as Robot
from retarget.robots.names import find_model as find_model
from retarget.robots.names import is_robot as is_robot
