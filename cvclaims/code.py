"""stub"""

import ast
import hashlib
import inspect
import textwrap


class UntoldError(ValueError):
    pass


def digest_of(thing):
    return hashlib.sha256(
        ast.dump(ast.parse(textwrap.dedent(inspect.getsource(thing)))).encode()
    ).hexdigest()[:16]
