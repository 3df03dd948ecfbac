"""Put a motion on another skeleton: joints matched without a table, rest poses aligned, rotations carried over."""

from retarget.errors import RetargetError as RetargetError
from retarget.joint_map import JointMap as JointMap
from retarget.joint_map import JointPair as JointPair
from retarget.match import match as match
from retarget.pipeline import Retargeted as Retargeted
from retarget.pipeline import retarget as retarget
from retarget.report import RetargetReport as RetargetReport
