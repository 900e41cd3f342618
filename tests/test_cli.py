import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ganzo import __version__
from ganzo.cli import COMMANDS, deh, main
from ganzo.data.progress import tell
from ganzo.errors import OptionError
from ganzo.recipes import read_config, recipes
from ganzo.registry import Registry
from ganzo.roles import ROLES

SOURCE = Path(__file__).parents[1] / "src"


def saved(name="t"):
    return json.loads(Path(f"models/{name}/options.json").read_text())


def warnings(said):
    return [line for line in said.err.splitlines() if line.startswith("ganzo: warning: ")]


# --- commands


def python(*words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, timeout=120
    )


def test_the_help_comes_without_torch():
    code = "import sys; from ganzo.cli import main; main(['--help']); assert 'torch' not in sys.modules"
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert "usage: ganzo COMMAND" in done.stdout


@pytest.mark.parametrize(
    "words, status, out, err",
    [
        (["-m", "ganzo", "list", "loss"], 0, "hinge: Hinge loss", ""),
        (
            [SOURCE / "ganzo.py", "--image_size", "x", "--dry-run"],
            2,
            "",
            "ganzo: error: `--image-size` must be",
        ),
        ([SOURCE / "deh.py", "--experiment", "none-such"], 2, "", "ganzo: error: There is no run in"),
    ],
)
def test_the_commands_that_texts_print(words, status, out, err):
    done = python(*words)
    assert done.returncode == status, done.stderr
    assert out in done.stdout and err in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_the_help_lists_the_commands(ganzo, words):
    said = ganzo(*words)
    assert said.status == 0
    assert all(f"  {name}" in said.out and text in said.out for name, text in COMMANDS.items())


def test_no_word_at_all_shows_what_can_be_done(capsys):
    assert main([]) == 0
    assert "usage: ganzo COMMAND" in capsys.readouterr().out


def test_the_version(ganzo):
    assert ganzo("--version").out == f"ganzo {__version__}\n"


def test_without_a_command_train_is_meant(ganzo, tiny):
    one, other = ganzo(f"{tiny} --dry-run --seed 1").out, ganzo(f"train {tiny} --dry-run --seed 1").out
    assert one.partition("\nmemory ")[0] == other.partition("\nmemory ")[0] != one  # what follows is measured


def test_an_unknown_command(refused):
    assert refused("trian").endswith("Did you mean `train`?")


def test_deh_is_sample(trained, capsys):
    capsys.readouterr()
    assert deh(["--experiment", "t", "--seed", "1"]) == 0
    assert capsys.readouterr().out == "output/t/samples/sample_1.png\n"


@pytest.mark.parametrize("command", ["train", "sample", "list"])
def test_every_command_has_a_help_page(ganzo, command):
    for flag in ("--help", "-h"):
        said = ganzo(command, flag)
        assert said.status == 0 and said.out.startswith(f"usage: ganzo {command}")


def test_the_help_of_train_is_about_the_chosen_components(ganzo):
    plain, hinge = ganzo("train --help --data-dir x").out, ganzo("train --loss hinge --help").out
    assert "--margin" in hinge and "--margin" not in plain
    assert "--soft-labels / --no-soft-labels" in plain


# --- list


def test_list_shows_rooms_and_recipes(ganzo):
    said = ganzo("list")
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    for role in ROLES.values():
        assert all(name in rows[role.namespace] for name in Registry.keys(role.namespace))
    assert all(name in rows["recipes"] for name in recipes())


def test_list_a_room(ganzo):
    lines = ganzo("list loss").out.splitlines()
    assert [line.partition(":")[0] for line in lines] == Registry.keys("loss")
    assert all(line.partition(": ")[2] for line in lines)


def test_list_a_component(ganzo):
    out = ganzo("list loss hinge").out
    assert out.startswith("hinge: Hinge loss") and "Paper: Lim & Ye" in out
    assert "--margin: how far past zero a logit must be before it stops counting" in out
    assert "--r1-weight" in ganzo("list regularizer r1").out


@pytest.mark.parametrize("namespace", sorted({role.namespace for role in ROLES.values()}))
def test_list_everything(ganzo, namespace):
    for name in Registry.keys(namespace):
        assert ganzo("list", namespace, name).status == 0


def test_list_recipes(ganzo):
    lines = ganzo("list recipes").out.splitlines()
    assert [line.split(maxsplit=1)[0] for line in lines] == list(recipes())
    for line in lines:
        name, text = line.split(maxsplit=1)
        about = yaml.safe_load(recipes()[name].read_text(encoding="utf-8"))["about"]
        assert text == " ".join(about["shows"].split())


