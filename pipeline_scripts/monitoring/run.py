"""How every monitor runs: read the capture, look, write the report, say what came of it."""

from argparse import Namespace
from collections.abc import Callable, Sequence

from pipeline_scripts.analysis.capture import Capture, read_capture
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.monitoring.report import Report, WithoutAnswer, asked_window, moment_of

Look = Callable[[Report, Capture, Model, Namespace], None]


def run_monitor(argv: Sequence[str], look: Look, *, namespace: str, needs: Sequence[str] = ()) -> int:
    """Run one monitor.

    Args:
        argv: `--capture --baseline --output`, and `--ground-truth` and `--model` where the monitor needs them.
        look: Notes files, violations and metrics in the report, or raises `WithoutAnswer`.
        namespace: Where CloudWatch keeps this monitor's metrics.
        needs: Further folders without which the monitor cannot run.
    """
    others = [name for name in ("ground-truth", "model") if name not in needs]
    paths = folders(argv, "capture", "baseline", "output", *needs, optional=others)

    def work() -> str:
        model, window = load_model(), asked_window()
        capture = read_capture(paths.capture, model, window)
        report = Report(namespace=namespace)
        if capture.malformed:
            report.notes.append(f"{capture.malformed} lines of the capture could not be read.")
        report.measure("malformed_lines", float(capture.malformed))
        problem = None
        try:
            look(report, capture, model, paths)
        except WithoutAnswer as error:
            problem = error
        return report.write(paths.output, moment=moment_of(window, capture), problem=problem)

    return run_job(work)
