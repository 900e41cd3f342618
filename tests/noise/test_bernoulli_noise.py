import pytest
import torch

from ganzo.noise.bernoulli import BernoulliNoise


def test_fair_coins():
    drawn = BernoulliNoise(state_size=100, seed=0).next(1000)
    assert set(drawn.unique().tolist()) == {0.0, 1.0} and drawn.dtype == torch.float32
    assert drawn.mean().item() == pytest.approx(0.5, abs=5 * 0.5 / 100_000**0.5)
    correlation = torch.corrcoef(drawn[:, :2].T)[0, 1].abs().item()
    assert correlation < 5 / 1000**0.5


def test_a_chance_of_its_own_and_centred_coins():
    drawn = BernoulliNoise(probability=0.2, centred=True, state_size=100, seed=0).next(1000)
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert (drawn == 1).float().mean().item() == pytest.approx(0.2, abs=5 * 0.4 / 100_000**0.5)


@pytest.mark.parametrize(("probability", "value"), [(0.0, 0.0), (1.0, 1.0)])
def test_sure_coins(probability, value):
    assert (BernoulliNoise(probability=probability, seed=0).next(100) == value).all()


def test_the_same_seed_gives_the_same_sample():
    noise = BernoulliNoise(seed=1)
    before = noise.state_dict()["generator"]
    assert torch.equal(noise.sample(8, 3), noise.sample(8, 3))
    assert not torch.equal(noise.sample(8, 3), noise.sample(8, 4))
    assert torch.equal(before, noise.state_dict()["generator"])
