"""Settings for every test of this repository."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# Properties are judged the same way on each run: no clock, no random start, no stored examples.
settings.register_profile("cvclaims", deadline=None, derandomize=True, database=None)
settings.load_profile("cvclaims")
