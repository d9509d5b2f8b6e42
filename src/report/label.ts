// Text as outlines, so that figures carry their own letters and look the same everywhere.
import { glyphs } from './glyphs.ts';

export interface LabelStyle {
  /** Height of an em in pixels. */
  readonly size: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
  /** Degrees, clockwise, about (x, y). */
  readonly rotate?: number;
}

/** Width of a text in pixels at a given size. */
export function labelWidth(text: string, size: number): number {
  let units = 0;
  for (const character of text) units += glyph(character)[0];
  return (units * size) / 1000;
}

/**
 * An SVG path that draws a text with its baseline at (x, y). Characters that the figures' font lacks are
 * drawn as '?' (channel names may hold anything).
 */
export function label(text: string, x: number, y: number, style: LabelStyle): string {
  const { size, color = '#222', anchor = 'start', bold = false, rotate = 0 } = style;
  const shift = anchor === 'start' ? 0 : labelWidth(text, size) * (anchor === 'middle' ? 0.5 : 1);
  let at = 0;
  let path = '';
  for (const character of text) {
    const [advance, outline] = glyph(character);
    // Outlines are relative: an absolute start for each keeps them apart.
    if (outline) path += `M${at} 0${outline}`;
    at += advance;
  }
  const scale = size / 1000;
  const place = `translate(${round(x)} ${round(y)})${rotate ? ` rotate(${rotate})` : ''} translate(${round(-shift)} 0) scale(${scale})`;
  const weight = bold ? ` stroke="${color}" stroke-width="38"` : '';
  return `<path transform="${place}" fill="${color}"${weight} d="${path}"/>`;
}

function glyph(character: string): readonly [number, string] {
  return glyphs[character] ?? glyphs['?'];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
