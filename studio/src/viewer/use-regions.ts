// The drawn regions of a slide. Each is measured when it is drawn, and again when what it is measured with changes. They
// stay while the browser's tab does, and come back with their slide.
import { useEffect, useRef, useState } from 'react';
import type { RegionRequest } from '../../../src/contract/studio.ts';
import { api, messageOf } from '../api.ts';
import type { DrawnRegion, Point } from './regions.ts';

/** What all regions are measured with. */
export type RegionBasis = Omit<RegionRequest, 'polygon'>;

export interface Regions {
  readonly regions: readonly DrawnRegion[];
  /** @returns its id */
  readonly add: (points: readonly Point[]) => number;
  readonly remove: (id: number) => void;
  readonly rename: (id: number, name: string) => void;
}

interface Held extends DrawnRegion {
  /** What it was measured with, or is being. */
  readonly basis?: RegionBasis;
}

/** @param basis keeps its identity until something in it changes; undefined while no slide is open */
export function useRegions(basis: RegionBasis | undefined): Regions {
  const slide = basis?.slide;
  const [held, setHeld] = useState<{ slide?: string; regions: readonly Held[] }>({ regions: [] });
  const nextId = useRef(0);
  if (held.slide !== slide) setHeld({ slide, regions: storedRegions(slide) });
  const { regions } = held;
  const change = (of: (regions: readonly Held[]) => readonly Held[]): void =>
    setHeld((now) => (now.slide === slide ? { slide, regions: of(now.regions) } : now));

  useEffect(() => {
    if (held.slide !== undefined) storeRegions(held.slide, held.regions);
  }, [held]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `change` differs with the slide alone, and so does the basis.
  useEffect(() => {
    const due = regions.filter((region) => region.basis !== basis);
    if (due.length === 0 || basis === undefined) return;
    change((now) =>
      now.map((region) =>
        due.includes(region) ? { ...region, basis, result: undefined, error: undefined } : region,
      ),
    );
    for (const { id, points } of due) {
      const settle = (part: Partial<DrawnRegion>): void =>
        change((now) =>
          now.map((region) => (region.id === id && region.basis === basis ? { ...region, ...part } : region)),
        );
      api
        .region({ ...basis, polygon: points.map(([x, y]) => [x, y]) })
        .then((result) => settle({ result }))
        .catch((cause) => settle({ error: messageOf(cause) }));
    }
  }, [regions, basis]);

  return {
    regions,
    add: (points) => {
      const id = Math.max(nextId.current, ...regions.map((region) => region.id + 1));
      nextId.current = id + 1;
      change((now) => [...now, { id, name: `Region ${id + 1}`, points }]);
      return id;
    },
    remove: (id) => change((now) => now.filter((region) => region.id !== id)),
    rename: (id, name) =>
      change((now) => now.map((region) => (region.id === id ? { ...region, name } : region))),
  };
}

const keyOf = (slide: string): string => `regions of ${slide}`;

function storedRegions(slide: string | undefined): readonly Held[] {
  const text = slide === undefined ? null : sessionStorage.getItem(keyOf(slide));
  return text === null ? [] : (JSON.parse(text) as Held[]);
}

function storeRegions(slide: string, regions: readonly Held[]): void {
  const drawn = regions.map(({ id, name, points }) => ({ id, name, points }));
  try {
    if (drawn.length === 0) sessionStorage.removeItem(keyOf(slide));
    else sessionStorage.setItem(keyOf(slide), JSON.stringify(drawn));
  } catch {
    // The browser keeps no more; the regions stay while the page does.
  }
}
