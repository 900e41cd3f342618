"""The commands: `ganzo train`, `ganzo sample` (also `deh`), `ganzo list`."""

import sys
from typing import Any

from ganzo import __version__
from ganzo.errors import Followed, GanzoError, is_memory, nearest
from ganzo.launch import announced

COMMANDS = {
    "train": "train a GAN; without any option, on the embedded handwritten digits",
    "sample": "draw pictures from a stored run (the command `deh` does the same)",
    "report": "write a page about a run: samples over time, curves, scores, options",
    "compare": "write a page that puts runs side by side",
    "evaluate": "score a stored run over several seeds, or one folder of pictures against another",
    "list": "list rooms, components and their options, and recipes",
}
USAGE = "\n".join(
    [
        f"Ganzo {__version__}: implement, train, compare and use generative adversarial networks.\n",
        "usage: ganzo COMMAND [--option value …]\n",
        *(f"  {name:8} {text}" for name, text in COMMANDS.items()),
        "\n`ganzo COMMAND --help` explains a command; `ganzo --option …` without a command means `ganzo train`.",
    ]
)


def main(words: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 for what the user can mend, 130 when interrupted."""
    words = sys.argv[1:] if words is None else words
    try:
        return run(words)
    except Followed:  # another process of the run says why
        return 2
    except GanzoError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        print("ganzo: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:  # a folder that cannot be read, a name that is too long
        where = f" `{error.filename}`" if error.filename else ""
        return complain(f"The system refuses{where}: {error.strerror or error}.")
    except (MemoryError, RuntimeError) as error:
        if not is_memory(error):
            raise
        reason = str(error).partition("\n")[0] or "MemoryError"
        hint = "lower `--batch-size`, `--image-size` or the width of the networks."
        return complain(f"There is not enough memory ({reason}); {hint}")


def complain(sentence: str) -> int:
    """Say what the user can mend, and which process it is of several; returns the exit status."""
    try:
        who = announced()
        named = "" if who.leads else f"{who}: "
    except GanzoError:  # what the launcher announced is what is wrong
        named = ""
    print(f"ganzo: error: {named}{sentence}", file=sys.stderr)
    return 2


def run(words: list[str]) -> int:
    """Find the command and run it."""
    if words and words[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    if words == ["--version"]:
        print(f"ganzo {__version__}")
        return 0
    if not words or words[0].startswith("-"):
        command, rest = "train", words
    else:
        command, rest = words[0], words[1:]
    if command not in COMMANDS:
        raise GanzoError(
            f"There is no command `{command}`; choose among {', '.join(COMMANDS)}.{nearest(command, COMMANDS)}"
        )
    if not words:
        print(USAGE)
        return 0
    if command != "train" and not announced().leads:  # of several processes one is enough
        return 0
    if command == "train":  # the modules import torch; `ganzo --help` does without
        from ganzo.commands import train

        return train(rest)
    if command == "sample":
        from ganzo import sample

        return sample.command(rest)
    if command == "report":
        from ganzo import report

        return report.command(rest)
    if command == "compare":
        from ganzo import compare

        return compare.command(rest)
    if command == "evaluate":
        from ganzo import evaluate

        return evaluate.command(rest)
    from ganzo import listing

    return listing.command(rest)


def deh(words: list[str] | None = None) -> int:
    """The old name of `ganzo sample`."""
    return main(["sample", *(sys.argv[1:] if words is None else words)])


def entry(function: Any = main) -> None:
    """Leave the process with a command's exit status."""
    sys.exit(function())
