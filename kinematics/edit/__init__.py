"""Editing: pure functions from motions to motions, exact in time, in any unit (docs/editing.md)."""

from kinematics.edit.bake import BakeReport as BakeReport
from kinematics.edit.bake import bake_positions as bake_positions
from kinematics.edit.blend import blend as blend
from kinematics.edit.displace import displace as displace
from kinematics.edit.join import concatenate as concatenate
from kinematics.edit.loop import loop as loop
from kinematics.edit.mirror import mirror as mirror
from kinematics.edit.place import in_place as in_place
from kinematics.edit.place import place as place
from kinematics.edit.place import rotate as rotate
from kinematics.edit.resample import resample as resample
from kinematics.edit.resample import slice_time as slice_time
from kinematics.edit.resample import time_warp as time_warp
from kinematics.edit.skeleton_edit import insert_joint as insert_joint
from kinematics.edit.skeleton_edit import keep_joints as keep_joints
from kinematics.edit.skeleton_edit import merge_joints as merge_joints
from kinematics.edit.skeleton_edit import remove_joints as remove_joints
from kinematics.edit.skeleton_names import rename_joints as rename_joints
from kinematics.edit.skeleton_names import reorder_joints as reorder_joints
from kinematics.edit.smooth import smooth as smooth
