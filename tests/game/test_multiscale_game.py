"""The pair `msg` in whole runs: losses, penalties, augmentation, averages, labels, pictures."""

import json

import pytest
import torch
from PIL import Image

from ganzo.discriminator.msg import MSGDiscriminator
from ganzo.errors import OptionError
from ganzo.generator.msg import MSGGenerator
from small import equal, everything, play

PAIR = {
    "generator": "msg", "discriminator": "msg", "image_size": 16, "generator_channels": 8,
    "discriminator_channels": 8, "generator_layers": None, "discriminator_layers": None, "batch_size": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"loss": "gan"},
        {"loss": "hinge", "augment": "diffaugment", "discriminator_spectral_norm": True},
        {"loss": "wgan-gp", "discriminator_norm": "instance"},
        {
            "loss": "relativistic",
            "regularizer": ["r1", "r2"],
            "generator_norm": "batch",
            "generator_hook": "ema",
        },
        {"conditional": "concat"},
        {"conditional": "projection", "reuse_fakes": True},
    ],
    ids=lambda more: "-".join(map(str, more.values())),
)
def test_it_is_restored_bit_for_bit(more):
    whole = play(experiment="whole", epochs=2, **PAIR, **more)
    play(epochs=1, **PAIR, **more)
    restored = play(epochs=2, restore=True, **PAIR, **more)
    assert equal(everything(whole), everything(restored))


def test_its_pictures_are_of_the_largest_scale(ganzo, tiny, own_folder):
    words = tiny.replace("--image-size 8", "--image-size 16").replace("--generator-layers 2", "")
    words = words.replace("--discriminator-layers 2", "") + " --generator msg --discriminator msg"
    more = "--generator-channels 4 --discriminator-channels 4 --sample-every 1 --snapshot-size 4"
    said = ganzo(f"{words} {more} --experiment x")
    assert said.status == 0, said.err
    with Image.open(next(own_folder.glob("output/x/samples/*.png"))) as picture:
        assert min(picture.size) >= 2 * 16
    assert "4×1×4×4, 4×1×8×8, 4×1×16×16" in ganzo(f"{words} {more} --batch-size 4 --dry-run").out.replace(
        "8×1", "4×1"
    )
    assert json.loads((own_folder / "output/x/results.json").read_text())["epoch"] == 1


def test_every_scale_reaches_the_generator_directly():
    generator, judge = MSGGenerator(channels=4, image_size=32), MSGDiscriminator(channels=4, image_size=32)
    images = [image.detach().requires_grad_() for image in generator(torch.randn(3, 128))]
    assert [image.shape[2] for image in images] == [4, 8, 16, 32]
    judge(images).sum().backward()
    assert all(image.grad.any() for image in images)


def test_one_image_is_judged_with_its_own_copies():
    judge = MSGDiscriminator(channels=2, image_size=16, minibatch_deviation=False)
    images = torch.randn(2, 3, 16, 16)
    copies = [torch.nn.functional.avg_pool2d(images, n) for n in (4, 2)]
    torch.testing.assert_close(judge(images), judge([*copies, images]))
    torch.testing.assert_close(judge(images)[:1], judge(images[:1]))  # without the deviation one by one


def test_the_deviation_sees_the_batch():
    torch.manual_seed(0)  # some networks this narrow see nothing at all
    judge = MSGDiscriminator(channels=2, image_size=16)
    images = torch.randn(2, 3, 16, 16)
    assert not torch.allclose(judge(images)[:1], judge(images[:1]))


@pytest.mark.parametrize("cls", [MSGGenerator, MSGDiscriminator])
def test_another_size_is_refused_with_one_that_works(cls):
    with pytest.raises(OptionError, match=r"a power of two, 16 or more.*`msg`; got 24\. Try 32\."):
        cls(image_size=24)


@pytest.mark.parametrize("name", ["fc", "conv --conditional concat"])
def test_a_discriminator_of_one_scale_is_refused(refused, tiny, name):
    words = tiny.replace("--image-size 8", "--image-size 16").replace("--generator-layers 2", "")
    words = words.replace("--discriminator-layers 2", "")
    sentence = refused(f"{words} --generator msg --discriminator {name} --experiment x")
    assert "`msg` makes images in several sizes" in sentence and "choose `--discriminator msg`" in sentence
