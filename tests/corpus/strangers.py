"""Texts of strangers that mean harm to whoever shows them."""

from __future__ import annotations

TEXTS = (
    "<script>alert('harm')</script>",
    '"><img src=x onerror=harm()>',
    "'--><svg/onload=harm()>",
    "</textarea></title></style><iframe src=javascript:harm()>",
    "{{7*7}}{% harm %}",
    "[harm](javascript:harm())",
    "\x1b[2J\x1b]0;harm\x07",
    "\x9b31mharm\x9b0m",
    "\x7f\x08\x08harm",
    "=cmd|' /C harm'!A0",
    "+1+harm",
    "-1+harm",
    "@SUM(harm)",
    "＝harm()",
    "\u202egpj.harm",
    "\u2066harm\u2069\u200f",
    "harm\u2028ERROR\u2029forged",
    "harm\n2026-01-01 ERROR forged",
    'harm\r\n{"severity": "ERROR", "message": "forged"}',
    "harm" * 2000,
)

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""How a cell begins that a spreadsheet computes."""
