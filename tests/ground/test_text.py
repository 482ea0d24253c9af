import pytest

from tasks.ground.text import (
    composed,
    counted,
    folded,
    plot_to_text,
    print_text,
    printable,
    quoted,
    shortened,
    text_to_plot,
)


def test_one_of_a_thing_is_not_named_in_the_plural():
    assert [counted(number, "image") for number in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
    assert [counted(2, noun) for noun in ("box", "class", "copy")] == ["2 boxes", "2 classes", "2 copies"]


def test_control_characters_and_changes_of_direction_are_replaced():
    assert printable("a\nb\x00c\u202ed\ud800e\u2028f") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert printable("Güte 猫 קוף \U0001f986") == "Güte 猫 קוף \U0001f986"


def test_long_text_is_shortened_and_says_how_long_it_was():
    assert shortened("cat") == "cat"
    assert shortened("c" * 5000) == "c" * 80 + "... (5000 characters)"
    assert quoted("a\x1b" + "c" * 5000) == "'a\\x1b" + "c" * 78 + "... (5002 characters)'"


def test_printed_text_keeps_its_line_ends_but_no_other_control_character(capsys):
    print_text("one\ntwo\x1b[2J\r\x9b31m\u202e")
    assert capsys.readouterr().out == "one\ntwo\ufffd[2J\ufffd\ufffd31m\ufffd\n"


@pytest.mark.parametrize(
    ("text", "plotted"),
    [
        ("cat", "cat"),
        ("</script>", "&lt;/script>"),
        ("salt & pepper > all", "salt & pepper > all"),
        ("&lt;", "&amp;lt;"),
        ("&amp;lt;<&&lt;", "&amp;amp;lt;&lt;&&amp;lt;"),
        ("&amp;", "&amp;"),
        ("", ""),
    ],
)
def test_text_for_plots_has_no_opening_bracket_and_reads_back(text: str, plotted: str) -> None:
    assert text_to_plot(text) == plotted
    assert plot_to_text(plotted) == text


def test_names_are_compared_composed_and_folded_whatever_their_capitals():
    assert composed("cafe\u0301") == composed("caf\u00e9") != composed("CAF\u00c9")
    assert folded("CAFE\u0301") == folded("caf\u00e9") == folded("CAF\u00c9")
    # NFC, not NFKC: these look different.
    assert composed("x\u00b2") != composed("x2")
