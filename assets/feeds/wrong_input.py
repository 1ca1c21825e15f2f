"""The one way in which what a person gave is said to be wrong: the settings, a file, a word on the command line.

Belongs here: the exception that a person can act on. Does not belong here: a fault of ours, which stays an ordinary
exception, and how a command prints it.
"""


class WrongInput(Exception):
    """What was given cannot be used; said in one line that names the place and the mend.

    Args:
        what: What is wrong, without a full stop; never a value that could identify anyone.
        place: Where: a file, a file and line, a key of the settings, an option.
        mend: What to do about it.
    """

    def __init__(self, what: str, *, place: str, mend: str) -> None:
        super().__init__(what, place, mend)
        self.what = what
        self.place = place
        self.mend = mend

    def __str__(self) -> str:
        """The one line, whatever line ends its parts had."""
        return " ".join(f"{self.place}: {self.what}; {self.mend}".split())

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuilt whole in another process."""
        return (_rebuild, (self.what, self.place, self.mend))


def _rebuild(what: str, place: str, mend: str) -> WrongInput:
    return WrongInput(what, place=place, mend=mend)
