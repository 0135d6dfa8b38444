"""What stops a run, in words for the person who mends it. No message ever holds a value of the source."""


class EtlError(Exception):
    """The run stopped and nothing was published; the message says what, where and how to mend it."""


class SourceRefused(EtlError):
    """The source is not what the model declares, so nothing was written."""


class QualityRefused(EtlError):
    """The data set is not what the model's rules of quality allow, so nothing was published."""


class RunQuarantined(EtlError):
    """The output failed its check: it stays locked away beside the vault, and the last version stays published."""
