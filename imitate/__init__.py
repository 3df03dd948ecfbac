"""Learn to perform a motion under physics: a body made from any skeleton, and a policy that tracks its clip."""

from imitate.errors import ImitationError as ImitationError
