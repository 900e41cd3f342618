"""The options that say how networks are told of labels."""

from typing import Literal

from ganzo.nn.labels import Way
from ganzo.registry import register


@register("common", "labels")
class Labels:
    """How the two networks are told of an example's class; each facade reads it when it builds its network.

    Args:
        conditional: how labels reach both networks. concat: beside the input of both; batch-norm: the generator's
            batch norms look them up, the discriminator has them beside its input; projection and auxiliary: so judges
            the discriminator, the generator has them beside its noise; none: not at all; auto: as the networks do on
            their own (`cgan` does, others ignore labels)
        generator_conditional: how labels reach the generator; none for what `conditional` says
        discriminator_conditional: how labels reach the discriminator; none for what `conditional` says
    """

    def __init__(
        self,
        *,
        conditional: Way = "auto",
        generator_conditional: Literal["auto", "concat", "batch-norm"] | None = None,
        discriminator_conditional: Literal["auto", "concat", "projection", "auxiliary"] | None = None,
    ):
        self.conditional = conditional
        self.generator, self.discriminator = generator_conditional, discriminator_conditional
