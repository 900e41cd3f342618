"""GAN doctor's command line: `ganzo train --as gan-doctor --gen=networks/cosgrove/gen_old.py --z_dim=256 …`.

Its words become ours, each with its own default where it is left out. Words that it does not know are ours (such as
`--data-dir`), and beat what theirs become. What its paths hold means our components; any other path is a file with the
functions that it asked for (`get_network`, `get_class`, `get_dataset_train`).

Differs:
    - `models/gan.py` without `--gan_args` has the loss `bce`.
    - `sn-resnet` stands for all four networks: the newer discriminator, which widens as it halves, is the older here.
      `nf` counts, which the older pair ignored (its width was 128).
    - The discriminator gives logits, so `sigmoid` belongs to the loss `bce`, and is refused with `hinge`.
    - `--update_g_every n` is `--discriminator-iterations n`: its generator took every n-th step of the
      discriminator's, each with a minibatch of its own, and that is what one turn of ours is. The discriminator moves
      first, on fakes of its own, and its loss is not halved.
    - Checkpoints are written as time passes (`--save_every` says nothing here); scores come at the end of an epoch.
"""

import os
from pathlib import Path
from typing import Any

from ganzo.registry import OptionError, arguments, nearest

DEFAULTS: dict[str, Any] = {
    "name": None,
    "trial_id": None,
    "gan": "models/gan.py",
    "gan_args": None,
    "gen": "networks/cosgrove/gen.py",
    "gen_args": None,
    "disc": "networks/cosgrove/disc.py",
    "disc_args": None,
    "batch_size": "32",
    "img_size": "32",
    "epochs": "100",
    "z_dim": "62",
    "lr_g": "2e-4",
    "lr_d": "2e-4",
    "beta1": "0.5",
    "beta2": "0.999",
    "update_g_every": "1",
    "dataset": "iterators/cifar10.py",
    "resume": "auto",
    "subset_train": None,
    "save_path": None,
    "save_images_every": None,  # it never did anything
    "save_every": None,
    "val_batch_size": "512",
    "num_workers": "4",
    "compute_is_every": "1",
    "n_samples_is": "5000",
    "use_tf_metrics": False,
    "seed": "0",
    "mode": "train",
}
SAME = {  # what only has another name
    "name": "--name",
    "trial_id": "--trial-id",
    "batch_size": "--batch-size",
    "img_size": "--image-size",
    "epochs": "--epochs",
    "z_dim": "--state-size",
    "lr_g": "--generator-lr",
    "lr_d": "--discriminator-lr",
    "beta1": "--beta1",
    "beta2": "--beta2",
    "update_g_every": "--discriminator-iterations",
    "subset_train": "--subset",
    "save_path": "--results-dir",
    "num_workers": "--loader-workers",
    "seed": "--seed",
}
GENERATORS = ("networks/cosgrove/gen_old.py", "networks/cosgrove/gen.py")
DISCRIMINATORS = ("networks/cosgrove/disc_old.py", "networks/cosgrove/disc.py")
GANS = ("models/gan.py", "models/bernoulli.py", "models/gan_bernoulli.py", "models/bernoulli_gan.py")
DATASETS = ("iterators/cifar10.py",)
KNOWN = {"gen": ("nf", "n_classes"), "disc": ("nf", "spec_norm", "sigmoid", "n_classes")}
LOSSES = {"hinge": "hinge", "bce": "gan"}


def translate(words: list[str]) -> list[str]:
    """The words of `task_launcher.py` to those of `ganzo train`."""
    given, ours = parted(words)
    told = DEFAULTS | given
    told |= {key: told[key].removeprefix("./") for key in ("gan", "gen", "disc", "dataset")}
    if told["mode"] != "train":
        raise OptionError(
            f"`--mode` must be train; got `{told['mode']}`. A stored run is scored by `ganzo evaluate RUN`."
        )
    if told["num_workers"] == "0":  # no worker is what one thread is
        told["num_workers"] = None
    told["seed"] = os.environ.get("EAI_SEED") or told["seed"]
    out = {flag: told[key] for key, flag in SAME.items() if told[key] is not None}
    out |= players(told) | game(told) | metrics(told)
    out["--dataset"] = "cifar10" if told["dataset"] in DATASETS else told["dataset"]
    out |= {"--sample-every": "1", "--snapshot-size": told["val_batch_size"]}  # a picture of each epoch
    beaten = {word.partition("=")[0].replace("_", "-") for word in ours if word.startswith("--")}
    out = {flag: value for flag, value in out.items() if flag.replace("--no-", "--", 1) not in beaten}
    found = [f"{flag}={value}" if value is not True else flag for flag, value in out.items()]
    return found + (["--restore"] if resumes(told, ours) else []) + ours


