"""Combinations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.errors import HotkeyError
from seedshot_desktop.hotkey import DEFAULT_COMBO, Combo, Modifier, parse_combo
from seedshot_desktop.hotkey.combo import KEY_WORDS, switches_console

KEYS = sorted(KEY_WORDS) + [f"F{n}" for n in range(1, 25)] + list("ABCXYZ0123456789-=[]\\;',./`")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (DEFAULT_COMBO, "Ctrl+Shift+2"),
        ("shift+CTRL+2", "Ctrl+Shift+2"),
        (" control + shift + 2 ", "Ctrl+Shift+2"),
        ("super+s", "Super+S"),
        ("Meta+s", "Super+S"),
        ("Win+S", "Super+S"),
        ("cmd+Option+k", "Alt+Super+K"),
        ("Print", "Print"),
        ("printscreen", "Print"),
        ("Alt+Print Screen", "Alt+Print"),
        ("shift+f09", "Shift+F9"),
        ("F24", "F24"),
        ("ctrl+page_up", "Ctrl+PageUp"),
        ("ctrl++", "Ctrl+Plus"),
        ("Ctrl+-", "Ctrl+-"),
        ("ctrl+.", "Ctrl+."),
        ("Pause", "Pause"),
    ],
)
def test_reads_what_people_write(text: str, canonical: str) -> None:
    assert str(parse_combo(text)) == canonical


@given(st.sampled_from(KEYS), st.integers(1, 15))
def test_reads_its_own_writing(key: str, modifiers: int) -> None:
    combo = Combo(Modifier(modifiers) | Modifier.CTRL, key)
    assert parse_combo(str(combo)) == combo


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("+", "no modifier"),
        ("Ctrl+Shift", "names no key"),
        ("Ctrl+A+B", "more than one key: A and B"),
        ("Ctrl+Ctrl+A", "Ctrl twice"),
        ("Ctrl+Strg+A", "Strg twice"),
        ("Ctrl+Foo", "“Foo”"),
        ("Ctrl+F25", "“F25”"),
        ("Ctrl+F0", "“F0”"),
        ("Ctrl+F²", "“F²”"),
        ("Ctrl+ä", "“ä”"),
        ("Ctrl+٣", "“٣”"),
        ("A", "no modifier"),
        ("Shift+A", "only Shift"),
        ("Enter", "no modifier"),
        ("Shift+Space", "only Shift"),
    ],
)
def test_says_what_is_wrong_and_how_to_write_it(text: str, reason: str) -> None:
    with pytest.raises(HotkeyError) as caught:
        parse_combo(text)
    message = str(caught.value)
    assert reason in message
    assert "Ctrl+" in message.split(". ", 1)[1]


@given(st.text())
def test_any_text_is_a_combination_or_an_error_for_people(text: str) -> None:
    try:
        combo = parse_combo(text)
    except HotkeyError:
        return
    assert parse_combo(str(combo)) == combo


@pytest.mark.parametrize("combo", ["Ctrl+Alt+F1", "Ctrl+Alt+F12", "Ctrl+Alt+Super+F5"])
def test_the_keys_of_text_consoles_are_the_displays_own(combo: str) -> None:
    assert switches_console(parse_combo(combo))


@pytest.mark.parametrize("combo", ["Ctrl+Alt+Shift+F1", "Ctrl+Alt+F13", "Ctrl+F1", "Alt+F12", "F1", "Ctrl+Alt+F"])
def test_their_neighbours_are_everybodys(combo: str) -> None:
    assert not switches_console(parse_combo(combo))
