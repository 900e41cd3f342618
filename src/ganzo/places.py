"""Two places with pictures, or with statistics of them, against each other, without a run."""

import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzo.data.folder import FolderSource
from ganzo.data.single_image import SingleImageData
from ganzo.errors import OptionError
from ganzo.loading import is_path
from ganzo.machine import find_device
from ganzo.metric import Metric, Metrics
from ganzo.nn.distances import frechet_distance
from ganzo.nn.protocol import differences
from ganzo.nn.record import plain
from ganzo.nn.references import References
from ganzo.nn.side import sides, size_of
from ganzo.registry import ROLES, Registry, chosen, parameters

ALIKE = ("version", "features", "weights", "resize", "image")  # what statistics must share to be compared
UNKNOWN = "unknown"  # what a protocol says for what a file does not tell
SLACK = 1e-3  # by how much of its largest number a covariance may miss, which float16 explains


class Statistics(NamedTuple):
    """Mean and covariance of features, and how they came about as far as a file tells."""

    mean: Tensor
    covariance: Tensor
    protocol: dict[str, Any] | None


def compare_places(one: str, other: str, options: Namespace, save: str | None = None) -> dict[str, Any]:
    """Score what lies in the second place against the first, which is taken for real.

    Args:
        one: a folder of pictures, or a .npz file with `mu` and `sigma`
        other: the same
        options: metrics, features, `image_size` and `image_colors`; `given` holds the names of those that were given
        save: a .npz file for the statistics of the first place
    """
    target = None if save is None else Path(save).expanduser()
    if target is not None and (target.suffix != ".npz" or target.is_dir()):
        raise OptionError(f"`--save-statistics` must name a file that ends in .npz; got `{save}`.")
    places = [place(one), place(other)]
    folders = [path for path in places if path.is_dir()]
    files = [path for path in places if not path.is_dir()]
    if "metrics" not in options.given:
        options.metrics = ["fid"]
    names = [item.name for item in chosen(options, ROLES["metrics"])]
    if (files or save) and names != ["fid"]:
        raise OptionError(f"Statistics in a .npz file are for `--metrics fid` alone; got {', '.join(names)}.")
    settings = Namespace(**vars(options))
    settings.device = str(find_device(options.device))
    by_path = {path: read_statistics(path) for path in files}
    told = by_path[files[0]].protocol if files else None
    if folders:
        settle_size(settings, folders[0], told)
    if folders and files:
        settings.metrics_features = options.metrics_features or told_features(told, files[0])
    data = [pictures_in(path, settings) for path in folders]
    if len(data) == 2:
        check_classes(names, data, folders)
    settings.classes = data[0].classes if data else 0
    settings.class_names = tuple(data[0].class_names) if data else ()
    settings.uses_labels, settings.translates = True, False
    if target is not None:
        make_folder(target.parent)
    head = {"real": one, "fake": other}
    if not files:
        return plain(head | of_folders(data, settings, target))
    if folders:
        by_path[folders[0]] = of_pictures(data[0], settings)
    pair = [say_features(by_path[path], options.metrics_features) for path in places]
    check_alike(pair, places)
    if target is not None:
        write_statistics(target, pair[0])
    score = frechet_distance(*pair[0][:2], *pair[1][:2])
    return plain(
        head
        | {
            "scores": {"fid": {"mean": score, "std": None, "values": [score], "real": None}},
            "protocol": {"fid": shared(pair)},
        }
    )


def check_classes(names: list[str], data: list[SingleImageData], folders: list[Path]) -> None:
    """Refuse metrics that read labels where the folders' classes differ; `classes` also counts pictures without."""
    one, other = (list(each.class_names) for each in data)
    for name in names:
        reads = any(p.name == "uses_labels" for p in parameters(Registry.lookup("metric", name)))
        if not reads or one == other or (name == "classes" and not other):
            continue
        first, second = (", ".join(classes) or "no classes" for classes in (one, other))
        raise OptionError(
            f"`--metrics {name}` needs two folders with the same classes; `{folders[0]}` has {first}, and"
            f" `{folders[1]}` has {second}. Give their sub-folders the same names, or leave `{name}` out."
        )


