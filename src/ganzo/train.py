"""The whole training loop, on one page: epochs, rounds, and everything periodic between them."""

from argparse import Namespace

from ganzo.assemble import assemble
from ganzo.evaluation import Evaluation
from ganzo.metric import Metric
from ganzo.nn.ranks import alone, ranks, writers
from ganzo.options import settle_names
from ganzo.progress import Progress
from ganzo.registry import build
from ganzo.report import draw_curves
from ganzo.run import Run
from ganzo.snapshot import Snapshot
from ganzo.statistics import Statistics


def train(options: Namespace) -> Run:
    """Play rounds of a game until `options.epochs`, keeping what they produce."""
    settle_names(options)
    progress = Progress(options)
    machine, run = build("common", "machine", options), build("common", "run", options)
    schedule = build("common", "schedule", options)
    with run, progress:
        progress.say(None if run.restoring else machine.choose(options, assemble))
        machine.settle(options)
        options.folder = run.output
        parts = assemble(options)
        metrics = Metric.from_options(options)
        metrics.ready(parts.data, options.device)
        evaluation = Evaluation.from_options(options, measured=metrics.scores)
        statistics = writers(lambda: Statistics.from_options(options))
        snapshots = writers(lambda: Snapshot.from_options(options))
        data, noise, game = parts.data, parts.noise, parts.game
        run.keep(**vars(parts), evaluation=evaluation, statistics=statistics, snapshots=snapshots)
        progress.say(run.begin(options, parts))
        progress.begin(run)

        for epoch in run.remaining():
            schedule.set(game.players, epoch)
            for losses in game.rounds(data, noise, run.pause):  # the only line that moves weights
                run.round_over()
                progress.show(run, losses, getattr(data, "batches", None))
                if run.over and game.turns_of_epoch:  # inside an epoch: it goes on with `--restore`
                    break
            else:
                scores = metrics.measure(epoch, data, noise, game.sampler)
                protocol = getattr(metrics, "protocol", None) if scores else None  # what the scores mean
                real = getattr(metrics, "real_scores", {}) if scores else {}  # of real against real
                numbers = run.record(losses | scores | real, protocol)
                for each in statistics:
                    each.log(numbers)
                for each in snapshots:
                    with alone():  # rank 0 draws samples, and no other
                        each.save(data, noise, game.sampler)
                run.epoch_over(improved=evaluation.has_improved(numbers))
        for each in snapshots if run.stop is None else ():
            if hasattr(each, "finish"):  # a third party's may only have `save`
                with alone():
                    each.finish(data, noise, game.sampler)
        if ranks().leads:
            draw_curves(run.history, run.output / "curves.png")
        progress.finish(run, options, getattr(data, "class_names", ()))
    return run
