"""Which module reads a file whose cells have types.

Belongs here: that choice alone. Its modules are imported only by a service that has such files.
"""

from pathlib import Path

from assets.feeds.cells import Cells
from assets.feeds.mapping import FeedMapping


def cells_of(path: Path, *, name: str, mapping: FeedMapping, copy: Path) -> Cells:
    """A workbook's sheet, or an SPSS or Stata file, as cells.

    Args:
        path: the file, unpacked.
        name: what the clinic calls it.
        mapping: how it is to be read.
        copy: where the cells go.

    Raises:
        WrongInput: it is not what the mapping says it is.
    """
    if mapping.format == "excel":
        from assets.feeds.workbooks import read_workbook  # noqa: PLC0415

        return read_workbook(path, name=name, mapping=mapping, copy=copy)
    from assets.feeds.statistics_files import read_statistics_file  # noqa: PLC0415

    return read_statistics_file(path, name=name, mapping=mapping, copy=copy)
