"""Out of memory: the sentence, what it is computed from, and that what it says is true."""

import os
import re
import subprocess
import sys

import pytest
import torch

from ganzo import shortage
from ganzo.errors import MemoryShortage, is_memory
from ganzo.free import Free
from ganzo.game.standard import StandardGame
from ganzo.launch import Ranks
from ganzo.shortage import SPARE, accumulated, advising, in_a_turn, largest, rounded, sentence
from small import small

FULL = "[enforce] can't allocate memory: you tried to allocate 9 bytes\nsecond line"


class Line:
    """An estimate of 100 bytes, and 10 for each image."""

    framework = 0

    def __init__(self, batch_size=64):
        self.batch_size = batch_size

    def fitting(self, free, step=1):
        return max(0, int((free - 100) // 10)) // step * step

    def total(self, batch_size=None):
        return 100 + 10 * (self.batch_size if batch_size is None else batch_size)


@pytest.fixture
def processes(monkeypatch):
    def several(count, local_count=None):
        ranks = Ranks(0, count, 0, local_count or count, talks=False)
        monkeypatch.setattr("ganzo.nn.ranks._ranks", ranks)

    return several


def rounds(error=None):
    """A game's turn that fails."""
    raise error or RuntimeError(FULL)


# --- which errors, and where


@pytest.mark.parametrize(
    "error, yes",
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for a convolution"), False),
        (MemoryError(), True),
        (RuntimeError("shapes do not match"), False),
        (None, False),
    ],
)
def test_what_says_that_memory_lacks(error, yes):
    assert is_memory(error) is yes


def test_an_error_that_follows_one_of_memory_says_so_too():
    try:
        try:
            raise MemoryError
        finally:
            raise RuntimeError("unexpected pos 156643904")
    except RuntimeError as error:
        assert is_memory(error)


def test_only_turns_are_advised_about():
    def pictures():
        raise RuntimeError(FULL)

    for function, yes in ((rounds, True), (pictures, False)):
        with pytest.raises(RuntimeError) as caught:
            function()
        assert in_a_turn(caught.value) is yes


# --- the batch that fits


@pytest.mark.parametrize(
    "batch_size, even",
    [
        (0, 0),
        (1, 0),
        (2, 2),
        (3, 2),
        (15, 14),
        (31, 30),
        (33, 32),
        (63, 60),
        (67, 64),
        (135, 128),
        (1001, 992),
    ],
)
def test_a_batch_size_is_rounded_down_to_one_that_divides_well(batch_size, even):
    assert rounded(batch_size) == even


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("batch_size", [5, 50, 500])
def test_each_process_gets_as_many_and_an_even_number(processes, count, batch_size):
    processes(count)
    assert rounded(batch_size) % (2 * count) == 0 and rounded(batch_size) <= batch_size


def test_a_quarter_of_the_free_memory_is_left_alone():
    assert largest(Line(), Free(1600, "", True), 512) == 104  # (0.75·1600 - 100) / 10 = 110


def test_it_is_smaller_than_what_did_not_fit():
    assert largest(Line(), Free(10**9, "", True), 64) == 48


def test_processes_of_one_machine_share_its_memory(processes):
    processes(2)
    assert largest(Line(), Free(3200, "on this machine", False), 512) == 208  # 110 each
    assert largest(Line(), Free(1600, "on cuda:0", True), 512) == 208


def test_nothing_fits():
    assert largest(Line(), Free(100, "", True), 512) == 0


def test_nobody_knows_what_fits():
    line = Line()
    line.fitting = lambda free, step=1: None
    assert largest(line, Free(10**9, "", True), 512) is None


# --- the sentence


def options_for(**changed):
    options = small(batch_size=512, generator="fc", discriminator="fc")
    for name, value in changed.items():
        setattr(options, name, value)
    return options


def test_the_sentence_names_the_batch_size():
    options = options_for()
    if hasattr(options, "accumulate"):
        del options.accumulate
    assert sentence(options, "it is full", 96, "") == (
        "There is not enough memory for batches of 512 (it is full): about 96 fit. Use `--batch-size 96`."
    )


def test_a_restored_run_keeps_its_batch_size():
    said = sentence(options_for(restore=True), "full", 96, "2 GiB are needed, 1 GiB are free")
    assert said == (
        "There is not enough memory for batches of 512 (full): about 96 fit, but a restored run keeps its batch size."
        " Give it a device or machine with more free memory (2 GiB are needed, 1 GiB are free), or start another"
        " experiment with `--batch-size 96`."
    )


def test_where_nothing_fits_other_options_are_named():
    said = sentence(options_for(), "full", 0, "2 GiB are needed, 1 GiB are free")
    assert said == (
        "There is not enough memory for batches of 512 (full), nor for the smallest ones: 2 GiB are needed, 1 GiB are"
        " free. Lower `--image-size` or the width of the networks, or give it another device."
    )


@pytest.mark.parametrize(
    "fits, accumulate, words",
    [
        (96, 1, "; `--batch-size 64 --accumulate 8` moves by 512 images as before"),
        (64, 2, "; `--batch-size 64 --accumulate 16` moves by 1024 images as before"),
        (96, None, ""),
    ],
)
def test_gradients_of_several_batches_make_up_for_their_size(fits, accumulate, words):
    options = options_for()
    if accumulate is None:
        vars(options).pop("accumulate", None)
    else:
        options.accumulate = accumulate
    assert accumulated(options, fits) == words


def test_a_batch_that_divides_badly_is_not_made_up_for():
    assert accumulated(options_for(batch_size=509, accumulate=1), 96) == ""


# --- in a run


@pytest.fixture
def failing(monkeypatch):
    def fail(error=None, free=1600, found=None, refuses=False):
        monkeypatch.setattr(shortage, "estimate", found or (lambda options, before: Line(options.batch_size)))
        monkeypatch.setattr(shortage, "free_memory", lambda *_: free and Free(free, "here", refuses))
        with advising(options_for()):
            rounds(error)

    return fail


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(FULL),
        MemoryError("can't allocate memory: you"),
        torch.OutOfMemoryError("CUDA out of memory."),
    ],
)
def test_all_kinds_of_errors_are_advised_about(failing, error):
    with pytest.raises(MemoryShortage, match=r"batches of 512 \(.*(can't|CUDA).*\): about 104 fit\. Use"):
        failing(error)


