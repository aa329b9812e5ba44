"""Claims of computer vision reports, tested by training the networks and judging the outcome.

    from cvclaims.claim import Report, claim
    from cvclaims.recipe import Recipe

Nothing is imported here: pytest loads this package in every project of an environment that has
it, and must not become slower there.
"""

__version__ = "0.1.0"
