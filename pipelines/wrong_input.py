"""The one way in which a command says that what it was given is wrong.

For what a person can mend: a file, a key, a word on the command line. A fault of ours stays an ordinary exception.
"""


class WrongInput(Exception):
    """What was given cannot be used; said in one line, with exit status 2.

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
