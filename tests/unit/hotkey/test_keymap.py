"""Which physical key a combination means, on keyboards of several languages."""

from __future__ import annotations

from seedshot_desktop.hotkey.combo import parse_combo
from seedshot_desktop.hotkey.keymap import find_keycode, lock_masks, modifier_mask
from seedshot_desktop.hotkey.xcb import Keymap

SHIFT, LOCK, CONTROL, MOD1, MOD2, MOD3, MOD4, MOD5 = (1 << bit for bit in range(8))
ALT_L, ALT_R, META_L, SUPER_L, NUM_LOCK, SCROLL_LOCK, PRINT, SYS_REQ = (
    *(0xFFE9, 0xFFEA, 0xFFE7, 0xFFEB),
    *(0xFF7F, 0xFF14, 0xFF61, 0xFF15),
)
CYRILLIC_YERU, CYRILLIC_CAPITAL_YERU = 0x6D9, 0x6F9


def keyboard(keys: dict[int, tuple[int, ...]], modifiers: dict[int, list[int]] | None = None) -> Keymap:
    """A keyboard with these symbols on these key codes, and these key codes on these modifier bits."""
    columns = max(len(row) for row in keys.values())
    rows = tuple((keys.get(code, ()) + (0,) * columns)[:columns] for code in range(8, 256))
    held = modifiers or {}
    return Keymap(8, rows, tuple(tuple(held.get(bit, [])) for bit in range(8)))


def symbols(text: str) -> tuple[int, ...]:
    return tuple(map(ord, text))


def test_an_american_keyboard() -> None:
    keys = keyboard({11: symbols("2@"), 39: symbols("sS"), 107: (PRINT, SYS_REQ)})
    assert find_keycode(keys, "2") == 11
    assert find_keycode(keys, "S") == 39
    assert find_keycode(keys, "Print") == 107


def test_a_german_keyboard_has_y_and_z_exchanged() -> None:
    keys = keyboard({29: symbols("zZ"), 52: symbols("yY")})
    assert find_keycode(keys, "Z") == 29


def test_digits_of_a_french_keyboard_are_shifted() -> None:
    keys = keyboard({11: symbols("é2"), 24: symbols("aA")})
    assert find_keycode(keys, "2") == 11


def test_what_is_plain_is_preferred_to_what_is_shifted() -> None:
    keys = keyboard({20: symbols("x2"), 80: symbols("2y")})
    assert find_keycode(keys, "2") == 80


def test_the_first_layout_is_preferred_to_the_second() -> None:
    keys = keyboard({29: symbols("yYzZ"), 52: symbols("zZyY")})
    assert find_keycode(keys, "Z") == 52


def test_the_second_layout_serves_where_the_first_has_no_latin_letters() -> None:
    keys = keyboard({39: (CYRILLIC_YERU, CYRILLIC_CAPITAL_YERU, *symbols("sS"))})
    assert find_keycode(keys, "S") == 39


def test_a_russian_keyboard_alone_keeps_letters_where_americans_have_them() -> None:
    keys = keyboard({39: (CYRILLIC_YERU, CYRILLIC_CAPITAL_YERU)})
    assert find_keycode(keys, "S") == 39


def test_a_key_that_is_not_there() -> None:
    assert find_keycode(keyboard({11: symbols("2@")}), "F13") is None


def test_modifiers_are_found_where_this_keyboard_has_them() -> None:
    keys = keyboard({64: (ALT_L, META_L), 133: (SUPER_L,)}, {3: [64], 6: [133]})
    assert modifier_mask(keys, parse_combo("Ctrl+Shift+2")) == CONTROL | SHIFT
    assert modifier_mask(keys, parse_combo("Ctrl+Alt+2")) == CONTROL | MOD1
    assert modifier_mask(keys, parse_combo("Super+2")) == MOD4


def test_alt_is_not_taken_from_a_modifier_that_is_only_meta() -> None:
    keys = keyboard({64: (ALT_L, 0), 205: (0, META_L)}, {3: [64], 4: [205]})
    assert modifier_mask(keys, parse_combo("Alt+2")) == MOD1


def test_no_such_modifier() -> None:
    assert modifier_mask(keyboard({11: symbols("2@")}), parse_combo("Super+2")) is None


def test_every_combination_of_the_locks() -> None:
    keys = keyboard({77: (NUM_LOCK,), 78: (SCROLL_LOCK,)}, {1: [66], 4: [77], 7: [78]})
    locks = {0, LOCK, MOD2, LOCK | MOD2}
    assert set(lock_masks(keys)) == locks | {mask | MOD5 for mask in locks}


def test_num_lock_is_looked_up_and_not_assumed() -> None:
    keys = keyboard({77: (NUM_LOCK,)}, {5: [77]})
    assert lock_masks(keys) == [0, LOCK, MOD3, LOCK | MOD3]


def test_a_keyboard_without_locks() -> None:
    assert lock_masks(keyboard({11: symbols("2@")})) == [0, LOCK]
