import torch

from ganzo.nn.draw import integers, per_sample, uniform


def test_per_sample_broadcasts_over_a_batch():
    assert per_sample(torch.zeros(5, 3, 8, 8)) == (5, 1, 1, 1)
    assert per_sample(torch.zeros(5, 1)) == (5, 1)


def test_uniform_takes_type_from_its_neighbour_and_numbers_from_the_generator():
    like = torch.zeros(1, dtype=torch.bfloat16)
    drawn = [uniform((100,), like, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert drawn[0].dtype == torch.bfloat16
    assert torch.equal(*drawn)
    assert 0 <= drawn[0].min() < drawn[0].max() <= 1


def test_without_a_generator_torch_draws():
    torch.manual_seed(0)
    one = uniform((3,), torch.zeros(1))
    torch.manual_seed(0)
    assert torch.equal(one, torch.rand(3))


def test_integers_reach_both_ends():
    drawn = integers(-1, 2, (200,), torch.zeros(1), torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == {-1, 0, 1, 2}
