# SPDX-License-Identifier: GPL-2.0
"""Strings, filters and packets that several chapters try in their own places."""

# Not UTF-8, by RFC 3629.
ILL_FORMED = {
    "lowest surrogate U+D800": b"\xed\xa0\x80",
    "highest surrogate U+DFFF": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "overlong NUL": b"\xc0\x80",
    "overlong slash in two bytes": b"\xc0\xaf",
    "overlong U+007F": b"\xc1\xbf",
    "overlong slash in three bytes": b"\xe0\x80\xaf",
    "overlong U+07FF": b"\xe0\x9f\xbf",
    "overlong slash in four bytes": b"\xf0\x80\x80\xaf",
    "overlong U+FFFF": b"\xf0\x8f\xbf\xbf",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "lead byte F5": b"\xf5\x80\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "byte FE": b"\xfe",
    "byte FF": b"\xff",
    "continuation byte alone": b"\x80",
    "two bytes cut to one": b"\xc3",
    "three bytes cut to two": b"\xe2\x82",
    "four bytes cut to three": b"\xf0\x9f\x98",
    "lead byte before ASCII": b"\xc3(",
    "third byte not a continuation": b"\xe2\x82(",
}

NUL = {
    "alone": b"\0",
    "first": b"\0a",
    "in the middle": b"a\0b",
    "last": b"a\0",
}

# The ends of each length of encoding, and what surrounds the surrogates.
WELL_FORMED = ["\u00a1", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd",
               "\U00010000", "\U0010fffd", "\u4e2d\u6587", "e\u0301", "\U0001f600"]

# A filter can't be like this; each is formatted with a topic of the test.
BAD_FILTERS = ["{}/#/b", "{}#", "{}/a#", "{}/#a", "{}/##", "{}/#/", "#{}", "#/{}",
               "{}+", "+{}", "{}/a+", "{}/+a", "{}/++", "{}/a+/b", "{}/+#", "{}/#+"]
