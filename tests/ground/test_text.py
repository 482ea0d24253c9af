from tasks.ground.text import printable, quoted, shortened, tell


def test_control_characters_and_changes_of_direction_are_shown_not_obeyed():
    assert printable("a\nb\x00c\u202ed\ud800e\u2028f") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert printable("Güte 猫 קוף \U0001f986") == "Güte 猫 קוף \U0001f986"


def test_long_text_is_shortened_and_says_how_long_it_was():
    assert shortened("cat") == "cat"
    assert shortened("c" * 5000) == "c" * 80 + "... (5000 characters)"
    assert quoted("a\x1b" + "c" * 5000) == "'a\\x1b" + "c" * 78 + "... (5002 characters)'"


def test_what_is_told_keeps_its_lines_and_nothing_else_that_acts(capsys):
    tell("one\ntwo\x1b[2J\r\x9b31m\u202e")
    assert capsys.readouterr().out == "one\ntwo\ufffd[2J\ufffd\ufffd31m\ufffd\n"
