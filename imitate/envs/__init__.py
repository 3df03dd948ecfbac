"""Environments: simulated bodies that track a reference."""

from imitate.envs.config import DEEPMIMIC as DEEPMIMIC
from imitate.envs.config import EnvConfig as EnvConfig
from imitate.envs.config import RandomisationConfig as RandomisationConfig
from imitate.envs.config import RewardConfig as RewardConfig
from imitate.envs.config import TerminationConfig as TerminationConfig
from imitate.envs.tracking import Step as Step
from imitate.envs.tracking import TrackingEnv as TrackingEnv
