"""A training whose machine is taken away ends, on the next one, with the bytes of one that was left alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xgboost

from pipeline_scripts.training import train
from tests.runtime.churn import Trained
from tests.runtime.test_training_model import bytes_of

# Dies the hard way, as soon as so many checkpoints are written.
KILLED = """
import os, signal, sys
from pipeline_scripts.training import boosting, train

write, left = boosting.Checkpoint.write, [int(sys.argv[1])]

def write_and_die(checkpoint, learnt):
    write(checkpoint, learnt)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

boosting.Checkpoint.write = write_and_die
sys.exit(train.main([]))
"""


@pytest.fixture
def spot(trained: Trained, job: Path) -> Path:
    """A job that keeps checkpoints, with more rounds than early stopping will let it grow."""
    shutil.copytree(trained.root / "input" / "data", job / "input" / "data")
    (job / "checkpoints").mkdir()
    return job


def configure(job: Path, **hyperparameters: str) -> None:
    (job / "input" / "config").mkdir(exist_ok=True)
    (job / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))


def taken_away(after: int) -> int:
    return subprocess.run([sys.executable, "-c", KILLED, str(after)], env=os.environ, check=False).returncode


@pytest.mark.parametrize("after", [1, 2])
def test_a_killed_training_goes_on_to_the_same_bytes(
    trained: Trained, spot: Path, after: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert taken_away(after) == -signal.SIGKILL
    [left] = (spot / "checkpoints").iterdir()
    grown = xgboost.Booster(model_file=left).num_boosted_rounds()
    assert grown == after * 50
    capfd.readouterr()

    assert train.main([]) == 0

    assert bytes_of(spot / "model") == bytes_of(trained.unpacked)
    assert capfd.readouterr().out.count("validation-logloss") == xgboost_lines(left, grown)


def xgboost_lines(checkpoint: Path, resumed_from: int) -> int:
    """XGBoost tells of the first round of a stretch and of its last: what was learnt before is not learnt again."""
    rounds = xgboost.Booster(model_file=checkpoint).num_boosted_rounds()
    return 2 * -(-(rounds - resumed_from) // 50)


def test_patience_is_counted_across_the_break(spot: Path, tmp_path: Path) -> None:
    configure(spot, early_stopping_rounds="70", eta="0.3")
    assert train.main([]) == 0
    alone = bytes_of(spot / "model")
    [whole] = (spot / "checkpoints").iterdir()
    stopped_at = xgboost.Booster(model_file=whole)
    assert stopped_at.num_boosted_rounds() - 1 - stopped_at.best_iteration == 70
    shutil.rmtree(spot / "model")
    whole.unlink()

    assert taken_away(1) == -signal.SIGKILL
    assert train.main([]) == 0

    assert bytes_of(spot / "model") == alone


def test_nobody_goes_on_from_another_trainings_checkpoint(trained: Trained, spot: Path) -> None:
    configure(spot, max_depth="2")
    assert train.main([]) == 0
    configure(spot)

    assert train.main([]) == 0

    assert len(list((spot / "checkpoints").iterdir())) == 2
    assert bytes_of(spot / "model") == bytes_of(trained.unpacked)


def test_a_finished_training_is_not_done_again(spot: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert train.main([]) == 0
    once = bytes_of(spot / "model")
    capfd.readouterr()

    assert train.main([]) == 0

    assert "validation-logloss" not in capfd.readouterr().out
    assert bytes_of(spot / "model") == once
