// The drawn regions of a slide. Each is measured when it is drawn, and again when what it is measured with changes.
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
  const [regions, setRegions] = useState<readonly Held[]>([]);
  const nextId = useRef(0);

  useEffect(() => {
    const ofSlide = regions.filter(
      (region) => region.basis === undefined || region.basis.slide === basis?.slide,
    );
    const due = ofSlide.filter((region) => region.basis !== basis);
    if (due.length === 0 && ofSlide.length === regions.length) return;
    setRegions(
      ofSlide.map((region) =>
        due.includes(region) ? { ...region, basis, result: undefined, error: undefined } : region,
      ),
    );
    if (basis === undefined) return;
    for (const { id, points } of due) {
      const settle = (part: Partial<DrawnRegion>): void =>
        setRegions((held) =>
          held.map((region) =>
            region.id === id && region.basis === basis ? { ...region, ...part } : region,
          ),
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
      const id = nextId.current++;
      setRegions((held) => [...held, { id, name: `Region ${id + 1}`, points }]);
      return id;
    },
    remove: (id) => setRegions((held) => held.filter((region) => region.id !== id)),
    rename: (id, name) =>
      setRegions((held) => held.map((region) => (region.id === id ? { ...region, name } : region))),
  };
}
