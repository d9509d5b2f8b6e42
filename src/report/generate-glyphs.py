"""Makes glyphs.ts from DejaVu Sans (Debian: fonts-dejavu-core, python3-fonttools). Run: python3 src/report/generate-glyphs.py"""
from pathlib import Path

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

CHARACTERS = [chr(c) for c in range(32, 127)] + list("µ²³±–−·×≤≥≈°σÅλΔ→…’")
NOTICE = """// The outlines are those of DejaVu Sans 2.37, whose changes to Bitstream Vera are in the public domain. Notice of
// Bitstream Vera: Copyright (c) 2003 by Bitstream, Inc. All Rights Reserved. Bitstream Vera is a trademark of
// Bitstream, Inc. Permission is hereby granted, free of charge, to any person obtaining a copy of the fonts
// accompanying this license ("Fonts") and associated documentation files (the "Font Software"), to reproduce and
// distribute the Font Software, including without limitation the rights to use, copy, merge, publish, distribute,
// and/or sell copies of the Font Software, and to permit persons to whom the Font Software is furnished to do so,
// subject to the following conditions: The above copyright and trademark notices and this permission notice shall
// be included in all copies of one or more of the Font Software typefaces. The Font Software may be modified,
// altered, or added to, and in particular the designs of glyphs or characters in the Fonts may be modified and
// additional glyphs or characters may be added to the Fonts, only if the fonts are renamed to names not containing
// either the words "Bitstream" or the word "Vera". This License becomes null and void to the extent applicable to
// Fonts or Font Software that has been modified and is distributed under the "Bitstream Vera" names. The Font
// Software may be sold as part of a larger software package but no copy of one or more of the Font Software
// typefaces may be sold by itself. THE FONT SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
// IMPLIED, INCLUDING BUT NOT LIMITED TO ANY WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT OF COPYRIGHT, PATENT, TRADEMARK, OR OTHER RIGHT. IN NO EVENT SHALL BITSTREAM OR THE GNOME
// FOUNDATION BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, INCLUDING ANY GENERAL, SPECIAL, INDIRECT,
// INCIDENTAL, OR CONSEQUENTIAL DAMAGES, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF
// THE USE OR INABILITY TO USE THE FONT SOFTWARE OR FROM OTHER DEALINGS IN THE FONT SOFTWARE."""


class RelativePen(BasePen):
    """SVG path of quadratic curves, y down, 1000 units an em, relative coordinates (they are short)."""

    def __init__(self, glyphs, scale):
        super().__init__(glyphs)
        self.scale, self.parts, self.at = scale, [], (0, 0)

    def _point(self, p):
        return round(p[0] * self.scale), round(-p[1] * self.scale)

    def _relative(self, points):
        x, y = self.at
        numbers = [v for p in points for v in (p[0] - x, p[1] - y)]
        self.at = points[-1]
        return "".join((" " if i and v >= 0 else "") + str(v) for i, v in enumerate(numbers))

    def _moveTo(self, p):
        self.parts.append("m" + self._relative([self._point(p)]))
        self.start = self.at

    def _lineTo(self, p):
        self.parts.append("l" + self._relative([self._point(p)]))

    def _qCurveToOne(self, c, p):
        self.parts.append("q" + self._relative([self._point(c), self._point(p)]))

    def _closePath(self):
        self.parts.append("z")
        self.at = self.start


font = TTFont("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
glyphs, names, scale = font.getGlyphSet(), font.getBestCmap(), 1000 / font["head"].unitsPerEm
lines = []
for character in CHARACTERS:
    name = names[ord(character)]
    pen = RelativePen(glyphs, scale)
    glyphs[name].draw(pen)
    key = "\\" + character if character in "'\\" else character
    lines.append(f"  '{key}': [{round(glyphs[name].width * scale)}, '{''.join(pen.parts)}'],")
Path(__file__).with_name("glyphs.ts").write_text(
    "// Outlines of the characters used in figures, so that labels look the same on a machine without any fonts.\n"
    "// Made by generate-glyphs.py; do not edit.\n"
    f"{NOTICE}\n\n"
    "/** By character: advance width and SVG path (relative, y down, baseline at 0), 1000 units an em. */\n"
    "// biome-ignore format: one glyph a line\n"
    "export const glyphs: Readonly<Record<string, readonly [number, string]>> = {\n" + "\n".join(lines) + "\n};\n"
)
