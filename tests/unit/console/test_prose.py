"""A card's Markdown becomes tags, and nothing else does."""

from __future__ import annotations

from perennial.console.prose import prose

CARD = """\
# shop v000002

Predicts `bought` (binary),
on two lines.

- **Duel:** better, 5 < 6.
- **Reads:** a
  long list; `<script>`.
"""


def test_paragraphs_lists_code_and_bold_are_tags_and_the_title_is_left_out() -> None:
    assert prose(CARD) == (
        "<p>Predicts <code>bought</code> (binary), on two lines.</p>"
        "<ul><li><b>Duel:</b> better, 5 &lt; 6.</li>"
        "<li><b>Reads:</b> a long list; <code>&lt;script&gt;</code>.</li></ul>"
    )


def test_tags_in_a_card_stay_text() -> None:
    assert "<img" not in prose("**<img src=x onerror=alert(1)>** `**<b>**`")


def test_of_an_empty_card_nothing_is_shown() -> None:
    assert prose("") == ""
