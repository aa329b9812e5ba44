"""Verdicts: what a few seeds' values say about a claim.

Light, as every room that shows verdicts needs their words: rules and statistics are imported
from where they stand.
"""

from cvclaims.verdict.decision import Decision as Decision
from cvclaims.verdict.decision import Verdict as Verdict
