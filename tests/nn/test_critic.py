import torch
from torch import nn

from ganzo.nn.critic import Critic, Verdict, as_critic


def test_augmentation_goes_before_and_labels_go_with_it():
    def judge(images, labels=None):
        return images.flatten(1).sum(1, keepdim=True) + (0 if labels is None else labels[:, None])

    critic = Critic(judge, [lambda x: x + 1, lambda x: 2 * x])
    images = torch.zeros(2, 1, 1, 1)
    assert critic(images).tolist() == [[2.0], [2.0]]
    assert critic(images, torch.tensor([0, 5])).tolist() == [[2.0], [7.0]]
    assert critic.given(torch.tensor([0, 5]))(images).tolist() == [[2.0], [7.0]]
    assert critic.given(None)(images).tolist() == [[2.0], [2.0]]


def test_a_verdict_passes_through_and_its_logits_are_float():
    said = Verdict(torch.ones(2, 1, dtype=torch.bfloat16), features=(torch.zeros(2, 3),))
    critic = Critic(lambda images: said)
    heard = critic.verdict(torch.zeros(2, 1, 1, 1))
    assert heard.features is said.features and heard.logits.dtype == torch.float32
    assert critic(torch.zeros(2, 1, 1, 1)).dtype == torch.float32


def test_plain_logits_become_a_verdict():
    verdict = Critic(nn.Flatten()).verdict(torch.ones(2, 1, 1, 1))
    assert verdict.logits.tolist() == [[1.0], [1.0]] and verdict.features == () and verdict.classes is None


def test_a_bare_discriminator_is_wrapped_and_a_critic_is_not():
    critic = Critic(nn.Flatten())
    assert as_critic(critic) is critic
    assert as_critic(nn.Flatten())(torch.ones(2, 1, 1, 1)).shape == (2, 1)
