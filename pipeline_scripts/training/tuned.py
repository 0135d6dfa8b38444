"""How a training job of a tuning starts the same script as any other training job.

Such a job has no entrypoint: the image's own program imports what SAGEMAKER_TRAINING_MODULE names and calls it.
"""

import os
import sys


def main() -> None:
    """Become the training: the same process, so that its exit code and its reason of failure are the job's.

    The image's program would report success whatever is returned to it, and write another reason over a raised one.
    """
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pipeline_scripts", "training.train"])
