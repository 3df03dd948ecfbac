"""A simulated body from any skeleton, and its check before any training."""

from imitate.character.character import Character as Character
from imitate.character.character import make_character as make_character
from imitate.character.character import to_motion as to_motion
from imitate.character.character import to_qpos as to_qpos
from imitate.character.config import CharacterConfig as CharacterConfig
from imitate.character.fix import fix as fix
from imitate.character.lint import LintReport as LintReport
from imitate.character.lint import lint as lint
from imitate.character.storage import load_character as load_character
from imitate.character.storage import save_character as save_character
