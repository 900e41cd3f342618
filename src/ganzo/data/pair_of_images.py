"""Data `pair-of-images`."""

from typing import Any

from ganzo.data import Source
from ganzo.data.folder import FolderSource
from ganzo.data.packed import PackedData
from ganzo.data.pairs import FoldersSource, HalvesSource, Split, TargetFolder
from ganzo.registry import OptionError, register


@register("data", "pair-of-images")
class PairOfImagesData(PackedData):
    """An input and the output that is wanted for it: two halves of one picture, or two pictures of the same name.

    Sub-folders are classes as for single images, but for those that are called `train`, `val`, `valid`, `validation`
    or `test`; `--image-class` chooses among these too. A pair of which one picture is damaged is skipped whole.

    Args:
        split: how one picture holds both: input left and target right (`horizontal`), or input above target
            (`vertical`)
        target_dir: folder with the targets of the pictures in `--data-dir`, under the same names but for the ending
        swap_pair: whether input and target change places

    Shape: image and target uint8 B×C×H×W in 0 to 255, label int64 B.
    """

    def __init__(
        self,
        *parts: Any,
        split: Split | None = None,
        target_dir: str | None = None,
        swap_pair: bool = False,
        **named: Any,
    ):
        if (split is None) == (target_dir is None):
            raise OptionError(
                "`pair-of-images` needs to know where targets are: in the same picture (`--split horizontal` or"
                " `--split vertical`), or in a folder of their own (`--target-dir`); got"
                f" {'both' if split else 'neither'}. Give one of them."
            )
        self.split, self.target_dir, self.swap_pair = split, target_dir, swap_pair
        super().__init__(*parts, **named)

    def examples_of(self, source: Source) -> Source:
        """Pairs out of a source's pictures."""
        if self.split is not None:
            return HalvesSource(source, self.split, self.swap_pair)
        if not isinstance(source, FolderSource):
            raise OptionError(
                f"`--target-dir` needs pictures in a folder, by `--dataset folder`; got `{source.name}`."
                " Choose that, or cut pictures in two with `--split`."
            )
        assert self.target_dir is not None, "one of the two is given"
        targets = TargetFolder(data_dir=self.target_dir, formats=source.formats)
        return FoldersSource(source, targets, self.swap_pair)