def make_folder(folder: Path) -> None:
    """The folder that statistics are saved in, before the work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"`--save-statistics` must name a file in a folder that can be made; `{folder}` cannot"
            f" ({error.strerror})."
        ) from error


def told_features(told: dict[str, Any] | None, file: Path) -> str:
    """The features that a file of statistics tells; refuses one that tells none, or names code that would run."""
    name = (told or {}).get("features")
    if name is None or is_path(name):
        what = (
            "does not say which features its statistics are of" if name is None else f"names code, `{name}`"
        )
        raise OptionError(f"`{file}` {what}; say so by `--metrics-features {name or 'inception'}`.")
    return name


def say_features(statistics: Statistics, name: str | None) -> Statistics:
    """Statistics whose features are those that were named, where they do not tell themselves."""
    return statistics._replace(
        protocol=({"features": name} if name else {}) | (statistics.protocol or {}) or None
    )


def shared(pair: list[Statistics]) -> dict[str, Any]:
    """The protocol of two statistics: what both tell, and `unknown` for what one of them does not."""
    one, other = (statistics.protocol or {} for statistics in pair)
    told = {key: one[key] if key in one and key in other else UNKNOWN for key in ALIKE}
    return told | {"real": one.get("count", UNKNOWN), "fake": other.get("count", UNKNOWN)}


def settle_size(settings: Namespace, folder: Path, told: dict[str, Any] | None) -> None:
    """Size and channels of the pictures: as asked, or as statistics tell; else the size of the first picture."""
    if told is not None and "image" in told:
        size, _, colors = told["image"].rpartition("x")
        if "image_colors" not in settings.given:
            settings.image_colors = int(colors)
    else:
        with FolderSource(data_dir=str(folder)).image(0) as picture:
            size = f"{picture.width}x{picture.height}"
    if "image_size" not in settings.given:
        width, height = map(int, size.split("x"))
        settings.image_size = size_of(height, width)


def place(name: str) -> Path:
    """A folder, or a .npz file."""
    path = Path(name).expanduser()
    if not path.is_dir() and not (path.suffix == ".npz" and path.is_file()):
        raise OptionError(
            f"`{name}` must be a folder of pictures, or a .npz file of statistics; it is neither. To put two runs side"
            " by side there is `ganzo compare`."
        )
    return path


def pictures_in(folder: Path, settings: Namespace) -> SingleImageData:
    """The pictures of a folder, all brought to one size."""
    return SingleImageData(
        FolderSource(data_dir=str(folder)),
        image_size=settings.image_size,
        image_colors=settings.image_colors,
        batch_size=1,
        cache_dir=settings.cache_dir,
    )


def of_folders(data: list[SingleImageData], settings: Namespace, save: Path | None) -> dict[str, Any]:
    """The scores of one folder against another."""
    metrics, device = Metric.from_options(settings), torch.device(settings.device)
    pictures = References(data[1], device, metrics.size).pictures()
    row = metrics.compare(data[0], pictures, device, {"split": "all"})
    if save is not None:
        write_statistics(save, statistics_of(metrics, data[0]))
    scores: dict[str, Any] = {}
    for name, value in row.items():
        real = metrics.real_scores.get(f"{name.removesuffix('_mean')}_real")
        scores[name] = {"mean": value, "std": None, "values": [value], "real": real}
    for told in metrics.protocol.values():
        told["split"] = "all"
        if told.get("real_against_real"):  # a metric that is no comparison has none
            told["real_against_real"] = told["real_against_real"].replace("training", "the first")
    return {"scores": scores, "protocol": metrics.protocol}


def of_pictures(data: SingleImageData, settings: Namespace) -> Statistics:
    """The statistics of a folder."""
    metrics, device = Metric.from_options(settings), torch.device(settings.device)
    metrics.prepare(data, device)
    return statistics_of(metrics, data)


def statistics_of(metrics: Metrics, data: SingleImageData) -> Statistics:
    """Mean and covariance of all pictures, with their protocol."""
    collected = metrics.compare_with()[metrics.looks_at["fid"]]
    height, width = sides(data.image_size)
    told = metrics.told("fid", None, collected, {}) | {"image": f"{width}x{height}x{data.image_colors}"}
    protocol = {key: told[key] for key in ALIKE} | {"count": collected.count}
    return Statistics(collected.moments.mean.cpu(), collected.moments.covariance.cpu(), protocol)


def read_statistics(path: Path) -> Statistics:
    """The statistics in a .npz file; nothing in it is run as code."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[key] for key in ("mu", "sigma")]
            protocol = json.loads(str(file["protocol"])) if "protocol" in file.files else None
    except Exception as error:  # NumPy raises almost anything over a damaged file
        raise OptionError(
            f"`{path}` must hold statistics, the arrays `mu` and `sigma`; it does not ({error})."
        ) from error
    if any(array.dtype.kind not in "fiu" for array in arrays):
        types = " and ".join(str(array.dtype) for array in arrays)
        raise OptionError(f"`{path}` must hold `mu` and `sigma` of real numbers; got {types}.")
    mean, covariance = (torch.from_numpy(array.astype(np.float64)) for array in arrays)
    if mean.dim() != 1 or not len(mean) or covariance.shape != (len(mean), len(mean)):
        shapes = f"{tuple(mean.shape)} and {tuple(covariance.shape)}"
        raise OptionError(f"`{path}` must hold `mu` of F numbers and `sigma` of F×F; got {shapes}.")
    check_covariance(path, mean, covariance)
    check_protocol(path, protocol)
    return Statistics(mean, covariance, protocol)