def test_what_is_laid_aside_for_the_estimate_is_not_counted_as_free(failing):
    with pytest.raises(MemoryShortage, match="about 104 fit"):
        failing(free=SPARE + 1600, refuses=True)
    with pytest.raises(MemoryShortage, match="nor for the smallest ones: 5 KiB are needed, 0 KiB are free"):
        failing(free=1600, refuses=True)


def test_room_is_laid_aside_where_addresses_are_limited(monkeypatch):
    asked = []

    class Spare:
        def __init__(self, place, size):
            asked.append(size)

        def close(self):
            asked.append("closed")

    monkeypatch.setattr(shortage.mmap, "mmap", Spare)
    for limit, size in ((None, 1), (Free(1, "", True), SPARE)):
        monkeypatch.setattr(shortage, "address_space", lambda limit=limit: limit)
        with advising(options_for()):
            pass
        assert asked == [size, "closed"]
        asked.clear()


def out_of_memory(options, before):
    raise MemoryError


def refusing(options, before):
    raise ValueError("expected more than 1 value per channel")


@pytest.mark.parametrize(
    "changed",
    [
        {"free": None},
        {"found": out_of_memory},
        {"found": refusing},
        {"found": lambda *_: Line(12)},  # data that decide on their batch size
    ],
)
def test_where_nothing_is_found_out_the_error_stays_what_it_is(failing, changed):
    with pytest.raises(RuntimeError) as caught:
        failing(**changed)
    assert str(caught.value) == FULL


def test_other_errors_stay_what_they_are(failing):
    with pytest.raises(RuntimeError, match="shapes"):
        failing(RuntimeError("shapes do not match"))


def test_the_parts_that_failed_are_gone_before_the_estimate(monkeypatch):
    import weakref

    from torch import nn

    kept = []

    def rounds():
        network = nn.Linear(9, 9)
        kept.append(weakref.ref(network))
        raise MemoryError

    def looks(options, before):
        assert kept[0]() is None
        return Line(options.batch_size)

    monkeypatch.setattr(shortage, "estimate", looks)
    monkeypatch.setattr(shortage, "free_memory", lambda *_: Free(1600, "here", False))
    with pytest.raises(MemoryShortage), advising(options_for()):
        rounds()


def test_the_command_says_it(ganzo, tiny, monkeypatch):
    plays = StandardGame.step

    def step(self, batches, noise):
        batch = next(batches)
        if len(batch) == 8:
            raise RuntimeError("can't allocate memory")
        return plays(self, iter([batch]), noise)

    monkeypatch.setattr(StandardGame, "step", step)
    monkeypatch.setattr(shortage, "free_memory", lambda *_: Free(1 << 40, "here", True))
    said = ganzo(f"{tiny} --experiment t --seed 1")
    assert said.status == 2 and said.err == (
        "ganzo: error: There is not enough memory for batches of 8 (can't allocate memory): about 6 fit."
        " Use `--batch-size 6`; `--batch-size 4 --accumulate 2` moves by 8 images as before.\n"
    )


LIMITED = """
import os, resource, sys
from ganzo.free import numbers
from pathlib import Path

import ganzo.commands, ganzo.train, torch

torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # loads what torch loads late
taken = numbers(Path("/proc/self/status"))["VmSize"] << 10
limit = taken + (int(sys.argv[1]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from ganzo.cli import main

sys.exit(main(sys.argv[2:]))
"""


def limited(mebibytes, *words):
    """A command that may take so much more than what torch has taken by then."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("MALLOC_ARENA_MAX", None)
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(mebibytes), *words],
        capture_output=True, text=True, env=environment, timeout=250,
    )  # fmt: skip


WIDE = (
    "train --dataset digits --image-size 32 --image-colors 1 --generator conv --discriminator conv --threads 1"
    " --generator-channels 32 --discriminator-channels 32 --precision fp32 --no-tune --epochs 1 --log none"
    " --max-batches-per-epoch 2 --save-images-as none --seed 1 --experiment t --delete"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux alone")
def test_the_batch_that_is_named_fits_and_the_one_that_failed_does_not():
    failed = limited(600, *WIDE.split(), "--batch-size", "1400")
    assert failed.returncode == 2 and "Traceback" not in failed.stderr, failed.stderr
    found = re.search(r"batches of 1400 \(.*\): about (\d+) fit\. Use `--batch-size (\d+)`", failed.stderr)
    assert found and found[1] == found[2] and int(found[1]) % 2 == 0, failed.stderr
    assert 8 <= int(found[1]) < 1400
    done = limited(600, *WIDE.split(), "--batch-size", found[1])
    assert done.returncode == 0, done.stderr
