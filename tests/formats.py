"""Files of published data sets in their real formats, small: CIFAR, SVHN, STL-10, CelebA and LSUN."""

import io
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from files import write_mnist_family


def noise_pictures(count, height, width, seed=0):
    """Colour pictures of noise, N×H×W×3."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def python2(value):
    """A value as the second pickle protocol of Python 2 writes it, which is what CIFAR's files are in."""
    if isinstance(value, dict):
        return b"}(" + b"".join(python2(part) for item in value.items() for part in item) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(python2, value)) + b"e"
    if isinstance(value, bytes):
        return b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, np.ndarray):
        kind = b"cnumpy\ndtype\n" + python2(value.dtype.str[1:].encode()) + b"K\0K\1\x87R"
        kind += b"(K\3" + python2(value.dtype.str[:1].encode()) + b"NNN" + python2(-1) * 2 + b"K\0tb"
        shape = b"(" + b"".join(map(python2, value.shape)) + b"t"
        empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
        return empty + b"(K\1" + shape + kind + b"\x89" + python2(value.tobytes()) + b"tb"
    return b"J" + struct.pack("<i", value)


def write_pickle(path, value):
    """A pickle as CIFAR has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x80\2" + python2(value) + b".")


def rows_of(images):
    """Pictures N×32×32×3 as CIFAR stores them: N×3072, one colour after another."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)


def write_cifar10(folder, images, labels, part="train", class_names=None):
    """One part of CIFAR-10: five files of pictures N×32×32×3 to train on, one to test; and names of the classes."""
    place = Path(folder) / "cifar-10-batches-py"
    names = [f"data_batch_{number}" for number in range(1, 6)] if part == "train" else ["test_batch"]
    pieces = zip(np.array_split(rows_of(images), len(names)), np.array_split(labels, len(names)), strict=True)
    for name, (data, numbers) in zip(names, pieces, strict=True):
        content = {b"batch_label": name.encode(), b"labels": [int(n) for n in numbers], b"data": data}
        write_pickle(place / name, content)
    if class_names is not None:
        write_pickle(place / "batches.meta", {b"label_names": [name.encode() for name in class_names]})
    return place


def write_cifar100(folder, images, fine, coarse, part="train"):
    """One part of CIFAR-100, with names of 100 classes and 20 groups."""
    place = Path(folder) / "cifar-100-python"
    labels = {b"fine_labels": [int(n) for n in fine], b"coarse_labels": [int(n) for n in coarse]}
    write_pickle(place / part, {b"data": rows_of(images), **labels})
    names = {
        f"{kind}_label_names".encode(): [f"{kind}{n}".encode() for n in range(count)]
        for kind, count in (("fine", 100), ("coarse", 20))
    }
    write_pickle(place / "meta", names)
    return place


def into_tar(place, name):
    """Put a folder into a `.tar.gz` beside it, and delete it."""
    with tarfile.open(place.parent / name, "w:gz") as tar:
        tar.add(place, place.name)
    shutil.rmtree(place)
    return place.parent / name


def write_svhn(folder, images, digits, part="train"):
    """One part of SVHN: pictures N×32×32×3, and the digits that they show."""
    from scipy.io import savemat

    path = Path(folder) / f"{part}_32x32.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = np.where(np.asarray(digits) == 0, 10, digits).astype(np.uint8)[:, None]
    savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": numbers}, do_compression=True)
    return path


def write_stl10(folder, images, labels=None, part="train", class_names=None):
    """One part of STL-10: pictures N×96×96×3, and labels from 0 or none."""
    place = Path(folder) / "stl10_binary"
    place.mkdir(parents=True, exist_ok=True)
    images.transpose(0, 3, 2, 1).tofile(place / f"{part}_X.bin")
    if labels is not None:
        (np.asarray(labels, np.uint8) + 1).tofile(place / f"{part}_y.bin")
    if class_names is not None:
        (place / "class_names.txt").write_text("\n".join(class_names) + "\n")
    return place


def encoded(picture, form="JPEG"):
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, form, quality=95)
    return file.getvalue()


def write_celeba(folder, pictures, parts=None, attributes=None, zipped=False):
    """Faces H×W×3, numbered from 1; `parts` has 0, 1 or 2 for each, `attributes` a list of truths for each name."""
    folder = Path(folder)
    place = folder / "img_align_celeba"
    place.mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(1, len(pictures) + 1)]
    for name, picture in zip(names, pictures, strict=True):
        (place / name).write_bytes(encoded(picture))
    if zipped:
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for name in names:
                file.write(place / name, f"img_align_celeba/{name}")
        shutil.rmtree(place)
    if parts is not None:
        lines = [f"{name} {part}\n" for name, part in zip(names, parts, strict=True)]
        (folder / "list_eval_partition.txt").write_text("".join(lines))
    if attributes is not None:
        lines = [f"{len(names)}\n", " ".join(attributes) + " \n"]
        for name, *values in zip(names, *attributes.values(), strict=True):
            lines.append(f"{name} " + " ".join(" 1" if value else "-1" for value in values) + "\n")
        (folder / "list_attr_celeba.txt").write_text("".join(lines))
    return folder


def write_lsun(folder, category, pictures, part="train", form="WEBP"):
    """One category of LSUN: pictures H×W×3, or bytes as they are, under hexadecimal keys; `part` is train or val."""
    import lmdb

    place = Path(folder) / f"{category}_{part}_lmdb"
    place.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(place), map_size=1 << 26) as environment, environment.begin(write=True) as transaction:
        for number, picture in enumerate(pictures):
            key = f"{(number * 2654435761) % 2**32:08x}".encode()
            transaction.put(key, picture if isinstance(picture, bytes) else encoded(picture, form))
    (place / "lock.mdb").unlink()
    return place


def write_named_set(folder, name, count=20):
    """Both parts of `cifar10`, `cifar100`, `svhn`, `stl10`, `celeba` or `lsun`, as that source looks for them."""
    labels = np.arange(count) % 10
    if name == "celeba":
        parts = [0 if number < count else 2 for number in range(2 * count)]
        write_celeba(folder, noise_pictures(2 * count, 22, 18), parts)
        return
    for seed, part in enumerate(("train", "test")):
        pictures = noise_pictures(count, *((96, 96) if name == "stl10" else (32, 32)), seed=seed)
        if name == "cifar10":
            write_cifar10(folder, pictures, labels, part)
        elif name == "cifar100":
            write_cifar100(folder, pictures, labels, labels, part)
        elif name == "svhn":
            write_svhn(folder, pictures, labels, part)
        elif name == "stl10":
            write_stl10(folder, pictures, labels, part)
        else:
            for category in ("bedroom", "church_outdoor"):
                write_lsun(folder, category, pictures[: count // 2], {"test": "val"}.get(part, part))


FAMILY = ("mnist", "fashion-mnist", "kmnist", "emnist")
NAMED_SETS = (*FAMILY, "cifar10", "cifar100", "svhn", "stl10", "celeba", "lsun")


def named_set(folder, name, count=20):
    """Small files of any named set, and the options that find them and fetch nothing."""
    if name in FAMILY:
        write_mnist_family(folder, name, count)
    else:
        write_named_set(folder, name, count)
    fetches = {} if name in ("celeba", "lsun") else {"download": False}
    return {"data_dir": str(folder), **fetches}
