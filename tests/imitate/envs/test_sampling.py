import numpy as np
import pytest

from imitate.envs.sampling import StartSampler


def test_without_adaptation_every_start_is_as_likely(walker):
    sampler = StartSampler(walker.reference, start="random", adaptive=False)
    starts = walker.reference.starts
    drawn = sampler.draw(200 * len(starts), np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=starts[-1] + 1)[starts]
    assert counts.sum() == 200 * len(starts) and abs(counts - 200).max() < 5 * np.sqrt(200)


def test_starts_that_fail_are_drawn_more_often_and_none_is_forgotten(walker):
    sampler, rng = StartSampler(walker.reference, start="random", adaptive=True), np.random.default_rng(0)
    assert sampler.probabilities() == pytest.approx(
        StartSampler(walker.reference, start="random", adaptive=False).probabilities()
    )
    for _ in range(100):
        starts = sampler.draw(32, rng)
        failed = starts < 12  # two bins
        sampler.record(starts, np.where(failed, 20, 600), failed)
    assert (sampler.rates[:2] > 0.9).all() and (sampler.rates[2:] < 0.1).all()
    chances = sampler.probabilities()
    assert chances.sum() == pytest.approx(1.0) and chances[:2].sum() > 0.6
    drawn = np.bincount(sampler.draw(100_000, rng), minlength=walker.reference.starts[-1] + 1)
    assert (drawn > 0.25 * 100_000 / len(drawn)).all()


def test_a_fall_long_after_the_start_is_not_blamed_on_it(walker):
    sampler = StartSampler(walker.reference, start="random", adaptive=True)
    before = sampler.rates.copy()
    sampler.record(np.zeros(4, dtype=int), np.full(4, 400), np.ones(4, dtype=bool))
    assert sampler.rates[0] == pytest.approx(0.9**4) and np.array_equal(sampler.rates[1:], before[1:])


def test_rates_of_zero_leave_all_starts_alike(walker):
    sampler = StartSampler(walker.reference, start="random", adaptive=True)
    sampler.rates[:] = 0.0
    assert sampler.probabilities().sum() == pytest.approx(1.0)
