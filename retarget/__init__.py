"""Put a motion on another skeleton: joints matched without a table, rest poses aligned, feet planted, and a score."""

from retarget.config import PRESETS as PRESETS
from retarget.config import RetargetConfig as RetargetConfig
from retarget.errors import RetargetError as RetargetError
from retarget.joint_map import JointMap as JointMap
from retarget.joint_map import JointPair as JointPair
from retarget.map_file import load_map as load_map
from retarget.map_file import save_map as save_map
from retarget.match import match as match
from retarget.pipeline import Retargeted as Retargeted
from retarget.pipeline import retarget as retarget
from retarget.report import RetargetReport as RetargetReport
from retarget.score import score as score
from retarget.score_card import ScoreCard as ScoreCard
