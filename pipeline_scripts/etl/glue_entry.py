"""What Glue runs as its script; the code itself comes with --extra-py-files."""

import sys

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.job import main

if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except EtlError as error:
        # Glue shows it as the run's error message; by its kind the workflow sees whether to try again.
        sys.exit(f"{type(error).__name__}: {error}")