def test_a_recipe_that_says_nothing(ganzo, refused, own_folder, monkeypatch):
    (own_folder / "plain.yaml").write_text("seed: 1\n")
    monkeypatch.setattr("ganzo.recipes.FOLDERS", (own_folder,))
    assert ganzo("list recipes").out.split() == ["plain"]
    (own_folder / "plain.yaml").write_text("about: [\n")
    assert "plain.yaml` is not valid YAML" in refused("list recipes")


def test_list_a_recipe(ganzo):
    assert ganzo("list recipes digits").out == recipes()["digits"].read_text(encoding="utf-8")


def test_list_what_is_not_there(refused):
    assert refused("list generatr").endswith("Did you mean `generator`?")
    assert refused("list loss hnige").endswith("Did you mean `hinge`?")
    assert refused("list nosuch").startswith("There is no room `nosuch`; choose among data, ")
    assert refused("list recipe").endswith("or `recipes`. Did you mean `recipes`?")
    assert refused("list loss nosuch").startswith("There is no loss called `nosuch`: choose among ")
    assert refused("list recipes digit").endswith("Did you mean `digits`?")
    assert refused("list recipes nosuch").startswith("There is no recipe `nosuch`; choose among ")


# --- one device or several


def test_parallel_on_one_device_is_a_warning(ganzo, tiny, monkeypatch):
    for words in ("--dry-run", "--experiment t --seed 1"):
        tell.cache_clear()
        said = ganzo(f"{tiny} {words} --parallel")
        assert said.status == 0
        (warning,) = warnings(said)
        assert warning.startswith(
            "ganzo: warning: `--parallel` has no effect: there is no CUDA device. Several"
        )
        assert "torchrun --nproc-per-node 2 -m ganzo train" in warning
    assert saved()["parallel"] is True
    assert warnings(ganzo("--restore --experiment t --epochs 2 --no-parallel")) == []


def row(said, key):
    return next(" ".join(line.split()[1:]) for line in said.out.splitlines() if line.split()[:1] == [key])


def test_each_layer_beats_the_one_before(ganzo, own_folder, monkeypatch):
    monkeypatch.setenv("GANZO_BATCH_SIZE", "8")
    (own_folder / "a.yaml").write_text("dataset: digits\nimage_size: 8\nstate_size: 4\nbatch_size: 9\n")
    (own_folder / "b.json").write_text('{"batch_size": 11}')
    small = "--dry-run --generator-layers 2 --discriminator-layers 2"
    steps = [
        (f"{small} --dataset digits", "8 environment"),
        (f"{small} --config a.yaml", "9 config a.yaml"),
        (f"{small} --config a.yaml --batch-size 10", "10 command line"),
        (f"{small} --config a.yaml --batch-size 10 --from-json b.json", "11 from-json b.json"),
    ]
    for words, expected in steps:
        assert row(ganzo(words), "batch_size") == expected
    monkeypatch.delenv("GANZO_BATCH_SIZE")
    assert row(ganzo(steps[0][0]), "batch_size") == "64 default"


def test_from_json_says_which_flags_it_overrides(ganzo, own_folder, tiny):
    values = {
        "generator_lr": 0.01,
        "discriminator_lr": 0.001,
        "loss": "wgan",
        "generator": {"name": "fc", "layers": 3},
    }
    (own_folder / "b.json").write_text(json.dumps({**values, "seed": 4, "regularizer": [{"name": "r1"}]}))
    words = "--lr 1e-3 --loss hinge --soft-labels --seed 4 --regularizer r2 --from-json b.json --dry-run"
    said = ganzo(f"{tiny} {words}")
    named = [line.split("`")[1].split()[0] for line in warnings(said) if "is overridden by" in line]
    assert sorted(named) == ["--generator-layers", "--generator-lr", "--loss", "--regularizer"]
    assert any(
        "--loss hinge` is overridden by from-json b.json, which says wgan" in w for w in warnings(said)
    )
    assert row(said, "loss") == "wgan from-json b.json"


def test_from_json_reproduces_a_run(ganzo, own_folder, trained):
    first = saved()
    assert ganzo("--from-json models/t/options.json --experiment u").status == 2  # the file's name wins
    changed = {key: value for key, value in first.items() if key != "experiment"}
    (own_folder / "again.json").write_text(json.dumps(changed))
    assert ganzo("--from-json again.json --experiment u").status == 0
    assert {**saved("u"), "experiment": "t"} == first
    one, other = (Path(f"models/{name}/generator.safetensors").read_bytes() for name in "tu")
    assert one == other


def test_without_a_name_or_seed_both_are_made_and_saved(ganzo, tiny):
    assert ganzo(tiny).status == 0
    (folder,) = Path("models").iterdir()
    options = json.loads((folder / "options.json").read_text())
    assert options["experiment"] == folder.name and len(folder.name) == 12
    assert isinstance(options["seed"], int)
    assert list(options) == sorted(options)
    assert ganzo(f"{tiny} --delete --epochs 2").status == 0  # the same name
    assert json.loads((folder / "options.json").read_text())["seed"] != options["seed"]
    assert [path.name for path in Path("models").iterdir()] == [folder.name]


