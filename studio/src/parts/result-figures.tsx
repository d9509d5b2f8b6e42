// The figures of a result, whatever the command: numbers by name, groups of numbers as a table.
import type { ReactNode } from 'react';
import { formatFigure } from '../format.ts';

export interface Figure {
  readonly name: string;
  readonly value: number | null;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Every number in a result, with the way to it as its name; lists of things are left out. */
export function figuresOf(result: unknown, prefix = ''): Figure[] {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return [];
  return Object.entries(result as { readonly [key: string]: Json }).flatMap(([key, value]) => {
    const name = prefix === '' ? key : `${prefix} ${key}`;
    if (key === 'undefinedBecause') return [];
    if (typeof value === 'number') return [{ name, value }];
    if (value === null) return [];
    return figuresOf(value, name);
  });
}

export function ResultFigures({ result }: { readonly result: unknown }): ReactNode {
  const figures = figuresOf(result);
  if (figures.length === 0) return null;
  return (
    <dl className="figures wide">
      {figures.map(({ name, value }) => (
        <div key={name}>
          <dt>{words(name)}</dt>
          <dd>{formatFigure(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** 'secondsPerPatch' -> 'seconds per patch' */
export function words(name: string): string {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return spaced
    .replace(/ um\b/, ' (µm)')
    .replace(/\br2\b/, 'R²')
    .replace(/\b(n?r?mse|mae|psnr|ssim|icc|sd)\b/g, (name) => name.toUpperCase());
}
