"""The TensorBoard writer that statistics and snapshots share the making of."""

from pathlib import Path
from typing import Any

from ganzo.errors import OptionError


def writer(folder: Path, purge_step: int | None = None) -> Any:
    """Open a writer; raises OptionError where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except (ImportError, RuntimeError) as error:
        raise OptionError(
            f'TensorBoard is not installed ({error}); run `pip install "ganzo[log]"`.'
        ) from error
    return SummaryWriter(str(folder), purge_step=purge_step)
