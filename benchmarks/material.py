"""Data to try recipes on, made of what is at hand: handwriting, glyphs of fonts, photographs of scikit-image.

`python -m benchmarks.material FOLDER` writes, in the file formats of the sets that the recipes name:

- `mnist/`: 10,000 handwritten digits, drawn from the 1,438 embedded ones that are for training, each turned, scaled and
  moved a little; in MNIST's files
- `emnist/`: 10,400 letters of the fonts that come with matplotlib, likewise changed; in EMNIST's files, split `letters`
- `pairs/`: 4,000 pieces of seven photographs, each as one picture with its edges on the left
- `edges/`, `photos/`: the same, in two folders whose files have the same names
- `held-out-pairs/`, `held-out-edges/`, `held-out-photos/`: 400 more, from parts of the photographs that the others
  never touch
"""

import gzip
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzo.data.digits import DigitsSource

SIDE = 28  # of MNIST's pictures
PIECE = 64  # of a photograph's
FACES = ("DejaVuSans*", "DejaVuSerif*", "STIXGeneral*", "cmr10", "cmb10", "cmss10", "cmtt10", "cmti10")
PHOTOGRAPHS = ("coffee", "astronaut", "chelsea", "rocket", "motorcycle_left")  # scikit-image's
HELD_OUT = 0.2  # the right part of a photograph
LEAST = 0.06  # share of edges in a piece that is worth showing


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write bytes in the format of MNIST's files: a magic number, the sizes, the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0))


def changed(picture: Image.Image, draw: np.random.Generator) -> np.ndarray:
    """A grey picture turned by up to 10°, scaled by up to a tenth and moved by up to two pixels."""
    turn, scale = np.deg2rad(draw.uniform(-10, 10)), draw.uniform(0.9, 1.1)
    shear = draw.uniform(-0.1, 0.1)
    cos, sin, middle = np.cos(turn) / scale, np.sin(turn) / scale, SIDE / 2
    right, down = draw.uniform(-2, 2, 2)
    a, b, d, e = cos, sin + shear, -sin, cos
    c, f = (
        middle - a * (middle + right) - b * (middle + down),
        middle - d * (middle + right) - e * (middle + down),
    )
    return np.asarray(
        picture.transform((SIDE, SIDE), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC)
    )


def digits(folder: Path, count: int = 10_000) -> None:
    """Handwritten digits in MNIST's files; those that Ganzo holds out are the test part, as they are."""
    draw = np.random.default_rng(0)
    for prefix, part, number in (("train", "train", count), ("t10k", "test", None)):
        source = DigitsSource(digits_part=part)  # type: ignore[arg-type]
        framed = [framed_digit(source.image(i)) for i in range(len(source))]
        assert source.labels is not None, "digits have labels"
        if number is None:
            images, labels = np.stack([np.asarray(p) for p in framed]), np.array(source.labels)
        else:
            chosen = draw.integers(0, len(source), number)
            images = np.stack([changed(framed[i], draw) for i in chosen])
            labels = np.array(source.labels)[chosen]
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)


def framed_digit(digit: Image.Image) -> Image.Image:
    """A digit of 20×20 pixels in the middle of a frame, as MNIST has them."""
    frame = Image.new("L", (SIDE, SIDE))
    frame.paste(digit.resize((20, 20), Image.Resampling.BICUBIC), (4, 4))
    return frame


def letters(folder: Path, each: int = 400) -> None:
    """Letters of fonts in EMNIST's files, both cases of a letter as one class; the pictures are stored transposed."""
    import matplotlib

    faces = sorted(
        f for name in FACES for f in (Path(matplotlib.get_data_path()) / "fonts/ttf").glob(f"{name}.ttf")
    )
    fonts = [ImageFont.truetype(str(face), 22) for face in faces if "Display" not in face.name]
    draw = np.random.default_rng(0)
    images, labels = [], []
    for number in range(26 * each):
        label = number % 26
        letter = chr(ord("Aa"[draw.integers(2)]) + label)
        frame = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(frame).text(
            (SIDE / 2, SIDE / 2), letter, 255, fonts[draw.integers(len(fonts))], anchor="mm"
        )
        images.append(changed(frame, draw).T)
        labels.append(label + 1)
    order = draw.permutation(len(images))
    for prefix, part in (("train", order), ("test", order[: len(order) // 10])):
        write_idx(folder / f"emnist-letters-{prefix}-images-idx3-ubyte.gz", np.stack(images)[part])
        write_idx(folder / f"emnist-letters-{prefix}-labels-idx1-ubyte.gz", np.array(labels)[part])


def photographs() -> Iterator[Image.Image]:
    """Seven photographs of scikit-image and scikit-learn."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    folder = Path(data.__file__).parent
    for name in PHOTOGRAPHS:
        yield Image.open(next(folder.glob(f"{name}.*g"))).convert("RGB")
    yield from map(Image.fromarray, load_sample_images().images)


def edges(picture: Image.Image) -> Image.Image:
    """A picture's edges, black on white: by Canny's method."""
    from skimage.feature import canny

    found = canny(np.asarray(picture.convert("L"), dtype=np.float32) / 255, sigma=1.0)
    return Image.fromarray(np.where(found, 0, 255).astype(np.uint8)).convert("RGB")


def pairs(folder: Path, name: str, count: int, first: float, last: float) -> None:
    """Pieces between two parts of photographs, each as one picture with its edges on the left, and in two folders."""
    draw, pictures, kept = np.random.default_rng(0), list(photographs()), 0
    left_of, right_of = folder / name.replace("pairs", "edges"), folder / name.replace("pairs", "photos")
    for place in (folder / name, left_of, right_of):
        place.mkdir(parents=True, exist_ok=True)
    while kept < count:
        picture = pictures[draw.integers(len(pictures))]
        low, high = int(first * picture.width), int(last * picture.width)
        most = min(high - low, picture.height)
        side = int(draw.integers(min(3 * PIECE // 2, most - 1), most))
        left, top = draw.integers(low, high - side + 1), draw.integers(0, picture.height - side + 1)
        piece = picture.crop((left, top, left + side, top + side)).resize(
            (PIECE, PIECE), Image.Resampling.LANCZOS
        )
        lines = edges(piece)
        if (np.asarray(lines) == 0).mean() < LEAST:
            continue
        both = Image.new("RGB", (2 * PIECE, PIECE))
        both.paste(lines, (0, 0))
        both.paste(piece, (PIECE, 0))
        for picture_of, place in ((both, folder / name), (lines, left_of), (piece, right_of)):
            picture_of.save(place / f"{kept:04}.png")
        kept += 1


def make(folder: Path) -> None:
    """Write all of it."""
    digits(folder / "mnist")
    letters(folder / "emnist")
    pairs(folder, "pairs", 4_000, 0.0, 1 - HELD_OUT)
    pairs(folder, "held-out-pairs", 400, 1 - HELD_OUT, 1.0)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