def check_covariance(path: Path, mean: Tensor, covariance: Tensor) -> None:
    """Refuse numbers that no mean and covariance can be."""
    for name, values in (("mu", mean), ("sigma", covariance)):
        if not bool(values.isfinite().all()):
            count = int((~values.isfinite()).sum())
            raise OptionError(
                f"`{path}` must hold finite numbers; {count} of `{name}` are not. Work the statistics out again."
            )
    away = (covariance - covariance.T).abs().max().item()
    if away > SLACK * covariance.abs().max().item():
        raise OptionError(
            f"`sigma` of `{path}` must be symmetric, as a covariance is; mirrored numbers differ by up to {away:.3g}."
            " Work the statistics out again."
        )
    values = torch.linalg.eigvalsh((covariance + covariance.T) / 2)
    least = values.min().item()
    if least < -SLACK * values.abs().max().item():
        raise OptionError(
            f"`sigma` of `{path}` must be positive semi-definite, as a covariance is; its least eigenvalue is"
            f" {least:.3g}. Work the statistics out again."
        )


def check_protocol(path: Path, protocol: Any) -> None:
    """Refuse a protocol that cannot be read; one may lack facts, or be missing."""
    sound = protocol is None or isinstance(protocol, dict)
    if sound and protocol:
        sound = isinstance(protocol.get("features", ""), str)
        sound &= re.fullmatch(r"[1-9]\d*x[1-9]\d*x[13]", str(protocol.get("image", "1x1x1"))) is not None
    if not sound:
        raise OptionError(
            f"The `protocol` of `{path}` must be an object with `features` as text and `image` as in `32x32x3`; got"
            f" {json.dumps(protocol)}. Leave it out of the file."
        )


def write_statistics(path: Path, statistics: Statistics) -> None:
    """Write statistics as other tools read them, with the protocol beside."""
    with path.open("wb") as file:
        np.savez(
            file,
            mu=statistics.mean.numpy(),
            sigma=statistics.covariance.numpy(),
            protocol=np.array(json.dumps(statistics.protocol)),
        )


def check_alike(pair: list[Statistics], places: list[Path]) -> None:
    """Refuse statistics that were made in different ways, as far as they tell."""
    names = f"`{places[0]}` and `{places[1]}`"
    one, other = (statistics.protocol for statistics in pair)
    if one is not None and other is not None:
        both = [key for key in ALIKE if key in one and key in other]
        found = differences({key: one[key] for key in both}, {key: other[key] for key in both})
        if found:
            raise OptionError(
                f"{names} were measured in different ways and cannot be compared: {'; '.join(found)}."
            )
    sizes = [len(statistics.mean) for statistics in pair]
    if sizes[0] != sizes[1]:
        raise OptionError(f"{names} must have features of the same size; got {sizes[0]} and {sizes[1]}.")
