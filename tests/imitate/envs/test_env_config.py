import pytest

from imitate.envs import EnvConfig, RandomisationConfig, RewardConfig, TerminationConfig
from imitate.errors import ImitationError
from kinematics.errors import UnknownNameError


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: EnvConfig(control_rate_hz=0.0), "control_rate_hz"),
        (lambda: EnvConfig(physics_rate_hz=100.0), "multiple"),
        (lambda: EnvConfig(lookahead_frames=(-1,)), "lookahead_frames"),
        (lambda: EnvConfig(episode_length_s=float("nan")), "episode_length_s"),
        (lambda: EnvConfig(randomisation=RandomisationConfig(latency_s=(0.0, 0.1))), "latency_s"),
        (lambda: RandomisationConfig(friction=(1.0, 0.5)), "friction"),
        (lambda: RandomisationConfig(mass=(0.0, 1.0)), "mass"),
        (lambda: RewardConfig(0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0), "weights"),
        (lambda: RewardConfig(pose_scale=-1.0), "pose_scale"),
        (lambda: EnvConfig(episode_length_s=float("inf")), "episode_length_s must be a finite number"),
        (lambda: RandomisationConfig(push_interval_s=float("inf")), "push_interval_s must be a finite number"),
        (lambda: TerminationConfig(max_mean_distance_m=0.0), "max_mean_distance_m"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_name(make, word):
    with pytest.raises(ImitationError, match=word):
        make()


def test_names_are_told(walker):
    with pytest.raises(UnknownNameError, match="residual"):
        EnvConfig(action="residul")
    with pytest.raises(UnknownNameError, match="first"):
        EnvConfig(start="begin")
