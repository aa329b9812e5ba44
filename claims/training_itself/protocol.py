"""Not a report: what this suite claims of its own training, put to the same test."""

from cvclaims import Report

TRAINING_ITSELF = Report(
    6,
    "training-itself",
    "cvclaims: training itself",
    note="No report's claims but our own: what the suite does to be fast has to leave alone what "
    "is learned.",
)
