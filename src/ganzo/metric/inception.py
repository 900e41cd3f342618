"""Features `inception` and `inception-torch`."""

import contextlib
import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzo.nn.collected import Seen
from ganzo.nn.pixels import to_stored
from ganzo.registry import OptionError, register

BROKEN = (ImportError, RuntimeError)  # torchvision raises the second where its build does not fit torch's


class Pretrained(nn.Module, ABC):
    """A network with weights that others trained.

    Args:
        metrics_weights: file of the weights (none: in the folder of torch.hub, fetched into it where it is missing)

    Attributes:
        url: where the weights are fetched from; their name ends with the first digits of their SHA-256
        package: what the network comes from
    """

    url: str
    package: str
    extra: str

    def __init__(self, *, metrics_weights: str | None = None) -> None:
        super().__init__()
        self.file = metrics_weights
        self.network: Any = None

    def load(self) -> None:
        """Build the network with its weights; OptionError where the package or the weights cannot be had."""
        try:
            self.network = self.build(self.weights())
        except BROKEN as error:
            if isinstance(error, RuntimeError) and "size mismatch" in str(error):
                raise self.unfit(str(error).splitlines()[0]) from error
            raise OptionError(
                f"`--metrics-features {self.name}` needs {self.package}, which cannot be imported here"
                f' ({str(error).splitlines()[0]}): `pip install "ganzo[{self.extra}]"`, or choose `random`.'
            ) from error
        self.network.eval().requires_grad_(False)

    name: str

    @abstractmethod
    def build(self, weights: dict[str, Tensor]) -> nn.Module:
        """The network with these weights."""

    def unfit(self, why: str) -> OptionError:
        """What is said of a file that holds something else."""
        return OptionError(
            f"`{self.path}` must hold the weights of {self.name} ({self.url.rpartition('/')[2]}); it does not: {why}."
        )

    @property
    def path(self) -> Path:
        """Where the weights lie, or will."""
        if self.file is not None:
            return Path(self.file).expanduser()
        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rpartition("/")[2]

    def weights(self) -> dict[str, Tensor]:
        """The weights; nothing in the file is run as code."""
        path, sum_ = self.path, self.url.rpartition("-")[2].partition(".")[0]
        if not path.is_file():
            told = ""
            if self.file is None:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with contextlib.redirect_stdout(io.StringIO()):
                        torch.hub.download_url_to_file(self.url, str(path), hash_prefix=sum_, progress=False)
                except (OSError, RuntimeError, ValueError) as error:
                    told = f" ({error})"
            if not path.is_file():
                raise OptionError(
                    f"`--metrics-features {self.name}` needs the file {self.url.rpartition('/')[2]}, whose SHA-256"
                    f" begins with {sum_}, in the folder `{path.parent}`; it is not there and cannot be fetched from"
                    f" {self.url}{told}. Put it there, name it by `--metrics-weights`, or choose `random`."
                )
        try:
            return dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # torch raises almost anything over a damaged file
            raise self.unfit(str(error).partition("\n")[0] or type(error).__name__) from error


@register("features", "inception")
class InceptionFeatures(Pretrained):
    """Inception v3 with the weights of the original TensorFlow network, and its resize: for published FIDs.

    Args:
        metrics_weights: file of the weights (none: in the folder of torch.hub, fetched into it where it is missing)

    Shape: B×C×H×W in [-1, 1], rounded to 8 bits, to features B×2048 and logits B×1008 (without their biases).

    Paper: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015,
    https://arxiv.org/abs/1512.00567; through torch-fidelity, https://github.com/toshas/torch-fidelity
    """

    name, package, extra = "inception", "torch-fidelity", "metrics"
    url = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
    num_features = 2048
    resize = "299x299 bilinear of TensorFlow 1"

    def build(self, weights: dict[str, Tensor]) -> nn.Module:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        checked = io.BytesIO()  # it would unpickle a file without a check
        torch.save(weights, checked)
        checked.seek(0)
        return FeatureExtractorInceptionV3(
            "ganzo", ["2048", "logits_unbiased"], feature_extractor_weights_path=checked
        )

    def forward(self, images: Tensor) -> Any:
        return Seen(*self.network(in_color(to_stored(images))))


@register("features", "inception-torch")
class InceptionTorchFeatures(Pretrained):
    """Inception v3 with torchvision's weights; its scores cannot be compared with published ones.

    Args:
        metrics_weights: file of the weights (none: in the folder of torch.hub, fetched into it where it is missing)

    Shape: B×C×H×W in [-1, 1] to features B×2048 and logits B×1000.
    """

    name, package, extra = "inception-torch", "torchvision", "vision"
    url = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"
    num_features = 2048
    resize = "299x299 bilinear"

    def build(self, weights: dict[str, Tensor]) -> nn.Module:
        from torchvision.models import inception_v3

        network = inception_v3(weights=None, init_weights=False, transform_input=False, aux_logits=True)
        network.load_state_dict(weights)
        return network

    def forward(self, images: Tensor) -> Any:
        found: list[Tensor] = []
        hook = self.network.avgpool.register_forward_hook(
            lambda _, inputs, output: found.append(output.flatten(1))
        )
        try:
            x = F.interpolate(in_color(images), (299, 299), mode="bilinear", align_corners=False)
            logits = self.network(x)
        finally:
            hook.remove()
        return Seen(found[0], logits)


def in_color(images: Tensor) -> Tensor:
    """Images of three channels; grey ones are repeated, of others the first three are taken."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
