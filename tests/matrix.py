"""The numeric tests under other instruction sets and numbers of threads: one line a setting.

python tests/matrix.py [setting ...]     all settings, or these, as `avx2-1`

A processor with AVX-512 also has what others have, and libraries can be told to use no more. A
test that holds by luck on one machine fails here before it fails on another.
"""

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

NUMERIC = ("tests/training", "tests/models", "tests/data", "tests/engines", "tests/verdict")
INSTRUCTIONS = {
    "default": {},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
}
THREADS = (1, 2)
SETTINGS = {
    f"{name}-{threads}": {**variables, "OMP_NUM_THREADS": str(threads)}
    for name, variables in INSTRUCTIONS.items()
    for threads in THREADS
}
LONGEST = 30 * 60  # seconds; libraries have hung where they should have crashed


def passes(name: str) -> bool:
    """Run the numeric tests in a setting, print its line, and what failed."""
    variables = SETTINGS[name]
    processes = max(1, (os.cpu_count() or 1) // int(variables["OMP_NUM_THREADS"]))
    command = [sys.executable, "-m", "pytest", *NUMERIC, "-q", "-p", "no:cacheprovider"]
    start = time.monotonic()
    try:
        done = subprocess.run(
            [*command, "-n", str(processes)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"no end after {LONGEST} s", 1
    *before, last = output.strip().splitlines() or [""]
    counts = last.strip("= ").partition(" in ")[0]
    print(f"torch {version('torch')}  {name:10} {time.monotonic() - start:5.0f} s  {counts}")
    if status:
        print("\n".join(before), flush=True)
    return status == 0


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SETTINGS]
    if unknown:
        print(f"unknown setting {unknown[0]!r}: known are {', '.join(SETTINGS)}")
        return 2
    if platform.machine() not in ("x86_64", "AMD64"):
        names = names or [name for name in SETTINGS if not name.startswith("avx2")]
    failed = [name for name in names or SETTINGS if not passes(name)]
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
