"""`python -m cvclaims` is the `cvclaims` command."""

import sys

from cvclaims.cli import main

if __name__ == "__main__":
    sys.exit(main())