# --- the recipe of a bare `ganzo train`


def test_recipes_have_names():
    assert "digits" in recipes()
    assert read_config("digits") == read_config(str(recipes()["digits"]))
    with pytest.raises(OptionError, match="Did you mean `digits`"):
        read_config("digit")


@pytest.mark.parametrize(
    "words", ["train --dry-run", "--dry-run", "--dry-run --epochs 3", "train --dry-run --seed 3"]
)
def test_a_bare_train_means_digits(ganzo, words):
    said = ganzo(words)
    assert row(said, "dataset") == "digits config digits"


@pytest.mark.parametrize(
    "flag", ["--loss hinge", "--data-dir pictures", "--optimizer adam", "--dataset folder"]
)
def test_naming_data_or_a_component_switches_that_off(refused, flag):
    # the folder of the default data set is not there
    assert "--data-dir" in refused(f"train --dry-run {flag}")


def test_a_named_recipe_stays_with_other_components(ganzo):
    said = ganzo("train --dry-run --config digits --loss hinge")
    assert row(said, "dataset") == "digits config digits" and row(said, "loss") == "hinge command line"


def test_the_environment_may_change_a_bare_train(ganzo, monkeypatch):
    monkeypatch.setenv("GANZO_MODEL_DIR", "elsewhere")
    assert row(ganzo("train --dry-run"), "model_dir") == "elsewhere environment"


# --- restore, delete, and the question


def test_what_does_not_change_the_result_may_change_on_restore(ganzo, tiny):
    assert ganzo(f"{tiny} --experiment t --seed 5 --generator cgan").status == 0
    words = "--epochs 2 --log file --log-file l.txt --snapshot-size 4 --sample-every 1 --metrics judge"
    more = (
        "--metrics-samples 10 --metrics-every 1 --checkpoint-every 5 --device cpu --output-dir o2 --threads 1"
    )
    said = ganzo(f"--restore --experiment t {words} {more}")
    assert said.status == 0, said
    assert (saved()["epochs"], saved()["seed"]) == (2, 5)
    assert Path("o2/t/results.json").read_text().count("\n") == 2 and Path("l.txt").is_file()


@pytest.mark.parametrize(
    "flag, words",
    [
        (
            "--generator-lr 1e-3",
            "`--generator-lr` cannot change on `--restore`: the run has `0.0001`, and `0.001`",
        ),
        ("--lr 1e-3", "-lr` cannot change on `--restore`"),
        (
            "--loss hinge",
            "`--loss` cannot change on `--restore`: the run has `gan`, and `hinge` was asked for",
        ),
        ("--image-size 16", "`--image-size` cannot change"),
        ("--batch-size 9", "`--batch-size` cannot change"),
        ("--seed 6", "`--seed` cannot change"),
        ("--regularizer r1", "`--regularizer` cannot change"),
        ("--generator-hook ema", "`--generator-hook` cannot change"),
        ("--generator fc:layers=3", "`--generator-layers` cannot change"),
        ("--evaluation-criterion generator-loss", "`--evaluation-criterion` cannot change"),
        ("--max-batches-per-epoch 3", "`--max-batches-per-epoch` cannot change"),
    ],
)
def test_what_changes_the_result_may_not(refused, trained, flag, words):
    assert words in refused(f"--restore --experiment t {flag}")


def test_the_same_value_is_no_change(ganzo, trained):
    assert (
        ganzo("--restore --experiment t --lr 1e-4 --image-size 8.0 --generator fc:layers=2 --seed 5").status
        == 0
    )


def test_nothing_to_restore(refused, tiny):
    words = "There is nothing to restore in `models/t`; leave out `--restore` to start a new run."
    assert refused(f"{tiny} --experiment t --restore") == words
    assert refused("--restore --experiment t") == words
    assert refused("--restore --experiment t --dry-run") == words


def test_deleting_beats_restoring(ganzo, trained, tiny):
    (trained / "mine.txt").write_text("of the old run")
    said = ganzo(f"{tiny} --experiment t --restore --delete --loss hinge")
    assert said.status == 0
    assert saved()["loss"] == "hinge" and not (trained / "mine.txt").exists()


def test_a_run_that_moved_is_restored_where_it_lies(ganzo, trained):
    Path("models").rename("moved")
    assert ganzo("--restore --experiment t --model-dir moved --epochs 2").status == 0
    assert not Path("models").exists()


def test_the_environment_may_say_where_a_run_lies(ganzo, trained, monkeypatch):
    Path("models").rename("moved")
    monkeypatch.setenv("GANZO_MODEL_DIR", "moved")  # the saved options still say `models`
    assert ganzo("--restore --experiment t --epochs 2").status == 0
    assert json.loads(Path("moved/t/options.json").read_text())["epochs"] == 2
    assert not Path("models").exists()


