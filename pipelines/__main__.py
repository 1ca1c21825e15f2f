"""`python3 -m pipelines VERB`: prepare the environment if need be, then go on inside it.

Any Python can read this file, so that one too old gets a sentence and not a syntax error; what it imports before the
environment stands comes from the standard library alone.
"""

import os
import sys


def main() -> int:
    """Run one verb and return its exit status."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not __package__:  # started as `python3 path/to/pipelines VERB`, from any directory
        sys.path[0] = root
    if sys.version_info < (3, 11):  # noqa: UP036
        found = ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(f"rapport: Python {found} is too old; start it with Python 3.11 or newer\n")
        return 2
    from pipelines.environment import EnvironmentNotReady, continue_inside  # noqa: PLC0415

    try:
        continue_inside(sys.argv[1:])
    except EnvironmentNotReady as not_ready:
        sys.stderr.write(f"rapport: {not_ready}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    from pipelines.command_line import run  # noqa: PLC0415

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
