"""Text in CSV cells: spreadsheet programs run a cell that begins as a formula does, so such text is marked as text.

The mark is an apostrophe in front, as spreadsheet programs have it. See OWASP, "CSV Injection".
"""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MARK = "'"


def text_to_cell(text: str) -> str:
    """`text` as a cell that no spreadsheet program runs; `cell_to_text` gives the text back."""
    return _MARK + text if text.lstrip(_MARK).startswith(_FORMULA_STARTS) else text


def cell_to_text(cell: str) -> str:
    """The text of a cell that `text_to_cell` wrote; every other cell is its own text."""
    return cell[1:] if cell.startswith(_MARK) and cell.lstrip(_MARK).startswith(_FORMULA_STARTS) else cell
