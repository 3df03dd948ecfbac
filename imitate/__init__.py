"""Learn to perform a motion under physics: a body made from any skeleton, and a policy that tracks its clip."""

from typing import TYPE_CHECKING

from imitate.errors import ImitationError as ImitationError
from imitate.lazy import __dir__ as __dir__
from imitate.lazy import __getattr__ as __getattr__

if TYPE_CHECKING:
    from imitate.character import Character as Character
    from imitate.character import CharacterConfig as CharacterConfig
    from imitate.character import lint as lint
    from imitate.character import load_character as load_character
    from imitate.character import make_character as make_character
    from imitate.character import save_character as save_character
    from imitate.config import TrainConfig as TrainConfig
    from imitate.envs import EnvConfig as EnvConfig
    from imitate.envs import TrackingEnv as TrackingEnv
    from imitate.evaluation import evaluate as evaluate
    from imitate.reference import Reference as Reference
    from imitate.reference import make_reference as make_reference
    from imitate.rollout import roll_out as roll_out
    from imitate.runs import Run as Run
    from imitate.runs import open_run as open_run
    from imitate.training import train as train