def test_a_bare_run_goes_on(ganzo):
    words = "train --epochs 1 --max-batches-per-epoch 1 --threads 1 --no-tune"
    assert ganzo(words).status == 0
    said = ganzo(f"{words} --restore --epochs 2")
    assert said.status == 0 and "restored at epoch 1" in said.out and not warnings(said)


def test_another_run_is_restored_without_the_recipe(ganzo, trained):
    said = ganzo("--restore --experiment t")
    assert said.status == 0 and not warnings(said)


def test_a_run_that_exists_is_not_overwritten(refused, trained, tiny):
    sentence = refused(f"{tiny} --experiment t")
    assert sentence.startswith("The experiment `t` exists already in `models/t`")
    assert "`--restore`" in sentence and "`--delete`" in sentence


@pytest.fixture
def terminal(monkeypatch):
    """A terminal at which somebody types the answers; at their end the input ends."""
    asked = []

    def type_in(*answers):
        left = iter(answers)

        def answer(question):
            asked.append(question)
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        return asked

    return type_in


def test_nobody_is_asked_about_a_new_run(ganzo, terminal, tiny):
    asked = terminal()
    assert ganzo(f"{tiny} --experiment new").status == 0
    assert asked == []


def test_answer_restore_takes_the_saved_options(ganzo, terminal, trained, tiny):
    asked = terminal("r")
    said = ganzo(f"{tiny} --experiment t --loss hinge --epochs 2")
    assert said.status == 0, said
    assert (saved()["loss"], saved()["epochs"], saved()["seed"]) == ("gan", 1, 5)
    assert all(word in asked[0] for word in ("`t` exists", "[r]", "[n]", "[d]", "[a]"))


def test_answer_new_options(ganzo, refused, terminal, trained, tiny):
    terminal("n", "n")
    assert "`--loss` cannot change" in refused(f"{tiny} --experiment t --loss hinge --seed 5")
    said = ganzo(f"{tiny} --experiment t --epochs 2 --seed 5")
    assert said.status == 0 and saved()["epochs"] == 2


def test_answer_delete(ganzo, terminal, trained, tiny):
    terminal("D ")
    assert ganzo(f"{tiny} --experiment t --loss hinge").status == 0
    assert saved()["loss"] == "hinge"


def test_answer_abort(ganzo, terminal, trained, tiny):
    terminal("a")
    said = ganzo(f"{tiny} --experiment t")
    assert said.status == 2 and saved()["seed"] == 5


def test_the_end_of_the_input(ganzo, terminal, trained, tiny):
    terminal()
    assert ganzo(f"{tiny} --experiment t").status == 1
    assert saved()["seed"] == 5


def test_nonsense_is_asked_again(ganzo, terminal, trained, tiny):
    asked = terminal("x", "", "restore", "a")
    assert ganzo(f"{tiny} --experiment t").status == 2
    assert len(asked) == 4


@pytest.mark.parametrize("flag", ["--restore", "--delete"])
def test_nobody_is_asked_who_has_said_it(ganzo, terminal, trained, tiny, flag):
    asked = terminal()
    assert ganzo(f"{tiny} --experiment t --seed 5 {flag}").status == 0
    assert asked == []


# --- how commands end


def test_an_interrupt_ends_with_130(monkeypatch, ganzo):
    def interrupted(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("ganzo.listing.command", interrupted)
    said = ganzo("list")
    assert said.status == 130 and "interrupted" in said.err


@pytest.mark.parametrize(
    "error, words",
    [
        (
            PermissionError(13, "Permission denied", "models/x"),
            "The system refuses `models/x`: Permission denied.",
        ),
        (OSError("of another kind"), "The system refuses: of another kind."),
        (
            RuntimeError("CUDA out of memory. Tried"),
            "There is not enough memory (CUDA out of memory. Tried); lower",
        ),
        (MemoryError("too much"), "There is not enough memory (too much)"),
        (MemoryError(), "There is not enough memory (MemoryError)"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(monkeypatch, refused, error, words):
    def fails(words):
        raise error

    monkeypatch.setattr("ganzo.listing.command", fails)
    assert refused("list").startswith(words)


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    def fails(words):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("ganzo.listing.command", fails)
    with pytest.raises(RuntimeError, match="shapes"):
        main(["list"])


def test_a_reader_that_has_gone(monkeypatch):
    def fails(words):
        raise BrokenPipeError

    class Closable:
        closed = False

        def close(self):
            self.closed = True

    monkeypatch.setattr("ganzo.listing.command", fails)
    monkeypatch.setattr("sys.stderr", stderr := Closable())
    assert main(["list"]) == 1 and stderr.closed
