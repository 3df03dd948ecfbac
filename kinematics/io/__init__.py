"""Reading and writing motion files."""

from kinematics.io.files import load_motion as load_motion
from kinematics.io.files import load_motions as load_motions
from kinematics.io.files import save_motion as save_motion