def parted(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """What is said in their words, by key, and the words that are ours."""
    given: dict[str, Any] = {}
    ours: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        key = flag.removeprefix("--").replace("-", "_")
        if not flag.startswith("--") or key not in DEFAULTS:
            ours.append(word)
        elif DEFAULTS[key] is False:
            given[key] = True
        elif equals or rest:
            given[key] = value if equals else rest.pop(0)
        else:
            raise OptionError(f"`{flag}` needs a value behind it.")
    return given, ours


def players(told: dict[str, Any]) -> dict[str, Any]:
    """Both networks with their arguments."""
    out: dict[str, Any] = {}
    for word, player, built_in in (
        ("gen", "generator", GENERATORS),
        ("disc", "discriminator", DISCRIMINATORS),
    ):
        if told[word] not in built_in:
            out[f"--{player}"] = told[word]
            out |= {f"--{player}-args": told[f"{word}_args"]} if told[f"{word}_args"] else {}
            continue
        out[f"--{player}"] = "sn-resnet"
        settings = read(told, f"{word}_args", KNOWN[word])
        if "nf" in settings:
            out[f"--{player}-channels"] = settings["nf"]
        if "spec_norm" in settings:
            out[
                "--discriminator-spectral-norm"
                if settings["spec_norm"]
                else "--no-discriminator-spectral-norm"
            ] = True
    return out


def game(told: dict[str, Any]) -> dict[str, Any]:
    """The kind of GAN: game, loss and noise."""
    if told["gan"] not in GANS:
        return {"--game": told["gan"]} | ({"--game-args": told["gan_args"]} if told["gan_args"] else {})
    bernoulli = "bernoulli" in told["gan"]
    settings = read(told, "gan_args", ("loss", "p", "center") if bernoulli else ("loss",))
    loss = settings.get("loss", "bce")
    if loss not in LOSSES:
        raise OptionError(f"`loss` among `--gan_args` must be {' or '.join(LOSSES)}; got `{loss}`.")
    sigmoid = told["disc"] in DISCRIMINATORS and read(told, "disc_args", KNOWN["disc"]).get("sigmoid", False)
    if sigmoid and loss == "hinge":
        raise OptionError(
            "`sigmoid` among `--disc_args` must be False with the loss `hinge`, which takes logits; got True."
        )
    out: dict[str, Any] = {"--game": "standard", "--loss": LOSSES[loss]}
    if bernoulli:
        out |= {"--noise": "bernoulli", "--probability": settings.get("p", 0.5)}
        out |= {"--centred": True} if settings.get("center", False) else {}
    return out


def metrics(told: dict[str, Any]) -> dict[str, Any]:
    """What is measured, and when; a period of 0 or less is none."""
    if told["compute_is_every"].lstrip("-+").isdigit() and int(told["compute_is_every"]) <= 0:
        return {"--metrics": "none"}
    return {
        "--metrics": "is,fid",
        "--metrics-every": told["compute_is_every"],
        "--metrics-samples": told["n_samples_is"],
        "--metrics-batch-size": told["val_batch_size"],
        "--metrics-features": "inception" if told["use_tf_metrics"] else "inception-torch",
    }


def read(told: dict[str, Any], key: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of a component of its own, which must be among the known ones."""
    settings = arguments(told[key] or "", f"--{key}")
    for name in settings:
        if name not in known:
            raise OptionError(
                f"`--{key}` must hold {', '.join(known)} for `{told[key.removesuffix('_args')]}`; got"
                f" `{name}`.{nearest(name, known)}"
            )
    return settings


def resumes(told: dict[str, Any], ours: list[str]) -> bool:
    """Whether there is a run to go on with, where `--resume auto` looks for one."""
    if told["resume"] != "auto":
        raise OptionError(
            f"`--resume` must be auto; got `{told['resume']}`. A checkpoint of GAN doctor is a pickle, which could run"
            " code: start a new run."
        )
    name = told["name"] or os.environ.get("SHK_EXPERIMENT_ID")
    if not name or "--restore" in ours or "--delete" in ours or "--no-restore" in ours:
        return False
    root = told["save_path"] or os.environ.get("RESULTS_DIR")
    trial = told["trial_id"]
    if root:
        trial = trial or os.environ.get("SLURM_JOB_ID") or os.environ.get("SHK_TRIAL_ID") or "1"
        return (Path(root) / name / trial / "options.json").is_file()
    return (Path("models") / (f"{name}-{trial}" if trial else name) / "options.json").is_file()
